"""The bitstring behaves like a plain list of small numbers, and its parsers let out nothing but the named errors."""

from __future__ import annotations

import contextlib
import zlib
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.encoding import multibase
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.vc.credential import Credential
from did_health.vc.status import StatusEntry, StatusList, StatusListCredential, build_status_list_credential, check_status
from did_health.vc.status_entry import messages_to_json, parse_messages
from tests.unit.sample_credentials import LIST_URL

START = datetime(2026, 1, 1, tzinfo=UTC)
QUICK = settings(max_examples=150, deadline=None)

NUMBERS = st.one_of(st.integers(-(1 << 63), 1 << 63), st.floats(allow_nan=False))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=8), st.sampled_from(["0x0", "0x1", "7"])),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["status", "message", "id", "type"]), inner)),
    max_leaves=8,
)


@QUICK
@given(st.data(), st.integers(1, 8))
def test_a_status_list_is_a_list_of_small_numbers(data: st.DataObject, size: int) -> None:
    numbers = st.integers(0, (1 << size) - 1)
    model = data.draw(st.lists(numbers, min_size=8, max_size=64))
    status_list = StatusList.empty(len(model), size).with_status(dict(enumerate(model)))
    changes = data.draw(st.dictionaries(st.integers(0, len(model) - 1), numbers))
    for index, value in changes.items():
        model[index] = value
    status_list = StatusList.decode(status_list.with_status(changes).encode(), size)
    assert [status_list.get(index) for index in range(len(model))] == model
    # The oracle of the bit order: one long binary number.
    bits = "".join(format(value, f"0{size}b") for value in model)
    assert "".join(format(byte, "08b") for byte in status_list.data).startswith(bits)


@QUICK
@given(st.one_of(st.text(max_size=60), st.binary(max_size=60).map(lambda data: multibase.encode("u", data))))
def test_any_text_as_a_list_is_a_format_error(text: str) -> None:
    with contextlib.suppress(FormatError):
        StatusList.decode(text)


@QUICK
@given(st.data())
def test_a_damaged_list_is_a_format_error_or_the_same_list(data: st.DataObject) -> None:
    status_list = StatusList.empty(4096).with_status({data.draw(st.integers(0, 4095)): 1})
    compressed = bytearray(multibase.decode(status_list.encode()))
    position = data.draw(st.integers(0, len(compressed) - 1))
    compressed[position] ^= data.draw(st.integers(1, 255))
    # The GZIP header has fields that mean nothing to the content; the checksum keeps everything else.
    with contextlib.suppress(FormatError):
        assert StatusList.decode(multibase.encode("u", bytes(compressed))) == status_list
    with contextlib.suppress(FormatError):
        StatusList.decode(multibase.encode("u", bytes(compressed[:position])))
        raise AssertionError("a list that is cut off was accepted")


ENTRY: dict[str, Any] = StatusEntry("message", 7, LIST_URL, 2, ("a", "b", "c", "d"), ("did:example:1",)).to_json()


@QUICK
@given(st.dictionaries(st.sampled_from(sorted(ENTRY)), JSON, max_size=2))
def test_an_entry_is_read_or_refused(changes: dict[str, Any]) -> None:
    with contextlib.suppress(FormatError, UnsupportedError):
        entry = StatusEntry.parse(ENTRY | changes)
        assert StatusEntry.parse(entry.to_json()) == entry
        assert len(entry.messages) in (0, 1 << entry.size)


@QUICK
@given(st.permutations(messages_to_json([str(value) for value in range(8)])), st.booleans())
def test_messages_in_any_order_mean_the_same(items: list[Any], upper: bool) -> None:
    if upper:
        items = [item | {"status": "0X" + item["status"][2:].upper()} for item in items]
    assert parse_messages(items, 3, "") == tuple(str(value) for value in range(8))


LIST = build_status_list_credential("did:example:1", LIST_URL, "revocation", StatusList.empty(), valid_from=START)


@QUICK
@given(st.dictionaries(st.sampled_from(["type", "statusPurpose", "encodedList", "ttl", "statusSize", "statusMessages"]), JSON, max_size=2))
def test_a_list_credential_is_read_or_refused(changes: dict[str, Any]) -> None:
    document = LIST | {"credentialSubject": LIST["credentialSubject"] | changes}
    with contextlib.suppress(FormatError, UnsupportedError, VerificationError):
        parsed = StatusListCredential.parse(Credential.parse(document))
        assert check_status(StatusEntry("revocation", 7, LIST_URL), parsed, START).valid


@QUICK
@given(st.integers(1, 300), st.integers(0, 9))
def test_any_compression_of_the_same_bits_is_the_same_list(length: int, level: int) -> None:
    data = bytes(range(256))[:length]
    compressor = zlib.compressobj(level, wbits=31)
    assert StatusList.decode(multibase.encode("u", compressor.compress(data) + compressor.flush())).data == data
