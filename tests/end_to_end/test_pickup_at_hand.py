"""Stories 4 and 5, what else a counter has at hand: the request's age, a portrait, the check of the prescriber, the pharmacist's own decision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.errors import ConflictError, FormatError
from did_health.health.portrait import Portrait, portrait_digest
from did_health.limits import MAX_REQUEST_AGE_SECONDS
from did_health.roles.checked_prescriber import CheckedPrescriber
from did_health.roles.counter_checks import counted_as
from did_health.roles.counter_memory import Recheck
from did_health.roles.evidence import Evidence
from did_health.roles.pickup import Collector, PickupDesk, claims_of
from did_health.roles.prescriber import FORMAT
from did_health.roles.report import Verdict
from did_health.roles.request import Request
from did_health.stores.counter_store import SQLCounterMemory
from did_health.vc.credential import Credential
from tests.end_to_end.test_pickup import Counter
from tests.pharmacy_parties import Pharmacy, identity_provider
from tests.town import AUDIENCE, Town

PICTURE = b"\xff\xd8\xff\xe0 a picture of who is here"


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    town = Town(Path(tmp_path_factory.mktemp("at-hand")), seed="at hand")
    pharmacy = Pharmacy(town, identity_provider(town))
    yield Counter(pharmacy)
    pharmacy.close()
    town.close()


def checked(counter: Counter, verdict: str = "accept", *codes: str, **changes: Any) -> CheckedPrescriber:
    now = counter.pharmacy.town.clock()
    values = {"state": "US-NC", "schedule": "none", "registered": (), "checked_at": now, "as_of": now - timedelta(minutes=18), **changes}
    return CheckedPrescriber(verdict=Verdict(verdict), codes=codes, **values)


# ---- the request


@pytest.mark.parametrize("seconds", [MAX_REQUEST_AGE_SECONDS + 1, -301], ids=["too_old", "of_a_time_to_come"])
def test_a_request_is_answered_in_its_time(counter: Counter, seconds: int) -> None:
    request, shown = counter.answer(counter.pharmacy.patient())
    late = replace(request, made_at=counter.pharmacy.town.clock() - timedelta(seconds=seconds))
    pickup = counter.desk.decide(counter.visit(), shown, request=late)
    assert (pickup.verdict, pickup.report.codes) == ("refuse", ("request_expired",))
    assert "Make a new request" in pickup.by_hand[0]


def test_a_request_lives_as_long_as_the_policy_says_and_no_longer(counter: Counter) -> None:
    request, shown = counter.answer(counter.pharmacy.patient())
    old = replace(request, made_at=counter.pharmacy.town.clock() - timedelta(seconds=MAX_REQUEST_AGE_SECONDS))
    assert counter.desk.decide(counter.visit(), shown, request=old).verdict == "accept"


def test_an_answer_for_another_purpose_is_no_answer_for_a_pickup(counter: Counter) -> None:
    request, shown = counter.answer(counter.pharmacy.patient())
    pickup = counter.desk.decide(counter.visit(), shown, request=replace(request, purpose="checkin"))
    assert (pickup.verdict, pickup.report.codes) == ("refuse", ("request_for_another_purpose",))


def test_a_presentation_for_another_pharmacy_is_refused(counter: Counter) -> None:
    wallet = counter.pharmacy.patient()
    request = counter.desk.ask(Collector.PATIENT, audience=AUDIENCE)
    shown = wallet.present(wallet.credentials, audience="https://other.example", nonce=request.nonce)
    pickup = counter.desk.decide(counter.visit(), shown, request=request)
    assert (pickup.verdict, pickup.report.codes[0]) == ("refuse", "wrong_audience")
    assert pickup.by_hand == ("This is no answer to the request, or one too late. Make a new request, and have it answered.",)


# ---- the portrait


def test_the_portrait_is_asked_for_only_where_one_is_held(counter: Counter) -> None:
    assert "portraitDigest" not in {claim.claim for claim in claims_of(Collector.AGENT)}
    assert "portraitDigest" in {claim.claim for claim in counter.desk.ask(Collector.PATIENT, audience=AUDIENCE, portrait=True).claims}


@pytest.mark.parametrize(
    ("held", "proofed", "found", "verdict"),
    [
        (PICTURE, PICTURE, Portrait.MATCHES, "accept"),
        (PICTURE, b"another picture", Portrait.DIFFERS, "conditional"),
        (PICTURE, None, Portrait.HELD, "accept"),
        (None, PICTURE, Portrait.NOT_HELD, "accept"),
    ],
)
def test_a_portrait_is_held_against_the_credential(
    counter: Counter, held: bytes | None, proofed: bytes | None, found: Portrait, verdict: str
) -> None:
    digest = "" if proofed is None else portrait_digest(proofed)
    wallet = counter.pharmacy.patient(replace(counter.pharmacy.town.identity(), portrait_digest=digest))
    pickup = counter.serve(wallet, portrait=held)
    assert (pickup.portrait, pickup.verdict) == (found, verdict)
    assert any("Compare no face" in step for step in pickup.by_hand) == (found is Portrait.DIFFERS)


def test_no_picture_and_no_digest_reaches_log_or_receipt(counter: Counter) -> None:
    wallet = counter.pharmacy.patient(replace(counter.pharmacy.town.identity(), portrait_digest=portrait_digest(PICTURE)))
    pickup = counter.serve(wallet, portrait=PICTURE)
    recorded = counter.desk.complete(pickup)
    (*_, row) = counter.pharmacy.records.rows(counter.pharmacy.institution.did)
    (receipt,) = recorded.receipts.values()
    written = row.content + receipt.to_json() + repr(pickup).encode() + strict_json.dumps(pickup.report.to_json())
    assert PICTURE not in written
    assert portrait_digest(PICTURE).encode() not in written


def test_a_portrait_with_nothing_to_hold_it_against(counter: Counter) -> None:
    assert counter.desk.decide(counter.visit(portrait=PICTURE)).portrait is Portrait.HELD
    with pytest.raises(FormatError):
        counter.desk.decide(counter.visit(portrait=b""))


def test_an_agents_portrait_is_the_agents_own(counter: Counter) -> None:
    patient = counter.pharmacy.patient(replace(counter.pharmacy.town.identity(), portrait_digest=portrait_digest(b"the patient")))
    agent = counter.pharmacy.patient(replace(counter.pharmacy.town.identity(), portrait_digest=portrait_digest(PICTURE)))
    counter.pharmacy.delegation(patient, agent, relationship="friend")
    assert counter.serve(agent, collector=Collector.AGENT, portrait=PICTURE).portrait is Portrait.MATCHES
    assert counter.serve(agent, collector=Collector.AGENT, portrait=b"the patient").portrait is Portrait.DIFFERS


# ---- the prescriber


@pytest.mark.parametrize(
    ("found", "verdict", "code", "by_hand"),
    [
        ("accept", "accept", None, ""),
        ("conditional", "conditional", "prescriber_conditional", ""),
        ("refuse", "refuse", "prescriber_refused", "1306.04"),
        ("indeterminate", "indeterminate", "prescriber_unknown", "Check the prescriber"),
    ],
)
def test_the_prescriber_counts_for_the_verdict(counter: Counter, found: str, verdict: str, code: str | None, by_hand: str) -> None:
    pickup = counter.serve(counter.pharmacy.patient(), prescriber=checked(counter, found))
    assert (pickup.verdict, pickup.report.codes) == (verdict, () if code is None else (code,))
    assert (by_hand in pickup.by_hand[-1]) if by_hand else not pickup.by_hand
    # Who is here was judged all the same: nothing of it has to be checked again.
    assert pickup.agrees
    assert not pickup.is_to_be_rechecked


def test_a_prescriber_who_may_not_prescribe_is_told_without_a_wallet_too(counter: Counter) -> None:
    pickup = counter.desk.decide(counter.visit(prescriber=checked(counter, "refuse", "expired")))
    assert (pickup.verdict, pickup.report.codes) == ("refuse", ("nothing_presented", "prescriber_refused"))


def test_a_prescriber_checked_for_another_schedule_is_not_known(counter: Counter) -> None:
    pickup = counter.serve(counter.pharmacy.patient(), prescriber=checked(counter, schedule="4", registered=("4",)))
    assert (pickup.verdict, pickup.report.codes) == ("indeterminate", ("prescriber_checked_for_another_act",))


def test_offline_what_was_shown_is_checked_again_whatever_the_prescriber(counter: Counter) -> None:
    pickup = counter.serve(counter.pharmacy.patient(), evidence=Evidence(), prescriber=checked(counter, "indeterminate"))
    assert pickup.is_to_be_rechecked


def test_the_oldest_time_is_the_screens(counter: Counter) -> None:
    pickup = counter.serve(counter.pharmacy.patient(), prescriber=checked(counter))
    assert pickup.report.as_of == counter.pharmacy.town.clock() - timedelta(minutes=18)


def test_what_the_check_of_a_prescriber_writes_is_what_the_counter_reads(counter: Counter) -> None:
    from did_health.roles.prescriber import PrescriberQuestion, check_prescriber

    town = counter.pharmacy.town
    found = check_prescriber(PrescriberQuestion("1234567893", "US-NC", "2"), [], town.verifier, clock=town.clock)
    read = CheckedPrescriber.parse(strict_json.dumps(found.to_json()))
    assert (read.verdict, read.codes, read.checked_at) == (found.verdict, found.codes, found.checked_at)
    assert found.to_json()["format"] == FORMAT


# ---- the pharmacist's own decision


def test_the_note_beside_an_override_stays_in_the_pharmacys_log(counter: Counter) -> None:
    pickup = counter.serve(counter.pharmacy.patient(), birth_date=date(1980, 1, 2))
    recorded = counter.desk.complete(pickup.continued(by="R. Ph.", reason="record_corrected", note="a typing error of ours"))
    (*_, row) = counter.pharmacy.records.rows(counter.pharmacy.institution.did)
    assert row.document["override"] == {"by": "R. Ph.", "reason": "record_corrected", "note": "a typing error of ours"}
    (receipt,) = recorded.receipts.values()
    assert receipt.receipt.override is not None
    assert receipt.receipt.override.reason == "record_corrected"
    assert b"typing error" not in receipt.to_json()
    assert "typing error" not in repr(pickup)


@pytest.mark.parametrize("reason", ["known here for years", "Ann Adams has asthma", ""])
def test_a_reason_in_words_of_ones_own_is_no_code(counter: Counter, reason: str) -> None:
    pickup = counter.desk.decide(counter.visit())
    with pytest.raises(FormatError):
        pickup.continued(by="R. Ph.", reason=reason)
    assert pickup.continued(by="R. Ph.", reason="ours", reasons={"ours": "Our own"}).may_hand_over


def test_an_override_is_never_blocked_by_a_delegation_that_is_used_up_meanwhile(counter: Counter) -> None:
    patient, agent = counter.pharmacy.patient(), counter.pharmacy.patient()
    counter.pharmacy.delegation(patient, agent, relationship="friend")
    here, there = (counter.serve(agent, collector=Collector.AGENT) for _ in range(2))
    counter.desk.complete(here)
    with pytest.raises(ConflictError):
        counter.desk.complete(there)
    counter.desk.complete(there.continued(by="R. Ph.", reason="patient_asked"))
    assert counter.serve(agent, collector=Collector.AGENT).report.codes == ("delegation_used_up",)


# ---- delegations and what waits


def test_a_delegation_is_counted_by_its_patient_and_id_or_by_what_was_signed(counter: Counter) -> None:
    pharmacy, agent = counter.pharmacy, counter.pharmacy.patient()
    issued = [pharmacy.delegation(pharmacy.patient(), agent, relationship="friend").credential for _ in range(2)]

    def counted(document: JSONObject, **changes: Any) -> str:
        return counted_as(Credential.parse({name: value for name, value in {**document, **changes}.items() if value is not None}))

    first, second = issued
    assert counted(first) == counted(first, proof=second["proof"], name="changed")
    # Of another patient's delegation with the same id nothing is used up.
    assert counted(first) != counted(first, issuer=second["issuer"])
    assert counted(first, id=None) == counted(first, id=None, proof=second["proof"])
    assert counted(first, id=None) != counted(first, id=None, name="changed")


@pytest.mark.parametrize(
    ("kind", "claim", "codes"),
    [
        ("PatientIdentityCredential", "birthDate", {"agent_not_identified", "delegator_not_identified"}),
        ("PickupDelegationCredential", "relationship", {"delegation_missing", "delegation_malformed"}),
    ],
)
def test_what_an_issuer_has_spoilt_is_none(counter: Counter, kind: str, claim: str, codes: set[str]) -> None:
    """Its own checks refuse it; the counter goes on without what cannot be read."""
    pharmacy, agent = counter.pharmacy, counter.pharmacy.patient()
    pharmacy.delegation(pharmacy.patient(), agent, relationship="friend")
    for issued in agent.credentials:
        document = strict_json.loads_object(strict_json.dumps(issued.credential))
        if kind in document["type"]:
            document["credentialSubject"][claim] = "spoilt"
        agent.add(replace(issued, credential=document))
    pickup = counter.serve(agent, collector=Collector.AGENT)
    assert pickup.verdict == "refuse"
    assert codes & set(pickup.report.codes)
    assert pickup.agrees is None
    counter.desk.complete(pickup)


def test_every_one_of_a_long_queue_is_checked_again(counter: Counter) -> None:
    pharmacy, now = counter.pharmacy, counter.pharmacy.town.clock()
    counter.desk.recheck()
    _, shown = counter.answer(pharmacy.patient())
    for number in range(103):
        # Those of before cannot be told for ever; what can be comes last.
        document = shown if number > 100 else b'{"type": "nothing that there is"}'
        pharmacy.memory.queue(pharmacy.institution.did, Recheck(f"r{number:03}", now + timedelta(seconds=number), counter.visit().act, document))
    found = counter.desk.recheck()
    assert len(found) == 103
    assert [one.report.verdict for one in found[101:]] == ["accept", "accept"]
    assert found[0].report.codes == ("recheck_unreadable",)
    assert found[0].row is None
    assert len(pharmacy.memory.waiting(pharmacy.institution.did, limit=200)) == 101
    for one in found:
        pharmacy.memory.done(one.waiting.id)


def test_a_row_of_what_was_checked_again_names_the_first(counter: Counter) -> None:
    recorded = counter.desk.complete(counter.serve(counter.pharmacy.patient(), evidence=Evidence()))
    (again,) = counter.desk.recheck()
    assert again.row == recorded.position + 1
    (*_, before, row) = counter.pharmacy.records.rows(counter.pharmacy.institution.did)
    assert before.document["id"] == row.document["recheckOf"] == recorded.entry_id
    assert (before.document["verdict"], row.document["verdict"]) == ("indeterminate", "accept")
    # Nobody was there a second time: the holder has one receipt.
    assert row.document["receipts"] == []


class Taken(SQLCounterMemory):
    """A queue from which another process is always quicker to take."""

    def done(self, recheck_id: str) -> bool:
        super().done(recheck_id)
        return super().done(recheck_id)


def test_what_another_process_has_just_checked_again_has_no_second_row(counter: Counter) -> None:
    pharmacy = counter.pharmacy
    recorded = counter.desk.complete(counter.serve(pharmacy.patient(), evidence=Evidence()))
    slower = PickupDesk(pharmacy.town.verifier, pharmacy.book, pharmacy.memory, Taken(pharmacy.database))
    (again,) = slower.recheck()
    assert (again.report.verdict, again.row) == ("accept", None)
    last = pharmacy.records.last(pharmacy.institution.did)
    assert last is not None
    assert last.position == recorded.position


def test_a_request_says_when_it_was_made(counter: Counter) -> None:
    request = counter.desk.ask(Collector.PATIENT, audience=AUDIENCE)
    assert Request.parse(request.to_json()).made_at == counter.pharmacy.town.clock()
