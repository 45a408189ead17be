from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from did_health.errors import FormatError
from did_health.health.act import SCHEDULES, Act
from did_health.health.dated_tables import packaged_table
from did_health.health.restrictions import Reach, Restriction, Scope

PRESCRIBES_C2 = Act("prescribe", schedule="2")
SINCE = date(2020, 1, 1)
TODAY = date(2026, 12, 1)


@pytest.mark.parametrize(
    ("scope", "act", "reach"),
    [
        (Scope(schedules=("2", "2N")), PRESCRIBES_C2, Reach.FORBIDS),
        (Scope(acts=("prescribe",), schedules=("2",)), PRESCRIBES_C2, Reach.FORBIDS),
        (Scope(schedules=("3",)), PRESCRIBES_C2, Reach.SPARES),
        (Scope(acts=("prescribe",)), Act("pickup", schedule="2"), Reach.SPARES),
        (Scope(schedules=("2",)), Act("prescribe"), Reach.UNDECIDED),
        (Scope(acts=("prescribe",)), Act("default"), Reach.UNDECIDED),
        (Scope(settings=("solo_practice",)), PRESCRIBES_C2, Reach.UNDECIDED),
        (Scope(settings=("solo_practice",)), Act("prescribe", setting="hospital"), Reach.SPARES),
        # One part spares the act, whatever is unknown of the others.
        (Scope(schedules=("2",), settings=("solo_practice",)), Act("prescribe", setting="hospital"), Reach.SPARES),
    ],
)
def test_a_scope_is_held_against_the_act(scope: Scope, act: Act, reach: Reach) -> None:
    assert scope.reach(act) is reach


def test_a_code_that_is_known_has_a_scope_of_its_own() -> None:
    assert Restriction("no_schedule_2", "No Schedule II.", SINCE).reach(PRESCRIBES_C2, today=TODAY) is Reach.FORBIDS
    assert Restriction("no_schedule_2", "No Schedule II.", SINCE).reach(Act("prescribe", schedule="4"), today=TODAY) is Reach.SPARES
    assert Restriction("chaperone", "With a chaperone.", SINCE).reach(PRESCRIBES_C2, today=TODAY) is Reach.UNDECIDED
    assert Restriction("own_word", "As the order says.", SINCE).reach(PRESCRIBES_C2, today=TODAY) is Reach.UNDECIDED


def test_a_stale_table_of_codes_forbids_and_no_longer_spares() -> None:
    restriction, later = Restriction("no_schedule_2", "No Schedule II.", SINCE), date(2028, 1, 1)
    assert restriction.reach(PRESCRIBES_C2, today=later) is Reach.FORBIDS
    assert restriction.reach(Act("prescribe", schedule="4"), today=later) is Reach.UNDECIDED
    own = Restriction("no_schedule_2", "In clinics.", SINCE, scope=Scope(settings=("clinic",)))
    assert own.reach(Act("prescribe", "2", setting="hospital"), today=later) is Reach.SPARES


def test_a_scope_of_the_restriction_goes_before_that_of_its_code() -> None:
    restriction = Restriction("no_schedule_2", "But for hospitals.", SINCE, scope=Scope(settings=("clinic",)))
    assert restriction.reach(Act("prescribe", "2", setting="hospital"), today=TODAY) is Reach.SPARES


def test_a_restriction_with_a_scope_is_read_as_it_was_written() -> None:
    restriction = Restriction("x", "X", SINCE, date(2021, 1, 1), Scope(("prescribe",), ("2", "2N"), ("clinic",)))
    assert Restriction.from_json(restriction.to_json()) == restriction
    assert restriction.to_json()["scope"] == {"acts": ["prescribe"], "schedules": ["2", "2N"], "settings": ["clinic"]}


def test_every_scope_of_the_table_can_be_read() -> None:
    scopes = [Scope.from_json(row["scope"]) for row in packaged_table("restriction-codes").rows if "scope" in row]
    assert len(scopes) >= 7
    assert {schedule for scope in scopes for schedule in scope.schedules} == set(SCHEDULES)


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({}, "/scope"),
        ({"schedules": []}, "/scope"),
        ({"schedules": ["6"]}, "/scope/schedules/0"),
        ({"acts": ["Prescribe"]}, "/scope/acts/0"),
        ({"settings": "clinic"}, "/scope/settings"),
        ({"drugs": ["x"]}, "/scope/drugs"),
        ([], "/scope"),
    ],
)
def test_a_scope_that_nobody_can_apply_is_refused(value: Any, where: str) -> None:
    with pytest.raises(FormatError) as caught:
        Scope.from_json(value)
    assert caught.value.where == where


def test_a_restriction_takes_a_scope_and_nothing_else_for_one() -> None:
    with pytest.raises(FormatError) as caught:
        Restriction("x", "X", SINCE, scope={"schedules": ["2"]})  # type: ignore[arg-type]
    assert caught.value.where == "/scope"


@pytest.mark.parametrize(
    ("members", "where"), [({"schedule": "II"}, "schedule"), ({"jurisdiction": "NC"}, "jurisdiction"), ({"setting": "A clinic"}, "setting")]
)
def test_an_act_that_cannot_be_judged_is_refused(members: dict[str, str], where: str) -> None:
    with pytest.raises(FormatError) as caught:
        Act("prescribe", **members)
    assert caught.value.where == where
