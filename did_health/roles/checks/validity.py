"""Step 4: the credential is within its dates."""

from __future__ import annotations

from did_health.roles.checks.examination import Examination, Subject
from did_health.roles.ledger_state import Unproven
from did_health.roles.report import Outcome


def check_validity(checks: Examination, subject: Subject) -> None:
    """Step 4."""
    credential, now = subject.credential, checks.facts.now
    if credential.valid_from is not None and now < credential.valid_from:
        raise Unproven(Outcome.FAIL, "not_yet_valid", "the credential is not valid yet", now)
    if credential.valid_until is not None and now >= credential.valid_until:
        raise Unproven(Outcome.FAIL, "expired", "the credential has expired", now)
    checks.passed("in_force", subject.index)
