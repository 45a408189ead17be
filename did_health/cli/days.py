"""Days that options give: each is read by the clocks of a jurisdiction, and the command says by which, for the user may have meant others."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from did_health.cli import session
from did_health.cli.exits import UsageError
from did_health.cli.output import note, when

if TYPE_CHECKING:
    from did_health.health.local_days import LocalDays

Given = date | datetime | None
"""What an option gives: a day, a moment, or nothing. A ``datetime`` is a ``date`` too: ask for it first."""


def given(text: str | None, option: str) -> Given:
    """What ``2026-01-31`` or ``2026-01-31T13:45:00Z`` means before it is known where. Raises ``UsageError``."""
    if text is not None and len(text) == len("2026-01-31"):
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise UsageError("this is no time", where=option, hint="Write it as 2026-01-31 or 2026-01-31T13:45:00Z") from error
    return session.moment(text, option)


def beginning(value: Given, option: str, jurisdiction: str, *, favours: bool = False) -> datetime | None:
    """From when on: a day counts from its first hour; for what ``favours`` the holder, from when it has begun by every clock."""
    if value is None or isinstance(value, datetime):
        return value
    days = _of(jurisdiction)
    return _told(value, option, days, "from", days.has_begun(value) if favours else days.begins(value))


def end(value: Given, option: str, jurisdiction: str) -> datetime | None:
    """Until when: a day is the last one, and belongs to what it ends."""
    if value is None or isinstance(value, datetime):
        return value
    days = _of(jurisdiction)
    return _told(value, option, days, "until", days.ends(value))


def last_moment(value: Given, option: str, jurisdiction: str) -> datetime | None:
    """The end of a validity, whose last second is part of it."""
    if value is None or isinstance(value, datetime):
        return value
    days = _of(jurisdiction)
    return _told(value, option, days, "until", days.last_moment(value))


def tell(jurisdiction: str, what: str) -> None:
    """Say by which clocks the days of a file were read."""
    note(f"{what} are days by {_of(jurisdiction)}.")


def _of(jurisdiction: str) -> LocalDays:
    from did_health.health.local_days import local_days

    return local_days(jurisdiction)


def _told(day: date, option: str, days: LocalDays, word: str, moment: datetime) -> datetime:
    note(f"{option} {day.isoformat()} is a day by {days}: {word} {when(moment)}.")
    return moment
