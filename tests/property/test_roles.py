"""For any input: a changed presentation is never accepted, and garbage is a ``FormatError`` or a report, never another exception."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from did_health.errors import FormatError, UnsupportedError
from did_health.roles.evidence import Evidence, Item
from did_health.roles.issuer import Issued
from did_health.roles.report import CheckName, Report, Verdict
from did_health.roles.verifier import Verifier
from tests.town import AUDIENCE, Town

NONCE = "property"
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

Path = tuple[str | int, ...]


class Scene:
    """A valid presentation, what it takes to verify it offline, and a verifier that remembers nothing from one example to the next."""

    def __init__(self, town: Town) -> None:
        self.town = town
        issued = town.issue(npi="1234567893")
        self.presentation = town.wallet.present([issued], audience=AUDIENCE, nonce=NONCE)
        self.evidence = town.evidence(issued)
        self.now = town.clock()

    def verify(self, document: Any, **options: Any) -> Report:
        verifier = Verifier(self.town.directory.policy, clock=self.town.clock)
        return verifier.verify(document, **({"audience": AUDIENCE, "nonce": NONCE, "evidence": self.evidence, "now": self.now} | options))


@pytest.fixture(scope="module")
def scene(town: Town) -> Scene:
    scene = Scene(town)
    assert scene.verify(scene.presentation).verdict is Verdict.ACCEPT
    return scene


def verdict_or_format_error(scene: Scene, document: Any, **options: Any) -> Verdict | None:
    try:
        report = scene.verify(document, **options)
    except (FormatError, UnsupportedError):
        return None
    json.dumps(report.to_json())
    return report.verdict


def paths(value: Any, at: Path = ()) -> list[Path]:
    """Every place in a JSON document."""
    found = [at] if at else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += paths(item, (*at, key))
    return found


def changed(document: Any, path: Path, change: Any) -> Any:
    """A copy with the value at ``path`` replaced by ``change(value)``, or dropped if that is ``...``."""
    copy = json.loads(json.dumps(document))
    parent = copy
    for key in path[:-1]:
        parent = parent[key]
    new = change(parent[path[-1]])
    if new is ...:
        del parent[path[-1]]
    else:
        parent[path[-1]] = new
    return copy


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8), st.just([]), st.just({}), st.just([{}]))


@QUICK
@given(data=st.data())
def test_a_presentation_with_one_byte_changed_is_never_accepted(scene: Scene, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(scene.presentation) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != scene.presentation[place]))
    mutated = scene.presentation[:place] + bytes([byte]) + scene.presentation[place + 1 :]
    try:
        same = json.loads(mutated) == json.loads(scene.presentation)
    except ValueError:
        same = False
    if not same:
        assert verdict_or_format_error(scene, mutated) is not Verdict.ACCEPT


@QUICK
@given(data=st.data())
def test_a_presentation_with_one_member_changed_is_never_accepted(scene: Scene, data: st.DataObject) -> None:
    document = json.loads(scene.presentation)
    path = data.draw(st.sampled_from(paths(document)))
    new = data.draw(VALUES)
    mutated = changed(document, path, lambda _: new)
    # A receipt stands in a list of receipts, or alone: both say the same.
    if mutated != document:
        assert verdict_or_format_error(scene, json.dumps(mutated)) is not Verdict.ACCEPT


def test_no_member_can_be_left_out(scene: Scene) -> None:
    document = json.loads(scene.presentation)
    accepted = [path for path in paths(document) if verdict_or_format_error(scene, changed(document, path, lambda _: ...)) is Verdict.ACCEPT]
    assert accepted == []


@QUICK
@given(data=st.data())
def test_a_member_that_is_added_is_never_accepted(scene: Scene, data: st.DataObject) -> None:
    document = json.loads(scene.presentation)
    objects = [path for path in [(), *paths(document)] if isinstance(at(document, path), dict)]
    path = data.draw(st.sampled_from(objects))
    name = data.draw(st.sampled_from(["id", "name", "x", "evidence", "termsOfUse", "previousProof", "expires", "nonce", "credential", "status"]))
    if path and path[0] == "issuanceReceipt":
        return  # A receipt proves what it proves, whatever stands beside it.
    mutated = json.loads(scene.presentation)
    at(mutated, path)[name] = data.draw(VALUES)
    if mutated != document:
        assert verdict_or_format_error(scene, json.dumps(mutated)) is not Verdict.ACCEPT


def at(document: Any, path: Path) -> Any:
    for key in path:
        document = document[key]
    return document


@QUICK
@given(data=st.data())
def test_changed_evidence_is_no_error_and_never_more_than_it_was(scene: Scene, data: st.DataObject) -> None:
    """Bytes of the evidence may be anything; whatever they prove no more is not accepted, for everything in it is needed."""
    found = {url: item.content for url, item in scene.evidence.items.items() if item.content is not None}
    url = data.draw(st.sampled_from(sorted(found)))
    content = found[url]
    place = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != content[place]))
    mutated = content[:place] + bytes([byte]) + content[place + 1 :]
    report = scene.verify(scene.presentation, evidence=scene.evidence.with_items({url: Item(mutated, scene.now)}))
    # A cosignature more than the quorum may be spoilt without harm.
    if report.verdict is Verdict.ACCEPT:
        assert "/latest/" in url


def test_nothing_of_the_evidence_can_be_left_out(scene: Scene) -> None:
    assert len(scene.evidence.items) > 10
    for url in [url for url, item in scene.evidence.items.items() if item.content is not None]:
        assert scene.verify(scene.presentation, evidence=scene.evidence.without([url])).verdict is Verdict.INDETERMINATE


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=12,
)
WORDS = st.sampled_from(["VerifiablePresentation", "VerifiableCredential", "PhysicianLicenseCredential", "did:key:z6Mk", "did:webvh:x:y.example", "urn:x"])
MEMBERS = st.sampled_from(
    [
        "@context", "type", "id", "issuer", "holder", "verifiableCredential", "issuanceReceipt", "credential", "credentialSubject", "credentialStatus",
        "credentialSchema", "proof", "validFrom", "validUntil",
    ]
)  # fmt: skip


@QUICK
@given(st.one_of(st.binary(max_size=64), st.text(max_size=64)))
def test_garbage_is_a_format_error(scene: Scene, garbage: bytes | str) -> None:
    assert verdict_or_format_error(scene, garbage) is None


@QUICK
@given(st.dictionaries(MEMBERS, st.one_of(JSON, WORDS, st.lists(WORDS, max_size=3)), max_size=8))
def test_documents_of_the_right_members_and_wrong_values_are_no_error(scene: Scene, document: dict[str, Any]) -> None:
    for source in (document, {**document, "type": ["VerifiablePresentation"]}, {**document, "type": ["VerifiableCredential"]}, {"credential": document}):
        assert verdict_or_format_error(scene, source) is not Verdict.ACCEPT


@QUICK
@given(data=st.data())
def test_a_credential_with_any_value_anywhere_is_no_error(scene: Scene, data: st.DataObject) -> None:
    """All but holder binding and presentation waived, so that every later step sees the value; signatures are not remade."""
    document = json.loads(scene.presentation)
    bare = {"credential": document["verifiableCredential"][0], "issuanceReceipt": document["issuanceReceipt"][0]}
    path = data.draw(st.sampled_from(paths(bare)))
    mutated = changed(bare, path, lambda _: data.draw(st.one_of(JSON, VALUES)))
    if mutated == bare:
        return
    verdict = verdict_or_format_error(scene, mutated, waive={CheckName.HOLDER_BINDING})
    assert verdict is not Verdict.ACCEPT


@QUICK
@given(st.dictionaries(st.text(max_size=10), st.one_of(JSON, st.just({"fetchedAt": "2026-01-01T00:00:00Z", "content": "AAAA"})), max_size=3))
def test_evidence_files_are_read_or_refused(items: dict[str, Any]) -> None:
    data = json.dumps({"format": "did-health/evidence/v1", "items": items}).encode()
    try:
        Evidence.parse(data)
    except FormatError:
        return


@QUICK
@given(JSON)
def test_issued_files_are_read_or_refused(content: Any) -> None:
    for document in (content, {"credential": content, "issuanceReceipt": content}):
        try:
            Issued.parse(json.dumps(document).encode())
        except FormatError:
            continue
