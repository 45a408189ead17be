"""Third-party data for Bitstring Status List v1.0: the specification's examples and the lists of another implementation."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from did_health.errors import FormatError, VerificationError
from did_health.vc.credential import Credential
from did_health.vc.status import StatusEntry, StatusList, StatusListCredential, check_status
from tests.conftest import shared

pytestmark = pytest.mark.vectors

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def cases(name: str) -> list[dict[str, Any]]:
    found = json.loads(shared("vectors", "bitstring-status-list", name).read_bytes())["cases"]
    assert found
    return list(found)


def test_every_encoded_list_has_its_length_and_bits() -> None:
    for case in cases("encoded-lists.json"):
        status_list = StatusList.decode(case["encodedList"])
        assert len(status_list) == case["length"], case["source"]
        assert [index for index in range(len(status_list)) if status_list.get(index)] == case["set"], case["source"]
        # Our own compression may differ in bytes, never in bits.
        assert StatusList.decode(status_list.encode()) == status_list


def test_the_bits_of_another_implementation_are_set_by_ours_too() -> None:
    for case in cases("encoded-lists.json"):
        built = StatusList.empty(case["length"]).with_status(dict.fromkeys(case["set"], 1))
        assert built == StatusList.decode(case["encodedList"])


@pytest.mark.parametrize("name", ["documents.json", "signed.json"])
def test_every_example_document_is_read(name: str) -> None:
    lists = entries = 0
    for case in cases(name):
        credential = Credential.parse(case["document"])
        if credential.has_type("BitstringStatusListCredential"):
            parsed = StatusListCredential.parse(credential)
            assert parsed.purposes == ("revocation",), case["id"]
            assert len(parsed.status_list) == 131_072
            lists += 1
        for entry in map(StatusEntry.parse, credential.status_entries):
            assert entry.purpose in ("revocation", "suspension")
            assert f"{entry.list_url}#{entry.index}" == credential.status_entries[0]["id"] or entry.purpose == "suspension"
            entries += 1
    assert lists
    assert entries


def test_the_examples_fit_together() -> None:
    documents = {case["id"]: Credential.parse(case["document"]) for case in cases("signed.json")}
    entry = StatusEntry.parse(documents["example-a-revocable-verifiable-credential"].status_entries[0])
    parsed = StatusListCredential.parse(documents["example-a-status-list-verifiable-credential"])
    result = check_status(entry, parsed, NOW)
    assert (result.purpose, result.value, result.valid, result.message) == ("revocation", 0, True, None)


def test_a_list_of_100_000_entries_is_read_and_too_short_for_herd_privacy() -> None:
    document = next(case["document"] for case in cases("signed.json") if case["id"] == "example-a-status-list-verifiable-credential")
    short = next(case for case in cases("encoded-lists.json") if case["set"])
    document["credentialSubject"]["encodedList"] = short["encodedList"]
    entry = StatusEntry("revocation", short["set"][0], document["id"])
    with pytest.raises(VerificationError) as refused:
        check_status(entry, StatusListCredential.parse(Credential.parse(document)), NOW)
    assert refused.value.code == "STATUS_LIST_LENGTH_ERROR"


def test_every_truncation_of_a_list_is_malformed() -> None:
    encoded = cases("encoded-lists.json")[2]["encodedList"]
    for length in range(len(encoded)):
        with pytest.raises(FormatError):
            StatusList.decode(encoded[:length])
