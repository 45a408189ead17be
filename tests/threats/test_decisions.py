"""Decisions of a board that cross each other, come too late, or are cut off because the process is killed."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import wraps
from itertools import count
from typing import Any

import pytest

from did_health.health.board_orders import BoardOrder, OrderAction
from did_health.health.license_state import Axis, LicenseState
from did_health.health.local_days import local_days
from did_health.roles.decision import Decision
from did_health.roles.docket import DocketRules
from did_health.roles.issuer import Board, Issued
from did_health.stores.directory import open_directory
from did_health.stores.embedded import EmbeddedLedger
from did_health.stores.register_store import SQLRegister
from tests.conftest import repeatable_bytes
from tests.healthcare_parties import HOUR, NO_SCHEDULE_2, PRESCRIBING, newest, restricted
from tests.ledger_parties import CHEAP, PASSPHRASE
from tests.town import Town


@pytest.fixture(scope="module")
def town(own_town: Town) -> Town:
    return own_town


def test_a_reinstatement_for_a_later_day_lifts_nothing_that_was_decided_since(town: Town, board: Board, issued: Issued) -> None:
    board.suspend(issued, reason="first")
    board.reinstate(issued, reason="it will have ended", effective=town.clock() + HOUR)
    board.docket.enter(issued.id, "summary_suspension", reason="an emergency")
    town.clock.move(hours=2)
    board.docket.tick()
    assert board.docket.state(issued.id) == LicenseState("active", "summary_suspension")
    assert town.show(issued).codes == ("suspended", "license_summary_suspension")


def test_a_reinstatement_lifts_nothing_that_begins_after_it(town: Town, board: Board, issued: Issued) -> None:
    board.suspend(issued, reason="for later", effective=town.clock() + 2 * HOUR)
    board.docket.enter(issued.id, "active", axis=Axis.DISCIPLINE, reason="of what was before", effective=town.clock() + HOUR)
    for _ in range(3):
        town.clock.move(hours=1)
        board.docket.tick()
    assert board.docket.state(issued.id) == LicenseState("active", "suspended")
    assert town.show(issued).verdict == "refuse"


def test_what_is_over_before_it_could_be_carried_out_is_never_published(town: Town, board: Board, issued: Issued) -> None:
    with pytest.raises(ValueError, match="ended already"):
        board.docket.enter(issued.id, "suspended", reason="r", effective=town.clock() - 2 * HOUR, until=town.clock() - HOUR)
    late = board.docket.enter(issued.id, "suspended", reason="r", effective=town.clock() + HOUR, until=town.clock() + 2 * HOUR)
    today = local_days(board.details.jurisdiction).newest_day(town.clock())
    past = OrderAction("suspended", today - timedelta(days=9), today - timedelta(days=5))
    (old,) = board.docket.enter_order(issued.id, BoardOrder(id="1", issued=today, effective=today, entity="Board", actions=(past,)), by="clerk")
    assert old.status == "ended"
    town.clock.move(hours=3)
    assert [(one.id, one.status) for one in board.docket.tick()] == [(late.id, "ended")]
    assert board.history(issued) == []


def test_two_who_decide_at_once_lose_no_decision(town: Town, board: Board, issued: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one acts between what the first one publishes and what it records."""
    wrong = board.docket.enter(issued.id, "probation", reason="the wrong licence")
    other = town.directory.board("va")
    record = SQLRegister.record
    meanwhile = iter([lambda: other.docket.undo(wrong.id, by="director", why="the wrong licence")])

    def recorded(self: SQLRegister, decision: Decision, event: Any) -> None:
        for act in meanwhile:
            act()
        record(self, decision, event)

    monkeypatch.setattr(SQLRegister, "record", recorded)
    board.suspend(issued, reason="an emergency")
    assert town.show(issued).codes == ("suspended", "license_suspended")
    assert board.docket.state(issued.id) == LicenseState("active", "suspended")


def test_one_decision_that_cannot_be_carried_out_keeps_no_other_from_it(town: Town, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = town.issue(board=board), town.issue(board=board)
    for one in (first, second):
        board.suspend(one, reason="r", effective=town.clock() + HOUR)
    town.clock.move(hours=2)
    publish = board.docket._published.publish

    def fails(credential: str, *arguments: Any) -> None:
        if credential == first.id:
            raise ValueError("it cannot be published")
        publish(credential, *arguments)

    with monkeypatch.context() as broken:
        broken.setattr(board.docket._published, "publish", fails)
        with pytest.raises(ValueError, match="cannot be published"):
            board.docket.tick()
    assert [board.is_suspended(one) for one in (first, second)] == [False, True]
    assert [one.credential for one in board.docket.tick()] == [first.id]


def test_an_approval_comes_too_late_for_what_was_withdrawn(town: Town) -> None:
    rules = DocketRules(frozenset({"suspended"}))
    careful = town.directory.create_board("careful", title="Careful", jurisdiction="US-VA", professions=["MD"], rules=rules)
    issued = town.issue(board=careful)
    entered = careful.suspend(issued, reason="r", by="clerk")
    careful.docket.withdraw(entered.id, by="clerk", why="the wrong licence")
    with pytest.raises(ValueError, match="withdrawn"):
        careful.docket.approve(entered.id, by="director")
    # Nor does a decision entered twice count twice.
    for _ in range(2):
        careful.docket.approve(careful.suspend(issued, reason="r", by="clerk").id, by="director")
    assert town.show(issued).verdict == "refuse"
    careful.reinstate(issued, reason="it ended")
    assert town.show(issued).verdict == "accept"


# ---- processes that are killed


def killed(town: Town, moment: int, act: Callable[[Board], object]) -> bool:
    """Whether a process of its own, which does ``act`` with the board, was killed at this moment, and not done before."""
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    try:
        random = repeatable_bytes(f"killed {moment} {os.getpid()}")
        board = open_directory(town.folder, PASSPHRASE, clock=town.clock, random=random, cost=CHEAP).board("va")
        moments = count()
        for owner, names in ((SQLRegister, ("enter", "record", "change", "add", "reserve")), (EmbeddedLedger, ("submit", "publish"))):
            for name in names:
                setattr(owner, name, _deadly(getattr(owner, name), moments, moment))
        act(board)
    except BaseException:  # noqa: BLE001  # nothing of the child's may reach pytest
        traceback.print_exc()
        os._exit(3)
    os._exit(0)


def _deadly(step: Callable[..., Any], moments: Iterator[int], fatal: int) -> Callable[..., Any]:
    @wraps(step)
    def counted(*arguments: Any, **named: Any) -> Any:
        result = step(*arguments, **named)
        if next(moments) == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return counted


def test_a_board_killed_at_any_step_of_a_restriction_makes_it_good(town: Town, board: Board) -> None:
    for moment in range(50):
        issued = town.issue(board=board)
        cut_off = killed(town, moment, lambda other, issued=issued: restricted(other, issued, NO_SCHEDULE_2))  # type: ignore[misc]
        board.docket.tick()
        assert board.docket.state(issued.id) == LicenseState("active", "restricted"), moment
        assert town.show(issued, **PRESCRIBING).codes == ("restrictions_not_named",), moment
        assert town.show(newest(board, issued), **PRESCRIBING).codes == ("act_restricted",), moment
        assert board.docket.tick() == ()
        if not cut_off:
            break
    assert moment > 10
    assert not cut_off


def test_a_board_killed_at_any_step_of_undoing_makes_it_good(town: Town, board: Board) -> None:
    for moment in range(50):
        issued = town.issue(board=board)
        wrong = board.suspend(issued, reason="the wrong licence", by="clerk")
        cut_off = killed(town, moment, lambda other, wrong=wrong: other.docket.undo(wrong.id, by="clerk", why="the wrong licence"))  # type: ignore[misc]
        done = board.docket.tick()
        assert [(one.id, one.events[-1].by, one.events[-1].why) for one in done] in ([], [(wrong.id, "clerk", "the wrong licence")])
        assert board.docket.state(issued.id) == LicenseState(), moment
        assert town.show(issued).verdict == "accept", moment
        if not cut_off:
            break
    assert moment > 2
    assert not cut_off
