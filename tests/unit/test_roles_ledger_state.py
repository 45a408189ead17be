"""What evidence proves of newest entries: presence, absence, of one log and of several."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from did_health.keys import generate
from did_health.ledger.entry import revocation_subject
from did_health.ledger.latest import NewestEntry
from did_health.roles.evidence import Evidence, Item
from did_health.roles.facts import Facts
from did_health.roles.ledger_state import LedgerState, Unproven
from did_health.roles.memo import Memo
from did_health.roles.report import Outcome
from did_health.tlog.cosignature import cosigner_key
from did_health.tlog.note import NoteSigner
from did_health.tlog.witness_policy import PolicyGroup, PolicyLog, PolicyWitness, WitnessPolicy
from did_health.trust.policy import TrustPolicy
from tests.any_log import AnyLog, handle, revocation
from tests.conftest import repeatable_bytes
from tests.ledger_parties import START

SUBJECT, NOBODY = revocation_subject(handle(1)), revocation_subject(handle(9))
WITNESSES = {f"w{number}.example": generate(repeatable_bytes(f"w{number}")) for number in range(3)}
DAY = timedelta(days=1)


def made(name: str, *numbers: int, at: datetime = START) -> AnyLog:
    log = AnyLog(NoteSigner(name, generate(repeatable_bytes(name))), WITNESSES, at)
    log.add(*(revocation(number) for number in numbers))
    log.close()
    return log


def url(log: AnyLog, subject: bytes) -> str:
    return f"https://{log.signer.name}/latest/{subject.hex()}"


def item(log: AnyLog, subject: bytes, index: int | None = None) -> dict[str, Item]:
    newest = None if index is None else NewestEntry(index, log.leaves[index])
    return {url(log, subject): Item(log.bundle(subject, newest).encode(), START)}


def facts(logs: list[AnyLog], *items: dict[str, Item], now: datetime = START) -> Facts:
    ledger = WitnessPolicy(
        tuple(PolicyLog(log.signer.key, f"https://{log.signer.name}") for log in logs),
        tuple(PolicyWitness(name, cosigner_key(name, signer.public_key)) for name, signer in WITNESSES.items()),
        (PolicyGroup("witnesses", 3, tuple(WITNESSES)),),
        "witnesses",
    )
    evidence = Evidence({key: value for one in items for key, value in one.items()})
    return Facts(LedgerState(replace(TrustPolicy(), ledger=ledger), evidence, Memo()), now, DAY)


def unproven(known: Facts, subject: bytes) -> tuple[Outcome, str]:
    with pytest.raises(Unproven) as refused:
        known.revocation(subject)
    return refused.value.outcome, refused.value.code


def test_a_published_handle_is_revoked_and_the_absence_of_one_is_proved() -> None:
    log = made("one.example", 1)
    assert facts([log], item(log, SUBJECT, 0)).revocation(SUBJECT) == (True, START)
    assert facts([log], item(log, NOBODY)).revocation(NOBODY) == (False, START)


def test_what_is_missing_is_asked_of_every_log() -> None:
    logs = [made("one.example", 1), made("two.example", 2)]
    known = facts(logs, item(logs[0], NOBODY))
    assert [need.url for need in known.needs_of_revocation(NOBODY)] == [url(logs[1], NOBODY)]


def test_absence_is_that_of_all_logs_and_presence_of_any() -> None:
    logs = [made("one.example", 1), made("two.example", 2)]
    first, second = item(logs[0], SUBJECT, 0), item(logs[1], SUBJECT)
    assert facts(logs, first, second).revocation(SUBJECT) == (True, START)
    assert facts(logs, first).revocation(SUBJECT) == (True, START)
    assert unproven(facts(logs, second), SUBJECT) == (Outcome.UNKNOWN, "ledger_unavailable")
    assert unproven(facts(logs, second, {url(logs[0], SUBJECT): Item(None, START)}), SUBJECT) == (Outcome.UNKNOWN, "ledger_proof_missing")
    assert facts(logs, item(logs[0], NOBODY), item(logs[1], NOBODY)).revocation(NOBODY) == (False, START)


def test_absence_is_as_old_as_the_oldest_proof_of_it() -> None:
    logs = [made("one.example", 1), made("two.example", 2, at=START - DAY / 2)]
    proofs = item(logs[0], NOBODY), item(logs[1], NOBODY)
    assert facts(logs, *proofs).revocation(NOBODY) == (False, START - DAY / 2)
    assert unproven(facts(logs, *proofs, now=START + DAY), NOBODY) == (Outcome.UNKNOWN, "evidence_stale")


def sentence(known: Facts, subject: bytes) -> str:
    with pytest.raises(Unproven) as refused:
        known.revocation(subject)
    return refused.value.what


def test_a_proof_by_a_log_that_the_policy_does_not_name_is_no_no() -> None:
    log, other = made("one.example", 1), made("two.example", 1)
    foreign = facts([log], {url(log, SUBJECT): item(other, SUBJECT, 0)[url(other, SUBJECT)]})
    assert unproven(foreign, SUBJECT) == (Outcome.UNKNOWN, "log_not_in_policy")
    assert "is it the right policy? The policy names one.example" in sentence(foreign, SUBJECT)


def test_a_log_of_the_same_name_with_another_key_is_refused_and_the_policy_may_be_at_fault() -> None:
    log = made("one.example", 1)
    double = AnyLog(NoteSigner("one.example", generate(repeatable_bytes("double"))), WITNESSES, START)
    double.add(revocation(1))
    double.close()
    known = facts([log], item(double, SUBJECT, 0))
    assert unproven(known, SUBJECT) == (Outcome.FAIL, "ledger_proof_invalid")
    assert sentence(known, SUBJECT).endswith("either it is forged, or the trust policy is another ledger's")


def test_nobody_answering_proves_nothing() -> None:
    log = made("one.example", 1)
    assert unproven(facts([log]), SUBJECT) == (Outcome.UNKNOWN, "ledger_unavailable")
    assert unproven(facts([]), SUBJECT) == (Outcome.UNKNOWN, "ledger_unavailable")


def test_what_does_not_hold_is_told_from_what_is_no_answer() -> None:
    log = made("one.example", 1)
    assert unproven(facts([log], {url(log, SUBJECT): Item(b"c2sp.org/tlog-proof@v1\n", START)}), SUBJECT) == (Outcome.UNKNOWN, "ledger_proof_malformed")
    assert unproven(facts([log], {url(log, NOBODY): item(log, SUBJECT, 0)[url(log, SUBJECT)]}), NOBODY) == (Outcome.UNKNOWN, "ledger_proof_mismatch")
    assert unproven(facts([log], item(log, SUBJECT)), SUBJECT) == (Outcome.FAIL, "ledger_proof_invalid")
    early = made("one.example", 1, at=START + DAY)
    assert unproven(facts([early], item(early, SUBJECT, 0)), SUBJECT) == (Outcome.UNKNOWN, "evidence_from_the_future")
