"""Days by local clocks, for every jurisdiction and every day: the order of their bounds, and that a day survives the way to its end and back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.errors import FormatError
from did_health.health import jurisdictions
from did_health.health.dated_tables import DatedTable
from did_health.health.fhir import elements
from did_health.health.local_days import TABLE, days_of_table, local_days
from did_health.health.restrictions import Restriction

CODES = st.sampled_from([*jurisdictions.names(), jurisdictions.NATIONWIDE])
DAYS = st.dates(min_value=date(1850, 1, 1))
NEAR = st.integers(min_value=-200_000, max_value=200_000)


@settings(max_examples=200, deadline=None)
@given(CODES, DAYS)
def test_a_day_is_the_day_of_its_last_moment(code: str, day: date) -> None:
    days = local_days(code)
    assert days.day_of(days.last_moment(day)) == day
    assert days.begins(day) <= days.has_begun(day) <= days.last_moment(day) < days.ends(day)
    assert days.newest_day(days.begins(day)) == day


@settings(max_examples=200, deadline=None)
@given(CODES, st.dates(min_value=date(1850, 1, 1), max_value=date(9998, 1, 1)), st.integers(min_value=0, max_value=9), NEAR)
def test_whoever_is_restricted_by_any_clock_is_restricted(code: str, first: date, length: int, seconds: int) -> None:
    """No local clock at which it is one of the days, finds the restriction gone; and none is restricted where no clock shows such a day."""
    days = local_days(code)
    last = first + timedelta(days=length)
    restriction = Restriction("no_schedule_2", "No Schedule II", first, last)
    for moment in (days.begins(first), days.ends(last)):
        now = moment + timedelta(seconds=seconds)
        shown = [(now + offset).date() for offset in (days.behind, days.ahead)]
        by_some_clock = shown[1] >= first and shown[0] <= last
        assert restriction.in_force(now, days) is by_some_clock


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"jurisdiction": st.one_of(st.sampled_from(["US-NC", "US-VA"]), st.text(max_size=6), st.integers())},
            optional={name: st.one_of(st.sampled_from(["-05:00", "+10:00"]), st.text(max_size=7), st.none()) for name in ("behind", "ahead")},
        ),
        max_size=3,
    )
)
def test_a_table_gives_days_or_a_format_error(rows: list[dict[str, object]]) -> None:
    parsed = DatedTable(TABLE, date(2026, 1, 1), {}, tuple(rows))  # type: ignore[arg-type]
    try:
        found = days_of_table(parsed)
    except FormatError:
        return
    assert all(one.behind <= one.ahead for one in found.values())


@settings(max_examples=100, deadline=None)
@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1)), st.sampled_from(["Z", "-05:00", "+10:00"]))  # noqa: DTZ001
def test_the_day_of_a_fhir_time_is_the_one_written(moment: datetime, zone: str) -> None:
    assert elements.full_day(moment.replace(microsecond=0).isoformat() + zone) == moment.date()
    assert local_days("US-NC").day_of(moment.replace(tzinfo=UTC)) <= moment.date()
