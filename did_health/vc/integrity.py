"""Integrity of related resources (VC Data Model 2.0 §5.3): ``digestSRI`` and ``digestMultibase``, read and held against a resource.

A resource is told by its digests, ``{"sha256": …, "sha384": …}``, so that one whose bytes are not at hand can be known as well: the JSON-LD
contexts that this library packs stand for the published files, whose digests are in ``published_contexts``.

Ours, where the specifications are silent: of several multibase digests one has to fit; ``digestSRI`` and ``digestMultibase`` of one resource
may not name different digests of the same function, for no resource could have both.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from did_health.encoding import multibase, multihash
from did_health.encoding.base64 import base64_decode
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, UnsupportedError
from did_health.limits import MAX_DIGESTS

MALFORMED_VALUE: Final = "MALFORMED_VALUE_ERROR"

Digests = Mapping[str, bytes]
"""Digests of one resource by the name of the function: ``sha256``, ``sha384``, ``sha512`` and, of bytes at hand, their SHA-3 sisters."""

# Subresource Integrity §3.5: hash-algorithm "-" base64-value, options after a question mark.
_EXPRESSION: Final = re.compile(r"(sha256|sha384|sha512)-([A-Za-z0-9+/]+={0,2})(?:\?[!-~]*)?", re.ASCII)
_BYTES: Final = MappingProxyType({"sha256": 32, "sha384": 48, "sha512": 64})
_MULTIHASH: Final = MappingProxyType({0x12: "sha256", 0x20: "sha384", 0x13: "sha512", 0x16: "sha3_256", 0x15: "sha3_384", 0x14: "sha3_512"})
_BY_LENGTH: Final = MappingProxyType({32: "sha256", 48: "sha384", 64: "sha512"})


class Digest(NamedTuple):
    """One digest that an issuer gives: the function's name, and the bytes (empty: text of the right form that no such function writes)."""

    function: str
    value: bytes


def digests_of(data: bytes) -> Digests:
    """Every digest of ``data`` that an issuer might give."""
    return MappingProxyType({name: hashlib.new(name, data).digest() for name in _MULTIHASH.values()})


def check_digests(item: JSONObject, where: str) -> None:
    """The form of the digests of ``item``, as far as it has any; raises ``FormatError`` with a JSON pointer below ``where``."""
    named: dict[str, set[bytes]] = {}
    for digest in sri_digests(item["digestSRI"], f"{where}/digestSRI") if "digestSRI" in item else ():
        named.setdefault(digest.function, set()).add(digest.value)
    if "digestMultibase" not in item:
        return
    others: dict[str, set[bytes]] = {}
    for digest in multibase_digests(item["digestMultibase"], f"{where}/digestMultibase"):
        others.setdefault(digest.function, set()).add(digest.value)
    for function in named.keys() & others.keys():
        if named[function].isdisjoint(others[function]):
            raise FormatError(f"digestSRI and digestMultibase give different {function} digests", where=where, code=MALFORMED_VALUE)


def mismatch(item: JSONObject, actual: Digests, where: str = "", *, unknown_fits: bool = False) -> str | None:
    """The member of ``item`` whose digests the resource with the digests ``actual`` has not; ``None`` if both fit or there are none.

    ``unknown_fits`` gives a function that is not among ``actual`` the benefit of the doubt. Raises ``FormatError`` as ``check_digests``.
    """
    if "digestSRI" in item:
        found = sri_digests(item["digestSRI"], f"{where}/digestSRI")
        # Subresource Integrity §3.3.4: only the strongest function counts. The names sort by strength.
        strongest = max(digest.function for digest in found)
        if (strongest, actual.get(strongest)) not in found:
            return "digestSRI"
    if "digestMultibase" in item:
        found = multibase_digests(item["digestMultibase"], f"{where}/digestMultibase")
        if not any(unknown_fits if digest.function not in actual else actual[digest.function] == digest.value for digest in found):
            return "digestMultibase"
    return None


def sri_digests(value: JSON, where: str) -> tuple[Digest, ...]:
    """``digestSRI``: hash expressions, one or more, in one text or several."""
    digests = []
    for text in _texts(value, where, "Subresource Integrity metadata"):
        for expression in text.split():
            match = _EXPRESSION.fullmatch(expression)
            if match is None:
                raise FormatError("not Subresource Integrity metadata", where=where, code=MALFORMED_VALUE)
            digests.append(_sri_digest(*match.groups()))
    if not 0 < len(digests) <= MAX_DIGESTS:
        raise FormatError(f"not 1 to {MAX_DIGESTS} digests", where=where, code=MALFORMED_VALUE)
    return tuple(digests)


def _sri_digest(function: str, text: str) -> Digest:
    bare = text.rstrip("=")
    # The Recommendation's example 25 has the letter M, multibase for base64, before the digest.
    if bare[0] == "M" and len(bare) == -(-_BYTES[function] * 8 // 6) + 1:
        bare = bare[1:]
    try:
        value = base64_decode(bare + "=" * (-len(bare) % 4))
    except FormatError:
        value = b""
    return Digest(function, value if len(value) == _BYTES[function] else b"")


def multibase_digests(value: JSON, where: str) -> tuple[Digest, ...]:
    """``digestMultibase``: multihashes in multibase, one or more (Data Integrity 1.0 §2.6).

    A bare digest of 32, 48 or 64 bytes passes for one of SHA-2: the W3C's own test suite writes one.
    """
    texts = _texts(value, where, "a multibase digest")
    if len(texts) > MAX_DIGESTS:
        raise FormatError(f"not 1 to {MAX_DIGESTS} digests", where=where, code=MALFORMED_VALUE)
    return tuple(_multibase_digest(text, where) for text in texts)


def _multibase_digest(text: str, where: str) -> Digest:
    try:
        data = multibase.decode(text, what="digest")
    except (FormatError, UnsupportedError) as error:
        raise FormatError("not a multibase digest", where=where, code=MALFORMED_VALUE) from error
    try:
        code, digest = multihash.decode(data)
    except FormatError as error:
        if len(data) not in _BY_LENGTH:
            raise FormatError("not a multihash", where=where, code=MALFORMED_VALUE) from error
        return Digest(_BY_LENGTH[len(data)], data)
    function = _MULTIHASH.get(code, hex(code))
    if function in _MULTIHASH.values() and len(digest) != hashlib.new(function).digest_size:
        raise FormatError(f"a {function} digest of another length", where=where, code=MALFORMED_VALUE)
    return Digest(function, digest)


def _texts(value: JSON, where: str, what: str) -> list[str]:
    texts = value if type(value) is list and value else [value]
    if not all(type(text) is str and text for text in texts):
        raise FormatError(f"not {what}", where=where, code=MALFORMED_VALUE)
    return texts
