"""Bitstring Status List 1.0 statement by statement: each MUST of its sections 2 and 3, kept and broken.

What is written here of a statement is its sense, not its words.
"""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from did_health.encoding import multibase, strict_json
from did_health.errors import DidHealthError, FormatError, ResolutionError, UnsupportedError, VerificationError
from did_health.limits import MIN_STATUS_LIST_ENTRIES
from did_health.vc.credential import Credential
from did_health.vc.problem_details import problem_details
from did_health.vc.status import StatusEntry, StatusList, StatusListCredential, StatusResult, build_status_list_credential, validate_status
from tests.unit.sample_credentials import LIST_URL, Document

NOW = datetime(2026, 1, 2, tzinfo=UTC)
FROM = NOW - timedelta(days=1)
ENTRY: Document = {
    "id": f"{LIST_URL}#7",
    "type": "BitstringStatusListEntry",
    "statusPurpose": "revocation",
    "statusListIndex": "7",
    "statusListCredential": LIST_URL,
}
FOUR = [{"status": hex(value), "message": f"message {value}"} for value in range(4)]
LIST: Document = build_status_list_credential("did:example:1", LIST_URL, "revocation", StatusList.empty().with_status({7: 1}), valid_from=FROM)
SUBJECT: Document = LIST["credentialSubject"]
NO_URLS = ["", "not-a-url", 5, None, {}]


class Statement(NamedTuple):
    """``member`` is that of the object: changes that a conforming one may have, and those that it may not."""

    section: str
    sense: str
    good: list[Document]
    bad: list[Document]


ENTRIES = [
    Statement("2.1", "an id is a URL and not that of the list", [{"id": ...}, {"id": "urn:uuid:1"}], [{"id": LIST_URL}, *({"id": value} for value in NO_URLS)]),
    Statement("2.1", "the purpose is a text", [{"statusPurpose": "anyOther"}], [{"statusPurpose": value} for value in (..., 5, None, ["revocation"], "")]),
    Statement(
        "2.1",
        "the index is a whole number from 0 on, in base 10, as a text",
        [{"statusListIndex": "0"}, {"statusListIndex": "131071"}, {"statusListIndex": "9" * 20}],
        [{"statusListIndex": value} for value in (..., 7, True, "-1", "1.0", "0x7", "seven", "", " 7", None)],
    ),
    Statement(
        "2.1",
        "statusListCredential is a URL",
        [{"statusListCredential": "https://a.example/1"}],
        [{"statusListCredential": value} for value in (..., *NO_URLS)],
    ),
    Statement(
        "2.1",
        "statusSize is a whole number above zero",
        [{"statusSize": 1}, {"statusSize": 2, "statusMessage": FOUR}],
        [{"statusSize": value, "statusMessage": FOUR[:2]} for value in (0, -1, 1.5, "1", True, None)],
    ),
    Statement("2.1", "a size above 1 has messages", [{"statusSize": 2, "statusMessage": FOUR}], [{"statusSize": 2}]),
    Statement(
        "2.1",
        "there is a message for each value",
        [{"statusMessage": FOUR[:2]}, {"statusSize": 1, "statusMessage": FOUR[:2]}],
        [{"statusSize": size, "statusMessage": value} for size, value in ((1, FOUR), (2, FOUR[:3]), (2, []), (2, {}), (2, "x"))],
    ),
    Statement(
        "2.1",
        "a message has a status, in hexadecimal with 0x, and a text",
        [{"statusMessage": [{"status": "0x0", "message": "a", "more": 1}, {"status": "0x1", "message": "b"}]}],
        [
            {"statusMessage": [{"status": "0x0", "message": "a"}, other]}
            for other in (
                {"message": "b"},
                {"status": "0x1"},
                {"status": "1", "message": "b"},
                {"status": "0x1", "message": 5},
                {"status": "0x0", "message": "b"},
            )
        ],
    ),
    Statement(
        "2.1",
        "statusReference is a URL or several",
        [{"statusReference": "https://a.example/1"}, {"statusReference": ["https://a.example/1", "urn:a"]}],
        [{"statusReference": value} for value in (*NO_URLS, [], ["https://a.example/1", "x"])],
    ),
]


def gzipped(data: bytes) -> str:
    return multibase.encode("u", zlib.compress(data, wbits=16 + zlib.MAX_WBITS))


FULL = bytes(MIN_STATUS_LIST_ENTRIES // 8)
LISTS = [
    Statement(
        "2.2", "the subject's type is BitstringStatusList", [{"type": ["BitstringStatusList"]}], [{"type": value} for value in (..., "StatusList2021", 5, [])]
    ),
    Statement(
        "2.2",
        "the purpose is one text or more",
        [{"statusPurpose": ["revocation", "suspension"]}, {"statusPurpose": ["revocation"]}],
        [{"statusPurpose": value} for value in (..., [], 5, [5], "", None, ["revocation", ""])],
    ),
    Statement(
        "2.2",
        "a list of messages has a size and messages",
        [{"statusPurpose": ["revocation", "message"], "statusSize": 1, "statusMessages": FOUR[:2]}],
        [{"statusPurpose": "message", **some} for some in ({}, {"statusSize": 1}, {"statusMessages": FOUR[:2]})],
    ),
    Statement(
        "2.2",
        "the list is multibase base64url without padding, of GZIP",
        [{"encodedList": gzipped(FULL)}],
        [
            {"encodedList": value}
            for value in (
                *(..., 5, None, "", "u", "u!!"),
                gzipped(FULL)[1:],
                gzipped(FULL) + "=",
                multibase.encode("z", zlib.compress(FULL, wbits=16 + zlib.MAX_WBITS)),
                multibase.encode("u", zlib.compress(FULL)),
                multibase.encode("u", FULL),
                gzipped(FULL)[:-8],
            )
        ],
    ),
    Statement("2.2", "ttl is in milliseconds", [{"ttl": 0}, {"ttl": 300_000}], [{"ttl": value} for value in (-1, 1.5, "1", True, None)]),
]


def changed(whole: Document, changes: Document) -> Document:
    return {name: value for name, value in (whole | changes).items() if value is not ...}


def listed(**changes: Any) -> bytes:
    return strict_json.dumps(LIST | {"credentialSubject": changed(SUBJECT, changes)})


def genuine(_credential: Credential) -> None:
    """Every proof verifies."""


def named(statements: list[Statement]) -> Any:
    return pytest.mark.parametrize("statement", statements, ids=lambda statement: f"{statement.section} {statement.sense}")


@named(ENTRIES)
def test_an_entry_keeps_the_statement_or_is_a_malformed_value(statement: Statement) -> None:
    for changes in statement.good:
        StatusEntry.parse(changed(ENTRY, changes))
    for changes in statement.bad:
        with pytest.raises(FormatError) as refused:
            validate_status(changed(ENTRY, changes), listed(), genuine, NOW)
        assert refused.value.code == "MALFORMED_VALUE_ERROR"


@named(LISTS)
def test_a_list_keeps_the_statement_or_is_a_malformed_value(statement: Statement) -> None:
    for changes in statement.good:
        StatusListCredential.parse(Credential.parse(listed(**changes)))
    for changes in statement.bad:
        with pytest.raises(FormatError) as refused:
            validate_status(ENTRY, listed(**changes), genuine, NOW)
        assert refused.value.code == "MALFORMED_VALUE_ERROR"


def test_2_1_the_type_of_an_entry_is_its_own() -> None:
    with pytest.raises(UnsupportedError):
        StatusEntry.parse(ENTRY | {"type": "StatusList2021Entry"})
    for kind in (..., 5, [], ""):
        with pytest.raises(FormatError):
            StatusEntry.parse(changed(ENTRY, {"type": kind}))


def test_2_2_the_credential_has_the_type_of_a_list() -> None:
    for kind in (["VerifiableCredential"], ["VerifiableCredential", "StatusList2021Credential"]):
        with pytest.raises(FormatError) as refused:
            validate_status(ENTRY, strict_json.dumps(LIST | {"type": kind}), genuine, NOW)
        assert refused.value.code == "MALFORMED_VALUE_ERROR"


def test_2_2_a_list_has_at_least_16_kilobytes_and_the_first_bit_at_the_left() -> None:
    decoded = zlib.decompress(multibase.decode(SUBJECT["encodedList"]), wbits=16 + zlib.MAX_WBITS)
    assert len(decoded) == 16 * 1024
    assert decoded[0] == 0b00000001
    first = StatusList.empty().with_status({0: 1}).encode()
    assert zlib.decompress(multibase.decode(first), wbits=16 + zlib.MAX_WBITS)[0] == 0b10000000
    with pytest.raises(ValueError, match="entries"):
        build_status_list_credential("did:example:1", LIST_URL, "revocation", StatusList.empty(131_064), valid_from=FROM)


def test_3_1_a_list_of_several_purposes_is_generated_and_read() -> None:
    document = build_status_list_credential("did:example:1", LIST_URL, ["revocation", "suspension"], StatusList.empty().with_status({7: 1}), valid_from=FROM)
    assert document["credentialSubject"]["statusPurpose"] == ["revocation", "suspension"]
    source = strict_json.dumps(document)
    assert validate_status(ENTRY, source, genuine, NOW) == StatusResult("revocation", 1, False)
    assert validate_status(ENTRY | {"statusPurpose": "suspension", "statusListIndex": "8"}, source, genuine, NOW) == StatusResult("suspension", 0, True)
    for purposes in ([], [""]):
        with pytest.raises(ValueError, match="purpose"):
            build_status_list_credential("did:example:1", LIST_URL, purposes, StatusList.empty(), valid_from=FROM)


def test_3_2_a_set_bit_is_not_valid_and_an_unset_one_is() -> None:
    assert validate_status(ENTRY, listed(), genuine, NOW) == StatusResult("revocation", 1, False)
    assert validate_status(ENTRY | {"statusListIndex": "8"}, listed(), genuine, NOW) == StatusResult("revocation", 0, True)


def test_3_2_a_message_is_that_of_the_value() -> None:
    bits = StatusList.empty(status_size=2).with_status({7: 2})
    texts = [item["message"] for item in FOUR]
    source = strict_json.dumps(build_status_list_credential("did:example:1", LIST_URL, "message", bits, valid_from=FROM, messages=texts))
    entry = ENTRY | {"statusPurpose": "message", "statusSize": 2, "statusMessage": FOUR}
    assert validate_status(entry, source, genuine, NOW) == StatusResult("message", 2, False, "message 2")


def unproved(_credential: Credential) -> None:
    raise VerificationError("a proof does not verify", code="PROOF_VERIFICATION_ERROR")


SHORT = StatusList.empty(MIN_STATUS_LIST_ENTRIES - 8).encode()
ERRORS: dict[str, tuple[Document, bytes | None, Any, str]] = {
    "nothing-retrieved": (ENTRY, None, genuine, "STATUS_RETRIEVAL_ERROR"),
    "something-else-retrieved": (ENTRY, b"<html>", genuine, "STATUS_RETRIEVAL_ERROR"),
    "proof-does-not-verify": (ENTRY, listed(), unproved, "STATUS_VERIFICATION_ERROR"),
    "another-purpose": (ENTRY | {"statusPurpose": "suspension"}, listed(), genuine, "STATUS_VERIFICATION_ERROR"),
    "list-not-valid-yet": (ENTRY, strict_json.dumps(LIST | {"validFrom": "2026-01-03T00:00:00Z"}), genuine, "STATUS_VERIFICATION_ERROR"),
    "list-not-valid-any-more": (ENTRY, strict_json.dumps(LIST | {"validUntil": "2026-01-01T12:00:00Z"}), genuine, "STATUS_VERIFICATION_ERROR"),
    "list-too-short": (ENTRY, listed(encodedList=SHORT), genuine, "STATUS_LIST_LENGTH_ERROR"),
    "list-too-short-for-its-size": (ENTRY | {"statusSize": 2, "statusMessage": FOUR}, listed(), genuine, "STATUS_LIST_LENGTH_ERROR"),
    "index-beyond-the-list": (ENTRY | {"statusListIndex": str(MIN_STATUS_LIST_ENTRIES)}, listed(), genuine, "RANGE_ERROR"),
    "list-malformed": (ENTRY, listed(encodedList="uAAAA"), genuine, "MALFORMED_VALUE_ERROR"),
}


@pytest.mark.parametrize("fault", ERRORS)
def test_3_2_and_3_5_every_failure_has_the_type_of_the_specification(fault: str) -> None:
    entry, source, verify, code = ERRORS[fault]
    with pytest.raises(DidHealthError) as refused:
        validate_status(entry, source, verify, NOW)
    assert refused.value.code == code
    assert isinstance(refused.value, FormatError | ResolutionError | VerificationError)
    prefix = "https://www.w3.org/ns/credentials/status-list#" if code.startswith("STATUS_") else "https://www.w3.org/TR/vc-data-model#"
    assert problem_details(refused.value)["type"] == prefix + code


def test_2_1_a_missing_size_is_one_bit() -> None:
    assert StatusEntry.parse(ENTRY).size == 1
