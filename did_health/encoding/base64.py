"""Base64 (padded) and base64url (unpadded), RFC 4648, accepting the one canonical form only."""

from __future__ import annotations

import binascii
from typing import Final

from did_health.errors import FormatError

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")


def base64_encode(data: bytes) -> str:
    """Standard alphabet with padding (RFC 4648 §4)."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def base64_decode(text: str, *, what: str = "base64 text") -> bytes:
    """Decode padded base64; raises ``FormatError`` unless encoding the result gives ``text`` again."""
    try:
        data = binascii.a2b_base64(text)
    except ValueError as error:
        raise FormatError(f"the {what} is not base64") from error
    # What is foreign to the alphabet was skipped, and so is missing now.
    if base64_encode(data) != text:
        raise FormatError(f"the {what} is not canonical base64")
    return data


def base64url_encode(data: bytes) -> str:
    """URL-safe alphabet without padding (RFC 4648 §5)."""
    return _encode_url(data).decode("ascii")


def base64url_decode(text: str, *, what: str = "base64url text") -> bytes:
    """Decode unpadded base64url; raises ``FormatError`` unless encoding the result gives ``text`` again."""
    try:
        given = text.encode("ascii")
        standard = given.translate(_FROM_URL) + b"=" * (-len(given) % 4)
        data = binascii.a2b_base64(standard)
    except ValueError as error:
        raise FormatError(f"the {what} is not base64url") from error
    # Compared in the standard form, which saves the way back, but for the three characters that are in that alone.
    if binascii.b2a_base64(data, newline=False) != standard or b"+" in given or b"/" in given or given.endswith(b"="):
        raise FormatError(f"the {what} is not canonical base64url without padding")
    return data


def _encode_url(data: bytes) -> bytes:
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=")
