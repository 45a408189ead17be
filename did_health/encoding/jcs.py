"""JSON Canonicalization Scheme, RFC 8785."""

from __future__ import annotations

import orjson
import rfc8785

from did_health.encoding.strict_json import JSON
from did_health.errors import FormatError

_MAX_SAFE_INTEGER = (1 << 53) - 1


def canonicalize(value: JSON) -> bytes:
    """The canonical UTF-8 bytes of a JSON value.

    Raises ``FormatError`` for what I-JSON cannot hold: NaN, infinities, integers beyond 2^53 - 1, lone surrogates, other types.
    """
    if _is_plain(value):
        try:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        except (TypeError, ValueError) as error:
            raise FormatError("the value has no canonical JSON form: it holds a lone surrogate or is nested too deeply") from error
    return canonicalize_slowly(value)


def canonicalize_slowly(value: JSON) -> bytes:
    """As ``canonicalize``, always by the reference implementation; the oracle of the fast path."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise FormatError("the value has no canonical JSON form: a number out of range, a lone surrogate, another type, or too deep") from error


def _is_plain(value: JSON) -> bool:
    """Whether orjson's sorted output is the canonical one: ASCII names, no floats, no integer beyond 2^53 - 1 (RFC 8785 §3.2)."""
    if type(value) is str:
        return True
    queue = [value]
    for item in queue:
        kind = type(item)
        if kind is dict:
            try:
                if not "".join(item).isascii():
                    return False
            except TypeError:
                return False
            queue += [child for child in item.values() if type(child) is not str]
        elif kind is list:
            queue += [child for child in item if type(child) is not str]
        elif kind is int:
            if not -_MAX_SAFE_INTEGER <= item <= _MAX_SAFE_INTEGER:
                return False
        elif item is not None and kind is not bool:
            return False
    return True
