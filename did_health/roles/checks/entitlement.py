"""Step 8: the registry authority let the issuer issue this, and still does."""

from __future__ import annotations

from datetime import datetime

from did_health.roles.checks.examination import Examination, Subject
from did_health.roles.domain.scopes import claimed_scopes, is_self_issued
from did_health.roles.ledger_state import Unproven
from did_health.roles.report import Outcome
from did_health.trust.entitlement import entitlement
from did_health.trust.registry import ACTION_ISSUE


def check_entitlement(checks: Examination, subject: Subject) -> None:
    """Step 8. "At issuance" is when the ledger's witnesses saw it, for the issuer's own dates could be back-dated."""
    credential = subject.credential
    if is_self_issued(credential):
        checks.passed("speaks_for_itself", subject.index)
        return
    issued_at = subject.logged_at or credential.valid_from or checks.facts.now
    oldest: datetime | None = None
    resources = credential.kinds
    if not resources:
        raise Unproven(Outcome.FAIL, "issuer_not_accredited", "the credential is of no type that an issuer could be accredited for")
    moments = (issued_at, checks.facts.now)
    for resource in resources:
        record, as_of = checks.facts.record(credential.issuer_id, resource)
        for profession, jurisdiction in claimed_scopes(credential, resource):
            for moment in moments:
                answer = entitlement(record, action=ACTION_ISSUE, resource=resource, profession=profession, jurisdiction=jurisdiction, at=moment)
                if not answer.entitled:
                    raise Unproven(Outcome.FAIL, answer.code, answer.sentence, as_of)
        if oldest is None or as_of < oldest:
            oldest = as_of
    checks.passed("entitled", subject.index, as_of=oldest)
