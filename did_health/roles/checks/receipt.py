"""Step 7: the issuing was logged. What a retired key signed counts only if it was logged while the key was in force."""

from __future__ import annotations

from typing import Final

from did_health.encoding.strict_json import JSON
from did_health.errors import FormatError, VerificationError
from did_health.health.verification_receipt import VerificationReceipt
from did_health.ledger.batch import IssuanceReceipt, ReceiptProof
from did_health.roles.checks.examination import Examination, Subject
from did_health.roles.domain.scopes import is_self_issued
from did_health.roles.ledger_state import INVALID_RECEIPT, Unproven
from did_health.roles.report import CheckName, Outcome

_WHEN_UNKNOWN: Final = "the key that signed the receipt is retired, and nobody can tell whether it signed before"


def check_receipt(checks: Examination, subject: Subject) -> None:
    """Step 7."""
    given = subject.part.receipt
    if is_self_issued(subject.credential) and subject.credential.has_type(VerificationReceipt.credential_type):
        _check_receipt_proof(checks, subject, given)
        return
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


def _check_receipt_proof(checks: Examination, subject: Subject, given: JSON) -> None:
    """The same for a receipt of a verification, which is its verifier's own word, and logged with others as one batch some time after it was given."""
    if given is None:
        if subject.retired_keys:
            raise Unproven(Outcome.UNKNOWN, "key_retired", f"{_WHEN_UNKNOWN}: ask its verifier for the proof that it was logged before")
        sentence = "the receipt is not on the ledger yet: its verifier could still deny it"
        checks.add(CheckName.RECEIPT, Outcome.PASS, "receipt_not_logged", sentence, credential=subject.index, conditional=True)
        return
    try:
        if not isinstance(given, dict):
            raise FormatError("it is not an object")
        proof = ReceiptProof.parse(given)
        logged = checks.facts.issuance(proof, subject.credential.issuer_id)
        proof.verify_path(subject.part.digest())
    except (Unproven, VerificationError, FormatError) as error:
        if isinstance(error, Unproven) and error.code not in INVALID_RECEIPT:
            raise
        sentence = f"the proof that the receipt was logged does not hold: {error.what}"
        raise Unproven(Outcome.FAIL, "receipt_proof_invalid", sentence) from error
    if subject.retired_keys and not subject.retired_keys <= {logged.author}:
        raise Unproven(Outcome.UNKNOWN, "key_retired", f"{_WHEN_UNKNOWN}: it was logged only after that", logged.at)
    checks.passed("receipt_logged", subject.index)
