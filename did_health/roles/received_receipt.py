"""A verification receipt as it travels: the signed credential, and the proof that it is on the ledger once it is there.

::

    {"credential": {…}, "receiptProof": {…}}
"""

from __future__ import annotations

from dataclasses import dataclass, field

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health.verification_receipt import VerificationReceipt
from did_health.ledger.batch import ReceiptProof
from did_health.roles.documents import RECEIPT_PROOF
from did_health.vc.credential import Credential


@dataclass(frozen=True, slots=True)
class ReceivedReceipt:
    """``credential`` is signed by the verifier, which nobody has verified here; ``proof`` is ``None`` until the receipt is logged."""

    credential: JSONObject = field(repr=False)
    proof: JSONObject | None = field(repr=False, default=None)

    @property
    def id(self) -> str:
        """The credential's id."""
        return str(self.credential["id"])

    @property
    def subject(self) -> str:
        """The DID of the person whose claims were shown."""
        return str(Credential.parse(self.credential).subjects[0].get("id"))

    @property
    def receipt(self) -> VerificationReceipt:
        """What it says; raises ``FormatError``."""
        return VerificationReceipt.from_subject(Credential.parse(self.credential).subjects[0])

    def to_object(self) -> JSONObject:
        """The document that travels."""
        return {"credential": self.credential} if self.proof is None else {"credential": self.credential, RECEIPT_PROOF: self.proof}

    def to_json(self) -> bytes:
        """Its bytes."""
        return strict_json.dumps(self.to_object())

    @classmethod
    def parse(cls, data: bytes) -> ReceivedReceipt:
        """Read what ``to_json`` wrote; raises ``FormatError``."""
        return cls.from_object(strict_json.loads_object(data, what="verification receipt"))

    @classmethod
    def from_object(cls, document: object, where: str = "") -> ReceivedReceipt:
        """As ``parse``, of a document that was read already."""
        credential, proof = (document.get("credential"), document.get(RECEIPT_PROOF)) if isinstance(document, dict) else (None, None)
        if not isinstance(credential, dict) or not isinstance(proof, dict | None):
            raise FormatError("the document does not hold a verification receipt", where=where)
        parsed = Credential.parse(credential)
        if parsed.id is None or not parsed.has_type(VerificationReceipt.credential_type) or len(parsed.subjects) != 1:
            raise FormatError("the credential is no verification receipt about one person", where=f"{where}/credential")
        receipt = VerificationReceipt.from_subject(parsed.subjects[0])
        if receipt.verifier != parsed.issuer_id:
            raise FormatError("the receipt names another verifier than the one that issued it", where=f"{where}/credential/credentialSubject/verifier")
        if proof is not None:
            ReceiptProof.parse(proof)
        return cls(credential, proof)
