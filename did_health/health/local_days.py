"""Where a calendar day lies in time: a state's day begins and ends by the clocks of that state, not at midnight UTC.

Boards write days without a time, and the verifier knows moments. Which clock a day was meant by is known only as far as the jurisdiction:
its clocks lie between two UTC offsets, which take in all its time zones, and daylight saving time. The table is ``data/time-zones.json``.
One rule holds everywhere (docs/adr/0016-days-by-local-clocks.md):

- what stands against somebody (a restriction, a suspension) begins when its first day begins by the first clock;
- what favours somebody (a reinstatement) begins when its first day has begun by every clock;
- both end when their last day has ended by every clock: the last day is part of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final

from did_health.errors import FormatError
from did_health.health import jurisdictions
from did_health.health.dated_tables import DatedTable, packaged_table

TABLE: Final = "time-zones"
_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_LAST: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_OFFSET: Final = re.compile(r"([+-])(0[0-9]|1[0-4]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class LocalDays:
    """The days of one jurisdiction: ``behind`` and ``ahead`` are the least and the greatest UTC offset of its clocks in the course of a year.

    Moments are aware UTC; what lies behind the last second of the year 9999 is that second.
    """

    jurisdiction: str
    behind: timedelta
    ahead: timedelta

    def begins(self, day: date) -> datetime:
        """When ``day`` begins by the first clock."""
        return _moved(_midnight(day), -self.ahead)

    def has_begun(self, day: date) -> datetime:
        """When ``day`` has begun by every clock."""
        return _moved(_midnight(day), -self.behind)

    def ends(self, day: date) -> datetime:
        """When ``day`` is over by every clock: the first moment that is not part of it."""
        return _LAST if day == date.max else self.has_begun(day + _DAY)

    def last_moment(self, day: date) -> datetime:
        """The last second of ``day``: what is valid until a day is valid until then (VCDM 2.0 §4.9: the latest moment)."""
        return self.ends(day) - _SECOND

    def day_of(self, end: datetime) -> date:
        """The last day of what ends at ``end``: the inverse of ``last_moment``."""
        return _moved(end.astimezone(UTC), self.behind).date()

    def newest_day(self, now: datetime) -> date:
        """The latest day that some clock shows."""
        return _moved(now.astimezone(UTC), self.ahead).date()

    def within(self, now: datetime, first: date, last: date | None) -> bool:
        """Whether it is a day from ``first`` to ``last`` (``None``: without an end) by some clock."""
        return self.begins(first) <= now and (last is None or now < self.ends(last))

    def after(self, begin: datetime, count: int) -> datetime:
        """When ``count`` days from ``begin`` have passed by every clock, even if it was set forth or back in between."""
        return begin + count * _DAY + (self.ahead - self.behind)

    def __str__(self) -> str:
        """Whose clocks, for people: ``the clocks of North Carolina (UTC-05:00 to UTC-04:00)``."""
        place = "the United States" if self.jurisdiction == jurisdictions.NATIONWIDE else jurisdictions.name_of(self.jurisdiction)
        offsets = dict.fromkeys(_offset_text(offset) for offset in (self.behind, self.ahead))
        return f"the clocks of {place} ({' to '.join(offsets)})"


def local_days(jurisdiction: str | None) -> LocalDays:
    """The days of a jurisdiction of the packaged table; of all the United States where it is none that the table has (nationwide, unknown)."""
    known = _packaged()
    return known.get(jurisdiction or jurisdictions.NATIONWIDE, known[jurisdictions.NATIONWIDE])


def days_of_table(table: DatedTable) -> dict[str, LocalDays]:
    """The days of every jurisdiction of a table, and of the whole country; raises ``FormatError`` for a row that is none, or a table without any."""
    found: dict[str, LocalDays] = {}
    for place, row in enumerate(table.rows):
        where = f"/rows/{place}"
        code = jurisdictions.check(row.get("jurisdiction"), f"{where}/jurisdiction")
        behind, ahead = (_offset(row.get(member), f"{where}/{member}") for member in ("behind", "ahead"))
        if code in found or behind > ahead:
            raise FormatError("the jurisdiction stands there twice, or its clocks are ahead before they are behind", where=where)
        found[code] = LocalDays(code, behind, ahead)
    if not found:
        raise FormatError("the table has no jurisdiction", where="/rows")
    whole = jurisdictions.NATIONWIDE
    return found | {whole: LocalDays(whole, min(one.behind for one in found.values()), max(one.ahead for one in found.values()))}


@cache
def _packaged() -> dict[str, LocalDays]:
    return days_of_table(packaged_table(TABLE))


def _offset(value: object, where: str) -> timedelta:
    found = _OFFSET.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise FormatError("not an offset from UTC", where=where, hint="Write it as -05:00")
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return -offset if found[1] == "-" else offset


def _offset_text(offset: timedelta) -> str:
    minutes = abs(offset) // timedelta(minutes=1)
    return f"UTC{'-' if offset < timedelta(0) else '+'}{minutes // 60:02}:{minutes % 60:02}"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _moved(moment: datetime, by: timedelta) -> datetime:
    try:
        return min(moment + by, _LAST)
    except OverflowError:
        return _LAST
