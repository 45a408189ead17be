from __future__ import annotations

from typing import Any

import pytest

from did_health.errors import FormatError, UnsupportedError
from did_health.vc.status import StatusEntry, StatusPurpose
from tests.unit.sample_credentials import LIST_URL, Document, credential

ENTRY: Document = credential()["credentialStatus"][0]
FOUR = [{"status": hex(value), "message": f"message {value}"} for value in range(4)]


def entry(**changes: Any) -> Document:
    return {name: value for name, value in (ENTRY | changes).items() if value is not ...}


def test_a_simple_entry() -> None:
    parsed = StatusEntry.parse(ENTRY)
    assert parsed == StatusEntry(StatusPurpose.REVOCATION, 7, LIST_URL)
    assert parsed.to_json() == ENTRY
    assert (parsed.message(0), parsed.message(1)) == ("unset", "set")


def test_an_entry_with_messages() -> None:
    document = entry(statusPurpose="message", statusSize=2, statusMessage=FOUR, statusReference=["https://board.example/codes"])
    parsed = StatusEntry.parse(document)
    assert parsed.size == 2
    assert parsed.messages == ("message 0", "message 1", "message 2", "message 3")
    assert parsed.message(2) == "message 2"
    assert parsed.references == ("https://board.example/codes",)
    assert parsed.to_json() == document


def test_messages_come_in_any_order_and_spelling_of_the_number() -> None:
    shuffled = [{"status": text, "message": text} for text in ("0X3", "0x02", "0x0", "0x1")]
    assert StatusEntry.parse(entry(statusSize=2, statusMessage=shuffled)).messages == ("0x0", "0x1", "0x02", "0X3")
    upper = [{"status": f"0x{value:X}", "message": str(value), "extra": {}} for value in range(16)]
    assert StatusEntry.parse(entry(statusSize=4, statusMessage=upper)).messages == tuple(map(str, range(16)))


def test_one_bit_may_have_messages() -> None:
    parsed = StatusEntry.parse(entry(statusMessage=FOUR[:2]))
    assert (parsed.message(0), parsed.message(1)) == ("message 0", "message 1")


def test_all_sizes() -> None:
    for size in range(1, 9):
        messages = [{"status": hex(value), "message": "m"} for value in range(1 << size)]
        parsed = StatusEntry.parse(entry(statusSize=size, statusMessage=messages))
        assert (parsed.size, len(parsed.messages)) == (size, 1 << size)
        assert StatusEntry.parse(parsed.to_json()) == parsed


def test_other_purposes_and_several_types_are_allowed() -> None:
    assert StatusEntry.parse(entry(statusPurpose="ourOwn", type=["BitstringStatusListEntry", "Other"], id=...)).purpose == "ourOwn"
    assert StatusEntry.parse(entry(statusReference="did:example:codes")).references == ("did:example:codes",)


FAULTS: dict[str, tuple[Document, str]] = {
    "type-missing": ({"type": ...}, "/type"),
    "purpose-missing": ({"statusPurpose": ...}, "/statusPurpose"),
    "purpose-list": ({"statusPurpose": ["revocation"]}, "/statusPurpose"),
    "purpose-empty": ({"statusPurpose": ""}, "/statusPurpose"),
    "index-missing": ({"statusListIndex": ...}, "/statusListIndex"),
    "index-number": ({"statusListIndex": 7}, "/statusListIndex"),
    "index-negative": ({"statusListIndex": "-7"}, "/statusListIndex"),
    "index-with-sign": ({"statusListIndex": "+7"}, "/statusListIndex"),
    "index-with-underscore": ({"statusListIndex": "1_0"}, "/statusListIndex"),
    "index-with-blank": ({"statusListIndex": "7 "}, "/statusListIndex"),
    "index-hexadecimal": ({"statusListIndex": "0x7"}, "/statusListIndex"),
    "index-arabic-digits": ({"statusListIndex": "\u0667"}, "/statusListIndex"),
    "index-superscript": ({"statusListIndex": "\u00b2"}, "/statusListIndex"),
    "index-empty": ({"statusListIndex": ""}, "/statusListIndex"),
    "index-absurdly-long": ({"statusListIndex": "9" * 5000}, "/statusListIndex"),
    "list-missing": ({"statusListCredential": ...}, "/statusListCredential"),
    "list-not-a-url": ({"statusListCredential": "revocation"}, "/statusListCredential"),
    "list-embedded": ({"statusListCredential": {"id": LIST_URL}}, "/statusListCredential"),
    "size-zero": ({"statusSize": 0}, "/statusSize"),
    "size-negative": ({"statusSize": -1}, "/statusSize"),
    "size-true": ({"statusSize": True}, "/statusSize"),
    "size-text": ({"statusSize": "1"}, "/statusSize"),
    "size-fraction": ({"statusSize": 1.0}, "/statusSize"),
    "size-null": ({"statusSize": None}, "/statusSize"),
    "size-without-messages": ({"statusSize": 2}, ""),
    "messages-too-few": ({"statusSize": 2, "statusMessage": FOUR[:3]}, "/statusMessage"),
    "messages-too-many": ({"statusMessage": FOUR}, "/statusMessage"),
    "messages-object": ({"statusMessage": {"0x0": "a", "0x1": "b"}}, "/statusMessage"),
    "messages-of-text": ({"statusMessage": ["a", "b"]}, "/statusMessage/0"),
    "messages-null": ({"statusMessage": None}, "/statusMessage"),
    "message-missing": ({"statusMessage": [FOUR[0], {"status": "0x1"}]}, "/statusMessage/1"),
    "message-number": ({"statusMessage": [FOUR[0], {"status": "0x1", "message": 1}]}, "/statusMessage/1"),
    "message-status-missing": ({"statusMessage": [FOUR[0], {"message": "b"}]}, "/statusMessage/1/status"),
    "message-status-number": ({"statusMessage": [{"status": 0, "message": "a"}, FOUR[1]]}, "/statusMessage/0/status"),
    "message-status-decimal": ({"statusMessage": [{"status": "0", "message": "a"}, FOUR[1]]}, "/statusMessage/0/status"),
    "message-status-underscore": ({"statusMessage": [{"status": "0x0_0", "message": "a"}, FOUR[1]]}, "/statusMessage/0/status"),
    "message-status-empty": ({"statusMessage": [{"status": "0x", "message": "a"}, FOUR[1]]}, "/statusMessage/0/status"),
    "message-status-long": ({"statusMessage": [{"status": "0x" + "0" * 9, "message": "a"}, FOUR[1]]}, "/statusMessage/0/status"),
    "message-status-out-of-range": ({"statusMessage": [FOUR[0], FOUR[2]]}, "/statusMessage/1/status"),
    "message-status-twice": ({"statusMessage": [FOUR[0], FOUR[0]]}, "/statusMessage/1/status"),
    "reference-not-a-url": ({"statusReference": "codes"}, "/statusReference"),
    "reference-empty": ({"statusReference": []}, "/statusReference"),
    "reference-number-inside": ({"statusReference": ["did:example:1", 5]}, "/statusReference"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_entry_is_malformed_where_the_fault_is(fault: str) -> None:
    changes, where = FAULTS[fault]
    with pytest.raises(FormatError) as refused:
        StatusEntry.parse(entry(**changes))
    assert refused.value.where == where
    assert refused.value.code == "MALFORMED_VALUE_ERROR"


@pytest.mark.parametrize("value", [None, [], "x", 5])
def test_an_entry_is_an_object(value: Any) -> None:
    with pytest.raises(FormatError):
        StatusEntry.parse(value)


def test_another_type_of_status_and_a_larger_size_are_unsupported() -> None:
    with pytest.raises(UnsupportedError):
        StatusEntry.parse(entry(type="CredentialStatusList2017"))
    with pytest.raises(UnsupportedError):
        StatusEntry.parse(entry(statusSize=9))
