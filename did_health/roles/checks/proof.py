"""Step 6: the issuer signed exactly these claims."""

from __future__ import annotations

from did_health.errors import FormatError, ResolutionError, UnsupportedError, VerificationError
from did_health.roles.checks.examination import Examination, Subject
from did_health.roles.ledger_state import Unproven
from did_health.roles.report import CheckName, Outcome
from did_health.vc.jose_cose.verify import verify_envelope
from did_health.vc.proofs.data_integrity import verify_common_proof, verify_proofs


def check_proof(checks: Examination, subject: Subject) -> None:
    """Step 6."""
    credential = subject.credential
    secured = subject.part.secured
    if not credential.is_common and secured is None and not credential.proofs:
        raise Unproven(Outcome.FAIL, "proof_missing", "the credential is not signed")
    try:
        if credential.is_common:
            verify_common_proof(credential.raw, subject.part.canonical(), checks.facts.assertion_key, now=checks.facts.now, controller=credential.issuer_id)
        elif secured is not None:
            envelope = verify_envelope(secured.content, secured.media_type, checks.facts.assertion_key, now=checks.facts.now)
            signed_with = {envelope.verification_method}
        else:
            verify_proofs(
                credential.raw,
                checks.facts.assertion_key,
                purpose="assertionMethod",
                now=checks.facts.now,
                controller=credential.issuer_id,
                canonicalize=checks.canonicalize,
            )
    except Unproven:
        raise
    except UnsupportedError as error:
        raise Unproven(Outcome.UNKNOWN, "proof_unsupported", f"the proof is of a kind that is not supported: {error}") from error
    except (VerificationError, FormatError, ResolutionError) as error:
        raise Unproven(Outcome.FAIL, "proof_invalid", f"the issuer's signature does not hold: {error}") from error
    if retired := checks.facts.retired(credential.issuer_id):
        if secured is None:
            signed_with = {proof["verificationMethod"] for proof in credential.proofs}
        subject.retired_keys = signed_with.intersection(retired)
    if subject.retired_keys and CheckName.RECEIPT in checks.waive:
        raise Unproven(Outcome.FAIL, "key_retired", "the key that signed is retired, and without the receipt nobody can tell when it signed")
    checks.passed("proof_holds", subject.index)
