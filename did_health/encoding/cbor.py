"""Deterministically encoded CBOR, RFC 8949 §4.2.1: shortest heads, definite lengths, map keys in the bytewise order of their encodings.

cbor2 writes the scalars and decodes; its own canonical mode sorts keys length-first (RFC 7049) and its decoder takes duplicate keys and
indefinite lengths, so containers are written here and whatever was read is encoded again and compared.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import cbor2

from did_health.errors import FormatError
from did_health.limits import MAX_CBOR_BYTES, MAX_DOCUMENT_DEPTH

CBOR: TypeAlias = Any

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG = (kind << 5 for kind in range(7))


def dumps(value: CBOR) -> bytes:
    """The one deterministic encoding of ``value``: int, bytes, str, None, bool, float, list, tuple, dict and ``cbor2.CBORTag``.

    Raises ``FormatError`` for other types, lone surrogates or too deep a nesting.
    """
    out: list[bytes] = []
    try:
        _write(value, out, 0)
    except (cbor2.CBOREncodeError, UnicodeEncodeError, ValueError, TypeError, OverflowError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError("the value has no deterministic CBOR form") from error
    return b"".join(out)


def loads(data: bytes, *, what: str = "CBOR document", max_bytes: int = MAX_CBOR_BYTES) -> CBOR:
    """Decode ``data``; raises ``FormatError`` unless it is exactly the deterministic encoding of what it holds."""
    if not isinstance(data, bytes):
        raise TypeError(f"{what}: bytes expected, not {type(data).__name__}")
    if len(data) > max_bytes:
        raise FormatError(f"the {what} has {len(data)} bytes, more than the {max_bytes} allowed")
    try:
        value = cbor2.loads(data)
    # The decoder builds dates, decimals and patterns for tags and lets out whatever their constructors raise.
    except (cbor2.CBORDecodeError, ValueError, TypeError, ArithmeticError, LookupError, RecursionError, MemoryError) as error:
        raise FormatError(f"the {what} is not CBOR") from error
    if dumps(value) != data:
        raise FormatError(f"the {what} is not in deterministic encoding (RFC 8949 §4.2.1)")
    return value


def _head(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes((major | argument,))
    if argument < 1 << 8:
        return bytes((major | 24, argument))
    if argument < 1 << 16:
        return bytes((major | 25,)) + argument.to_bytes(2, "big")
    if argument < 1 << 32:
        return bytes((major | 26,)) + argument.to_bytes(4, "big")
    return bytes((major | 27,)) + argument.to_bytes(8, "big")


def _write(value: CBOR, out: list[bytes], depth: int) -> None:
    if depth > MAX_DOCUMENT_DEPTH:
        raise FormatError(f"the CBOR value is nested deeper than {MAX_DOCUMENT_DEPTH} levels")
    kind = type(value)
    if kind is bytes:
        out += (_head(_BYTES, len(value)), value)
    elif kind is str:
        encoded = value.encode()
        out += (_head(_TEXT, len(encoded)), encoded)
    elif kind is int and -(1 << 64) <= value < 1 << 64:
        out.append(_head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value))
    elif kind is dict:
        members: list[tuple[bytes, CBOR]] = []
        for key, member in value.items():
            encoded_key: list[bytes] = []
            _write(key, encoded_key, depth + 1)
            members.append((b"".join(encoded_key), member))
        members.sort(key=lambda member: member[0])
        out.append(_head(_MAP, len(members)))
        for key, member in members:
            out.append(key)
            _write(member, out, depth + 1)
    elif kind is list or kind is tuple:
        out.append(_head(_ARRAY, len(value)))
        for item in value:
            _write(item, out, depth + 1)
    elif kind is cbor2.CBORTag:
        out.append(_head(_TAG, value.tag))
        _write(value.value, out, depth + 1)
    else:
        out.append(cbor2.dumps(value, canonical=True))
