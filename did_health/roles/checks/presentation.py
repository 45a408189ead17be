"""Step 1: the holder signed this presentation for whoever verifies it, and has not shown it before."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, NamedTuple

from did_health.errors import FormatError, ResolutionError, UnsupportedError, VerificationError
from did_health.roles.checks.examination import Examination
from did_health.roles.facts import did_of
from did_health.roles.ledger_state import Unproven
from did_health.roles.nonces import UsedNonces
from did_health.roles.report import Outcome
from did_health.vc.jose_cose.secured import Secured
from did_health.vc.jose_cose.verify import verify_envelope
from did_health.vc.presentation import Presentation
from did_health.vc.proofs.data_integrity import verify_common_presentation, verify_proofs

_CODES: Final = MappingProxyType({"INVALID_DOMAIN_ERROR": "wrong_audience", "INVALID_CHALLENGE_ERROR": "wrong_nonce"})


class PresentationExpectation(NamedTuple):
    """What the holder was asked to sign."""

    audience: str | None
    nonce: str | None


def check_presentation(
    checks: Examination, presentation: Presentation, expected: PresentationExpectation, used_nonces: UsedNonces | None, secured: Secured | None
) -> str:
    """Step 1. The holder's DID: whoever signed for this audience and nonce. Raises ``Unproven``."""
    if expected.audience is None or expected.nonce is None:
        raise Unproven(Outcome.UNKNOWN, "challenge_missing", "no audience or nonce was given, so a replay could not be told from an answer")
    if secured is None and not presentation.proofs:
        raise Unproven(Outcome.FAIL, "presentation_not_signed", "the presentation is not signed")
    try:
        signers = _signers(checks, presentation, expected.audience, expected.nonce, secured)
    except Unproven:
        raise
    except (VerificationError, FormatError, UnsupportedError, ResolutionError) as error:
        code = _CODES.get(error.code, "presentation_proof_invalid")
        raise Unproven(Outcome.FAIL, code, f"the presentation's signature does not hold: {error}") from error
    if len(signers) != 1 or presentation.holder not in (None, *signers):
        raise Unproven(Outcome.FAIL, "wrong_holder", "the presentation is not signed by the holder that it names")
    if used_nonces is not None and not used_nonces.use(expected.nonce, checks.facts.now):
        raise Unproven(Outcome.FAIL, "nonce_replayed", "this nonce was answered before: the presentation is a replay")
    checks.passed("presented")
    return signers.pop()


def _signers(checks: Examination, presentation: Presentation, audience: str, nonce: str, secured: Secured | None) -> set[str]:
    raw, keys, now = presentation.raw, checks.facts.key, checks.facts.now
    if secured is not None:
        return {did_of(verify_envelope(secured.content, secured.media_type, keys, now=now, audience=audience, nonce=nonce).verification_method)}
    if presentation.is_common:
        return {did_of(verify_common_presentation(raw, checks.canonicalize(raw), keys, now=now, domain=audience, challenge=nonce))}
    proofs = verify_proofs(raw, keys, purpose="authentication", domain=audience, challenge=nonce, now=now, canonicalize=checks.canonicalize)
    return {did_of(proof.verification_method) for proof in proofs}
