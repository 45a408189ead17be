"""The bitstring of a Bitstring Status List v1.0: packed values of 1 to 8 bits, compressed with GZIP, in multibase base64url (§2.2, §3.3, §3.4)."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from did_health.encoding import multibase
from did_health.errors import FormatError, VerificationError
from did_health.limits import MAX_STATUS_LIST_BYTES, MIN_STATUS_LIST_ENTRIES

MALFORMED_VALUE: Final = "MALFORMED_VALUE_ERROR"
RANGE: Final = "RANGE_ERROR"

MAX_STATUS_SIZE: Final = 8
"""Bits of an entry that are supported: 256 different states."""

_GZIP: Final = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class StatusList:
    """An immutable list of status values of ``status_size`` bits each, the first at the left-most (most significant) bit of ``data``."""

    data: bytes = field(repr=False)
    status_size: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.status_size <= MAX_STATUS_SIZE:
            raise ValueError(f"a status has 1 to {MAX_STATUS_SIZE} bits")
        if len(self.data) > MAX_STATUS_LIST_BYTES:
            raise ValueError(f"a status list has at most {MAX_STATUS_LIST_BYTES} bytes")

    @classmethod
    def empty(cls, entries: int = MIN_STATUS_LIST_ENTRIES, status_size: int = 1) -> StatusList:
        """A list of at least ``entries`` zeros, filled up to a whole byte; raises ``ValueError`` beyond the limits."""
        return cls(bytes((entries * status_size + 7) // 8), status_size)

    def __len__(self) -> int:
        """How many entries the list has."""
        return len(self.data) * 8 // self.status_size

    def get(self, index: int) -> int:
        """The status at ``index``; raises ``VerificationError`` with code ``RANGE_ERROR`` if the list has no such entry."""
        size = self.status_size
        if not 0 <= index < len(self.data) * 8 // size:
            raise VerificationError("the status list has no entry with that index", code=RANGE)
        if size == 1:
            return self.data[index >> 3] >> (7 - (index & 7)) & 1
        start = index * size
        # An entry of up to eight bits lies in one byte or two.
        pair = int.from_bytes(self.data[start >> 3 : (start >> 3) + 2].ljust(2, b"\0"), "big")
        return pair >> (16 - size - (start & 7)) & ((1 << size) - 1)

    def with_status(self, changes: Mapping[int, int]) -> StatusList:
        """This list with the value at each index of ``changes`` replaced; one copy, however many there are.

        Raises ``ValueError`` for an index that the list has not, or a value that does not fit.
        """
        size, length = self.status_size, len(self)
        largest = (1 << size) - 1
        data = bytearray(self.data)
        for index, value in changes.items():
            if not 0 <= index < length:
                raise ValueError(f"the status list has {length} entries, none with the index {index}")
            if not 0 <= value <= largest:
                raise ValueError(f"a status of {size} bits is 0 to {largest}, not {value}")
            position, offset = divmod(index * size, 8)
            room = 8 - offset
            if size <= room:
                shift = room - size
                data[position] = data[position] & ~(largest << shift) & 0xFF | value << shift
            else:
                over = size - room
                data[position] = data[position] & ~(largest >> over) & 0xFF | value >> over
                data[position + 1] = data[position + 1] & (0xFF >> over) | value << (8 - over) & 0xFF
        return StatusList(bytes(data), size)

    def as_size(self, status_size: int) -> StatusList:
        """The same bits read as entries of ``status_size`` bits: only the entry in a credential tells the size (§2.1)."""
        return self if status_size == self.status_size else StatusList(self.data, status_size)

    def encode(self) -> str:
        """``encodedList``: multibase ``u`` of the GZIP-compressed bits (§3.3). The same bits always give the same text: no time, no name."""
        compressor = zlib.compressobj(wbits=_GZIP)
        return multibase.encode("u", compressor.compress(self.data) + compressor.flush())

    @classmethod
    def decode(cls, encoded: str, status_size: int = 1) -> StatusList:
        """The inverse of ``encode`` (§3.4).

        Raises ``FormatError`` (code ``MALFORMED_VALUE_ERROR``) unless it is one whole GZIP member, nothing after it, that holds no more
        than ``MAX_STATUS_LIST_BYTES``; no more than those are ever decompressed.
        """
        if encoded[:1] != "u":
            raise FormatError("the status list is not multibase base64url (it does not start with u)", code=MALFORMED_VALUE)
        try:
            compressed = multibase.decode(encoded, what="status list", allowed="u")
            decompressor = zlib.decompressobj(wbits=_GZIP)
            data = decompressor.decompress(compressed, MAX_STATUS_LIST_BYTES + 1)
        except zlib.error as error:
            raise FormatError("the status list is not GZIP data, or is damaged", code=MALFORMED_VALUE) from error
        except FormatError as error:
            raise FormatError(error.what, code=MALFORMED_VALUE) from error
        if len(data) > MAX_STATUS_LIST_BYTES:
            raise FormatError(f"the status list has more than the {MAX_STATUS_LIST_BYTES} bytes allowed", code=MALFORMED_VALUE)
        if not decompressor.eof:
            raise FormatError("the GZIP data of the status list are cut off", code=MALFORMED_VALUE)
        if decompressor.unused_data:
            raise FormatError("the status list has more data after its GZIP member", code=MALFORMED_VALUE)
        return cls(data, status_size)
