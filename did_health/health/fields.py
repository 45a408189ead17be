"""The checks that the credential types share. Each gives back the value, or raises ``FormatError`` with the JSON pointer of the member.

They take ``object``: values come from JSON that somebody else wrote. No message repeats a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import date, datetime
from typing import Any, Final, TypeVar

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.limits import MAX_CLAIM_CHARACTERS, MAX_CLAIM_ITEMS, MAX_DID_CHARACTERS, MAX_URL_CHARACTERS

T = TypeVar("T")

EARLIEST_DAY: Final = date(1850, 1, 1)
"""No birth, licence or order that a credential speaks of is older."""

# Controls, line separators, surrogates and direction overrides have no place in a name and can disguise one.
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069\ud800-\udfff\ufeff]")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WORD: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x20\x7f]+")
_DID: Final = re.compile(r"did:[a-z0-9]+:[A-Za-z0-9._:%-]*[A-Za-z0-9._%-]")


def text(value: object, where: str, what: str, *, longest: int = MAX_CLAIM_CHARACTERS) -> str:
    """A visible text of 1 to ``longest`` characters without spaces around it."""
    if not isinstance(value, str):
        raise FormatError(f"the {what} is not a text", where=where)
    if not value or value != value.strip():
        raise FormatError(f"the {what} is empty or has spaces around it", where=where)
    if len(value) > longest:
        raise FormatError(f"the {what} has {len(value)} characters, more than the {longest} allowed", where=where)
    if _UNSEEN.search(value):
        raise FormatError(f"the {what} holds characters that cannot be seen", where=where, hint="Remove control characters, line breaks and direction marks")
    return value


def word(value: object, where: str, what: str) -> str:
    """One machine-readable word in lower case, such as ``no_schedule_2``."""
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise FormatError(f"the {what} is not one lower-case word", where=where, hint="Write it as no_schedule_2")
    return value


def one_of(value: object, choices: Collection[str], where: str, what: str) -> str:
    """One of a closed set of words."""
    if not isinstance(value, str) or value not in choices:
        raise FormatError(f"the {what} is none of those known", where=where, hint=f"It is one of: {', '.join(sorted(choices))}")
    return value


def day(value: object, where: str, what: str) -> date:
    """A calendar day (a ``date`` that is not a ``datetime``) that is not absurdly early."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise FormatError(f"the {what} is not a date without a time", where=where, hint="Give a datetime.date")
    if value < EARLIEST_DAY:
        raise FormatError(f"the {what} is before {EARLIEST_DAY}", where=where)
    return value


def moment(value: object, where: str, what: str) -> datetime:
    """A point in time with a time zone."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise FormatError(f"the {what} is not a time with a time zone", where=where, hint="Give one such as datetime(2027, 1, 31, tzinfo=UTC)")
    return value


def period(valid_from: object, valid_until: object) -> None:
    """``valid_until`` is a time; ``valid_from`` is an earlier one, or ``None`` (the issuer then takes the moment of issuing)."""
    until = moment(valid_until, "/validUntil", "end of validity")
    if valid_from is not None and moment(valid_from, "/validFrom", "start of validity") >= until:
        raise FormatError("the validity ends before it starts", where="/validUntil")


def parse_day(value: object, where: str, what: str) -> date:
    """A day written ``2026-01-31``."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise FormatError(f"the {what} is not a date", where=where, hint="Write it as 2026-01-31")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise FormatError(f"the {what} is a day that no calendar has", where=where) from error


def uri(value: object, where: str, what: str) -> str:
    """An absolute URI."""
    if not isinstance(value, str) or len(value) > MAX_URL_CHARACTERS or not _URI.fullmatch(value):
        raise FormatError(f"the {what} is not a URI", where=where)
    return value


def https_url(value: object, where: str, what: str) -> str:
    """An ``https`` URL."""
    if not uri(value, where, what).startswith("https://"):
        raise FormatError(f"the {what} is not an https URL", where=where)
    return str(value)


def did(value: object, where: str, what: str) -> str:
    """A DID, by its outer form; whether it can be resolved is another question."""
    if not isinstance(value, str) or len(value) > MAX_DID_CHARACTERS or not _DID.fullmatch(value):
        raise FormatError(f"the {what} is not a DID", where=where, hint="It starts with did:")
    return value


def items(value: object, where: str, what: str, check: Callable[[Any, str], object]) -> None:
    """A tuple, each item of which passes ``check(item, its pointer)``."""
    if not isinstance(value, tuple):
        raise FormatError(f"the {what} are not a list", where=where, hint="Give a tuple")
    if len(value) > MAX_CLAIM_ITEMS:
        raise FormatError(f"there are {len(value)} {what}, more than the {MAX_CLAIM_ITEMS} allowed", where=where)
    for place, item in enumerate(value):
        check(item, f"{where}/{place}")


def instance(value: object, kind: type[T], where: str, what: str) -> T:
    """An instance of one of our own types."""
    if not isinstance(value, kind):
        raise FormatError(f"the {what} is not a {kind.__name__}", where=where)
    return value


def member(document: JSONObject, name: str, where: str = "") -> Any:
    """A required member of a JSON object."""
    if name not in document:
        raise FormatError(f"the member {name} is missing", where=f"{where}/{name}")
    return document[name]


def json_object(value: object, where: str, what: str) -> JSONObject:
    """A JSON object."""
    if not isinstance(value, dict):
        raise FormatError(f"the {what} is not a JSON object", where=where)
    return value


def json_list(value: object, where: str, what: str) -> tuple[Any, ...]:
    """The items of a JSON array; none for an absent one (``None``)."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise FormatError(f"the {what} are not a list", where=where)
    return tuple(value)


def present(**members: object) -> JSONObject:
    """A JSON object of the members that are there: neither ``None``, nor an empty text, nor an empty list."""
    return {name: value for name, value in members.items() if value is not None and value not in ("", [])}
