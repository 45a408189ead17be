"""Ledger entries: their bytes, their subjects, their signatures."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest

from did_health.encoding import cbor
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, generate
from did_health.ledger.entry import Entry, Kind, did_subject, revocation_subject, subject_of
from did_health.ledger.log import prepare
from tests.conftest import repeatable_bytes

SIGNER = generate(repeatable_bytes("entry"))
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def entry(previous: Entry | None = None, **changes: Any) -> Entry:
    arguments: dict[str, Any] = {
        "kind": Kind.SCHEMA,
        "subject": bytes(32),
        "content": bytes(range(32)),
        "author": "did:key:z6Mk#z6Mk",
        "now": NOW,
        "signer": SIGNER,
    }
    return Entry.create(**{**arguments, **changes}, previous=previous)


def encoded_with(**changes: Any) -> bytes:
    members = cbor.loads(entry().encode())
    for key, value in changes.items():
        if value is ...:
            del members[int(key[1:])]
        else:
            members[int(key[1:])] = value
    return cbor.dumps(members)


def test_parsing_gives_the_entry_that_was_encoded() -> None:
    first = entry()
    second = entry(first)
    assert Entry.parse(first.encode()) == first
    assert Entry.parse(second.encode()) == second
    assert (second.seq, second.prev) == (1, first.digest)


def test_the_digest_is_the_hash_of_the_encoding() -> None:
    assert entry().digest == hashlib.sha256(entry().encode()).digest()


def test_the_encoding_is_the_documented_map() -> None:
    signed = entry()
    members = {1: 1, 2: "schema", 3: bytes(32), 4: 0, 5: None, 6: bytes(range(32)), 7: "did:key:z6Mk#z6Mk", 8: 1772366400}
    assert cbor.loads(signed.encode()) == {**members, 9: signed.signature}
    assert SIGNER.public_key.verify(signed.signature, b"did-health/entry/v1\x00" + cbor.dumps(members))


def test_the_signature_of_every_algorithm_verifies() -> None:
    for algorithm in (Algorithm.ED25519, Algorithm.P256, Algorithm.P384):
        signer = generate(repeatable_bytes(algorithm), algorithm)
        Entry.parse(entry(signer=signer).encode()).verify(signer.public_key)


def test_another_key_does_not_verify() -> None:
    with pytest.raises(VerificationError) as refused:
        entry().verify(generate(repeatable_bytes("another")).public_key)
    assert refused.value.code == "entry_signature_invalid"


def test_a_naive_time_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="time zone"):
        entry(now=datetime(2026, 3, 1))  # noqa: DTZ001


def test_the_subject_is_the_documented_hash() -> None:
    expected = hashlib.sha256(b"did-health/subject/v1\x00status-list\x00https://board.example/1").digest()
    assert subject_of(Kind.STATUS_LIST, "https://board.example/1") == expected


def test_a_did_keeps_its_subject_when_it_moves() -> None:
    assert did_subject("did:webvh:QmScid:a.example") == did_subject("did:webvh:QmScid:b.example:dids:1") == subject_of(Kind.DID, "did:webvh:QmScid")


@pytest.mark.parametrize("did", ["did:key:z6Mk", "did:webvh:", "did:webvh:QmScid", "did:webvh::host", "xdid:webvh:a:b", ""])
def test_only_webvh_dids_have_a_subject(did: str) -> None:
    with pytest.raises(FormatError):
        did_subject(did)


def test_the_subject_of_a_revocation_is_the_hash_of_its_handle() -> None:
    assert revocation_subject(b"h" * 32) == hashlib.sha256(b"h" * 32).digest()
    with pytest.raises(FormatError):
        revocation_subject(b"h" * 31)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"k1": "1"}, id="version_is_text"),
        pytest.param({"k1": True}, id="version_is_a_boolean"),
        pytest.param({"k1": ...}, id="no_version"),
        pytest.param({"k2": 5}, id="kind_is_a_number"),
        pytest.param({"k3": bytes(31)}, id="short_subject"),
        pytest.param({"k3": "0" * 32}, id="subject_is_text"),
        pytest.param({"k4": -1, "k5": bytes(32)}, id="negative_seq"),
        pytest.param({"k4": 1 << 60, "k5": bytes(32)}, id="huge_seq"),
        pytest.param({"k4": 1.0}, id="seq_is_a_float"),
        pytest.param({"k4": 1}, id="later_entry_without_prev"),
        pytest.param({"k5": bytes(32)}, id="first_entry_with_prev"),
        pytest.param({"k4": 1, "k5": bytes(33)}, id="long_prev"),
        pytest.param({"k6": None}, id="no_content_hash"),
        pytest.param({"k7": ""}, id="empty_author"),
        pytest.param({"k7": b"did:key:z"}, id="author_is_bytes"),
        pytest.param({"k7": "did:key:z\n"}, id="control_character_in_author"),
        pytest.param({"k7": "did:key:z z"}, id="blank_in_author"),
        pytest.param({"k7": "did:key:é"}, id="author_not_ascii"),
        pytest.param({"k7": "d" * 3000}, id="author_too_long"),
        pytest.param({"k8": -1}, id="time_before_1970"),
        pytest.param({"k8": 1 << 40}, id="time_after_9999"),
        pytest.param({"k8": 1.5}, id="time_is_a_float"),
        pytest.param({"k9": bytes(63)}, id="short_signature"),
        pytest.param({"k9": "s" * 64}, id="signature_is_text"),
        pytest.param({"k9": ...}, id="unsigned"),
        pytest.param({"k10": 0}, id="unknown_key"),
    ],
)
def test_malformed_entry_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        Entry.parse(encoded_with(**changes))


@pytest.mark.parametrize("changes", [{"k1": 2}, {"k2": "gossip"}], ids=["newer_version", "unknown_kind"])
def test_entry_of_a_newer_library_is_unsupported(changes: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedError):
        Entry.parse(encoded_with(**changes))


@pytest.mark.parametrize("value", [[], {"a": 1}, {b"1": 1}, 7, {}], ids=str)
def test_other_cbor_is_refused(value: object) -> None:
    with pytest.raises(FormatError):
        Entry.parse(cbor.dumps(value))


def test_indefinite_length_map_is_refused() -> None:
    data = entry().encode()
    with pytest.raises(FormatError):
        Entry.parse(b"\xbf" + data[1:] + b"\xff")


def test_an_entry_over_64_kib_is_refused() -> None:
    with pytest.raises(FormatError, match="65535"):
        Entry.parse(bytes(65_536))


def test_a_prepared_submission_holds_the_hash_of_its_document() -> None:
    submission = prepare(Kind.SCHEMA, bytes(32), b"{}", author="did:key:z#z", signer=SIGNER, now=NOW)
    assert Entry.parse(submission.entry).content == hashlib.sha256(b"{}").digest()
