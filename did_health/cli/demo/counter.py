"""The pharmacy's counter: draws a nonce, gets a presentation for it, verifies it under the directory's trust policy."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from did_health.cli.demo.ground import Ground
from did_health.cli.demo.issue import Holder, Holders
from did_health.cli.demo.journal import ACCEPTED, Expected, Journal, Verification
from did_health.roles.evidence import Evidence
from did_health.roles.nonces import new_nonce
from did_health.roles.report import Report
from did_health.roles.verifier import Verifier

AUDIENCE: Final = "https://main-street-pharmacy.example"
"""What holders sign their presentations for, so that nobody else can use them."""
STEP: Final = "counter"


class Counter:
    """One verifier for the whole day: it remembers what it has verified and which nonces were answered."""

    def __init__(self, ground: Ground, journal: Journal) -> None:
        self.ground = ground
        self.directory = ground.office
        self.journal = journal
        self.verifier = ground.verifier()

    def nonce(self) -> str:
        """A fresh nonce for the next holder."""
        return new_nonce(self.directory.random)

    def verify(
        self, presentation: bytes, nonce: str, *, verifier: Verifier | None = None, evidence: Evidence | None = None, now: datetime | None = None
    ) -> Report:
        """What the pharmacy does with a presentation: by its own verifier and with fresh evidence unless told otherwise."""
        return (verifier or self.verifier).verify(presentation, audience=AUDIENCE, nonce=nonce, evidence=evidence, now=now)

    def serve(
        self, holder: Holder, *, step: str, title: str, name: str, expected: Expected = ACCEPTED, keep_evidence: bool = False
    ) -> Verification:
        """Ask for the holder's credential and verify what is shown."""
        nonce = self.nonce()
        presentation = holder.wallet.present([holder.issued], audience=AUDIENCE, nonce=nonce)
        return self.journal.verified(
            step, title, expected, presentation, lambda: self.verify(presentation, nonce), name=name, keep_evidence=keep_evidence
        )


def serve_patients(counter: Counter, holders: Holders) -> Verification:
    """The pharmacy shows its permit; every patient comes with a prescription of some physician, and both are verified.

    Returns the first verification of a prescriber, whose evidence is kept.
    """
    prescribers: list[Verification] = []
    with counter.journal.step("verify at the pharmacy") as meter:
        counter.serve(holders.pharmacy, step=STEP, title="pharmacy's permit", name="counter-pharmacy", keep_evidence=True)
        for number, patient in enumerate(holders.patients, 1):
            prescriber = holders.physicians[(number - 1) % len(holders.physicians)]
            counter.serve(patient, step=STEP, title="patient's identity", name=f"counter-{number:03d}-patient", keep_evidence=number == 1)
            prescribers.append(
                counter.serve(prescriber, step=STEP, title="prescriber's licence", name=f"counter-{number:03d}-prescriber", keep_evidence=number == 1)
            )
            meter.update(number, len(holders.patients))
    return prescribers[0]
