"""Multibase (draft-multiformats-multibase, Controlled Identifiers 1.0 §2.4): a letter for the base, then the text.

base58btc (``z``) and unpadded base64url (``u``) are what the W3C specifications use and are done here; every other registered base
goes through the multiformats package, imported only then.
"""

from __future__ import annotations

from typing import Any, Final

from did_health.encoding.base64 import base64url_decode, base64url_encode
from did_health.errors import FormatError, UnsupportedError
from did_health.limits import MAX_MULTIBASE_CHARACTERS

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PAIRS: Final = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_TO_DIGITS: Final = bytes(_ALPHABET.find(chr(byte)) & 0xFF for byte in range(256))
_NO_DIGIT: Final = 0xFF
_ANY_CASE: Final = ("base16", "base32", "base36")
_CHUNK: Final = 58**10
_BLOCK: Final = 128
_BLOCK_BASE: Final = 58**_BLOCK
# One step of decoding a block: (bits of a lane, what its place weighs more in base 256 than in base 58, every other lane set).
_LANES: Final = tuple(
    (bits, (1 << bits) - 58 ** (bits // 8), sum(((1 << bits) - 1) << position for position in range(0, 8 * _BLOCK, 2 * bits)))
    for bits in (8, 16, 32, 64, 128, 256, 512)
)


def base58btc_encode(data: bytes) -> str:
    """Base58 with Bitcoin's alphabet (draft-msporny-base58-03), without a prefix.

    Ten digits at a time, which takes a third of the time of the base58 package for a signature; the tests compare the two.
    """
    number = int.from_bytes(data, "big")
    pairs: list[str] = []
    while number:
        number, chunk = divmod(number, _CHUNK)
        chunk, fifth = divmod(chunk, 3364)
        chunk, fourth = divmod(chunk, 3364)
        chunk, third = divmod(chunk, 3364)
        first, second = divmod(chunk, 3364)
        pairs += (_PAIRS[fifth], _PAIRS[fourth], _PAIRS[third], _PAIRS[second], _PAIRS[first])
    pairs.reverse()
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + "".join(pairs).lstrip("1")


def base58btc_decode(text: str, *, what: str = "base58btc text") -> bytes:
    """The inverse of ``base58btc_encode``; raises ``FormatError``."""
    if len(text) > MAX_MULTIBASE_CHARACTERS:
        raise FormatError(f"the {what} has more than {MAX_MULTIBASE_CHARACTERS} characters")
    if not text.isascii() or _NO_DIGIT in (digits := text.encode().translate(_TO_DIGITS)):
        raise FormatError(f"the {what} is not base58btc")
    zeros = len(digits) - len(digits.lstrip(b"\0"))
    first = (len(digits) - 1) % _BLOCK + 1
    number = _block_number(digits[:first])
    for start in range(first, len(digits), _BLOCK):
        number = number * _BLOCK_BASE + _block_number(digits[start : start + _BLOCK])
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _block_number(digits: bytes) -> int:
    """The number that at most 128 base-58 digits write.

    Each digit is a lane of eight bits in one long integer; neighbouring lanes are joined, all at once, until one lane is left.
    """
    number = int.from_bytes(digits, "big")
    for bits, excess, mask in _LANES:
        number -= (number >> bits & mask) * excess
    return number


def encode(prefix: str, data: bytes) -> str:
    """Multibase text of ``data`` in the base with that prefix.

    Raises ``UnsupportedError`` for a prefix that is not registered.
    """
    if prefix == "z":
        return "z" + base58btc_encode(data)
    if prefix == "u":
        return "u" + base64url_encode(data)
    return _encode(_registered(prefix), data)


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
        data = bytes(base.decode(text))
    except (ValueError, KeyError) as error:
        raise FormatError(f"the {what} is not {base.name}") from error
    encoded = _encode(base, data)
    if encoded != text and not (base.name.startswith(_ANY_CASE) and encoded.lower() == text.lower()):
        raise FormatError(f"the {what} is not in the one form of {base.name}")
    return data


def _encode(base: Any, data: bytes) -> str:
    # multiformats pads base8, which the registry says is not padded.
    return str(base.encode(data)).rstrip("=" if base.name == "base8" else "")


def _registered(prefix: str) -> Any:  # multiformats is imported lazily (51 ms), its type with it
    from multiformats import multibase

    try:
        base = multibase.get(code=prefix)
        # Some are in the package's registry without their code: base256emoji, a test of Unicode, is one.
        base.raw_encoder(b"")
    except (KeyError, ValueError) as error:
        raise UnsupportedError(f"no multibase with the prefix {prefix!r} is available") from error
    return base
