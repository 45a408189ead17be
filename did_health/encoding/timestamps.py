"""Timestamps: RFC 3339 / XML Schema 1.1 ``dateTimeStamp`` text, as VC Data Model 2.0 §4.9 wants them, to and from aware UTC datetimes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from did_health.errors import FormatError
from did_health.limits import MAX_TIMESTAMP_CHARACTERS

_DATE_TIME_STAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)", re.ASCII
)


@lru_cache(maxsize=4096)
def parse(text: str) -> datetime:
    """The instant that ``text`` names, in UTC.

    Digits beyond the microsecond are cut off; ``24:00:00`` is the day's end (XML Schema 1.1 §3.3.7). Raises ``FormatError`` for a missing
    time zone, year 0, a leap second (which no ``dateTimeStamp`` can hold), an offset beyond 14 hours, or any other form.
    """
    if len(text) > MAX_TIMESTAMP_CHARACTERS or not (match := _DATE_TIME_STAMP.fullmatch(text)):
        raise FormatError("not a timestamp with a time zone", hint="Write it as 2026-01-31T13:45:00Z")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    ended = hour == "24" and not int(minute + second + (fraction or "0"))
    try:
        moment = datetime(int(year), int(month), int(day), 0 if ended else int(hour), int(minute), int(second), int((fraction or "").ljust(6, "0")[:6]), UTC)
        if ended:
            moment += timedelta(days=1)
        if zone != "Z":
            offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:]))
            if offset > timedelta(hours=14):
                raise FormatError("the time zone of a timestamp is beyond 14 hours")
            moment = moment - offset if zone[0] == "+" else moment + offset
    except (ValueError, OverflowError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError("a timestamp names no real date and time", hint="Leap seconds and the year 0 are not possible") from error
    return moment


@lru_cache(maxsize=1024)
def format(moment: datetime) -> str:  # noqa: A001  # timestamps.format reads as it should at the caller's
    """``2026-01-31T13:45:00Z``: UTC, whole seconds. Raises ``ValueError`` for a naive datetime."""
    return require_aware(moment).astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def require_aware(moment: datetime) -> datetime:
    """``moment`` itself; raises ``ValueError`` if it has no time zone, which would make it ambiguous, or is a day or a text."""
    if getattr(moment, "tzinfo", None) is None:
        raise ValueError("a datetime with a time zone is needed, such as datetime(2027, 1, 31, tzinfo=UTC)")
    return moment
