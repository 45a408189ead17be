"""Step 5: the issuer's DID resolves, by the newest that the ledger has of it."""

from __future__ import annotations

from did_health.roles.checks.examination import Examination, Subject


def check_issuer(checks: Examination, subject: Subject) -> None:
    """Step 5."""
    facts = checks.facts.did(subject.credential.issuer_id)
    checks.passed("issuer_known", subject.index, as_of=facts.as_of)
