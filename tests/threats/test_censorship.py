"""A ledger that took an entry, gave a receipt, and never published it, is convicted with its own signature."""

from __future__ import annotations

from datetime import timedelta

from did_health.keys import generate
from did_health.ledger.entry import Entry, revocation_subject
from did_health.ledger.latest import LatestBundle, NewestEntry
from did_health.ledger.submission_receipt import SubmissionReceipt
from did_health.tlog.cosignature import cosigner_key
from did_health.tlog.note import NoteSigner
from did_health.tlog.witness_policy import PolicyGroup, PolicyLog, PolicyWitness, WitnessPolicy
from tests.any_log import AnyLog, handle, revocation
from tests.conftest import repeatable_bytes
from tests.ledger_parties import START

DEADLINE = START + timedelta(hours=24)
CENSORED = Entry.parse(revocation(1).entry)


def convicts(log: AnyLog, newest: NewestEntry | None = None, *, of: int = 1) -> bool:
    """Whether what a stranger can have (the receipt, and a bundle from anywhere) shows that the log broke its promise.

    ``of`` says of which subject the bundle is."""
    receipt = SubmissionReceipt(log.signer.name, CENSORED.digest, int(START.timestamp()), int(DEADLINE.timestamp())).sign(log.signer).encode()
    policy = WitnessPolicy(
        (PolicyLog(log.signer.key),),
        tuple(PolicyWitness(name, cosigner_key(name, signer.public_key)) for name, signer in log.witnesses.items()),
        (PolicyGroup("witnesses", 3, tuple(log.witnesses)),),
        "witnesses",
    )
    subject = revocation_subject(handle(of))
    bundle = LatestBundle.parse(log.bundle(subject, newest).encode())
    latest = bundle.verify(subject, policy, now=int(log.at.timestamp()))
    return SubmissionReceipt.verify(receipt, log.signer.key, CENSORED).is_broken_by(CENSORED, latest)


def a_log() -> AnyLog:
    signers = {f"w{number}.example": generate(repeatable_bytes(f"w{number}")) for number in range(4)}
    return AnyLog(NoteSigner("log.example", generate(repeatable_bytes("log"))), signers)


def test_a_promised_entry_that_is_not_there_after_the_deadline_convicts_the_log() -> None:
    log = a_log()
    log.add(revocation(2))
    log.close()
    log.at = DEADLINE
    assert not convicts(log)
    log.at = DEADLINE + timedelta(seconds=1)
    assert convicts(log)


def test_a_promise_that_was_kept_convicts_nobody() -> None:
    log = a_log()
    log.add(revocation(1))
    log.close()
    log.at = DEADLINE + timedelta(days=1)
    assert not convicts(log, NewestEntry(0, log.leaves[0]))


def test_that_another_subject_has_no_entry_convicts_nobody() -> None:
    log = a_log()
    log.add(revocation(1))
    log.close()
    log.at = DEADLINE + timedelta(days=1)
    assert not convicts(log, of=3)
