"""Multibase (draft-multiformats-multibase, Controlled Identifiers 1.0 §2.4): a letter for the base, then the text.

base58btc (``z``) and unpadded base64url (``u``) are what the W3C specifications use and are done here; every other registered base
goes through the multiformats package, imported only then.
"""

from __future__ import annotations

import base58

from did_health.encoding.base64 import base64url_decode, base64url_encode
from did_health.errors import FormatError, UnsupportedError
from did_health.limits import MAX_MULTIBASE_CHARACTERS


def base58btc_encode(data: bytes) -> str:
    """Base58 with Bitcoin's alphabet (draft-msporny-base58-03), without a prefix."""
    return base58.b58encode(data).decode("ascii")


def base58btc_decode(text: str, *, what: str = "base58btc text") -> bytes:
    """The inverse of ``base58btc_encode``; raises ``FormatError``."""
    if len(text) > MAX_MULTIBASE_CHARACTERS:
        raise FormatError(f"the {what} has more than {MAX_MULTIBASE_CHARACTERS} characters")
    # base58 strips white space at the end, which would make two texts of one value.
    if not text.isascii() or text.strip() != text:
        raise FormatError(f"the {what} is not base58btc")
    try:
        return base58.b58decode(text)
    except ValueError as error:
        raise FormatError(f"the {what} is not base58btc") from error


def encode(prefix: str, data: bytes) -> str:
    """Multibase text of ``data`` in the base with that prefix.

    Raises ``UnsupportedError`` for a prefix that is not registered.
    """
    if prefix == "z":
        return "z" + base58btc_encode(data)
    if prefix == "u":
        return "u" + base64url_encode(data)
    return str(_registered(prefix).encode(data))


def decode(text: str, *, what: str = "multibase text", allowed: str = "") -> bytes:
    """The bytes of a multibase text; ``allowed`` names the only prefixes to accept (empty: every registered one).

    Raises ``FormatError`` for malformed text and ``UnsupportedError`` for an unknown base.
    """
    prefix, body = text[:1], text[1:]
    if not prefix:
        raise FormatError(f"the {what} is empty")
    if allowed and prefix not in allowed:
        raise FormatError(f"the {what} starts with {prefix!r}, not with one of {', '.join(allowed)}")
    if prefix == "z":
        return base58btc_decode(body, what=what)
    if prefix == "u":
        return base64url_decode(body, what=what)
    if len(text) > MAX_MULTIBASE_CHARACTERS:
        raise FormatError(f"the {what} has more than {MAX_MULTIBASE_CHARACTERS} characters")
    base = _registered(prefix)
    try:
        return bytes(base.decode(text))
    except (ValueError, KeyError) as error:
        raise FormatError(f"the {what} is not {base.name}") from error


def _registered(prefix: str):  # type: ignore[no-untyped-def]  # multiformats is imported lazily (51 ms), its type with it
    from multiformats import multibase

    try:
        return multibase.get(code=prefix)
    except (KeyError, ValueError) as error:
        raise UnsupportedError(f"no multibase is registered with the prefix {prefix!r}") from error
