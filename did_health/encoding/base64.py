"""Base64 (padded) and base64url (unpadded), RFC 4648, accepting the one canonical form only."""

from __future__ import annotations

import base64 as _base64
import binascii

from did_health.errors import FormatError


def base64_encode(data: bytes) -> str:
    """Standard alphabet with padding (RFC 4648 §4)."""
    return _base64.b64encode(data).decode("ascii")


def base64_decode(text: str, *, what: str = "base64 text") -> bytes:
    """Decode padded base64; raises ``FormatError`` unless encoding the result gives ``text`` again."""
    try:
        data = _base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError(f"the {what} is not base64") from error
    if base64_encode(data) != text:
        raise FormatError(f"the {what} is not canonical base64")
    return data


def base64url_encode(data: bytes) -> str:
    """URL-safe alphabet without padding (RFC 4648 §5)."""
    return _base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def base64url_decode(text: str, *, what: str = "base64url text") -> bytes:
    """Decode unpadded base64url; raises ``FormatError`` unless encoding the result gives ``text`` again."""
    try:
        data = _base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError(f"the {what} is not base64url") from error
    if base64url_encode(data) != text:
        raise FormatError(f"the {what} is not canonical base64url without padding")
    return data
