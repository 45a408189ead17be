"""Decisions about licences: entered, approved, carried out on their day, ended, withdrawn, undone; and what a verifier sees of each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from did_health.errors import ConflictError, FormatError
from did_health.health.board_orders import BoardOrder, OrderAction
from did_health.health.license_state import Axis, LicenseState
from did_health.health.restrictions import Restriction
from did_health.roles.docket import DocketRules
from did_health.roles.issuer import Board, Issued
from did_health.vc.status import StatusPurpose
from tests.town import Town

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    town = Town(Path(tmp_path_factory.mktemp("docket")), seed="docket")
    yield town
    town.close()


@pytest.fixture(scope="module")
def careful(town: Town) -> Board:
    """A board with a second person for revocations, an hour to undo, and a list for refresh."""
    rules = DocketRules(frozenset({"revoked"}), HOUR)
    return town.directory.create_board("va", title="Virginia", jurisdiction="US-VA", professions=["MD"], purposes=list(StatusPurpose), rules=rules)


@pytest.fixture
def issued(town: Town) -> Issued:
    return town.issue()


def codes(town: Town, issued: Issued) -> tuple[str, ...]:
    return town.show(issued).codes


# ---- states


def test_probation_is_a_condition_and_its_end_is_a_decision_on_the_axis(town: Town, issued: Issued) -> None:
    docket = town.board.docket
    docket.enter(issued.id, "probation", reason="consent order")
    assert codes(town, issued) == ("license_probation",)
    assert docket.state(issued.id) == LicenseState("active", "probation")
    docket.enter(issued.id, "active", axis=Axis.DISCIPLINE, reason="completed")
    assert codes(town, issued) == ()
    assert [decision.state for decision in docket.history(issued.id)] == ["probation", "active"]


def test_the_axes_are_independent(town: Town, issued: Issued) -> None:
    docket = town.board.docket
    docket.enter(issued.id, "inactive", reason="the holder asked")
    docket.enter(issued.id, "probation", reason="consent order")
    assert docket.state(issued.id) == LicenseState("inactive", "probation")
    assert codes(town, issued) == ("suspended", "license_inactive")
    docket.enter(issued.id, "active", axis=Axis.RENEWAL, reason="renewed")
    assert codes(town, issued) == ("license_probation",)


def test_reinstating_clears_both_axes(town: Town, issued: Issued) -> None:
    town.board.suspend(issued, reason="r", state="inactive")
    town.board.suspend(issued, reason="r")
    town.board.reinstate(issued, reason="all is well")
    assert town.board.docket.state(issued.id) == LicenseState()
    assert codes(town, issued) == ()


def test_of_two_measures_the_worse_is_shown_until_it_ends(town: Town, issued: Issued) -> None:
    docket = town.board.docket
    docket.enter(issued.id, "probation", reason="first")
    docket.enter(issued.id, "suspended", reason="second", until=town.clock() + HOUR)
    assert codes(town, issued) == ("suspended", "license_suspended")
    town.clock.move(hours=2)
    (ended,) = [one for one in docket.tick() if one.credential == issued.id]
    assert ended.status == "ended"
    assert codes(town, issued) == ("license_probation",)


# ---- time


def test_a_decision_in_the_future_waits_for_its_day(town: Town, issued: Issued) -> None:
    decision = town.board.suspend(issued, reason="an order", effective=town.clock() + HOUR)
    assert decision.status == "scheduled"
    assert decision in town.board.docket.pending()
    assert codes(town, issued) == ()
    assert town.board.docket.tick() == ()
    town.clock.move(hours=2)
    (carried_out,) = town.board.docket.tick()
    assert (carried_out.id, carried_out.status) == (decision.id, "in force")
    assert codes(town, issued) == ("suspended", "license_suspended")
    assert town.board.docket.tick() == ()
    # The register says since when, and when it was done.
    assert {(change.effective, change.recorded) for change in town.board.history(issued)} == {(decision.effective, town.clock())}


def test_what_was_published_before_a_crash_is_recorded_by_the_next_tick(town: Town, issued: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    docket = town.board.docket

    def crash(*_: object) -> None:
        raise ConflictError("the process ends here")

    with monkeypatch.context() as broken:
        broken.setattr(docket._store, "record", crash)
        with pytest.raises(ConflictError):
            docket.enter(issued.id, "suspended", reason="r")
    assert codes(town, issued) == ("suspended", "license_suspended")
    changes = town.board.history(issued)
    (done,) = docket.tick()
    assert done.status == "in force"
    assert town.board.history(issued) == changes


# ---- second persons and second thoughts


def test_a_revocation_waits_for_a_second_person_and_for_the_window(town: Town, careful: Board) -> None:
    issued = careful.issue(town.license(), to=town.wallet.did)
    docket = careful.docket
    entered = careful.revoke(issued, reason="final order", by="clerk")
    assert entered.status == "waiting for approval"
    for same in ("clerk", " Clerk ", "CLERK"):
        with pytest.raises(ValueError, match="second person"):
            docket.approve(entered.id, by=same)
    with pytest.raises(ValueError, match="second person"):
        docket.approve(entered.id, by="")
    approved = docket.approve(entered.id, by="director")
    assert approved.status == "scheduled"
    with pytest.raises(ValueError, match="scheduled"):
        docket.approve(entered.id, by="director")
    assert not careful.is_revoked(issued)
    town.clock.move(hours=2)
    assert [one.id for one in docket.tick()] == [entered.id]
    assert careful.is_revoked(issued)
    assert [(event.event, event.by) for event in docket.history(issued.id)[0].events] == [("approved", "director"), ("carried_out", "")]
    for state in ("suspended", "active"):
        with pytest.raises(ValueError, match="revoked for ever"):
            docket.enter(issued.id, state, axis=Axis.DISCIPLINE, reason="r")


def test_who_enters_what_needs_approval_is_named(town: Town, careful: Board) -> None:
    issued = careful.issue(town.license(), to=town.wallet.did)
    with pytest.raises(ValueError, match="first one is named"):
        careful.revoke(issued, reason="r")


def test_a_decision_is_withdrawn_before_it_is_carried_out(town: Town, careful: Board) -> None:
    issued = careful.issue(town.license(), to=town.wallet.did)
    entered = careful.revoke(issued, reason="r", state="surrendered", by="clerk")
    assert entered.status == "scheduled"
    withdrawn = careful.docket.withdraw(entered.id, by="clerk", why="entered twice")
    assert withdrawn.status == "withdrawn"
    town.clock.move(hours=2)
    assert careful.docket.tick() == ()
    assert not careful.is_revoked(issued)
    with pytest.raises(ValueError, match="withdrawn"):
        careful.docket.withdraw(entered.id, by="clerk", why="again")


def test_a_decision_is_undone_within_the_window_only(town: Town, careful: Board) -> None:
    issued = careful.issue(town.license(), to=town.wallet.did)
    docket = careful.docket
    docket.enter(issued.id, "probation", reason="r")
    wrong = careful.suspend(issued, reason="the wrong licence", by="clerk")
    assert docket.undo(wrong.id, by="clerk", why="the wrong licence").status == "undone"
    assert docket.state(issued.id) == LicenseState("active", "probation")
    assert not careful.is_suspended(issued)
    with pytest.raises(ValueError, match="undone"):
        docket.undo(wrong.id, by="clerk", why="again")
    late = careful.suspend(issued, reason="r")
    town.clock.move(hours=2)
    with pytest.raises(ValueError, match="window"):
        docket.undo(late.id, by="clerk", why="too late")
    assert careful.is_suspended(issued)


def test_who_takes_a_decision_back_is_named(town: Town, careful: Board) -> None:
    issued = careful.issue(town.license(), to=town.wallet.did)
    waiting, done = careful.revoke(issued, reason="r", by="clerk"), careful.suspend(issued, reason="r", by="clerk")
    for take_back, decision in ((careful.docket.withdraw, waiting), (careful.docket.undo, done)):
        with pytest.raises(ValueError, match="named"):
            take_back(decision.id, by=" ", why="the wrong licence")
    assert [one.status for one in careful.docket.history(issued.id)] == ["waiting for approval", "in force"]


def test_what_is_for_ever_is_not_undone(town: Town, issued: Issued) -> None:
    revoked = town.board.revoke(issued, reason="r")
    with pytest.raises(ValueError, match="for ever"):
        town.board.docket.undo(revoked.id, by="clerk", why="oh")


def test_decisions_of_another_board_are_not_found(town: Town, careful: Board, issued: Issued) -> None:
    decision = town.board.suspend(issued, reason="r")
    for act in (careful.docket.approve, careful.docket.withdraw, careful.docket.undo):
        with pytest.raises(KeyError):
            act(decision.id, **({"by": "x"} if act == careful.docket.approve else {"by": "x", "why": "y"}))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"state": "fired"}, FormatError),
        ({"state": "active"}, ValueError),
        ({"reason": " "}, ValueError),
        ({"until": timedelta(0)}, ValueError),
        ({"state": "revoked", "until": HOUR}, ValueError),
        ({"effective": datetime(2026, 1, 1)}, ValueError),  # noqa: DTZ001
    ],
)
def test_a_decision_that_cannot_be_is_not_entered(town: Town, issued: Issued, changes: dict[str, Any], error: type[Exception]) -> None:
    arguments: dict[str, Any] = {"state": "suspended", "reason": "r", **changes}
    if "until" in changes:
        arguments["until"] = town.clock() + changes["until"]
    with pytest.raises(error):
        town.board.docket.enter(issued.id, arguments.pop("state"), **arguments)
    assert town.board.docket.history(issued.id) == []
    with pytest.raises(ValueError, match="reason"):
        town.board.docket.withdraw(town.board.suspend(issued, reason="r").id, by="x", why=" ")


def test_rules_name_states_and_no_negative_window() -> None:
    with pytest.raises(FormatError):
        DocketRules(frozenset({"fired"}))
    with pytest.raises(ValueError, match="negative"):
        DocketRules(undo_window=-HOUR)


def test_the_rules_are_kept_with_the_board(town: Town, careful: Board) -> None:
    assert careful.docket.rules == DocketRules(frozenset({"revoked"}), HOUR)
    assert town.directory.board("va").docket.rules == careful.docket.rules
    with pytest.raises(ValueError, match="window"):
        town.directory.set_rules("va", DocketRules(undo_window=timedelta(days=365)))


@pytest.mark.parametrize("rules", [7, {"secondPerson": 7}, {"secondPerson": ["fired"]}, {"undoWindowSeconds": -1}, {"undoWindowSeconds": True}])
def test_malformed_rules_of_a_file_are_refused(rules: object) -> None:
    from did_health.encoding import strict_json
    from did_health.stores.office import InstitutionFile

    document = strict_json.loads_object(InstitutionFile("x", "did:web:a.example", "A", "US-NC", "https://a.example/did.jsonl").to_json())
    with pytest.raises(FormatError):
        InstitutionFile.parse("x", strict_json.dumps({**document, "docket": rules}))
    with pytest.raises(FormatError, match="neither true nor false"):
        InstitutionFile.parse("x", strict_json.dumps({**document, "publishesLicenses": rules}))


# ---- orders


def test_an_order_enters_all_its_actions(town: Town, issued: Issued) -> None:
    today = town.clock().date()
    order = BoardOrder(
        id="2026-17",
        issued=today,
        effective=today,
        entity="Board",
        actions=(OrderAction("suspended", stayed=True), OrderAction("probation", today + timedelta(days=2), today + timedelta(days=3))),
        bases=("unprofessional conduct",),
        url="https://board.example/orders/2026-17",
    )
    stayed, probation = town.board.docket.enter_order(issued.id, order, by="clerk")
    assert (stayed.status, stayed.state, stayed.order, stayed.reason) == ("in force", "stayed_suspension", order.url, "unprofessional conduct")
    assert codes(town, issued) == ("license_stayed",)
    assert probation.status == "scheduled"
    # Midnight in North Carolina: of summer time where it begins, of standard time where it ends.
    assert probation.effective == datetime.combine(today + timedelta(days=2), time(4), UTC)
    assert probation.until == datetime.combine(today + timedelta(days=4), time(5), UTC)


def test_a_restriction_is_issued_with_the_licence_anew(town: Town, careful: Board) -> None:
    old = careful.issue(town.license(), to=town.wallet.did)
    order = BoardOrder(
        id="2026-18",
        issued=date(2026, 1, 1),
        effective=date(2026, 1, 1),
        entity="Board",
        actions=(OrderAction("restricted", restrictions=(Restriction("no_schedule_2", "No Schedule II", date(2026, 1, 1)),)),),
    )
    careful.docket.enter_order(old.id, order, by="clerk")
    assert set(codes(town, old)) == {"license_restricted", "refresh_available"}
    newest = careful.issued(next(iter(careful._register.find(careful.did, number=careful.issued(old).number))).id)
    assert newest.id != old.id
    fresh = Issued.parse(b'{"credential":' + newest.document + b',"issuanceReceipt":' + newest.receipt + b"}")
    assert codes(town, fresh) == ("license_restricted",)
    assert town.show(fresh, purpose="prescribe", schedule="2").codes == ("act_restricted",)
    # Again after a crash: what was issued with these restrictions already is not issued twice.
    (decision,) = careful.docket.standing(fresh.id)
    careful.docket._published.publish(old.id, [decision], decision.restrictions, decision, "again")
    assert len(careful._register.find(careful.did, number=newest.number)) == 2


def test_only_a_licence_is_issued_anew_and_under_its_own_number(town: Town, careful: Board, issued: Issued) -> None:
    with pytest.raises(ValueError, match="same number"):
        town.board.reissue(issued, town.license())
    fresh = town.board.reissue(issued, town.license(license_number=town.board.issued(issued).number, npi="1234567893"))
    assert codes(town, fresh) == ()
    with pytest.raises(ConflictError):
        town.board.issue(town.license(license_number=town.board.issued(issued).number), to=town.wallet.did)
    csp = town.directory.create_board("csp", title="C", jurisdiction="US", resources=["PatientIdentityCredential"], entity_type="csp")
    identity = csp.issue(town.identity(), to=town.wallet.did)
    restriction = Restriction("no_schedule_2", "No Schedule II", date(2026, 1, 1))
    with pytest.raises(ValueError, match="only licences"):
        csp.docket.enter(identity.id, "restricted", reason="r", restrictions=[restriction])
    assert csp.docket.history(identity.id) == []
