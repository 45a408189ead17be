"""Step 7: the issuing was logged."""

from __future__ import annotations

from did_health.errors import FormatError, VerificationError
from did_health.ledger.batch import IssuanceReceipt
from did_health.roles.checks.examination import Examination, Subject
from did_health.roles.domain.scopes import is_self_issued
from did_health.roles.ledger_state import Unproven
from did_health.roles.report import Outcome


def check_receipt(checks: Examination, subject: Subject) -> None:
    """Step 7."""
    given = subject.part.receipt
    if given is None and is_self_issued(subject.credential):
        if subject.retired_keys:
            raise Unproven(Outcome.FAIL, "key_retired", "the key that signed is retired, and what is not logged does not tell when it signed")
        checks.passed("never_logged", subject.index)
        return
    if given is None:
        raise Unproven(Outcome.FAIL, "not_logged", "there is no receipt that the issuing was logged: it may be the work of a stolen key")
    if not isinstance(given, dict):
        raise Unproven(Outcome.FAIL, "receipt_invalid", "the issuance receipt is not an object")
    try:
        receipt = IssuanceReceipt.parse(given)
        logged = checks.facts.issuance(receipt, subject.credential.issuer_id)
        receipt.verify_path(subject.part.digest())
    except Unproven:
        raise
    except (VerificationError, FormatError) as error:
        raise Unproven(Outcome.FAIL, "receipt_invalid", f"the issuance receipt does not hold: {error}") from error
    if subject.retired_keys and not subject.retired_keys <= {logged.author}:
        raise Unproven(Outcome.FAIL, "key_retired", "the key that signed was retired when the issuing was logged", logged.at)
    subject.logged_at = logged.at
    checks.passed("logged", subject.index)
