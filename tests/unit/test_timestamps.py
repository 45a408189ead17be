from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from did_health.encoding import timestamps
from did_health.errors import FormatError


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T13:45:00Z", datetime(2026, 1, 31, 13, 45, tzinfo=UTC)),
        ("2026-01-31T13:45:00+00:00", datetime(2026, 1, 31, 13, 45, tzinfo=UTC)),
        ("2026-01-31T13:45:00-05:00", datetime(2026, 1, 31, 18, 45, tzinfo=UTC)),
        ("2026-01-31T13:45:00+05:30", datetime(2026, 1, 31, 8, 15, tzinfo=UTC)),
        ("2026-01-31T13:45:00+14:00", datetime(2026, 1, 30, 23, 45, tzinfo=UTC)),
        ("2026-01-31T13:45:00.5Z", datetime(2026, 1, 31, 13, 45, 0, 500_000, tzinfo=UTC)),
        ("2026-01-31T13:45:00.123456789Z", datetime(2026, 1, 31, 13, 45, 0, 123_456, tzinfo=UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
        ("2024-02-28T24:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
        ("2026-12-31T24:00:00.000-05:00", datetime(2027, 1, 1, 5, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_instant(text: str, moment: datetime) -> None:
    assert timestamps.parse(text) == moment
    assert timestamps.parse(text).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        "", "2026", "2026-01-31", "2026-01-31T13:45:00", "2026-01-31T13:45Z", "2026-01-31 13:45:00Z", "2026-01-31t13:45:00Z", "2026-01-31T13:45:00z",
        "2026-01-31T13:45:00.Z", "2026-01-31T13:45:00,5Z", "2026-01-31T13:45:00.1234567890Z", "2026-01-31T13:45:00+0500", "2026-01-31T13:45:00+5:00",
        "2026-01-31T13:45:00+14:01", "2026-01-31T13:45:00-15:00", "2026-01-31T13:45:00+00:60", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-01-32T00:00:00Z",
        "2026-01-31T24:00:01Z", "2026-01-31T24:01:00Z", "2026-01-31T24:00:00.1Z", "2026-01-31T25:00:00Z", "9999-12-31T24:00:00Z",
        "2026-01-31T13:60:00Z", "2016-12-31T23:59:60Z", "0000-01-01T00:00:00Z",
        "-0001-01-01T00:00:00Z", "12026-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "٢٠٢٦-01-31T13:45:00Z",
        "2026-01-31T13:45:00Z\n", " 2026-01-31T13:45:00Z", "2026-W05-6T13:45:00Z", "20260131T134500Z", "9" * 5000,
    ],
)  # fmt: skip
def test_refused(text: str) -> None:
    with pytest.raises(FormatError):
        timestamps.parse(text)


def test_format_is_utc_and_whole_seconds() -> None:
    eastern = timezone(timedelta(hours=-5))
    assert timestamps.format(datetime(2026, 1, 31, 8, 45, 0, 999_999, tzinfo=eastern)) == "2026-01-31T13:45:00Z"
    assert timestamps.format(datetime(33, 1, 1, tzinfo=UTC)) == "0033-01-01T00:00:00Z"


def test_naive_moment_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="time zone is needed"):
        timestamps.format(datetime(2026, 1, 31))  # noqa: DTZ001
    moment = datetime(2026, 1, 31, tzinfo=UTC)
    assert timestamps.require_aware(moment) is moment
