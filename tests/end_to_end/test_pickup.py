"""Stories 4 and 5: a patient, or somebody for them, picks up; with everything that can go wrong, online and offline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from did_health.errors import ConflictError, FormatError, VerificationError
from did_health.health.act import Act
from did_health.health.dated_tables import packaged_table
from did_health.health.patient_identity import PatientIdentity
from did_health.health.person_name import PersonName
from did_health.health.pickup_delegation import Minor
from did_health.health.purposes import ClaimName
from did_health.roles.evidence import Evidence
from did_health.roles.holder import Wallet
from did_health.roles.issuer import Board
from did_health.roles.pickup import Collector, Pickup, PickupDesk, Visit
from did_health.roles.report import Verdict
from did_health.roles.request import Request
from tests.pharmacy_parties import IDENTITY, Pharmacy
from tests.town import AUDIENCE, Town

NAME, BORN = PersonName("Qqfamily", "Zyxwvutsk"), date(1980, 1, 1)


class Counter:
    """A desk of the pharmacy and what is asked and shown at it."""

    def __init__(self, pharmacy: Pharmacy) -> None:
        self.pharmacy = pharmacy
        self.desk = PickupDesk(pharmacy.town.verifier, pharmacy.book, pharmacy.memory, pharmacy.memory)

    def visit(self, **changes: Any) -> Visit:
        act = {"schedule": "none", "jurisdiction": "US-NC", "pharmacy": self.pharmacy.institution.did, **changes.pop("act", {})}
        return Visit(**{"name": NAME, "birth_date": BORN, "act": Act("pickup", **act), **changes})

    def answer(self, wallet: Wallet, who: Collector = Collector.PATIENT) -> tuple[Request, bytes]:
        request = self.desk.ask(who, audience=AUDIENCE)
        return request, wallet.present(wallet.credentials, audience=AUDIENCE, nonce=request.nonce)

    def serve(self, wallet: Wallet, *, evidence: Evidence | None = None, **visit: Any) -> Pickup:
        request, shown = self.answer(wallet, visit.get("collector", Collector.PATIENT))
        return self.desk.decide(self.visit(**visit), shown, request=request, evidence=evidence)


@pytest.fixture(scope="module")
def counter(own_town: Town, csp: Board) -> Iterator[Counter]:
    pharmacy = Pharmacy(own_town, csp)
    yield Counter(pharmacy)
    pharmacy.close()


@pytest.fixture(scope="module")
def patient(counter: Counter) -> Wallet:
    return counter.pharmacy.patient()


@pytest.fixture
def daughter(counter: Counter) -> Wallet:
    """Has an identity of her own, and no delegation yet."""
    wallet = counter.pharmacy.patient(replace_name(counter, "Other", "Daughter"))
    counter.pharmacy.town.ticking(1)
    return wallet


def replace_name(counter: Counter, family: str, given: str, **changes: Any) -> PatientIdentity:
    return replace(counter.pharmacy.town.identity(), name=PersonName(family, given), birth_date=date(2001, 2, 3), **changes)


# ---- story 4: the patient


def test_a_patient_picks_up(counter: Counter, patient: Wallet) -> None:
    pickup = counter.serve(patient)
    assert (pickup.verdict, pickup.agrees, pickup.collector, pickup.by_hand) == ("accept", True, "patient", ())
    assert pickup.may_hand_over
    recorded = counter.desk.complete(pickup)
    (receipt,) = recorded.receipts.values()
    assert receipt.subject == patient.did
    assert [str(name) for name in receipt.receipt.claims_requested] == [f"{IDENTITY}.name", f"{IDENTITY}.birthDate"]
    assert pickup.collector_name == NAME
    assert pickup.relationship == "self"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"birth_date": date(1980, 1, 2)}, "birth_date_mismatch"),
        ({"name": PersonName("Qqfamily", "Yvonne")}, "name_mismatch"),
        ({"name": PersonName("Other", "Zyxwvutsk")}, "name_mismatch"),
    ],
)
def test_another_name_or_birth_date_is_refused_and_no_value_is_told(counter: Counter, patient: Wallet, changes: dict[str, Any], code: str) -> None:
    pickup = counter.serve(patient, **changes)
    assert (pickup.verdict, pickup.report.codes, pickup.agrees) == ("refuse", (code,), False)
    assert "Hand nothing over" in pickup.by_hand[0]
    told = f"{pickup.report.to_json()}{pickup.by_hand}{pickup!r}"
    for value in ("1980", "Qqfamily", "Zyxwvutsk", "Yvonne"):
        assert value not in told
    assert not pickup.may_hand_over
    counter.desk.complete(pickup)


def test_a_replayed_presentation_is_refused(counter: Counter, patient: Wallet) -> None:
    request, shown = counter.answer(patient)
    assert counter.desk.decide(counter.visit(), shown, request=request).verdict == "accept"
    again = counter.desk.decide(counter.visit(), shown, request=request)
    assert (again.verdict, "nonce_replayed" in again.report.codes) == ("refuse", True)
    other = counter.desk.ask(Collector.PATIENT, audience=AUDIENCE)
    assert "wrong_nonce" in counter.desk.decide(counter.visit(), shown, request=other).report.codes


@pytest.mark.parametrize(
    ("schedule", "hours", "verdict"),
    [("none", 2, "accept"), ("none", 23, "accept"), ("none", 25, "indeterminate"), ("2", 0.9, "accept"), ("2", 1.1, "indeterminate"), ("", 2, "indeterminate")],
)
def test_offline_cached_evidence_is_good_for_a_time(counter: Counter, patient: Wallet, schedule: str, hours: float, verdict: str) -> None:
    evidence = counter.serve(patient).report.evidence
    counter.pharmacy.town.clock.move(hours=hours)
    try:
        pickup = counter.serve(patient, evidence=evidence, act={"schedule": schedule})
    finally:
        counter.pharmacy.town.clock.move(hours=-hours)
    assert pickup.verdict == verdict, pickup.report.codes
    # Never refused only because the network is down.
    assert pickup.verdict is not Verdict.REFUSE
    assert pickup.is_to_be_rechecked == (verdict == "indeterminate")
    if verdict == "indeterminate":
        assert pickup.agrees
        assert "physical photo document" in pickup.by_hand[0]


def test_what_was_decided_by_hand_is_checked_again(counter: Counter, patient: Wallet) -> None:
    pickup = counter.serve(patient, evidence=Evidence(), act={"schedule": "2"})
    assert pickup.verdict == "indeterminate"
    assert not pickup.may_hand_over
    decided = pickup.continued(by="R. Ph.", reason="document_seen")
    assert decided.may_hand_over
    assert decided.verdict == "indeterminate"
    recorded = counter.desk.complete(decided)
    (receipt,) = recorded.receipts.values()
    assert receipt.receipt.override is not None
    assert receipt.receipt.override.reason == "document_seen"
    ((waiting, report, row),) = counter.desk.recheck()
    assert (waiting.act.schedule, report.verdict, row) == ("2", "accept", recorded.position + 1), report.checks
    assert counter.desk.recheck() == []


def test_what_cannot_be_told_yet_goes_on_waiting(counter: Counter, patient: Wallet) -> None:
    counter.desk.complete(counter.serve(patient, evidence=Evidence()))
    offline = PickupDesk(_without_network(counter), counter.pharmacy.book, counter.pharmacy.memory, counter.pharmacy.memory)
    assert [one.report.verdict for one in offline.recheck()] == ["indeterminate"]
    assert [one.report.verdict for one in counter.desk.recheck()] == ["accept"]


def _without_network(counter: Counter) -> Any:
    from did_health.roles.verifier import Verifier

    return Verifier(counter.pharmacy.town.directory.policy, clock=counter.pharmacy.town.clock)


def test_somebody_who_shows_something_else(counter: Counter, own_town: Town) -> None:
    wallet = Wallet.create(clock=own_town.clock, random=own_town.random)
    wallet.add(own_town.board.issue(own_town.license(), to=wallet.did))
    pickup = counter.serve(wallet)
    assert (pickup.verdict, pickup.report.codes, pickup.agrees) == ("indeterminate", ("identity_missing",), None)
    assert not pickup.is_to_be_rechecked
    assert "does not say who is here" in pickup.by_hand[0]


def test_what_is_no_presentation(counter: Counter) -> None:
    request = counter.desk.ask(Collector.PATIENT, audience=AUDIENCE)
    with pytest.raises(FormatError):
        counter.desk.decide(counter.visit(), b"garbage", request=request)
    with pytest.raises(ValueError, match="answers a request"):
        counter.desk.decide(counter.visit(), b"{}")


def test_more_than_a_pickup_needs_is_never_asked(counter: Counter) -> None:
    with pytest.raises(VerificationError) as refused:
        counter.desk.ask(Collector.PATIENT, audience=AUDIENCE, claims=[ClaimName(IDENTITY, "address")])
    assert refused.value.code == "purpose_exceeded"


def test_tables_that_are_too_old_stop_the_counter_before_the_day_begins(counter: Counter, own_town: Town) -> None:
    pharmacy = counter.pharmacy
    old = replace(packaged_table("identification-rules"), compiled_on=date(2024, 1, 1))
    desk = PickupDesk(own_town.verifier, pharmacy.book, pharmacy.memory, pharmacy.memory, identification=old)
    with pytest.raises(VerificationError) as stale:
        desk.ask(Collector.PATIENT, audience=AUDIENCE)
    assert stale.value.code == "table_stale"
    # A shift that outlasts its tables goes on, and goes by them no longer.
    pickup = desk.decide(counter.visit(act={"schedule": "2"}))
    assert pickup.identification == ()
    assert [step for step in pickup.by_hand if "too old" in step]
    assert [step for step in pickup.by_hand if "North Carolina" in step]


# ---- story 5: somebody else


def delegate(counter: Counter, patient: Wallet, agent: Wallet, **changes: Any) -> str:
    granted = counter.pharmacy.delegation(patient, agent, **{"relationship": "other", **changes})
    return granted.id


def test_a_daughter_picks_up_schedule_2_in_north_carolina(counter: Counter, patient: Wallet, daughter: Wallet) -> None:
    delegate(counter, patient, daughter, pharmacies=(counter.pharmacy.institution.did,))
    pickup = counter.serve(daughter, collector=Collector.AGENT, act={"schedule": "2"})
    assert (pickup.verdict, pickup.agrees, pickup.collector) == ("accept", True, "agent")
    (rule,) = pickup.identification
    assert (rule.when, rule.credential_suffices) == ("always", False)
    assert "90-106.1" in rule.source.title
    recorded = counter.desk.complete(pickup)
    assert set(recorded.receipts) == {patient.did, daughter.did}
    assert pickup.collector_name == PersonName("Other", "Daughter")
    assert pickup.relationship == "other"


def test_a_delegation_is_used_as_often_as_it_says(counter: Counter, patient: Wallet, daughter: Wallet) -> None:
    delegate(counter, patient, daughter, max_uses=2)
    for used in range(2):
        pickup = counter.serve(daughter, collector=Collector.AGENT)
        assert pickup.delegated is not None
        assert (pickup.verdict, pickup.delegated.used) == ("accept", used)
        counter.desk.complete(pickup)
        # Written twice, it counts once.
        counter.desk.complete(pickup)
    third = counter.serve(daughter, collector=Collector.AGENT)
    assert (third.verdict, third.report.codes) == ("refuse", ("delegation_used_up",))
    assert "does not help" in third.by_hand[0]
    counter.desk.complete(third.continued(by="R. Ph.", reason="patient_asked"))


def test_two_counters_at_once_do_not_use_it_twice(counter: Counter, patient: Wallet, daughter: Wallet) -> None:
    delegate(counter, patient, daughter, max_uses=1)
    here, there = (counter.serve(daughter, collector=Collector.AGENT) for _ in range(2))
    assert here.verdict == there.verdict == "accept"
    counter.desk.complete(here)
    last = counter.pharmacy.records.last(counter.pharmacy.institution.did)
    with pytest.raises(ConflictError) as refused:
        counter.desk.complete(there)
    assert refused.value.code == "delegation_used_up"
    assert counter.pharmacy.records.last(counter.pharmacy.institution.did) == last


def test_a_scope_without_controlled_drugs(counter: Counter, patient: Wallet, daughter: Wallet) -> None:
    delegate(counter, patient, daughter, scope="non_controlled")
    assert counter.serve(daughter, collector=Collector.AGENT).verdict == "accept"
    pickup = counter.serve(daughter, collector=Collector.AGENT, act={"schedule": "2"})
    assert (pickup.verdict, pickup.report.codes) == ("refuse", ("delegation_scope_exceeded",))
    assert any("Decide as without one" in step for step in pickup.by_hand)


def test_a_revoked_delegation(counter: Counter, patient: Wallet, daughter: Wallet, own_town: Town) -> None:
    granted = delegate(counter, patient, daughter)
    own_town.directory.ledger.submit([patient.revocation(granted, random=own_town.random)])
    pickup = counter.serve(daughter, collector=Collector.AGENT)
    assert (pickup.verdict, pickup.report.codes) == ("refuse", ("revoked",))
    assert any("Decide as without one" in step for step in pickup.by_hand)


def test_a_missing_delegation_blocks_nothing(counter: Counter, daughter: Wallet) -> None:
    pickup = counter.serve(daughter, collector=Collector.AGENT)
    assert (pickup.verdict, pickup.report.codes, pickup.agrees) == ("conditional", ("delegation_missing",), None)
    assert pickup.may_hand_over
    assert "without a delegation" in pickup.by_hand[0]
    assert pickup.collector_name is None
    counter.desk.complete(pickup)


def test_without_a_phone_there_is_the_manual_path(counter: Counter) -> None:
    pickup = counter.desk.decide(counter.visit(collector=Collector.AGENT, act={"schedule": "2"}))
    assert (pickup.verdict, pickup.report.codes) == ("indeterminate", ("nothing_presented",))
    assert not pickup.is_to_be_rechecked
    assert len(pickup.by_hand) == 2
    assert pickup.identification
    decided = pickup.continued(by="R. Ph.", reason="person_known")
    recorded = counter.desk.complete(decided)
    assert recorded.receipts == {}
    assert pickup.relationship == "other"


def test_a_delegation_by_somebody_who_is_not_the_patient(counter: Counter, own_town: Town, daughter: Wallet) -> None:
    stranger = counter.pharmacy.patient(replace_name(counter, "Wrong", "Person"))
    delegate(counter, stranger, daughter)
    pickup = counter.serve(daughter, collector=Collector.AGENT)
    assert (pickup.verdict, set(pickup.report.codes)) == ("refuse", {"name_mismatch", "birth_date_mismatch"})


def test_a_delegation_without_the_patients_identity_is_compared_by_hand(counter: Counter, patient: Wallet, daughter: Wallet) -> None:
    delegate(counter, patient, daughter, identified=False)
    pickup = counter.serve(daughter, collector=Collector.AGENT)
    assert (pickup.verdict, pickup.report.codes, pickup.agrees) == ("conditional", ("delegator_not_identified",), None)
    assert "as stated" in pickup.by_hand[0]


def test_an_agent_without_an_identity_of_their_own(counter: Counter, patient: Wallet, own_town: Town) -> None:
    agent = Wallet.create(clock=own_town.clock, random=own_town.random)
    delegate(counter, patient, agent)
    pickup = counter.serve(agent, collector=Collector.AGENT)
    assert (pickup.verdict, pickup.report.codes, pickup.agrees) == ("conditional", ("agent_not_identified",), True)


def test_a_guardian_delegates_for_a_minor(counter: Counter, patient: Wallet, daughter: Wallet) -> None:
    child, born = PersonName("Qqfamily", "Child"), date(2015, 5, 5)
    delegate(counter, patient, daughter, on_behalf_of=Minor(child, born))
    pickup = counter.serve(daughter, collector=Collector.AGENT, name=child, birth_date=born)
    assert (pickup.verdict, pickup.report.codes, pickup.agrees) == ("conditional", ("guardian_to_be_checked",), True)
    assert pickup.collector is Collector.GUARDIAN
    assert "parent or guardian" in pickup.by_hand[-1]
    wrong = counter.serve(daughter, collector=Collector.AGENT, name=child, birth_date=date(2015, 5, 6))
    assert "birth_date_mismatch" in wrong.report.codes


@pytest.mark.parametrize(("born", "codes"), [(date(2015, 5, 5), set()), (date(1990, 5, 5), {"patient_of_age"})])
def test_a_guardian_without_papers_is_looked_up(counter: Counter, daughter: Wallet, born: date, codes: set[str]) -> None:
    pickup = counter.serve(daughter, collector=Collector.GUARDIAN, birth_date=born)
    assert pickup.verdict == "conditional"
    assert set(pickup.report.codes) == {"delegation_missing", "guardian_to_be_checked"} | codes
    assert pickup.relationship == "guardian"


def test_a_patient_shows_to_be_an_agent_after_all(counter: Counter, patient: Wallet, daughter: Wallet) -> None:
    """Whoever holds a delegation was mistaken for the patient by the one who tapped."""
    delegate(counter, patient, daughter)
    assert counter.serve(daughter).collector is Collector.AGENT


def test_an_override_names_who_decides_and_why(counter: Counter, patient: Wallet) -> None:
    pickup = counter.serve(patient, birth_date=date(1980, 1, 2))
    with pytest.raises(ValueError, match="who decides"):
        pickup.continued(by="", reason="other")
    decided = pickup.continued(by="R. Ph.", reason="record_corrected")
    assert decided.may_hand_over
    assert decided.verdict == "refuse"
    assert decided.collector_name == NAME
    counter.desk.complete(decided)
    (*_, row) = counter.pharmacy.records.rows(counter.pharmacy.institution.did)
    assert row.document["override"]["by"] == "R. Ph."


def test_times_are_those_of_the_clock(counter: Counter, patient: Wallet) -> None:
    assert counter.serve(patient).report.verified_at.astimezone(UTC) == counter.pharmacy.town.clock()
    assert isinstance(counter.serve(patient).report.as_of, datetime)


def test_an_expired_proofing_is_refused(counter: Counter, own_town: Town) -> None:
    """The last one here: the ledger's time does not go back."""
    wallet = counter.pharmacy.patient(replace(own_town.identity(), valid_until=own_town.clock() + timedelta(days=1)))
    evidence = counter.serve(wallet).report.evidence
    own_town.clock.move(days=2)
    pickup = counter.serve(wallet)
    assert (pickup.verdict, pickup.report.codes) == ("refuse", ("expired",))
    # Offline it is refused as well: for that no network is needed.
    assert "expired" in counter.serve(wallet, evidence=evidence).report.codes
