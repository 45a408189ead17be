"""Strict JSON (RFC 8259, I-JSON RFC 7493): what two parsers could read differently is refused.

Refused beyond RFC 8259: duplicate member names, NaN and infinities, a byte order mark, lone surrogates, integers beyond 64 bits,
numbers that overflow, and documents over the named limits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias

import orjson

from did_health.errors import FormatError
from did_health.limits import MAX_DOCUMENT_BYTES, MAX_DOCUMENT_DEPTH

# A recursive alias would make every access of a member a cast; the parsers of each specification check what they read.
JSON: TypeAlias = Any
JSONObject: TypeAlias = dict[str, Any]

_MIN_INTEGER = -(1 << 63)
_MAX_INTEGER = (1 << 64) - 1
_MAX_INTEGER_DIGITS = 20
# orjson writes at most 254 levels.
_ORJSON_DEPTH = 250
_MAX_SAFE_INTEGER = (1 << 53) - 1


class Survey(NamedTuple):
    """What a value is made of: levels of nested containers, and whether it is plain.

    It is plain if no number in it is a float or beyond ±(2^53 - 1), so that every writer of JSON writes it the same (RFC 8785 §3.2.2).
    """

    depth: int
    plain: bool


def survey(value: JSON) -> Survey:
    """Look at every item of ``value`` once; anything that JSON does not know is not plain either."""
    level: list[Iterable[JSON]] = [(value,)]
    plain = True
    depth = -1
    while level:
        depth += 1
        deeper: list[Iterable[JSON]] = []
        for container in level:
            for item in container:
                kind = type(item)
                if kind is str:
                    continue
                if kind is dict:
                    deeper.append(item.values())
                elif kind is list:
                    deeper.append(item)
                elif kind is int:
                    if not -_MAX_SAFE_INTEGER <= item <= _MAX_SAFE_INTEGER:
                        plain = False
                elif item is not None and kind is not bool:
                    plain = False
        level = deeper
    return Survey(depth, plain)


def loads(data: bytes | str, *, what: str = "JSON document", max_bytes: int = MAX_DOCUMENT_BYTES, max_depth: int = MAX_DOCUMENT_DEPTH) -> JSON:
    """Parse ``data``; ``what`` names the document in errors.

    Raises ``FormatError`` for anything but one strict JSON value within the limits.
    """
    value = loads_unsurveyed(data, max_bytes=max_bytes)
    # So few brackets cannot be nested deeper, in strings or not.
    if value is not None and _brackets(data) <= max_depth:
        return value
    return loads_surveyed(data, what=what, max_bytes=max_bytes, max_depth=max_depth)[0]


def loads_object(data: bytes | str, *, what: str = "JSON document", max_bytes: int = MAX_DOCUMENT_BYTES, max_depth: int = MAX_DOCUMENT_DEPTH) -> JSONObject:
    """As ``loads``, for a document that must be a JSON object."""
    value = loads(data, what=what, max_bytes=max_bytes, max_depth=max_depth)
    if not isinstance(value, dict):
        raise FormatError(f"the {what} is not a JSON object")
    return value


def loads_surveyed(
    data: bytes | str, *, what: str = "JSON document", max_bytes: int = MAX_DOCUMENT_BYTES, max_depth: int = MAX_DOCUMENT_DEPTH
) -> tuple[JSON, Survey]:
    """As ``loads``, with the survey of the value, which it makes anyway."""
    if isinstance(data, str):
        try:
            data = data.encode()
        except UnicodeEncodeError as error:
            raise FormatError(f"the {what} holds a lone surrogate", where=f"character {error.start}") from error
    elif not isinstance(data, bytes):
        raise TypeError(f"{what}: bytes or str expected, not {type(data).__name__}")
    if len(data) > max_bytes:
        raise FormatError(f"the {what} has {len(data)} bytes, more than the {max_bytes} allowed")
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        # orjson gives up at 1024 levels, beyond every limit of ours; its words for that have changed, but for one.
        if "limit" in error.msg:
            raise FormatError(f"the {what} is nested deeper than {max_depth} levels") from error
        if not data.strip():
            raise FormatError(f"the {what} is empty") from error
        raise FormatError(f"the {what} is not JSON", where=f"line {error.lineno}, column {error.colno}") from error
    found = survey(value)
    if found.depth > max_depth:
        raise FormatError(f"the {what} is nested deeper than {max_depth} levels")
    # Equal bytes prove that nothing was dropped or changed: neither a duplicate member nor a number.
    if found.depth > _ORJSON_DEPTH or orjson.dumps(value) != data:
        value = _loads_slowly(data, what)
        found = survey(value)
    return value, found


def _brackets(data: bytes | str) -> int:
    return data.count("{") + data.count("[") if isinstance(data, str) else data.count(b"{") + data.count(b"[")


def loads_unsurveyed(data: bytes | str, *, max_bytes: int = MAX_DOCUMENT_BYTES) -> JSON:
    """The value of ``data`` if that is written as ``dumps`` writes it, without blanks: strict JSON, but for its depth, which nobody has looked at.

    The caller has to ``survey`` all that it does not know the shape of. ``None`` for anything else, which ``loads`` accepts or explains.
    """
    try:
        written = data if type(data) is bytes else data.encode()  # type: ignore[union-attr]
        if len(written) > max_bytes:
            return None
        value = orjson.loads(written)
        # Equal bytes prove that nothing was dropped or changed: neither a duplicate member nor a number.
        return value if orjson.dumps(value) == written else None
    except (ValueError, TypeError, AttributeError):
        return None


def dumps(value: JSON, *, indent: bool = False) -> bytes:
    """Compact (or indented) UTF-8 JSON in the order of the members.

    Raises ``FormatError`` for what JSON cannot hold.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else None)
    except (TypeError, ValueError) as error:
        raise FormatError("the value cannot be written as JSON") from error


def _loads_slowly(data: bytes, what: str) -> JSON:
    def members(pairs: Iterable[tuple[str, JSON]]) -> JSONObject:
        result: JSONObject = {}
        for name, value in pairs:
            if name in result:
                raise FormatError(f"the {what} has a duplicate member name", hint="Two parsers could read it differently")
            result[name] = value
        return result

    def integer(digits: str) -> int:
        if len(digits) > _MAX_INTEGER_DIGITS or not _MIN_INTEGER <= (number := int(digits)) <= _MAX_INTEGER:
            raise FormatError(f"the {what} holds an integer beyond 64 bits")
        return number

    # orjson has read it before, so it is JSON, and its numbers are finite.
    try:
        return json.loads(data, object_pairs_hook=members, parse_int=integer)
    except RecursionError as error:
        raise FormatError(f"the {what} is nested too deeply") from error
