"""What was found of a prescriber at fill, as the counter reads and shows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from did_health.encoding import strict_json
from did_health.errors import FormatError
from did_health.health.act import Act
from did_health.limits import MAX_PRESCRIBER_CHECK_BYTES
from did_health.roles.checked_prescriber import CheckedPrescriber, schedules_text

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DOCUMENT: dict[str, Any] = {
    "format": "did-health/prescriber-check/v1", "verdict": "accept", "codes": [], "npi": "1234567893", "state": "US-NC", "schedule": "2",
    "registered": ["2", "2N", "3", "3N", "4", "5"], "checkedAt": "2026-03-01T10:45:00Z", "asOf": "2026-03-01T10:42:00Z", "checks": [],
}  # fmt: skip


def read(**changes: Any) -> CheckedPrescriber:
    return CheckedPrescriber.parse(strict_json.dumps({**DOCUMENT, **changes}))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "NC active, C-II–V"),  # noqa: RUF001  # as the screen has it
        ({"schedule": "none", "registered": []}, "NC active"),
        ({"verdict": "conditional", "codes": ["license_restricted"]}, "NC active, C-II–V, with conditions: license_restricted"),  # noqa: RUF001
        ({"verdict": "refuse", "codes": ["expired"]}, "NC: may not prescribe this: expired"),
        ({"verdict": "indeterminate", "codes": ["license_not_found"]}, "NC: not known: license_not_found"),
    ],
)
def test_the_line_on_the_screen(changes: dict[str, Any], line: str) -> None:
    assert read(**changes).line == line


@pytest.mark.parametrize(
    ("registered", "text"),
    [
        (("2", "2N", "3", "3N", "4", "5"), "C-II–V"),  # noqa: RUF001
        (("3", "3N", "4", "5"), "C-III–V"),  # noqa: RUF001
        (("2", "2N", "4"), "C-II, IV"),
        (("2", "3", "3N", "4"), "C-II narcotic, III–IV"),  # noqa: RUF001
        (("2N", "3N"), "C-IIN, IIIN"),
        (("5",), "C-V"),
    ],
)
def test_schedules_are_put_together(registered: tuple[str, ...], text: str) -> None:
    assert schedules_text(registered) == text


@pytest.mark.parametrize(
    ("verdict", "outcome", "code", "conditional"),
    [
        ("accept", "pass", "prescriber_in_order", False),
        ("conditional", "pass", "prescriber_conditional", True),
        ("refuse", "fail", "prescriber_refused", False),
        ("indeterminate", "unknown", "prescriber_unknown", False),
    ],
)
def test_what_it_means_for_the_pickup(verdict: str, outcome: str, code: str, conditional: bool) -> None:
    check = read(verdict=verdict, codes=["why_so"]).check(Act("pickup", "2", "US-NC"), NOW)
    assert (check.outcome, check.code, check.conditional) == (outcome, code, conditional)
    assert check.sentence.endswith(": why_so")
    assert check.as_of == datetime(2026, 3, 1, 10, 42, tzinfo=UTC)


@pytest.mark.parametrize(
    ("act", "now"),
    [
        (Act("pickup", "2", "US-VA"), NOW), (Act("pickup", "4", "US-NC"), NOW), (Act("pickup", "", "US-NC"), NOW),
        (Act("pickup", "2", "US-NC"), NOW - timedelta(hours=2)),
    ],
    ids=["another_state", "another_schedule", "schedule_not_known", "of_a_time_to_come"],
)  # fmt: skip
def test_a_check_of_something_else_says_nothing(act: Act, now: datetime) -> None:
    check = read().check(act, now)
    assert (check.outcome, check.code) == ("unknown", "prescriber_checked_for_another_act")


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"format": "did-health/request/v1"}, "/format"),
        ({"verdict": "fine"}, "/verdict"),
        ({"codes": ["Not a word"]}, "/codes/0"),
        ({"codes": 3}, "/codes"),
        ({"state": "NC"}, "/state"),
        ({"schedule": ""}, "/schedule"),
        ({"registered": ["9"]}, "/registered/0"),
        ({"checkedAt": None}, "/checkedAt"),
        ({"checkedAt": "yesterday"}, ""),
        ({"asOf": 3}, "/asOf"),
    ],
)
def test_a_file_with_a_fault_is_refused(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(FormatError) as refused:
        read(**changes)
    assert refused.value.where == where


def test_a_check_is_bounded() -> None:
    with pytest.raises(FormatError):
        read(npi="1" * MAX_PRESCRIBER_CHECK_BYTES)


def test_without_any_time_in_it_there_is_none() -> None:
    assert read(asOf=None).as_of is None
