"""Days by the clocks of a jurisdiction: where they begin and end, what the table must say, and whether it agrees with the time zones that there are."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from did_health.errors import FormatError
from did_health.health import jurisdictions
from did_health.health.dated_tables import DatedTable, packaged_table
from did_health.health.local_days import TABLE, LocalDays, days_of_table, local_days

DAY = date(2026, 12, 31)
EASTERN, CENTRAL, MOUNTAIN, PACIFIC = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"
ZONES: dict[str, tuple[str, ...]] = {
    "AK": ("America/Anchorage", "America/Juneau", "America/Nome", "America/Adak"), "AZ": ("America/Phoenix", MOUNTAIN), "HI": ("Pacific/Honolulu",),
    "AS": ("Pacific/Pago_Pago",), "GU": ("Pacific/Guam",), "MP": ("Pacific/Saipan",), "PR": ("America/Puerto_Rico",), "VI": ("America/St_Thomas",),
    "MI": ("America/Detroit", "America/Menominee"), "IN": ("America/Indiana/Indianapolis", "America/Indiana/Tell_City", "America/Chicago"),
    "KY": ("America/Kentucky/Louisville", CENTRAL), "ND": (CENTRAL, MOUNTAIN), "ID": ("America/Boise", PACIFIC),
    **dict.fromkeys(("FL", "TN"), (EASTERN, CENTRAL)), **dict.fromkeys(("KS", "NE", "SD", "TX"), (CENTRAL, MOUNTAIN)),
    **dict.fromkeys(("NV", "OR"), (PACIFIC, MOUNTAIN)), **dict.fromkeys(("CA", "WA"), (PACIFIC,)),
    **dict.fromkeys(("CO", "MT", "NM", "UT", "WY"), (MOUNTAIN,)),
    **dict.fromkeys(("AL", "AR", "IL", "IA", "LA", "MN", "MS", "MO", "OK", "WI"), (CENTRAL,)),
    **dict.fromkeys(("CT", "DE", "DC", "GA", "ME", "MD", "MA", "NH", "NJ", "NY", "NC", "OH", "PA", "RI", "SC", "VT", "VA", "WV"), (EASTERN,)),
}  # fmt: skip


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """A moment around the new year 2026/27."""
    return datetime(2026, 12, 31, tzinfo=UTC) + timedelta(days=day, hours=hour, minutes=minute, seconds=second)


def table(*rows: dict[str, Any]) -> DatedTable:
    document = {"table": TABLE, "compiledOn": "2026-11-22", "sources": {"s": {"title": "t", "url": "https://s.example/"}}, "rows": list(rows)}
    return DatedTable.parse(json.dumps(document).encode())


def row(code: str = "US-NC", behind: Any = "-05:00", ahead: Any = "-04:00") -> dict[str, Any]:
    return {"jurisdiction": code, "behind": behind, "ahead": ahead, "source": "s"}


@pytest.mark.parametrize(
    ("code", "begins", "has_begun", "ends"),
    [
        ("US-NC", at(0, 4), at(0, 5), at(1, 5)),
        ("US-TN", at(0, 4), at(0, 6), at(1, 6)),
        ("US-HI", at(0, 10), at(0, 10), at(1, 10)),
        ("US-GU", at(-1, 14), at(-1, 14), at(0, 14)),
        ("US", at(-1, 14), at(0, 11), at(1, 11)),
        ("", at(-1, 14), at(0, 11), at(1, 11)),
        (None, at(-1, 14), at(0, 11), at(1, 11)),
        ("US-XX", at(-1, 14), at(0, 11), at(1, 11)),
    ],
)
def test_a_day_begins_and_ends_by_the_clocks_there(code: str | None, begins: datetime, has_begun: datetime, ends: datetime) -> None:
    days = local_days(code)
    assert (days.begins(DAY), days.has_begun(DAY), days.ends(DAY)) == (begins, has_begun, ends)
    assert days.last_moment(DAY) == ends - timedelta(seconds=1)
    assert days.day_of(days.last_moment(DAY)) == DAY
    assert days.newest_day(begins) == DAY
    assert days.newest_day(begins - timedelta(seconds=1)) == DAY - timedelta(days=1)


def test_a_span_of_days_takes_in_its_first_and_its_last() -> None:
    days = local_days("US-NC")
    assert [days.within(now, DAY, DAY) for now in (at(0, 3, 59), at(0, 4), at(1, 4, 59), at(1, 5))] == [False, True, True, False]
    assert days.within(at(999, 0), DAY, None)
    assert not days.within(at(0, 3), DAY, None)


def test_so_many_days_have_passed_by_a_clock_that_was_set_back_as_well() -> None:
    assert local_days("US-NC").after(at(0, 12), 90) == at(90, 13)
    assert local_days("US-AZ").after(at(0, 12), 1) == at(1, 13)
    assert local_days("US-HI").after(at(0, 12), 90) == at(90, 12)


@pytest.mark.parametrize("code", ["US-NC", "US-GU", "US"])
def test_the_last_day_of_the_calendar_has_an_end(code: str) -> None:
    days = local_days(code)
    assert days.ends(date.max) == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert days.day_of(days.last_moment(date.max)) == date.max
    assert days.begins(date.max) < days.ends(date.max)
    assert days.newest_day(days.ends(date.max)) == date.max
    assert days.has_begun(date.max) <= days.ends(date.max)


def test_it_says_whose_clocks_they_are() -> None:
    assert str(local_days("US-NC")) == "the clocks of North Carolina (UTC-05:00 to UTC-04:00)"
    assert str(local_days("US-GU")) == "the clocks of Guam (UTC+10:00)"
    assert str(local_days("US")) == "the clocks of the United States (UTC-11:00 to UTC+10:00)"


def test_every_jurisdiction_has_its_clocks() -> None:
    assert days_of_table(packaged_table(TABLE)).keys() == {*jurisdictions.names(), jurisdictions.NATIONWIDE}


@pytest.mark.parametrize("state", sorted(ZONES))
def test_the_table_takes_in_the_time_zones_of_each_state_the_year_round(state: str) -> None:
    days = local_days(f"US-{state}")
    try:
        zones = [ZoneInfo(name) for name in ZONES[state]]
    except ZoneInfoNotFoundError:
        pytest.skip("this machine has no time zones")
    moments = [datetime(year, month, 15, 12, tzinfo=UTC) for year in range(2015, 2037) for month in range(1, 13)]
    shown = {moment.astimezone(zone).utcoffset() for moment in moments for zone in zones}
    assert (min(one for one in shown if one is not None), max(one for one in shown if one is not None)) == (days.behind, days.ahead)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [row(code="NC")],
        [row(code="US")],
        [row(), row()],
        [row(behind="-04:00", ahead="-05:00")],
        [row(behind="-5:00")],
        [row(behind="-05:60")],
        [row(behind="-15:00")],
        [row(behind=-5)],
        [{"jurisdiction": "US-NC", "behind": "-05:00", "source": "s"}],
    ],
)
def test_a_table_with_a_fault_is_refused(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(FormatError):
        days_of_table(table(*rows))


def test_half_hours_can_be_told() -> None:
    whole = days_of_table(table(row(behind="+05:30", ahead="+05:30")))
    assert whole["US-NC"] == LocalDays("US-NC", timedelta(hours=5, minutes=30), timedelta(hours=5, minutes=30))
    assert str(whole["US-NC"]) == "the clocks of North Carolina (UTC+05:30)"
