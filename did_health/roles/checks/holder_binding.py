"""Step 10: the credential is about whoever presents it."""

from __future__ import annotations

from did_health.roles.checks.examination import Examination, Subject
from did_health.roles.domain.delegation import is_shown_for_another
from did_health.roles.ledger_state import Unproven
from did_health.roles.report import Outcome


def check_holder_binding(checks: Examination, subject: Subject) -> None:
    """Step 10."""
    if not subject.presented:
        raise Unproven(Outcome.UNKNOWN, "not_presented", "nobody presented the credential, so it cannot be told whose hands it is in")
    if subject.holder is None:
        raise Unproven(Outcome.UNKNOWN, "holder_unknown", "it is not proved who presents the credential")
    if any(claims.get("id") != subject.holder for claims in subject.credential.subjects):
        if is_shown_for_another(subject.credential, subject.holder, checks.others):
            checks.passed("held_by_agent", subject.index)
            return
        raise Unproven(Outcome.FAIL, "not_the_holder", "the credential is about somebody else than who presents it")
    checks.passed("holder_bound", subject.index)
