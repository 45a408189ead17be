"""Step 9: what the issuer has said of the credential since."""

from __future__ import annotations

from datetime import datetime

from did_health.encoding.strict_json import JSON
from did_health.roles.checks.examination import Examination, Subject
from did_health.roles.domain.finding import Finding
from did_health.roles.domain.status import REVOKED, status_finding
from did_health.roles.ledger_state import Unproven
from did_health.roles.report import CheckName
from did_health.vc.credential import Credential
from did_health.vc.ledger_revocation import is_ledger_revocation


def check_status(checks: Examination, subject: Subject) -> None:
    """Step 9. Each entry is looked up, so that a list that cannot be had does not hide another that says no."""
    credential = subject.credential
    oldest: datetime | None = None
    clean = True
    entries = credential.status_entries
    for raw in entries:
        try:
            if credential.is_common and (clear := checks.facts.clear(raw, credential.issuer_id)) is not None:
                if oldest is None or clear < oldest:
                    oldest = clear
                continue
            finding, as_of = _finding_of(checks, raw, credential)
        except Unproven as doubt:
            clean = False
            checks.add(CheckName.STATUS, doubt.outcome, doubt.code, doubt.what, as_of=doubt.as_of, credential=subject.index)
            continue
        if oldest is None or as_of < oldest:
            oldest = as_of
        if finding is not None:
            clean = False
            checks.found(CheckName.STATUS, finding, subject.index, as_of)
    if not entries:
        checks.passed("status_none", subject.index)
    elif clean:
        checks.passed("status_clear", subject.index, as_of=oldest)


def _finding_of(checks: Examination, raw: JSON, credential: Credential) -> tuple[Finding | None, datetime]:
    """What one status entry says against the credential (``None``: nothing), and for which time. Raises ``Unproven``."""
    if is_ledger_revocation(raw):
        revoked, as_of = checks.facts.handle_revoked(raw)
        return REVOKED if revoked else None, as_of
    result, as_of = checks.facts.status(raw, credential.issuer_id)
    # What a restriction forbids is judged for the licence at hand, not for one that it hangs on.
    return None if result.valid else status_finding(credential, result, checks.act if checks.following else None), as_of
