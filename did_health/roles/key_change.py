"""A holder's move to a new key: a statement that the old key and the new one both sign, by which issuers issue anew.

A lost phone is no lost identity: the wallet is recovered, a new key made, the statement signed by both, and every issuer revokes what the
old key holds and issues it to the new one. Whoever has the phone has a key that nothing is about any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from did_health.did.document import DIDDocument
from did_health.did.resolution import resolve
from did_health.encoding import strict_json, timestamps
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, ResolutionError, UnsupportedError, VerificationError
from did_health.keys import PublicKey
from did_health.keys.base import ExportableSigner
from did_health.limits import MAX_CLOCK_SKEW_SECONDS
from did_health.roles.signing import default_suite
from did_health.vc.proofs.data_integrity import add_proof, verify_proofs

_FORMAT: Final = "did-health/key-change/v1"
_PURPOSE: Final = "authentication"
_SELF_CERTIFYING: Final = ("did:key:", "did:jwk:")
CHANGE_LIFETIME: Final = timedelta(days=30)
"""For so long after it was signed issuers act on a statement."""


@dataclass(frozen=True, slots=True)
class KeyChange:
    """What the statement says: the holder of ``old`` goes on as ``new``, both DIDs of keys, since ``at``."""

    old: str
    new: str
    at: datetime

    @classmethod
    def verified(cls, data: bytes, *, now: datetime) -> KeyChange:
        """Read a statement and verify both its signatures.

        Raises ``FormatError`` for what is none, and ``VerificationError``: ``key_change_unsigned`` if a signature is missing or does not
        hold, ``key_change_expired`` for one that is older than ``CHANGE_LIFETIME`` or from the future.
        """
        document = strict_json.loads_object(data, what="key change")
        old, new, at = document.get("from"), document.get("to"), document.get("at")
        if document.get("format") != _FORMAT or not isinstance(old, str) or not isinstance(new, str) or not isinstance(at, str):
            raise FormatError("the file is not a statement of a key change")
        if old == new or not old.startswith(_SELF_CERTIFYING) or not new.startswith(_SELF_CERTIFYING):
            raise FormatError("a key change leads from one did:key or did:jwk to another")
        change = cls(old, new, timestamps.parse(at))
        if not change.at - timedelta(seconds=MAX_CLOCK_SKEW_SECONDS) <= timestamps.require_aware(now) < change.at + CHANGE_LIFETIME:
            raise VerificationError("the key change was signed too long ago, or is from the future", hint="Sign a new one", code="key_change_expired")
        try:
            proofs = verify_proofs(document, lambda method, purpose, _: _key(method, purpose, now), purpose=_PURPOSE, now=now)
        except (VerificationError, ResolutionError, UnsupportedError, FormatError) as error:
            raise VerificationError(f"a signature of the key change does not hold: {error}", code="key_change_unsigned") from error
        if {proof.verification_method.partition("#")[0] for proof in proofs} != {old, new}:
            raise VerificationError("the key change is not signed by both the old key and the new one", code="key_change_unsigned")
        return change


def sign_key_change(old: tuple[str, ExportableSigner], new: tuple[str, ExportableSigner], now: datetime) -> bytes:
    """The statement that the first ``(did:key, signer)`` is followed by the second, as JSON."""
    document: JSONObject = {"format": _FORMAT, "from": old[0], "to": new[0], "at": timestamps.format(now)}
    for did, signer in (old, new):
        method = f"{did}#{signer.public_key.multikey}"
        document = add_proof(document, suite=default_suite(signer), signer=signer, verification_method=method, purpose=_PURPOSE, created=now)
    return strict_json.dumps(document)


def _key(method: str, purpose: str, now: datetime) -> PublicKey:
    document: DIDDocument | None = resolve(method.partition("#")[0], {}, now=now).document
    if document is None:
        raise ResolutionError("the DID has no document", code="NOT_FOUND")
    return document.key(method, purpose, now)


