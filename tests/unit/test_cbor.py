from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import cbor2
import pytest

from did_health.encoding import cbor
from did_health.errors import FormatError
from did_health.limits import MAX_CBOR_BYTES, MAX_DOCUMENT_DEPTH


def test_keys_are_sorted_by_their_encoding_and_not_by_length_first() -> None:
    # RFC 8949 §4.2.1: 10, 100, -1, "z", "aa" (and not 10, -1, 100 … as in RFC 7049)
    encoded = cbor.dumps({"aa": 4, "z": 3, -1: 2, 100: 1, 10: 0, b"": 5})
    assert encoded.hex() == "a60a0018640120024005617a0362616104"
    assert cbor.loads(encoded) == {10: 0, 100: 1, -1: 2, b"": 5, "z": 3, "aa": 4}


@pytest.mark.parametrize(
    "value",
    [
        0, 23, 24, 255, 256, 65535, 65536, (1 << 32) - 1, 1 << 32, (1 << 64) - 1, 1 << 64, 1 << 200, -1, -24, -25, -(1 << 64), -(1 << 64) - 1, -(1 << 200),
        True, False, None, 0.0, 1.5, 1.1, 1e300, math.inf, -math.inf, "", "水", b"", b"\0" * 300, [], [[]], {}, {"a": {"b": [1]}},
        cbor2.CBORTag(24, b"\0"), cbor2.CBORTag(1, 5), cbor2.CBORTag(0, "no date"), cbor2.CBORTag((1 << 64) - 1, [None]), cbor2.undefined,
        cbor2.CBORSimpleValue(0), cbor2.CBORSimpleValue(19), cbor2.CBORSimpleValue(32), cbor2.CBORSimpleValue(255),
    ],
)  # fmt: skip
def test_value_survives(value: Any) -> None:
    encoded = cbor.dumps(value)
    decoded = cbor.loads(encoded)
    assert decoded == value
    assert type(decoded) is type(value)
    assert cbor.dumps(decoded) == encoded


def test_tuple_is_written_as_an_array() -> None:
    assert cbor.loads(cbor.dumps((1, (2,)))) == [1, [2]]


@pytest.mark.parametrize("tag", [0, 1, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 100, 256, 258, 260, 1004, 43000, 55799])
def test_tags_stay_as_they_are(tag: int) -> None:
    """cbor2's own decoder makes dates, fractions, patterns, addresses, sets … of these, or fails on the content."""
    for content in ("2026-03-01T00:00:00Z", "(((", [1, 2], 7, b"\x7f\0\0\1"):
        value = cbor2.CBORTag(tag, content)
        assert cbor.loads(cbor.dumps(value)) == value


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ("", "empty"),
        ("18", "cut off in a head"),
        ("19 01", "cut off in a longer head"),
        ("42 00", "cut off in bytes"),
        ("62 61", "cut off in a text"),
        ("82 01", "cut off in an array"),
        ("a1 01", "cut off in a map"),
        ("fa 0000", "cut off in a float"),
        ("f8", "cut off in a simple value"),
        ("c1", "cut off in a tag"),
        ("9b ffffffffffffffff", "array that announces 2^64 items"),
        ("5b 7fffffffffffffff 00", "bytes that announce 2^63"),
        ("18 17", "long head of a small integer"),
        ("19 00ff", "long head of one byte"),
        ("1a 0000ffff", "long head of two bytes"),
        ("1b 00000000ffffffff", "long head of four bytes"),
        ("38 17", "long head of a negative integer"),
        ("58 01 00", "long length of bytes"),
        ("78 01 61", "long length of a text"),
        ("98 01 00", "long length of an array"),
        ("b8 01 00 00", "long length of a map"),
        ("d8 01 00", "long head of a tag"),
        ("9f ff", "indefinite array"),
        ("bf ff", "indefinite map"),
        ("5f 41 00 ff", "indefinite bytes"),
        ("7f 61 61 ff", "indefinite text"),
        ("ff", "break alone"),
        ("1c", "reserved head"),
        ("fc", "reserved simple head"),
        ("f8 14", "false in two bytes"),
        ("f8 18", "reserved simple value"),
        ("61 ff", "text that is not UTF-8"),
        ("63 eda080", "text with a lone surrogate"),
        ("a2 01 00 01 00", "duplicate key"),
        ("a2 02 00 01 00", "unsorted keys"),
        ("a2 61 62 00 18 64 00", "length-first order of keys"),
        ("a1 f5 00", "key that is true"),
        ("a1 f6 00", "key that is null"),
        ("a1 f9 3c00 00", "key that is a float"),
        ("a1 80 00", "key that is an array"),
        ("a1 c1 00 00", "key that is tagged"),
        ("fa 3f800000", "float that is shorter in 16 bits"),
        ("fb 3ff8000000000000", "double that is shorter in 16 bits"),
        ("fa 7fc00000", "long NaN"),
        ("f9 7e01", "NaN with a payload"),
        ("c2 41 01", "bignum that fits in 64 bits"),
        ("c2 4a 00 01 0000000000000000", "bignum with a leading zero"),
        ("c3 01", "bignum that is no bytes"),
        ("00 00", "two items"),
    ],
)  # fmt: skip
def test_refused(data: str, fault: str) -> None:
    with pytest.raises(FormatError):
        cbor.loads(bytes.fromhex(data))


def test_nan_has_one_form() -> None:
    assert cbor.dumps(math.nan).hex() == "f97e00"
    assert math.isnan(cbor.loads(bytes.fromhex("f97e00")))


@pytest.mark.parametrize("head", [b"\x81", b"\xa1\x00", b"\xc1"], ids=["array", "map", "tag"])
def test_depth_is_bounded(head: bytes) -> None:
    assert cbor.loads(head * MAX_DOCUMENT_DEPTH + b"\x00") is not None
    for depth in (MAX_DOCUMENT_DEPTH + 1, 100_000):
        with pytest.raises(FormatError, match="deeper than 64 levels"):
            cbor.loads(head * depth + b"\x00")


def test_depth_of_what_is_written_is_bounded() -> None:
    value: Any = []
    for _ in range(5000):
        value = [value]
    with pytest.raises(FormatError, match="deeper"):
        cbor.dumps(value)


def test_size_is_bounded() -> None:
    with pytest.raises(FormatError, match=f"more than the {MAX_CBOR_BYTES} allowed"):
        cbor.loads(bytes(MAX_CBOR_BYTES + 1))
    with pytest.raises(FormatError, match="the entry has 3 bytes"):
        cbor.loads(b"\x42\0\0", what="entry", max_bytes=2)


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, range(3), datetime.now(UTC), 1 + 2j, "\ud800", {"\ud800": 1}, {True: 1}, {1.5: 1}, {None: 1}, {(1,): 1}, [object()], bytearray(b"")],
)
def test_value_without_a_form(value: Any) -> None:
    with pytest.raises(FormatError):
        cbor.dumps(value)


@pytest.mark.parametrize("data", ["text", bytearray(b"\0"), memoryview(b"\0"), None, 5])
def test_other_types_are_the_callers_mistake(data: Any) -> None:
    with pytest.raises(TypeError):
        cbor.loads(data)
