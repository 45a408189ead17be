"""Deterministically encoded CBOR, RFC 8949 §4.2.1: shortest heads, definite lengths, map keys in the bytewise order of their encodings.

cbor2 writes floats, bignums and simple values and gives the types of tags. Its canonical mode sorts keys length-first (RFC 7049) and
its decoder makes dates, patterns, shared references and more of tags, so containers are written and everything is read here. What
was read is encoded again and compared, which refuses long heads, unsorted or duplicate keys, and long floats.
"""

from __future__ import annotations

import struct
from typing import Any, Final, TypeAlias

import cbor2

from did_health.errors import FormatError
from did_health.limits import MAX_CBOR_BYTES, MAX_DOCUMENT_DEPTH

CBOR: TypeAlias = Any

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = (kind << 5 for kind in range(8))
_POSITIVE_BIGNUM, _NEGATIVE_BIGNUM = 2, 3
_FLOATS: Final = {25: ">e", 26: ">f", 27: ">d"}
_SCALARS: Final = (int, float, str, bytes, cbor2.CBORSimpleValue, type(cbor2.undefined))
_CONSTANTS: Final = {20: False, 21: True, 22: None, 23: cbor2.undefined}


def dumps(value: CBOR) -> bytes:
    """The one deterministic encoding of ``value``: int, bytes, str, None, bool, float, list, tuple, dict, ``cbor2.CBORTag``,
    ``cbor2.CBORSimpleValue`` and ``cbor2.undefined``.

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


def loads(data: bytes, *, what: str = "CBOR document", max_bytes: int = MAX_CBOR_BYTES, deterministic: bool = True) -> CBOR:
    """Decode ``data``, of the types that ``dumps`` takes; a tag stays a ``cbor2.CBORTag``, except for integers beyond 64 bits.

    Raises ``FormatError`` unless it is exactly the deterministic encoding of what it holds. Without ``deterministic``, for formats that do
    not ask for it, the keys of a map may be in any order and numbers have long forms. Map keys are integers, text or bytes.
    """
    if not isinstance(data, bytes):
        raise TypeError(f"{what}: bytes expected, not {type(data).__name__}")
    if len(data) > max_bytes:
        raise FormatError(f"the {what} has {len(data)} bytes, more than the {max_bytes} allowed")
    try:
        value, end = _read(data, 0, 0)
    except (IndexError, struct.error) as error:
        raise FormatError(f"the {what} is not CBOR: it is cut off") from error
    except UnicodeDecodeError as error:
        raise FormatError(f"the {what} is not CBOR: a text in it is not UTF-8") from error
    if end != len(data):
        raise FormatError(f"something follows the {what}", where=f"byte {end}")
    if deterministic and dumps(value) != data:
        raise FormatError(f"the {what} is not in deterministic encoding (RFC 8949 §4.2.1)")
    return value


def _read(data: bytes, at: int, depth: int) -> tuple[CBOR, int]:
    """``(the item at this place, the place after it)``."""
    if depth > MAX_DOCUMENT_DEPTH:
        raise FormatError(f"the CBOR value is nested deeper than {MAX_DOCUMENT_DEPTH} levels")
    major, info = data[at] & 0xE0, data[at] & 0x1F
    if info > 27:
        raise FormatError("the CBOR has an indefinite length or a reserved head", where=f"byte {at}")
    at += 1
    size = 1 << info - 24 if info > 23 else 0
    if major == _SIMPLE:
        return _simple(data, at, info), at + size
    number = int.from_bytes(data[at : at + size], "big") if size else info
    if at + size > len(data):
        raise IndexError
    at += size
    if major == _UNSIGNED:
        return number, at
    if major == _NEGATIVE:
        return -1 - number, at
    if major == _TAG:
        content, at = _read(data, at, depth + 1)
        return _tagged(number, content), at
    # Before anything is made in that size.
    if number > len(data) - at:
        raise IndexError
    if major == _BYTES:
        return data[at : at + number], at + number
    if major == _TEXT:
        return data[at : at + number].decode(), at + number
    if major == _ARRAY:
        items = []
        for _ in range(number):
            item, at = _read(data, at, depth + 1)
            items.append(item)
        return items, at
    members = {}
    for _ in range(number):
        key, at = _read(data, at, depth + 1)
        _require_key(key)
        members[key], at = _read(data, at, depth + 1)
    if len(members) != number:
        raise FormatError("a key of a CBOR map is there twice")
    return members, at


def _require_key(key: CBOR) -> None:
    # True and 1.0 would be the same key as 1.
    if not isinstance(key, int | str | bytes) or isinstance(key, bool):
        raise FormatError("a key of a CBOR map is neither integer nor text nor bytes")


def _simple(data: bytes, at: int, info: int) -> CBOR:
    if info in _FLOATS:
        return struct.unpack_from(_FLOATS[info], data, at)[0]
    if info in _CONSTANTS:
        return _CONSTANTS[info]
    number = data[at] if info == 24 else info
    # RFC 8949 §3.3: the long form of a value below 32 is not well-formed.
    if info == 24 and number < 32:
        raise FormatError("the CBOR has a simple value in a form that is not well-formed")
    return cbor2.CBORSimpleValue(number)


def _tagged(number: int, content: CBOR) -> CBOR:
    if number not in (_POSITIVE_BIGNUM, _NEGATIVE_BIGNUM):
        return cbor2.CBORTag(number, content)
    if type(content) is not bytes:
        raise FormatError("a bignum in the CBOR is not of bytes")
    magnitude = int.from_bytes(content, "big")
    return magnitude if number == _POSITIVE_BIGNUM else -1 - magnitude


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
            if type(key) is int and 0 <= key < 24:  # what the ledger's maps have
                members.append((bytes((key,)), member))
                continue
            _require_key(key)
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
    elif value is None or isinstance(value, _SCALARS):
        out.append(cbor2.dumps(value, canonical=True))
    else:
        raise FormatError("the value has no deterministic CBOR form: it is of another type")
