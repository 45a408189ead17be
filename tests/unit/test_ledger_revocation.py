from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.encoding import multibase
from did_health.errors import FormatError
from did_health.vc.ledger_revocation import LedgerRevocation, is_ledger_revocation

HANDLE = bytes(range(32))
ENTRY = LedgerRevocation.of_handle(HANDLE).to_json()


def test_the_entry_carries_the_hash_of_the_handle_and_not_the_handle() -> None:
    assert LedgerRevocation.parse(ENTRY).subject == hashlib.sha256(HANDLE).digest()
    assert ENTRY["handleDigest"] == multibase.encode("u", b"\x12\x20" + hashlib.sha256(HANDLE).digest())
    assert is_ledger_revocation(ENTRY)


@pytest.mark.parametrize("handle", [b"", bytes(31), bytes(33)])
def test_a_handle_has_32_bytes(handle: bytes) -> None:
    with pytest.raises(FormatError):
        LedgerRevocation.of_handle(handle)


@pytest.mark.parametrize(
    ("entry", "where"),
    [
        (None, "/type"),
        ({}, "/type"),
        ({**ENTRY, "type": "BitstringStatusListEntry"}, "/type"),
        ({**ENTRY, "statusPurpose": "suspension"}, "/type"),
        ({**ENTRY, "handleDigest": 7}, "/handleDigest"),
        ({**ENTRY, "handleDigest": "!"}, "/handleDigest"),
        ({**ENTRY, "handleDigest": multibase.encode("z", b"\x12\x20" + bytes(32))}, "/handleDigest"),
        ({**ENTRY, "handleDigest": multibase.encode("u", b"\x12\x20" + bytes(31))}, "/handleDigest"),
        ({**ENTRY, "handleDigest": multibase.encode("u", b"\x13\x20" + bytes(32))}, "/handleDigest"),
    ],
)
def test_a_malformed_entry_is_refused_by_its_member(entry: Any, where: str) -> None:
    with pytest.raises(FormatError) as caught:
        LedgerRevocation.parse(entry)
    assert caught.value.where == where


@given(st.text(max_size=80))
@settings(max_examples=100, deadline=None)
def test_any_digest_is_read_or_refused_with_a_format_error(digest: str) -> None:
    with suppress(FormatError):
        assert len(LedgerRevocation.parse({**ENTRY, "handleDigest": digest}).subject) == 32
