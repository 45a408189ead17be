from __future__ import annotations

import gzip
import zlib

import pytest

from did_health.encoding import multibase
from did_health.errors import FormatError, VerificationError
from did_health.limits import MAX_STATUS_LIST_BYTES, MIN_STATUS_LIST_ENTRIES
from did_health.vc.status import StatusList


def encoded(compressed: bytes) -> str:
    return multibase.encode("u", compressed)


def test_an_empty_list_is_all_zero_and_long_enough() -> None:
    for size in range(1, 9):
        status_list = StatusList.empty(status_size=size)
        assert len(status_list) == MIN_STATUS_LIST_ENTRIES
        assert status_list.get(0) == status_list.get(MIN_STATUS_LIST_ENTRIES - 1) == 0
    assert len(StatusList.empty(9)) == 16


def test_the_first_entry_is_the_left_most_bit() -> None:
    assert StatusList.empty(16).with_status({0: 1, 15: 1}).data == b"\x80\x01"
    assert StatusList.empty(4, 4).with_status({0: 0xA, 3: 0x5}).data == b"\xa0\x05"
    # Three bits do not divide eight: 001 010 011 100 …
    assert StatusList.empty(8, 3).with_status({0: 1, 1: 2, 2: 3, 3: 4}).data == bytes((0b00101001, 0b11000000, 0))


@pytest.mark.parametrize("size", range(1, 9))
def test_each_entry_keeps_its_value_and_leaves_its_neighbours_alone(size: int) -> None:
    largest = (1 << size) - 1
    full = StatusList.empty(64, size).with_status(dict.fromkeys(range(64), largest))
    assert set(full.data) == {0xFF}
    values = {index: (index * 7 + 3) & largest for index in range(64)}
    changed = full.with_status(values)
    assert [changed.get(index) for index in range(64)] == list(values.values())
    holed = full.with_status({5: 0})
    assert [holed.get(index) for index in range(64)] == [0 if index == 5 else largest for index in range(64)]


def test_a_list_never_changes() -> None:
    before = StatusList.empty(16)
    after = before.with_status({3: 1})
    assert (before.get(3), after.get(3)) == (0, 1)
    assert after.with_status({3: 0}) == before
    assert after.with_status({}) == after


@pytest.mark.parametrize("index", [-1, 16, 1 << 70])
def test_an_index_outside_of_the_list_is_a_range_error(index: int) -> None:
    with pytest.raises(VerificationError) as refused:
        StatusList.empty(16).get(index)
    assert refused.value.code == "RANGE_ERROR"
    with pytest.raises(ValueError, match="16 entries"):
        StatusList.empty(16).with_status({index: 1})


def test_the_last_partial_entry_of_a_list_is_none() -> None:
    status_list = StatusList(b"\xff", 3)
    assert len(status_list) == 2
    assert status_list.get(1) == 7
    with pytest.raises(VerificationError):
        status_list.get(2)


@pytest.mark.parametrize(("size", "value"), [(1, 2), (1, -1), (4, 16), (8, 256)])
def test_a_value_that_does_not_fit_is_the_callers_mistake(size: int, value: int) -> None:
    with pytest.raises(ValueError, match=f"{size} bits"):
        StatusList.empty(16, size).with_status({0: value})


@pytest.mark.parametrize("size", [0, 9, -1])
def test_a_status_has_one_to_eight_bits(size: int) -> None:
    with pytest.raises(ValueError, match="1 to 8"):
        StatusList(b"\0", size)


def test_a_list_over_the_limit_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="at most"):
        StatusList(bytes(MAX_STATUS_LIST_BYTES + 1))


def test_the_same_bits_read_in_another_size() -> None:
    status_list = StatusList(b"\xa5\x00")
    assert status_list.as_size(1) is status_list
    assert [status_list.as_size(4).get(index) for index in range(4)] == [0xA, 0x5, 0, 0]


def test_encoding_is_repeatable_and_has_neither_time_nor_name() -> None:
    status_list = StatusList.empty().with_status(dict.fromkeys(range(0, 131_072, 17), 1))
    text = status_list.encode()
    assert text == StatusList(status_list.data).encode()
    assert StatusList.decode(text) == status_list
    header = multibase.decode(text)[:10]
    # RFC 1952 §2.3: magic, deflate, no flags, no time.
    assert header[:8] == bytes.fromhex("1f8b080000000000")


def test_a_list_of_the_largest_size_is_read() -> None:
    data = bytes(MAX_STATUS_LIST_BYTES)
    assert len(StatusList.decode(encoded(gzip.compress(data, mtime=0))).data) == MAX_STATUS_LIST_BYTES


GOOD = gzip.compress(bytes(1000), mtime=0)
BAD_LISTS = {
    "empty": "",
    "prefix-only": "u",
    "not-multibase": multibase.encode("u", GOOD)[1:],
    "base58btc": multibase.encode("z", GOOD),
    "padded": encoded(GOOD + b"x") + "=",
    "standard-alphabet": "u+/+/",
    "not-ascii": "ué",
    "lone-surrogate": "u\ud800",
    "not-gzip": encoded(b"hello, world"),
    "zlib-instead-of-gzip": encoded(zlib.compress(bytes(1000))),
    "cut-off": encoded(GOOD[:-9]),
    "checksum-cut-off": encoded(GOOD[:-1]),
    "header-only": encoded(GOOD[:10]),
    "wrong-checksum": encoded(GOOD[:-8] + b"\0\0\0\0" + GOOD[-4:]),
    "wrong-length": encoded(GOOD[:-4] + b"\0\0\0\0"),
    "two-members": encoded(GOOD + GOOD),
    "garbage-after": encoded(GOOD + b"\0"),
}


@pytest.mark.parametrize("fault", BAD_LISTS)
def test_a_bad_list_is_malformed(fault: str) -> None:
    with pytest.raises(FormatError) as refused:
        StatusList.decode(BAD_LISTS[fault])
    assert refused.value.code == "MALFORMED_VALUE_ERROR"


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    compressor = zlib.compressobj(9, wbits=31)
    bomb = b"".join(compressor.compress(bytes(1 << 20)) for _ in range(64)) + compressor.flush()
    assert len(bomb) < 1 << 17
    with pytest.raises(FormatError, match="more than") as refused:
        StatusList.decode(encoded(bomb))
    assert refused.value.code == "MALFORMED_VALUE_ERROR"
