"""JSON Canonicalization Scheme, RFC 8785."""

from __future__ import annotations

from collections.abc import Iterable

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
            canonical = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        except (TypeError, ValueError) as error:
            raise FormatError("the value has no canonical JSON form: a lone surrogate, a name that is no text, or too deep") from error
        # Where all is ASCII so are the names, and the order of their bytes is that of their UTF-16 code units (RFC 8785 §3.2.3).
        if canonical.isascii() or _has_ascii_names(value):
            return canonical
    return canonicalize_slowly(value)


def canonicalize_slowly(value: JSON) -> bytes:
    """As ``canonicalize``, always by the reference implementation; the oracle of the fast path."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise FormatError("the value has no canonical JSON form: a number out of range, a lone surrogate, another type, or too deep") from error


def _is_plain(value: JSON) -> bool:
    """Whether orjson writes every value as RFC 8785 §3.2.2 does: no floats, no integer beyond 2^53 - 1, no other types."""
    queue: list[Iterable[JSON]] = [(value,)]
    for container in queue:
        for item in container:
            kind = type(item)
            if kind is str:
                continue
            if kind is dict:
                queue.append(item.values())
            elif kind is list:
                queue.append(item)
            elif kind is int:
                if not -_MAX_SAFE_INTEGER <= item <= _MAX_SAFE_INTEGER:
                    return False
            elif item is not None and kind is not bool:
                return False
    return True


def _has_ascii_names(value: JSON) -> bool:
    queue = [value]
    for item in queue:
        if type(item) is dict:
            if not "".join(item).isascii():
                return False
            queue += item.values()
        elif type(item) is list:
            queue += item
    return True
