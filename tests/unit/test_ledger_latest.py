"""Map heads and bundles as bytes: one spelling each, and every fault is named. What they prove is in ``tests/threats/test_map.py``."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from did_health.encoding import cbor
from did_health.errors import FormatError, UnsupportedError
from did_health.keys import generate
from did_health.ledger.entry import revocation_subject
from did_health.ledger.latest import LatestBundle, NewestEntry
from did_health.ledger.map_head import MapHead, head_subject, map_value, require_rule_l, sign_head
from did_health.tlog.note import NoteSigner
from did_health.tlog.prefix_map import MAP_FUNCTION
from tests.any_log import AnyLog, handle, revocation
from tests.conftest import repeatable_bytes

SUBJECT = revocation_subject(handle(1))


@pytest.fixture
def log() -> AnyLog:
    signer = NoteSigner("log.example", generate(repeatable_bytes("log")))
    log = AnyLog(signer, {f"w{number}.example": generate(repeatable_bytes(f"w{number}")) for number in range(3)})
    log.add(revocation(1), revocation(2))
    log.close()
    return log


@pytest.fixture
def members(log: AnyLog) -> dict[int, Any]:
    found: dict[int, Any] = cbor.loads(log.bundle(SUBJECT, NewestEntry(0, log.leaves[0])).encode())
    return found


def test_a_bundle_is_what_its_document_says(log: AnyLog, members: dict[int, Any]) -> None:
    bundle = LatestBundle.parse(cbor.dumps(members))
    assert bundle == log.bundle(SUBJECT, NewestEntry(0, log.leaves[0]))
    assert log.head is not None
    head = log.head.entry
    assert members == {
        1: 1,
        2: bundle.proof.encode(),
        3: 2,
        4: b"".join(log.tree.inclusion_proof(2)),
        5: [0, None, head.time, head.signature, log.head.head.root, 2],
        6: log.note().encode(),
        7: [0, log.leaves[0], 0],
    }
    assert bundle.newest is not None
    assert bundle.newest.parsed.subject == SUBJECT
    assert cbor.loads(log.bundle(bytes(32)).encode())[7] is None


FAULTS: dict[str, dict[int, Any]] = {
    "version_is_text": {1: "1"},
    "a_key_more": {8: 0},
    "proof_is_an_array": {2: []},
    "proof_is_garbage": {2: b"garbage"},
    "index_is_text": {3: "2"},
    "index_is_true": {3: True},
    "index_below_zero": {3: -1},
    "path_is_no_row_of_hashes": {4: bytes(31)},
    "path_too_long": {4: bytes(32 * 64)},
    "path_is_text": {4: ""},
    "head_is_a_map": {5: {}},
    "head_with_five_items": {5: [0, None, 1, bytes(64), bytes(32)]},
    "head_seq_is_text": {5: ["0", None, 1, bytes(64), bytes(32), 1]},
    "head_time_below_zero": {5: [0, None, -1, bytes(64), bytes(32), 1]},
    "first_head_with_predecessor": {5: [0, bytes(32), 1, bytes(64), bytes(32), 1]},
    "later_head_without": {5: [1, None, 1, bytes(64), bytes(32), 1]},
    "head_prev_too_short": {5: [1, bytes(31), 1, bytes(64), bytes(32), 1]},
    "head_signature_too_short": {5: [0, None, 1, bytes(63), bytes(32), 1]},
    "head_signature_is_text": {5: [0, None, 1, "", bytes(32), 1]},
    "head_root_too_long": {5: [0, None, 1, bytes(64), bytes(33), 1]},
    "note_is_text": {6: "note"},
    "note_is_none": {6: b"note"},
    "note_is_no_checkpoint": {6: "words\n\n— log.example AAAAAAAAAAA=\n".encode()},
    "newest_is_bytes": {7: b""},
    "newest_with_two_items": {7: [0, b""]},
    "newest_index_is_text": {7: ["0", b"", 0]},
    "newest_entry_is_text": {7: [0, "", 0]},
    "newest_flags_below_zero": {7: [0, b"", -1]},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bundle_with_one_fault_is_refused(members: dict[int, Any], fault: str) -> None:
    with pytest.raises(FormatError):
        LatestBundle.parse(cbor.dumps({**members, **FAULTS[fault]}))


@pytest.mark.parametrize("data", [b"", b"\xa0", cbor.dumps([1]), cbor.dumps({"1": 1}), cbor.dumps({1: 1}), b"\xa1\x01\x18\x01"])
def test_what_is_no_bundle_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        LatestBundle.parse(data)


def test_a_bundle_of_another_version_is_not_supported(members: dict[int, Any]) -> None:
    with pytest.raises(UnsupportedError):
        LatestBundle.parse(cbor.dumps({**members, 1: 2}))


def test_an_entry_that_is_none_is_told(log: AnyLog, members: dict[int, Any]) -> None:
    from did_health.tlog.witness_policy import PolicyLog, WitnessPolicy

    bundle = LatestBundle.parse(cbor.dumps({**members, 7: [0, b"no entry", 0]}))
    with pytest.raises(FormatError):
        bundle.verify(SUBJECT, WitnessPolicy((PolicyLog(log.signer.key),)))


def test_a_policy_without_witnesses_gives_no_time(log: AnyLog, members: dict[int, Any]) -> None:
    from did_health.tlog.witness_policy import PolicyLog, WitnessPolicy

    verified = LatestBundle.parse(cbor.dumps(members)).verify(SUBJECT, WitnessPolicy((PolicyLog(log.signer.key),)))
    assert (verified.timestamp, verified.index) == (None, 0)


# ---- map heads

HEAD = {1: MAP_FUNCTION, 2: 7, 3: bytes(32), 4: 3}


def test_a_map_head_is_what_its_document_says() -> None:
    head = MapHead.parse(cbor.dumps(HEAD))
    assert (head.size, head.root, head.count) == (7, bytes(32), 3)
    assert head.encode() == cbor.dumps(HEAD)


@pytest.mark.parametrize(
    "changes",
    [{1: 1}, {2: 0}, {2: "7"}, {2: True}, {3: bytes(31)}, {3: "root"}, {4: 0}, {4: 8}, {4: True}, {5: 0}],
    ids=[
        "function_is_a_number", "no_size", "size_is_text", "size_is_true", "short_root", "root_is_text", "no_keys", "more_keys_than_leaves", "count_is_true",
        "a_key_more",
    ],
)
def test_a_map_head_with_one_fault_is_refused(changes: dict[int, object]) -> None:
    with pytest.raises(FormatError):
        MapHead.parse(cbor.dumps({**HEAD, **changes}))


def test_a_head_of_another_function_is_not_supported() -> None:
    with pytest.raises(UnsupportedError):
        MapHead.parse(cbor.dumps({**HEAD, 1: "did-health/map/v2"}))


def test_values_differ_in_everything_they_are_made_of() -> None:
    zeros, other = bytes(32), bytes(range(32))
    values = {
        map_value(0, 0, zeros, zeros), map_value(1, 0, zeros, zeros), map_value(0, 1, zeros, zeros),
        map_value(0, 0, other, zeros), map_value(0, 0, zeros, other), map_value(0, 0, zeros, zeros, 1),
    }
    assert len(values) == 6


@pytest.mark.parametrize(("seq", "index", "flags"), [(0, 0, 0), (23, 24, 1), (255, 256, 23), (65_535, 65_536, 24), ((1 << 53) - 1, (1 << 62), 1 << 40)])
def test_a_value_is_the_hash_of_the_map_that_the_format_names(seq: int, index: int, flags: int) -> None:
    digest, content = bytes(range(32)), bytes(range(32, 64))
    assert map_value(seq, index, digest, content, flags) == hashlib.sha256(cbor.dumps({1: seq, 2: index, 3: digest, 4: content, 5: flags})).digest()


@pytest.mark.parametrize(("digest", "content"), [(31, 32), (33, 32), (32, 31), (32, 33)])
def test_a_value_is_made_of_whole_hashes(digest: int, content: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        map_value(0, 0, bytes(digest), bytes(content))


def test_rule_l_wants_a_head_of_this_log_and_size_after_an_entry(log: AnyLog) -> None:
    from dataclasses import replace

    from did_health.errors import VerificationError
    from did_health.ledger.entry import Entry

    assert log.head is not None
    last, document, before = log.head.entry, log.head.head.encode(), Entry.parse(log.leaves[1])
    assert require_rule_l("log.example", 3, last, document, before) == log.head.head
    assert last.subject == head_subject("log.example")
    other = sign_head(log.head.head, None, signer=NoteSigner("other.example", log.signer.signer), time=0)
    for code, arguments in {
        "map_head_missing": [("log.example", 2, before, document, before), ("log.example", 3, other, document, before), ("log.example", 3, last, b"", before)],
        "map_head_stale": [("log.example", 4, last, document, before)],
        "map_head_repeated": [("log.example", 3, last, document, replace(last))],
    }.items():
        for one in arguments:
            with pytest.raises(VerificationError) as refused:
                require_rule_l(*one)
            assert refused.value.code == code
