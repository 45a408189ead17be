"""Unsigned variable-length integers of the multiformats project: seven bits a byte, least significant first, at most nine bytes."""

from __future__ import annotations

from did_health.errors import FormatError

_MAX_BYTES = 9


def encode(number: int) -> bytes:
    """The shortest encoding of ``number`` (0 to 2^63 - 1); raises ``ValueError`` beyond."""
    if not 0 <= number < 1 << (7 * _MAX_BYTES):
        raise ValueError("a varint holds 0 to 2^63 - 1")
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def decode(data: bytes) -> tuple[int, int]:
    """``(number, bytes read)`` of the varint at the start of ``data``; raises ``FormatError`` unless it is whole and the shortest."""
    number = 0
    for position, byte in enumerate(data[:_MAX_BYTES]):
        number |= (byte & 0x7F) << (7 * position)
        if byte < 0x80:
            if position and not byte:
                raise FormatError("the varint is not in its shortest form")
            return number, position + 1
    raise FormatError("the varint is cut off or longer than nine bytes")
