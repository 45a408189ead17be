"""Shift bundles: one file with all the evidence that a counter needs for some hours without a network, made by whoever has one.

::

    {
      "format": "did-health/shift-bundle/v1",
      "for": "pharmacy",                        what the counter is
      "madeAt": "2026-03-01T06:00:00Z",
      "madeBy": "did:webvh:…",                  who signed it; null if nobody did
      "policyDigest": "…",                      base64 of the SHA-256 of the trust policy that it was gathered under
      "boards": ["did:webvh:…"],                whose credentials it serves for
      "types": ["PhysicianLicenseCredential"],  which credentials of theirs
      "evidence": {…},                          see ``roles.evidence``
      "proof": {…}                              eddsa-jcs-2022 (ecdsa-jcs-2019 with a NIST key) by madeBy; missing if nobody signed
    }

What the evidence proves, it proves by the ledger and its witnesses, whoever carried it: a signature only tells who gathered it and when, and
that nothing was left out or added since. The signer's DID log is part of the evidence, so that the signature can be checked offline too;
whether the signer's key was replaced since the bundle was made cannot be told offline.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from did_health.did.did import DID
from did_health.encoding import strict_json, timestamps
from did_health.encoding.base64 import base64_decode, base64_encode
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, VerificationError
from did_health.limits import MAX_GATHER_BYTES, MAX_SHIFT_BOARDS, MAX_SHIFT_TYPES
from did_health.roles.evidence import Evidence
from did_health.roles.institution import Institution
from did_health.roles.ledger_state import LedgerState
from did_health.roles.shift import ShiftOrder
from did_health.roles.signed_documents import verify_signed
from did_health.trust.policy import TrustPolicy

FORMAT: Final = "did-health/shift-bundle/v1"
_MEMBERS: Final = frozenset({"format", "for", "madeAt", "madeBy", "policyDigest", "boards", "types", "evidence"})
_PROOF: Final = "proof"
_DIGEST_BYTES: Final = 32


def policy_digest(policy: TrustPolicy) -> bytes:
    """SHA-256 of a trust policy in its one layout, so that comments and spacing do not matter."""
    return hashlib.sha256(policy.encode().encode()).digest()


@dataclass(frozen=True, slots=True)
class ShiftBundle:
    """A bundle as it was read; nothing of it is verified yet. ``document`` is the whole of it."""

    order: ShiftOrder
    made_at: datetime
    policy_digest: bytes
    evidence: Evidence = field(repr=False)
    document: JSONObject = field(repr=False, compare=False)

    @property
    def is_signed(self) -> bool:
        """Whether there is a signature, good or bad."""
        return _PROOF in self.document

    @classmethod
    def make(cls, order: ShiftOrder, policy: TrustPolicy, evidence: Evidence, *, now: datetime, signer: Institution | None = None) -> ShiftBundle:
        """The bundle of what was gathered for ``order``, signed by the institution that the order names, if it names one.

        Raises ``ValueError`` if the order names another signer than ``signer``.
        """
        if order.signer != (signer.did if signer else None):
            raise ValueError("the order names another signer")
        document: JSONObject = {
            "format": FORMAT,
            "for": order.counter,
            "madeAt": timestamps.format(now),
            "madeBy": order.signer,
            "policyDigest": base64_encode(policy_digest(policy)),
            "boards": list(order.boards),
            "types": list(order.types),
            "evidence": evidence.to_object(),
        }
        if signer is not None:
            document = signer.secured(document, created=now)
        return cls.from_object(document)

    def to_json(self) -> bytes:
        """As a file that ``parse`` reads again."""
        return strict_json.dumps(self.document)

    @classmethod
    def parse(cls, data: bytes) -> ShiftBundle:
        """Read a bundle; raises ``FormatError``."""
        return cls.from_object(strict_json.loads_object(data, what="shift bundle", max_bytes=2 * MAX_GATHER_BYTES))

    @classmethod
    def from_object(cls, document: JSONObject) -> ShiftBundle:
        """As ``parse``, of a document that was read already."""
        if document.get("format") != FORMAT:
            raise FormatError("the file is not a did-health shift bundle", hint="Make one with: did-health bundle make")
        if document.keys() - {_PROOF} != _MEMBERS:
            raise FormatError("the shift bundle lacks a member, or has one that means nothing", hint=f"Its members are: {', '.join(sorted(_MEMBERS))}")
        counter, maker, made_at, digest = (document[name] for name in ("for", "madeBy", "madeAt", "policyDigest"))
        if not isinstance(counter, str) or not isinstance(made_at, str) or not isinstance(digest, str) or not isinstance(maker, str | None):
            raise FormatError("a member of the shift bundle is not a text")
        if (maker is None) == (_PROOF in document):
            raise FormatError("a shift bundle has a signature if it says who signed it, and only then", where="/madeBy")
        if len(raw := base64_decode(digest, what="policy digest")) != _DIGEST_BYTES:
            raise FormatError("the policy digest has not 32 bytes", where="/policyDigest")
        boards = _texts(document, "boards", MAX_SHIFT_BOARDS)
        for did in [*boards, *([maker] if maker else [])]:
            DID.parse(did)
        evidence = document["evidence"]
        if not isinstance(evidence, dict):
            raise FormatError("the evidence of the shift bundle is not an object", where="/evidence")
        order = ShiftOrder(counter, boards, _texts(document, "types", MAX_SHIFT_TYPES), maker)
        return cls(order, timestamps.parse(made_at), raw, Evidence.from_object(evidence), document)

    def verify_signature(self, state: LedgerState, now: datetime, *, by: str | None = None) -> str | None:
        """The DID of who signed, ``None`` if nobody did; with ``by`` (a DID) it must have been signed by that one.

        ``state`` is that of the bundle's own evidence, which proves whose key it is. Raises ``VerificationError``: ``bundle_not_signed``,
        ``bundle_of_another_signer``, ``bundle_signature_invalid``.
        """
        signer = self.order.signer
        if signer is None:
            if by is not None:
                raise VerificationError("nobody has signed the shift bundle", code="bundle_not_signed", hint="Ask for a signed one")
            return None
        if by is not None and signer != by:
            raise VerificationError("the shift bundle is signed by somebody else", where="/madeBy", code="bundle_of_another_signer")

        verify_signed(self.document, signer, state, now, what="shift bundle", code="bundle_signature_invalid")
        return signer


def _texts(document: JSONObject, name: str, most: int) -> tuple[str, ...]:
    values: JSON = document[name]
    if not isinstance(values, list) or not 0 < len(values) <= most or not all(isinstance(value, str) and value for value in values):
        raise FormatError(f"the shift bundle has not 1 to {most} texts here", where=f"/{name}")
    if len(set(values)) != len(values):
        raise FormatError("the shift bundle names something twice", where=f"/{name}")
    return tuple(values)
