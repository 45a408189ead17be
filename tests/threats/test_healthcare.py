"""Healthcare under attack: decisions that were to be evaded, crossed or cut off, delegations that nobody made, secrets that must not leak."""

from __future__ import annotations

import json
import logging
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import wraps
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from did_health.errors import DidHealthError
from did_health.health.board_orders import BoardOrder, OrderAction
from did_health.health.license_state import Axis, LicenseState
from did_health.health.person_name import PersonName
from did_health.health.physician_license import CompactOrigin
from did_health.health.pickup_delegation import PickupDelegation
from did_health.health.restrictions import Restriction, Scope
from did_health.roles.cascade import follow_principals
from did_health.roles.decision import Decision
from did_health.roles.docket import DocketRules
from did_health.roles.holder import Wallet
from did_health.roles.issuer import Board, Issued
from did_health.roles.key_change import KeyChange
from did_health.roles.report import CheckName
from did_health.stores.directory import open_directory
from did_health.stores.embedded import EmbeddedLedger
from did_health.stores.register_store import SQLRegister
from tests.conftest import repeatable_bytes
from tests.ledger_parties import CHEAP, PASSPHRASE
from tests.town import SECRET_CLAIMS, Town

HOUR = timedelta(hours=1)
NO_SCHEDULE_2 = Restriction("no_schedule_2", "No Schedule II", date(2026, 1, 1))
IN_HOSPITAL = Restriction("hospital_only", "In hospital only", date(2026, 1, 1), scope=Scope(settings=("solo_practice",)))
PRESCRIBING = {"purpose": "prescribe", "schedule": "2"}
PICKUP = {"purpose": "pickup", "schedule": "none"}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    town = Town(Path(tmp_path_factory.mktemp("healthcare")), seed="healthcare")
    yield town
    town.close()


@pytest.fixture(scope="module")
def board(town: Town) -> Board:
    """A board that can undo for an hour."""
    return town.directory.create_board("va", title="Virginia", jurisdiction="US-VA", professions=["MD"], rules=DocketRules(undo_window=HOUR))


@pytest.fixture(scope="module")
def csp(town: Town) -> Board:
    return town.directory.create_board("csp", title="Identity provider", jurisdiction="US", resources=["PatientIdentityCredential"], entity_type="csp")


@pytest.fixture
def issued(town: Town, board: Board) -> Issued:
    return town.issue(board=board)


def newest(board: Board, issued: Issued) -> Issued:
    """What was issued last under the number of ``issued``."""
    row = board._register.find(board.did, number=board.issued(issued).number, limit=1)[0]
    return Issued(json.loads(row.document), json.loads(row.receipt))


def restricted(board: Board, issued: Issued, *restrictions: Restriction, order: str = "2026-1", code: str = "restricted") -> Decision:
    """An order that restricts a licence from today on."""
    today = board.institution.clock().date()
    action = OrderAction(code, restrictions=restrictions)
    return board.docket.enter_order(issued.id, BoardOrder(id=order, issued=today, effective=today, entity="Board", actions=(action,)), by="clerk")[0]


# ---- a licence that was issued anew


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


# ---- decisions that cross


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
    today = town.clock().date()
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


# ---- a new key


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


# ---- compacts


def test_discipline_cascades_once_more_when_the_principal_state_acts_again(town: Town) -> None:
    principal_board, member = (
        town.directory.create_board(name, title=name, jurisdiction=state, professions=["MD"]) for name, state in (("wv", "US-WV"), ("me", "US-ME"))
    )
    principal = town.issue(board=principal_board, npi="1234567893")
    location = f"{principal_board.institution.base_url}/licenses/1.json"
    town.directory.ledger.publish(location, principal.to_json())
    here = town.issue(board=member, npi="1234567893", license_class="compact_expedited", compact=CompactOrigin("IMLC", principal.id, location))
    for _ in range(2):
        principal_board.suspend(principal, reason="an order")
        assert [one.state for one in follow_principals(member, town.verifier)[0]] == ["compact_derived"]
        # Its own board cannot lift it while the principal state's order stands.
        member.reinstate(here, reason="looked into")
        assert "principal_suspended" in town.show(here).codes
        assert [one.state for one in follow_principals(member, town.verifier)[0]] == ["compact_derived"]
        assert follow_principals(member, town.verifier)[0] == ()
        principal_board.reinstate(principal, reason="it ended")
        member.reinstate(here, reason="looked into")
        assert town.show(here).verdict == "accept"
    # What its holder does is no discipline, and nothing for the member board to derive.
    principal_board.docket.enter(principal.id, "inactive", reason="the holder asked")
    assert follow_principals(member, town.verifier) == ((), ())


def test_a_principal_licence_of_somebody_else_is_told_to_the_member_board(town: Town) -> None:
    somebody = town.issue(board=town.other, to=town.stranger)
    location = f"{town.other.institution.base_url}/licenses/2.json"
    town.directory.ledger.publish(location, somebody.to_json())
    here = town.issue(compact=CompactOrigin("IMLC", somebody.id, location))
    assert [(one.credential, one.codes) for one in follow_principals(town.board, town.verifier)[1]] == [(here.id, ("principal_license_mismatch",))]


def test_a_suspension_of_the_principal_licence_is_seen_through_the_version_that_a_compact_licence_names(town: Town, board: Board) -> None:
    principal = town.issue(board=board, npi="1234567893")
    location = f"{board.institution.base_url}/licenses/3.json"
    town.directory.ledger.publish(location, principal.to_json())
    here = town.issue(npi="1234567893", compact=CompactOrigin("IMLC", principal.id, location))
    fresh = board.reissue(principal, town.license(license_number=board.issued(principal).number, npi="1234567893", degree="MD"))
    board.suspend(fresh, reason="an order")
    assert "principal_suspended" in town.show(here).codes


# ---- delegations


class Household:
    """A patient with an identity credential, a thief who has a copy of it, and the thief's accomplice."""

    def __init__(self, town: Town, csp: Board) -> None:
        self.patient, self.thief, self.accomplice = (Wallet.create(clock=town.clock, random=town.random) for _ in range(3))
        self.identity = csp.issue(replace(town.identity(), name=PersonName(family="Wwpatient", given="Vvmarker")), to=self.patient.did)
        self.town = town

    def delegation(self, by: Wallet, to: Wallet) -> Issued:
        claims = PickupDelegation(relationship="friend", valid_until=self.town.clock() + timedelta(days=30))
        return by.delegate(claims, to=to.did, random=self.town.random)


def test_a_copied_identity_serves_nobody_without_the_patients_signature(town: Town, csp: Board) -> None:
    house = Household(town, csp)
    own = house.delegation(house.thief, house.accomplice)
    report = town.show(own, house.identity, wallet=house.accomplice, **PICKUP)
    assert (report.verdict, "not_the_holder" in report.codes) == ("refuse", True)
    # In the patient's name, but signed by the thief.
    document = {name: value for name, value in own.credential.items() if name != "proof"} | {"issuer": house.patient.did}
    method = f"{house.thief.did}#{house.thief.did.removeprefix('did:key:')}"
    forged = Issued(town.signed(document, signer=house.thief._signer, method=method), None)
    assert "wrong_controller" in town.show(forged, house.identity, wallet=house.accomplice, **PICKUP).codes
    # A true delegation to the thief is not one to the accomplice, though the thief hands it on.
    true = house.delegation(house.patient, house.thief)
    report = town.show(true, own, house.identity, wallet=house.accomplice, **PICKUP)
    assert [check.code for check in report.reasons].count("not_the_holder") == 2


def test_a_delegation_by_somebody_whose_identity_was_revoked_is_refused(town: Town, csp: Board) -> None:
    house = Household(town, csp)
    delegation = house.delegation(house.patient, house.accomplice)
    assert town.show(delegation, house.identity, wallet=house.accomplice, **PICKUP).verdict == "accept"
    csp.revoke(house.identity, reason="the phone was stolen")
    assert town.show(delegation, house.identity, wallet=house.accomplice, **PICKUP).codes == ("revoked", "status_message")


@pytest.mark.parametrize("types", [["PickupDelegationCredential", "PatientIdentityCredential"], ["PhysicianLicenseCredential", "PickupDelegationCredential"]])
def test_a_persons_own_word_is_no_word_of_an_institution(town: Town, csp: Board, types: list[str]) -> None:
    house = Household(town, csp)
    document = {name: value for name, value in house.delegation(house.thief, house.accomplice).credential.items() if name != "proof"}
    for order in (["VerifiableCredential", *types], [*types, "VerifiableCredential"]):
        method = f"{house.thief.did}#{house.thief.did.removeprefix('did:key:')}"
        made = Issued(town.signed(document | {"type": order}, signer=house.thief._signer, method=method), None)
        report = town.show(made, wallet=house.accomplice, **PICKUP)
        assert report.check(CheckName.RECEIPT).code == "not_logged"
        assert report.check(CheckName.ENTITLEMENT).outcome != "pass"


def test_a_delegation_that_cannot_be_taken_back_says_so(town: Town, csp: Board) -> None:
    house = Household(town, csp)
    granted = house.delegation(house.patient, house.accomplice).credential
    document = {name: value for name, value in granted.items() if name not in ("proof", "credentialStatus")}
    method = f"{house.patient.did}#{house.patient.did.removeprefix('did:key:')}"
    made = Issued(town.signed(document, signer=house.patient._signer, method=method), None)
    report = town.show(made, house.identity, wallet=house.accomplice, **PICKUP)
    assert (report.verdict, report.codes) == ("conditional", ("delegation_not_revocable",))


def test_a_retired_key_delegates_nothing(town: Town) -> None:
    facility = town.directory.create_board("facility", title="A Facility", jurisdiction="US-NC", professions=["MD"])
    stolen, method = facility.institution.keys.assertion, facility.institution.verification_method
    town.ticking(1)
    facility.institution.rotate(lambda _: None)
    claims = PickupDelegation(relationship="facility", valid_until=town.clock() + timedelta(days=30))
    granted = town.wallet.delegate(claims, to=town.stranger.did, random=town.random).credential
    document = {name: value for name, value in granted.items() if name != "proof"} | {"issuer": facility.did}
    made = Issued(town.signed(document, signer=stolen, method=method), None)
    report = town.show(made, wallet=town.stranger, **PICKUP)
    assert report.check(CheckName.RECEIPT).code == "key_retired"
    assert report.verdict == "refuse"


# ---- what must not leak


def test_no_claim_and_no_secret_reaches_a_log_an_error_a_url_or_the_ledger(
    town: Town, board: Board, csp: Board, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("shamir_mnemonic")
    from did_health.stores import guardians

    caplog.set_level(logging.DEBUG)
    said: list[str] = []

    def refused(act: Callable[[], object]) -> None:
        with pytest.raises((DidHealthError, ValueError, KeyError)) as failure:
            act()
        said.extend(("".join(traceback.format_exception(failure.value, chain=True)), repr(failure.value)))

    house = Household(town, csp)
    delegation = house.delegation(house.patient, house.accomplice)
    grant = house.patient.grants[0]
    report = town.show(delegation, house.identity, wallet=house.thief, **PICKUP)
    said += [json.dumps(report.to_json()), repr(report), repr(grant), repr(delegation), *report.evidence]
    issued = town.issue(board=board)
    decision = restricted(board, issued, Restriction("zyx", f"{SECRET_CLAIMS[0]} must not", date(2026, 1, 1)))
    said += [repr(decision), repr(board.issued(issued))]
    refused(lambda: board.reissue(issued, town.license()))
    refused(lambda: board.issue(town.license(license_number=board.issued(issued).number), to=town.wallet.did))
    statement = json.dumps({"format": SECRET_CLAIMS[0]}).encode()
    refused(lambda: KeyChange.verified(statement, now=town.clock()))
    words = guardians.split(bytes(range(32)), threshold=2, count=3)
    marker = SECRET_CLAIMS[0].lower()
    for wrong in (f"{words[0]} {marker}", words[0].replace(words[0].split()[-1], marker), " ".join(words[0].split()[::-1])):
        refused(lambda wrong=wrong: guardians.combine([wrong, words[1]]))  # type: ignore[misc]
    secrets = (*SECRET_CLAIMS, marker, " ".join(words[0].split()[:3]), " ".join(words[0].split()[::-1][:3]), grant.handle.hex())
    ledger = b"".join(path.read_bytes() for path in town.folder.rglob("*") if path.is_file() and "registers" not in path.parts)
    # Licences are served in public where their boards want it; nothing of a patient is.
    for secret in (*secrets[len(SECRET_CLAIMS) :], "Wwpatient", "Vvmarker", house.patient.did, house.identity.id, delegation.id):
        assert secret.encode() not in ledger, secret
    for secret in (*secrets, "Wwpatient", "Vvmarker"):
        assert not [text for text in (*said, caplog.text) if secret in text], secret
