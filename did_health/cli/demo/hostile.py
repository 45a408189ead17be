"""Tools that no honest wallet or board has: they sign whatever they are told to. Only for the gallery of bad cases."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

from did_health.did.methods.key import did_key
from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.health.claims import CREDENTIALS_CONTEXT, HEALTH_CONTEXT
from did_health.keys import generate
from did_health.roles.documents import RECEIPT
from did_health.roles.institution import Institution
from did_health.roles.signing import default_suite
from did_health.vc.proofs.data_integrity import add_proof


class HostileHolder:
    """Presents anything, also what is about somebody else or never was issued, with a signature that is all right in itself."""

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._signer = generate(random)
        self.did = str(did_key(self._signer.public_key))

    def present(self, credentials: Sequence[tuple[JSONObject, JSON]], *, audience: str, nonce: str, now: datetime) -> bytes:
        """A signed presentation of ``(credential, receipt)`` pairs; a receipt may be ``None``."""
        document: JSONObject = {
            "@context": [CREDENTIALS_CONTEXT, HEALTH_CONTEXT],
            "type": ["VerifiablePresentation"],
            "holder": self.did,
            "verifiableCredential": [credential for credential, _ in credentials],
            RECEIPT: [receipt for _, receipt in credentials],
        }
        return strict_json.dumps(
            add_proof(
                document,
                suite=default_suite(self._signer),
                signer=self._signer,
                verification_method=f"{self.did}#{self._signer.public_key.multikey}",
                purpose="authentication",
                created=now,
                domain=audience,
                challenge=nonce,
            )
        )


def signed_with_stolen_key(institution: Institution, model: JSONObject, *, subject: str, random: Callable[[int], bytes], now: datetime) -> JSONObject:
    """A credential like ``model`` about ``subject``, signed with the institution's real assertion key behind its back: never logged."""
    document = {name: value for name, value in model.items() if name != "proof"}
    document["id"] = uuid.UUID(bytes=random(16), version=4).urn
    document["credentialSubject"] = {**model["credentialSubject"], "id": subject}
    signer = institution.keys.assertion
    return add_proof(document, suite=default_suite(signer), signer=signer, verification_method=institution.verification_method, created=now)
