"""A licence that was issued anew, or for a new key: no older version of it hides what was decided, and none escapes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from did_health.health.license_state import Axis, LicenseState
from did_health.health.restrictions import Restriction, Scope
from did_health.roles.holder import Wallet
from did_health.roles.issuer import Board, Issued
from did_health.roles.key_change import KeyChange
from tests.healthcare_parties import HOUR, NO_SCHEDULE_2, PRESCRIBING, newest, restricted
from tests.town import Town

IN_HOSPITAL = Restriction("hospital_only", "In hospital only", date(2026, 1, 1), scope=Scope(settings=("solo_practice",)))


@pytest.fixture(scope="module")
def town(own_town: Town) -> Town:
    return own_town


def test_a_suspension_holds_for_every_version_of_a_licence(town: Town, board: Board, issued: Issued) -> None:
    restricted(board, issued, NO_SCHEDULE_2)
    fresh = newest(board, issued)
    board.suspend(fresh, reason="an order")
    assert [town.show(one).verdict for one in (issued, fresh)] == ["refuse", "refuse"]
    assert board.docket.state(issued.id) == board.docket.state(fresh.id) == LicenseState("active", "suspended")
    board.reinstate(fresh, reason="it ended")
    assert board.docket.history(issued.id) == board.docket.history(fresh.id)
    board.revoke(issued, reason="an order")
    town.clock.move(hours=2)
    board.docket.tick()
    assert [town.show(one).verdict for one in (issued, fresh)] == ["refuse", "refuse"]


def test_what_is_suspended_is_suspended_when_it_is_issued_anew(town: Town, board: Board, issued: Issued) -> None:
    board.suspend(issued, reason="an order")
    fresh = board.reissue(issued, town.license(license_number=board.issued(issued).number, npi="1234567893"))
    assert (town.show(fresh).verdict, town.show(fresh).codes) == ("refuse", ("suspended", "license_suspended"))
    restricted(board, issued, NO_SCHEDULE_2)
    assert town.show(newest(board, issued)).verdict == "refuse"
    board.reinstate(issued, reason="it ended")
    assert [town.show(one).verdict for one in (issued, fresh)] == ["accept", "accept"]


def test_a_licence_is_not_issued_anew_without_restrictions_that_stand(town: Town, board: Board, issued: Issued) -> None:
    restricted(board, issued, NO_SCHEDULE_2)
    claims = town.license(license_number=board.issued(issued).number)
    with pytest.raises(ValueError, match="restrictions that stand"):
        board.reissue(newest(board, issued), claims)
    fresh = board.reissue(newest(board, issued), replace(claims, restrictions=(NO_SCHEDULE_2,), degree="MD"))
    assert town.show(fresh, **PRESCRIBING).codes == ("act_restricted",)


def test_what_is_revoked_is_not_issued_anew(town: Town) -> None:
    issued = town.issue()
    town.board.revoke(issued, reason="an order")
    with pytest.raises(ValueError, match="revoked"):
        town.board.reissue(issued, town.license(license_number=town.board.issued(issued).number))


def test_the_licence_before_a_restriction_does_not_hide_it(town: Town, board: Board, issued: Issued) -> None:
    restricted(board, issued, NO_SCHEDULE_2)
    report = town.show(issued, **PRESCRIBING)
    assert (report.verdict, report.codes) == ("indeterminate", ("restrictions_not_named",))
    assert (town.show(issued).verdict, town.show(issued).codes) == ("conditional", ("license_restricted",))
    assert town.show(newest(board, issued), **PRESCRIBING).codes == ("act_restricted",)


@pytest.mark.parametrize("code", ["probation", "restricted"])
def test_a_stay_or_a_probation_does_not_hide_a_restriction_from_who_shows_the_older_licence(town: Town, board: Board, issued: Issued, code: str) -> None:
    restricted(board, issued, NO_SCHEDULE_2, code=code)
    board.docket.enter(issued.id, "stayed_suspension", reason="an order")
    assert town.show(issued, **PRESCRIBING).verdict == "indeterminate"
    fresh = town.show(newest(board, issued), **PRESCRIBING)
    assert (fresh.verdict, "act_restricted" in fresh.codes) == ("refuse", True)


def test_a_second_order_keeps_the_restrictions_of_the_first(town: Town, board: Board, issued: Issued) -> None:
    first = restricted(board, issued, NO_SCHEDULE_2)
    restricted(board, issued, IN_HOSPITAL, order="2026-2")
    both = newest(board, issued)
    assert town.show(both, **PRESCRIBING).verdict == "refuse"
    assert town.show(both, purpose="prescribe", schedule="4", setting="solo_practice").codes == ("act_restricted", "license_restricted")[::-1]
    board.docket.undo(first.id, by="clerk", why="the wrong licence")
    assert town.show(newest(board, issued), **PRESCRIBING, setting="hospital").codes == ("license_restricted",)
    board.docket.enter(issued.id, "active", axis=Axis.DISCIPLINE, reason="completed")
    assert town.show(newest(board, issued), **PRESCRIBING).verdict == "accept"


def test_a_restriction_that_no_decision_made_stays(town: Town, board: Board) -> None:
    issued = town.issue(board=board, restrictions=(NO_SCHEDULE_2,))
    restricted(board, issued, IN_HOSPITAL)
    board.docket.enter(issued.id, "active", axis=Axis.DISCIPLINE, reason="completed")
    assert newest(board, issued).credential["credentialSubject"]["restrictions"] == [NO_SCHEDULE_2.to_json()]


def test_no_decision_brings_back_what_a_lost_phone_held(town: Town, board: Board) -> None:
    old = Wallet.create(clock=town.clock, random=town.random)
    issued = town.issue(board=board, to=old)
    new, statement = old.with_new_key(town.random)
    scheduled = board.suspend(issued, reason="an order", effective=town.clock() + HOUR)
    change = KeyChange.verified(statement, now=town.clock())
    with pytest.raises(ValueError, match="waits to be carried out"):
        board.replace_holder(issued, change)
    board.docket.withdraw(scheduled.id, by="clerk", why="a new key first")
    fresh = board.replace_holder(issued, change)
    new.add(fresh)
    # Neither a decision about the old one nor the statement again makes the old one good.
    for state in ("suspended", "probation"):
        with pytest.raises(ValueError, match="revoked"):
            board.docket.enter(issued.id, state, reason="r")
    with pytest.raises(ValueError, match="not active"):
        board.replace_holder(issued, change)
    board.suspend(fresh, reason="an order")
    board.reinstate(fresh, reason="it ended")
    assert "revoked" in town.show(issued, wallet=old).codes
    assert town.show(fresh, wallet=new).verdict == "accept"
