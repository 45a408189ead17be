from __future__ import annotations

from typing import Any

import pytest

from did_health.did.methods.webvh.parameters import NO_WITNESSES, ParameterChanges, Parameters, WitnessList
from did_health.errors import FormatError, UnsupportedError
from did_health.keys.base import Algorithm
from did_health.keys.nist import NISTSigner
from did_health.limits import MAX_DID_WITNESSES
from tests.webvh_samples import did_key, key, witnesses

SCID = "QmcASXkJMnprWNJCbyJ5394tCv8JDfrGptUmbCBoy4UtHE"
FIRST: dict[str, Any] = {"method": "did:webvh:1.0", "scid": SCID, "updateKeys": [key(1)]}


def first(**more: Any) -> Parameters:
    return ParameterChanges.parse({**FIRST, **more}).begin()


def test_defaults() -> None:
    parameters = first()
    assert parameters == Parameters("did:webvh:1.0", SCID, (key(1),), (), NO_WITNESSES, (), False, False, 3600)
    assert not parameters.pre_rotation


def test_everything_set() -> None:
    value = {
        **FIRST,
        "nextKeyHashes": ["any text"],
        "witness": {"threshold": 1, "witnesses": [{"id": did_key(7)}, {"id": did_key(8)}]},
        "watchers": ["https://watcher.example"],
        "portable": True,
        "deactivated": False,
        "ttl": 0,
    }
    changes = ParameterChanges.parse(value)
    assert changes.to_json() == value
    parameters = changes.begin()
    assert parameters.pre_rotation
    assert parameters.witness == witnesses(1, 7, 8)
    assert parameters.watchers == ("https://watcher.example",)
    assert parameters.portable
    assert parameters.ttl == 0


def test_what_is_not_set_stays() -> None:
    before = first(ttl=60, watchers=["w"], witness={"threshold": 1, "witnesses": [{"id": did_key(7)}]})
    assert ParameterChanges.parse({}).apply(before) == before
    after = ParameterChanges.parse({"updateKeys": [key(2)], "watchers": [], "witness": {}}).apply(before)
    assert (after.update_keys, after.watchers, after.witness, after.ttl) == ((key(2),), (), NO_WITNESSES, 60)


def test_null_is_read_as_the_default() -> None:
    before = first(nextKeyHashes=["h"], ttl=60, watchers=["w"], witness={"threshold": 1, "witnesses": [{"id": did_key(7)}]})
    nulls = dict.fromkeys(("updateKeys", "nextKeyHashes", "witness", "watchers", "ttl"))
    assert ParameterChanges.parse(nulls).apply(before) == Parameters("did:webvh:1.0", SCID, ())


def test_keys_of_other_kinds_may_be_listed() -> None:
    other = NISTSigner(Algorithm.P256, bytes(31) + b"\x01").public_key.multikey
    assert first(updateKeys=[key(1), other]).update_keys == (key(1), other)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param([], id="not-an-object"),
        pytest.param({"updatekeys": []}, id="undefined-parameter"),
        pytest.param({"prerotation": True}, id="parameter-of-0.4"),
        pytest.param({"method": 1}, id="method-not-a-text"),
        pytest.param({"scid": 1}, id="scid-not-a-text"),
        pytest.param({"scid": ""}, id="scid-empty"),
        pytest.param({"updateKeys": "z6Mk"}, id="update-keys-not-a-list"),
        pytest.param({"updateKeys": ["z0"]}, id="update-key-not-a-multikey"),
        pytest.param({"updateKeys": [key(1), key(1)]}, id="update-key-twice"),
        pytest.param({"nextKeyHashes": [1]}, id="next-key-hash-not-a-text"),
        pytest.param({"watchers": {}}, id="watchers-not-a-list"),
        pytest.param({"portable": None}, id="portable-null"),
        pytest.param({"portable": 1}, id="portable-a-number"),
        pytest.param({"deactivated": "true"}, id="deactivated-a-text"),
        pytest.param({"ttl": -1}, id="ttl-negative"),
        pytest.param({"ttl": 2**31 + 1}, id="ttl-too-large"),
        pytest.param({"ttl": True}, id="ttl-a-flag"),
        pytest.param({"ttl": "60"}, id="ttl-a-text"),
        pytest.param({"witness": []}, id="witness-a-list"),
        pytest.param({"witness": {"threshold": 1}}, id="witness-without-witnesses"),
        pytest.param({"witness": {"threshold": 0, "witnesses": []}}, id="witness-empty"),
        pytest.param({"witness": {"threshold": "1", "witnesses": [{"id": did_key(1)}]}}, id="threshold-a-text"),
        pytest.param({"witness": {"threshold": 0, "witnesses": [{"id": did_key(1)}]}}, id="threshold-zero"),
        pytest.param({"witness": {"threshold": 2, "witnesses": [{"id": did_key(1)}]}}, id="threshold-out-of-reach"),
        pytest.param({"witness": {"threshold": 1, "witnesses": [{"id": did_key(1), "weight": 1}]}}, id="weight-of-0.5"),
        pytest.param({"witness": {"threshold": 1, "witnesses": [did_key(1)]}}, id="witness-a-text"),
        pytest.param({"witness": {"threshold": 1, "witnesses": [{"id": key(1)}]}}, id="witness-without-did-key"),
        pytest.param({"witness": {"threshold": 1, "witnesses": [{"id": f"{did_key(1)}#{key(1)}"}]}}, id="witness-with-fragment"),
        pytest.param({"witness": {"threshold": 2, "witnesses": [{"id": did_key(1)}, {"id": did_key(1)}]}}, id="witness-twice"),
    ],
)
def test_refused(wrong: Any) -> None:
    with pytest.raises(FormatError):
        ParameterChanges.parse(wrong)


def test_number_of_witnesses_is_limited() -> None:
    numbers = range(10, 10 + MAX_DID_WITNESSES)
    assert witnesses(1, *numbers)
    with pytest.raises(FormatError, match="more than 64 witnesses"):
        witnesses(1, *numbers, 9)


@pytest.mark.parametrize("version", ["did:webvh:0.5", "did:webvh:1.1", "did:webvh:99.0", "did:tdw:0.4", ""])
def test_other_method_versions_are_not_spoken(version: str) -> None:
    with pytest.raises(UnsupportedError):
        ParameterChanges.parse({"method": version})


def test_a_witness_with_another_kind_of_key_is_not_supported() -> None:
    other = NISTSigner(Algorithm.P256, bytes(31) + b"\x01").public_key.multikey
    with pytest.raises(UnsupportedError):
        WitnessList(1, (f"did:key:{other}",))


@pytest.mark.parametrize("missing", sorted(FIRST))
def test_first_entry_without_a_required_parameter(missing: str) -> None:
    with pytest.raises(FormatError):
        ParameterChanges.parse({name: value for name, value in FIRST.items() if name != missing}).begin()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"scid": SCID}, id="scid-again"),
        pytest.param({"portable": True}, id="portable-too-late"),
    ],
)
def test_later_entry_cannot_set(changes: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        ParameterChanges.parse(changes).apply(first())


def test_portable_may_be_said_again_and_given_up_for_ever() -> None:
    before = first(portable=True)
    assert ParameterChanges.parse({"portable": True}).apply(before).portable
    after = ParameterChanges.parse({"portable": False}).apply(before)
    with pytest.raises(FormatError):
        ParameterChanges.parse({"portable": True}).apply(after)


@pytest.mark.parametrize("changes", [{}, {"updateKeys": []}, {"nextKeyHashes": []}])
def test_pre_rotation_wants_both_lists(changes: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        ParameterChanges.parse(changes).apply(first(nextKeyHashes=["h"]))
