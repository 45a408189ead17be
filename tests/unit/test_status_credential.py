from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.limits import MIN_STATUS_LIST_ENTRIES
from did_health.vc import rdf
from did_health.vc.credential import Credential
from did_health.vc.status import (
    StatusEntry,
    StatusList,
    StatusListCredential,
    StatusPurpose,
    StatusResult,
    build_status_list_credential,
    check_status,
    is_clear,
    retrieval_error,
)
from tests.unit.sample_credentials import LIST_URL, Document

ISSUER = "did:web:board.example"
START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=7)
MESSAGES = tuple(f"message {value}" for value in range(16))


def built(purpose: str = "revocation", status_list: StatusList | None = None, **options: Any) -> Document:
    bits = status_list if status_list is not None else StatusList.empty().with_status({7: 1})
    return build_status_list_credential(ISSUER, LIST_URL, purpose, bits, **({"valid_from": START, "valid_until": END} | options))


def parsed(document: Document | None = None, **subject_changes: Any) -> StatusListCredential:
    document = document if document is not None else built()
    subject = document["credentialSubject"] | subject_changes
    document["credentialSubject"] = {name: value for name, value in subject.items() if value is not ...}
    return StatusListCredential.parse(Credential.parse(document))


def test_a_built_list_is_read_again() -> None:
    bits = StatusList.empty().with_status({7: 1, 100_000: 1})
    document = built(status_list=bits, ttl=timedelta(minutes=5))
    assert document["credentialSubject"]["ttl"] == 300_000
    assert document["validFrom"] == "2026-01-01T00:00:00Z"
    read = parsed(document)
    assert read.id == LIST_URL
    assert read.purposes == ("revocation",)
    assert read.status_list == bits
    assert read.ttl == timedelta(minutes=5)
    assert (read.declared_size, read.messages) == (None, ())
    assert read.credential.issuer_id == ISSUER
    assert read.credential.valid_until == END


def test_a_list_needs_neither_end_nor_ttl() -> None:
    document = built(valid_until=None)
    assert "validUntil" not in document
    read = parsed(document)
    assert read.ttl is None
    assert read.refresh_due(START) is None


def test_the_ttl_tells_when_to_fetch_again() -> None:
    assert parsed(ttl=1500).refresh_due(START) == START + timedelta(seconds=1.5)


def test_a_list_of_messages_declares_its_size_and_texts() -> None:
    document = built("message", StatusList.empty(status_size=4), messages=MESSAGES)
    read = parsed(document)
    assert read.declared_size == 4
    assert read.messages == MESSAGES
    assert read.status_list.status_size == 4
    # Each caller gets terms of its own to sign.
    assert document["@context"][1] is not built("message", StatusList.empty(status_size=4), messages=MESSAGES)["@context"][1]


@pytest.mark.parametrize("purpose", list(StatusPurpose))
def test_every_term_of_a_list_is_defined_in_json_ld(purpose: str) -> None:
    pytest.importorskip("pyld", reason="JSON-LD needs the extra rdf")
    statements = rdf.canonical_nquads(built(purpose, messages=("clear", "probation") if purpose == "message" else None, ttl=timedelta(minutes=5)))
    assert f'<https://www.w3.org/ns/credentials/status#statusPurpose> "{purpose}"' in statements
    assert ('<https://www.w3.org/ns/credentials/status#message> "probation"' in statements) is (purpose == "message")


@pytest.mark.parametrize("purpose", list(StatusPurpose))
def test_every_purpose_tells_its_value(purpose: str) -> None:
    document = built(purpose, messages=("clear", "probation") if purpose == "message" else None)
    set_entry, unset_entry = (StatusEntry(purpose, index, LIST_URL, messages=("clear", "probation")) for index in (7, 8))
    read = parsed(document)
    told = purpose == "message"
    assert check_status(set_entry, read, START) == StatusResult(purpose, 1, False, "probation" if told else None)
    assert check_status(unset_entry, read, END) == StatusResult(purpose, 0, True, "clear" if told else None)


def test_a_message_of_four_bits() -> None:
    bits = StatusList.empty(status_size=4).with_status({9: 11})
    entry = StatusEntry("message", 9, LIST_URL, 4, MESSAGES)
    assert check_status(entry, parsed(built("message", bits, messages=MESSAGES)), START).message == "message 11"


def test_a_list_that_does_not_declare_its_size_is_read_with_the_entrys() -> None:
    bits = StatusList.empty(status_size=4).with_status({9: 11})
    undeclared = parsed(built("message", bits, messages=MESSAGES), statusPurpose="ourOwn", statusSize=..., statusMessages=...)
    assert check_status(StatusEntry("ourOwn", 9, LIST_URL, 4, MESSAGES), undeclared, START) == StatusResult("ourOwn", 11, False)


def test_one_list_may_serve_several_purposes() -> None:
    read = parsed(statusPurpose=["revocation", "suspension"])
    assert not check_status(StatusEntry("suspension", 7, LIST_URL), read, START).valid


def test_a_list_without_an_id_is_taken_for_the_one_that_was_fetched() -> None:
    document = built()
    del document["id"]
    assert parsed(document).id is None
    assert not check_status(StatusEntry("revocation", 7, LIST_URL), parsed(document), START).valid


def refused_code(entry: StatusEntry, read: StatusListCredential, now: datetime = START) -> str:
    with pytest.raises(VerificationError) as refused:
        check_status(entry, read, now)
    return refused.value.code


def test_a_check_that_fails_has_the_code_of_the_specification() -> None:
    entry = StatusEntry("revocation", 7, LIST_URL)
    read = parsed()
    assert refused_code(StatusEntry("revocation", 7, LIST_URL + "2"), read) == "STATUS_VERIFICATION_ERROR"
    assert refused_code(StatusEntry("suspension", 7, LIST_URL), read) == "STATUS_VERIFICATION_ERROR"
    assert refused_code(entry, read, START - timedelta(microseconds=1)) == "STATUS_VERIFICATION_ERROR"
    assert refused_code(entry, read, END + timedelta(microseconds=1)) == "STATUS_VERIFICATION_ERROR"
    assert refused_code(entry, parsed(statusSize=2)) == "STATUS_VERIFICATION_ERROR"
    assert refused_code(StatusEntry("revocation", MIN_STATUS_LIST_ENTRIES, LIST_URL), read) == "RANGE_ERROR"
    short = StatusList.empty(MIN_STATUS_LIST_ENTRIES - 8).encode()
    assert refused_code(entry, parsed(encodedList=short)) == "STATUS_LIST_LENGTH_ERROR"
    # 131,072 bits are too few for entries of two bits.
    assert refused_code(StatusEntry("revocation", 7, LIST_URL, 2), read) == "STATUS_LIST_LENGTH_ERROR"
    assert retrieval_error(LIST_URL).code == "STATUS_RETRIEVAL_ERROR"


FAULTS: dict[str, tuple[Document, str]] = {
    "type-of-subject-missing": ({"type": ...}, "/credentialSubject/type"),
    "type-of-subject-other": ({"type": "StatusList2021"}, "/credentialSubject/type"),
    "purpose-missing": ({"statusPurpose": ...}, "/credentialSubject/statusPurpose"),
    "purpose-empty": ({"statusPurpose": []}, "/credentialSubject/statusPurpose"),
    "purpose-number": ({"statusPurpose": [1]}, "/credentialSubject/statusPurpose"),
    "ttl-text": ({"ttl": "300000"}, "/credentialSubject/ttl"),
    "ttl-null": ({"ttl": None}, "/credentialSubject/ttl"),
    "ttl-true": ({"ttl": True}, "/credentialSubject/ttl"),
    "ttl-negative": ({"ttl": -1}, "/credentialSubject/ttl"),
    "ttl-absurd": ({"ttl": (1 << 64) - 1}, "/credentialSubject/ttl"),
    "size-zero": ({"statusSize": 0}, "/credentialSubject/statusSize"),
    "messages-too-few": ({"statusMessages": [{"status": "0x0", "message": "a"}]}, "/credentialSubject/statusMessages"),
    "list-missing": ({"encodedList": ...}, "/credentialSubject/encodedList"),
    "list-number": ({"encodedList": 5}, "/credentialSubject/encodedList"),
    "list-damaged": ({"encodedList": "uAAAA"}, "/credentialSubject/encodedList"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_list_is_malformed_where_the_fault_is(fault: str) -> None:
    changes, where = FAULTS[fault]
    with pytest.raises(FormatError) as refused:
        parsed(**changes)
    assert refused.value.where == where
    assert refused.value.code == "MALFORMED_VALUE_ERROR"


def test_a_list_is_a_credential_of_its_type_about_one_list() -> None:
    with pytest.raises(FormatError, match="BitstringStatusListCredential"):
        parsed(built() | {"type": ["VerifiableCredential"]})
    two = built()
    two["credentialSubject"] = [two["credentialSubject"]] * 2
    with pytest.raises(FormatError, match="one subject"):
        StatusListCredential.parse(Credential.parse(two))
    with pytest.raises(UnsupportedError):
        parsed(statusSize=9)


def test_a_list_that_cannot_be_built_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="entries"):
        built(status_list=StatusList.empty(8))
    with pytest.raises(ValueError, match="end before"):
        built(valid_until=START - timedelta(seconds=1))
    with pytest.raises(ValueError, match="needs the messages"):
        built("message")
    with pytest.raises(ValueError, match="2 messages"):
        built("message", messages=MESSAGES)
    with pytest.raises(ValueError, match="time zone"):
        built(valid_from=datetime(2026, 1, 1), valid_until=None)  # noqa: DTZ001


def is_found_clear(list_credential: StatusListCredential, now: datetime = START, **changes: Any) -> bool:
    """What ``is_clear`` says of an entry; where that is yes, the general check finds the value 0."""
    entry = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "8", "statusListCredential": LIST_URL, **changes}
    clear = is_clear(entry, list_credential, now)
    if clear:
        assert check_status(StatusEntry.parse(entry), list_credential, now).value == 0
    return clear


def test_a_clear_bit_is_seen_at_once() -> None:
    last = MIN_STATUS_LIST_ENTRIES - 1
    read = parsed(built(status_list=StatusList.empty().with_status({7: 1, 9: 1, last: 1})))
    assert is_found_clear(read)
    assert is_found_clear(read, END - timedelta(seconds=1))
    assert is_found_clear(read, statusListIndex=str(last - 1))
    assert not any(is_found_clear(read, statusListIndex=str(index)) for index in (7, 9, last))


@pytest.mark.parametrize("index", [str(MIN_STATUS_LIST_ENTRIES), "-1", "+8", "8 ", "", "1_0", "٨", "0" * 21])
def test_an_index_that_the_list_has_not_is_never_clear(index: str) -> None:
    assert not is_found_clear(parsed(), statusListIndex=index)


def test_nothing_is_clear_by_a_list_that_gives_no_answer() -> None:
    read = parsed()
    assert not is_found_clear(read, START - timedelta(seconds=1))
    assert not is_found_clear(parsed(built(valid_until=END)), END + timedelta(seconds=1))
    assert not is_found_clear(read, statusPurpose="suspension")
    assert not is_found_clear(read, statusListCredential=LIST_URL + "2")
    assert not is_found_clear(StatusListCredential(read.credential, read.purposes, StatusList(b"\0")))
    assert not is_found_clear(StatusListCredential(read.credential, read.purposes, read.status_list, declared_size=2))
    assert not is_found_clear(parsed(built("message", StatusList.empty(status_size=4), messages=MESSAGES)), statusPurpose="message")


def test_a_clear_message_is_seen_at_once_if_it_has_the_lists_own_texts() -> None:
    texts = [{"status": hex(value), "message": text} for value, text in enumerate(MESSAGES)]
    size = len(MESSAGES).bit_length() - 1
    last = MIN_STATUS_LIST_ENTRIES - 1
    read = parsed(built("message", StatusList.empty(status_size=size).with_status({7: 1, last: (1 << size) - 1}), messages=MESSAGES))
    members = {"statusPurpose": "message", "statusSize": size, "statusMessage": texts}
    assert is_found_clear(read, **members)
    assert is_found_clear(read, **members, statusListIndex=str(last - 1))
    assert not any(is_found_clear(read, **members, statusListIndex=str(index)) for index in (7, last, last + 1))
    assert not is_found_clear(read, **{**members, "statusMessage": texts[:-1]})
    assert not is_found_clear(read, **{**members, "statusSize": 1})
    assert not is_found_clear(read, **{**members, "statusSize": 8})
    assert not is_found_clear(parsed(built()), **{**members, "statusPurpose": "revocation"})
