"""JSON Canonicalization Scheme, RFC 8785."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import orjson
import rfc8785

from did_health.encoding.strict_json import JSON, JSONObject, Survey, survey
from did_health.errors import FormatError

Canonicalize: TypeAlias = Callable[[JSON], bytes]
"""``canonicalize``, or one of its kin for values of which something is known already."""

# The first bytes of characters beyond U+FFFF.
_LEADS_OF_FOUR: Final = (b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4")


def canonicalize(value: JSON) -> bytes:
    """The canonical UTF-8 bytes of a JSON value.

    Raises ``FormatError`` for what I-JSON cannot hold: NaN, infinities, integers beyond 2^53 - 1, lone surrogates, other types.
    """
    return canonicalize_plain(value) if survey(value).plain else canonicalize_slowly(value)


def canonicalize_plain(value: JSON) -> bytes:
    """As ``canonicalize``, for a value that is known to be plain, or that is part of one (see ``strict_json.Survey``)."""
    try:
        canonical = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except (TypeError, ValueError) as error:
        raise FormatError("the value has no canonical JSON form: a lone surrogate, a name that is no text, or too deep") from error
    return canonical if _is_in_order(canonical) else canonicalize_slowly(value)


def canonicalize_around(value: JSONObject, name: str, parts: Sequence[bytes]) -> bytes:
    """As ``canonicalize_plain``, for an object whose member ``name`` is the list of values that have the canonical forms ``parts``."""
    canonical = orjson.dumps({**value, name: [orjson.Fragment(part) for part in parts]}, option=orjson.OPT_SORT_KEYS)
    return canonical if _is_in_order(canonical) else canonicalize_slowly(value)


def canonicalizer(found: Survey) -> Canonicalize:
    """The quickest way to canonicalise parts of a value, which one survey of the whole allows."""
    return canonicalize_plain if found.plain else canonicalize


def _is_in_order(canonical: bytes) -> bool:
    # Only characters beyond U+FFFF make the order of UTF-8, in which orjson sorts, another than that of UTF-16 (RFC 8785 §3.2.3).
    return canonical.isascii() or not any(lead in canonical for lead in _LEADS_OF_FOUR)


def canonicalize_slowly(value: JSON) -> bytes:
    """As ``canonicalize``, always by the reference implementation; the oracle of the fast path."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise FormatError("the value has no canonical JSON form: a number out of range, a lone surrogate, another type, or too deep") from error
