"""Documents that an institution signed as a whole, such as bundles and reports: the signature is by a key that its DID lists for assertions."""

from __future__ import annotations

from datetime import datetime

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, ResolutionError, UnsupportedError, VerificationError
from did_health.keys import PublicKey
from did_health.roles.ledger_state import LedgerState
from did_health.vc.proofs.data_integrity import verify_proofs


def verify_signed(document: JSONObject, signer: str, state: LedgerState, now: datetime, *, what: str, code: str) -> None:
    """Check the proofs of ``document`` (called ``what``) by the DID ``signer``, whose keys ``state`` proves. Raises ``VerificationError`` with ``code``."""

    def key(method: str, purpose: str, _controller: str | None) -> PublicKey:
        if method.partition("#")[0] != signer:
            raise VerificationError("the signature was made with somebody else's key")
        return state.did(signer, now).document.key(method, purpose, now)

    try:
        verify_proofs(document, key, purpose="assertionMethod", controller=signer)
    except (VerificationError, ResolutionError, FormatError, UnsupportedError) as error:
        raise VerificationError(f"the signature of the {what} does not hold: {error}", code=code) from error
