"""The two things that C2SP text formats write on lines: decimal numbers and base64 hashes. One spelling each."""

from __future__ import annotations

from typing import Final

from did_health.encoding.base64 import base64_decode, base64_encode
from did_health.errors import FormatError
from did_health.limits import MAX_TREE_SIZE

HASH_BYTES: Final = 32
_HASH_CHARACTERS: Final = 44
_MAX_DIGITS: Final = len(str(MAX_TREE_SIZE))


def parse_decimal(text: str, what: str) -> int:
    """A number of leaves: ASCII digits without leading zeros (except ``0``), at most ``MAX_TREE_SIZE``. Raises ``FormatError``."""
    if not (text.isascii() and text.isdigit()) or len(text) > _MAX_DIGITS or (text[0] == "0" and text != "0"):
        raise FormatError(f"the {what} is not a plain decimal number")
    number = int(text)
    if number > MAX_TREE_SIZE:
        raise FormatError(f"the {what} is too large")
    return number


def parse_hash(text: str, what: str) -> bytes:
    """A SHA-256 hash in canonical base64. Raises ``FormatError``."""
    if len(text) != _HASH_CHARACTERS:
        raise FormatError(f"the {what} is not a base64 hash of {HASH_BYTES} bytes")
    value = base64_decode(text, what=what)
    if len(value) != HASH_BYTES:
        raise FormatError(f"the {what} is not a base64 hash of {HASH_BYTES} bytes")
    return value


def hash_lines(hashes: tuple[bytes, ...]) -> str:
    """One base64 hash a line, each ended by a newline."""
    return "".join(f"{base64_encode(value)}\n" for value in hashes)


def utf8(data: bytes, what: str) -> str:
    """The text of ``data``. Raises ``FormatError`` if it is not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"the {what} is not UTF-8") from error
