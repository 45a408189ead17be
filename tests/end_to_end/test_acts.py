"""A licence is judged for the act that the verifier names."""

from __future__ import annotations

from datetime import date

import pytest

from did_health.errors import FormatError
from did_health.health.restrictions import Restriction, Scope
from tests.town import Town

SINCE = date(2020, 1, 1)


@pytest.mark.parametrize(
    ("act", "verdict", "codes"),
    [
        ({"purpose": "prescribe", "schedule": "2"}, "refuse", ("act_restricted",)),
        ({"purpose": "prescribe", "schedule": "2N"}, "refuse", ("act_restricted",)),
        ({"purpose": "prescribe", "schedule": "4"}, "conditional", ("license_restricted",)),
        ({"purpose": "prescribe"}, "conditional", ("license_restricted",)),
        ({}, "conditional", ("license_restricted",)),
    ],
)
def test_a_restriction_refuses_only_the_act_that_it_forbids(town: Town, act: dict[str, str], verdict: str, codes: tuple[str, ...]) -> None:
    issued = town.issue(restrictions=(Restriction("no_schedule_2", "No Schedule II drugs", SINCE),))
    report = town.show(issued, **act)
    assert (report.verdict, report.codes) == (verdict, codes)


def test_a_restriction_to_a_setting_is_judged_by_the_setting(town: Town) -> None:
    issued = town.issue(restrictions=(Restriction("alone", "Not alone", SINCE, scope=Scope(settings=("solo_practice",))),))
    assert town.show(issued, purpose="prescribe", setting="solo_practice").codes == ("act_restricted",)
    assert town.show(issued, purpose="prescribe", setting="hospital").codes == ("license_restricted",)


def test_a_licence_is_good_in_its_own_state_only(town: Town) -> None:
    issued = town.issue()
    assert town.show(issued, purpose="prescribe", jurisdiction="US-NC").verdict == "accept"
    elsewhere = town.show(issued, purpose="prescribe", jurisdiction="US-VA")
    assert (elsewhere.verdict, elsewhere.codes) == ("refuse", ("license_of_another_state",))


def test_an_act_that_nobody_knows_is_refused_before_anything_is_verified(town: Town) -> None:
    with pytest.raises(FormatError, match="schedule"):
        town.show(town.issue(), purpose="prescribe", schedule="two")
