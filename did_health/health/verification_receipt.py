"""What a verifier signs about a verification: who asked whom for what and when, and what came of it. Names of claims, never their values.

A ``VerificationReceipt`` is a credential about whoever's claims were shown, by the institution that verified them. It is an entry of an
activity log; it is no accounting of disclosures in the sense of HIPAA.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from did_health.encoding import multibase, timestamps
from did_health.encoding.base64 import base64_decode, base64_encode
from did_health.encoding.multihash import SHA2_256
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health import claims, fields
from did_health.health.purposes import PURPOSES, ClaimName

VERDICTS: Final = frozenset({"accept", "conditional", "refuse", "indeterminate"})
_DIGEST_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class StatusEvidence:
    """A status list that the verifier looked at: its URL, the SHA-256 of its document, and when it was fetched."""

    list_url: str
    digest: bytes
    fetched_at: datetime

    def to_json(self) -> JSONObject:
        """``{list, digest, fetchedAt}``; the digest is a multibase multihash."""
        return {"list": self.list_url, "digest": _multihash(self.digest), "fetchedAt": timestamps.format(self.fetched_at)}

    @classmethod
    def from_json(cls, value: object, where: str) -> StatusEvidence:
        """Read what ``to_json`` wrote; raises ``FormatError``."""
        document = fields.json_object(value, where, "status evidence")
        digest = _sha256(fields.member(document, "digest", where), f"{where}/digest")
        url = fields.uri(fields.member(document, "list", where), f"{where}/list", "list's URL")
        return cls(url, digest, _moment(document, "fetchedAt", where))


@dataclass(frozen=True, slots=True)
class SeenCheckpoint:
    """The state of a log under which the verifier judged: its origin, size and root."""

    origin: str
    size: int
    root: bytes

    def to_json(self) -> JSONObject:
        """``{origin, size, root}``; the root is base64, as in the checkpoint itself."""
        return {"origin": self.origin, "size": self.size, "root": base64_encode(self.root)}

    @classmethod
    def from_json(cls, value: object, where: str) -> SeenCheckpoint:
        """Read what ``to_json`` wrote; raises ``FormatError``."""
        document = fields.json_object(value, where, "checkpoint")
        size, root = fields.member(document, "size", where), fields.text(fields.member(document, "root", where), f"{where}/root", "root")
        if type(size) is not int or not 0 <= size <= 1 << 53:
            raise FormatError("the size of a log is not a number", where=f"{where}/size")
        decoded = base64_decode(root, what="root")
        if len(decoded) != _DIGEST_BYTES:
            raise FormatError("the root of a log has 32 bytes", where=f"{where}/root")
        return cls(fields.text(fields.member(document, "origin", where), f"{where}/origin", "origin"), size, decoded)


@dataclass(frozen=True, slots=True)
class ReceiptOverride:
    """Who at the verifier's decided against the verdict, and why. Whoever writes the reason leaves claims out of it."""

    by: str
    reason: str

    def __post_init__(self) -> None:
        fields.text(self.by, "/override/by", "name of who decided")
        fields.text(self.reason, "/override/reason", "reason")

    def to_json(self) -> JSONObject:
        """``{by, reason}``."""
        return {"by": self.by, "reason": self.reason}

    @classmethod
    def from_json(cls, value: object) -> ReceiptOverride:
        """Read what ``to_json`` wrote; raises ``FormatError``."""
        document = fields.json_object(value, "/override", "override")
        return cls(fields.member(document, "by", "/override"), fields.member(document, "reason", "/override"))


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReceipt:
    """One verification, as far as it concerns one person.

    ``verifier`` is the DID that signs, ``claims_requested`` and ``claims_disclosed`` are names, ``reasons`` the codes of the report. ``log_head``
    is the digest of a row that the verifier's log had at that time, its newest as far as it knew (empty: it had none): its holder can tell
    later whether that row has gone. Where in the log it stands is left out, for it would tell how many verifications there are.
    Raises ``FormatError`` naming the member that is wrong.
    """

    credential_type: ClassVar[str] = "VerificationReceipt"
    schema_url: ClassVar[str] = claims.schema_url(credential_type)
    contexts: ClassVar[tuple[str, ...]] = claims.CONTEXTS

    receipt_id: str
    verifier: str
    purpose: str
    at: datetime
    claims_requested: tuple[ClaimName, ...]
    claims_disclosed: tuple[ClaimName, ...]
    policy_id: str
    verdict: str
    reasons: tuple[str, ...] = ()
    status_evidence: tuple[StatusEvidence, ...] = ()
    checkpoint: SeenCheckpoint | None = None
    override: ReceiptOverride | None = None
    log_head: bytes = b""

    def __post_init__(self) -> None:
        fields.uri(self.receipt_id, "/receiptId", "receipt's id")
        fields.did(self.verifier, "/verifier", "verifier")
        fields.one_of(self.purpose, PURPOSES, "/purpose", "purpose")
        fields.moment(self.at, "/at", "time of the verification")
        for names, where in ((self.claims_requested, "/claimsRequested"), (self.claims_disclosed, "/claimsDisclosed")):
            fields.items(names, where, "names of claims", lambda item, at: fields.instance(item, ClaimName, at, "name of a claim"))
        fields.text(self.policy_id, "/policyId", "policy's id")
        fields.one_of(self.verdict, VERDICTS, "/verdict", "verdict")
        fields.items(self.reasons, "/reasons", "reasons", lambda item, at: fields.word(item, at, "reason"))
        fields.items(self.status_evidence, "/statusEvidence", "lists", lambda item, at: fields.instance(item, StatusEvidence, at, "list"))
        if len(self.log_head) not in (0, _DIGEST_BYTES):
            raise FormatError("the head of the log is no digest", where="/logHead")

    def to_subject(self, subject_id: str) -> JSONObject:
        """The ``credentialSubject``; ``subject_id`` is the DID of the person."""
        subject: JSONObject = {
            "id": fields.did(subject_id, "/id", "subject's id"),
            "receiptId": self.receipt_id,
            "verifier": self.verifier,
            "purpose": self.purpose,
            "at": timestamps.format(self.at),
            "claimsRequested": [str(name) for name in self.claims_requested],
            "claimsDisclosed": [str(name) for name in self.claims_disclosed],
            "policyId": self.policy_id,
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "statusEvidence": [evidence.to_json() for evidence in self.status_evidence],
        }
        return subject | fields.present(
            checkpoint=self.checkpoint.to_json() if self.checkpoint else None,
            override=self.override.to_json() if self.override else None,
            logHead=_multihash(self.log_head) if self.log_head else None,
        )

    @classmethod
    def from_subject(cls, subject: Mapping[str, Any]) -> VerificationReceipt:
        """Read a ``credentialSubject``; raises ``FormatError``."""
        document = fields.json_object(subject, "", "credentialSubject")
        return cls(
            receipt_id=fields.member(document, "receiptId"),
            verifier=fields.member(document, "verifier"),
            purpose=fields.member(document, "purpose"),
            at=_moment(document, "at", ""),
            claims_requested=_names(document, "claimsRequested"),
            claims_disclosed=_names(document, "claimsDisclosed"),
            policy_id=fields.member(document, "policyId"),
            verdict=fields.member(document, "verdict"),
            reasons=fields.json_list(document.get("reasons"), "/reasons", "reasons"),
            status_evidence=tuple(
                StatusEvidence.from_json(item, f"/statusEvidence/{place}")
                for place, item in enumerate(fields.json_list(document.get("statusEvidence"), "/statusEvidence", "lists"))
            ),
            checkpoint=SeenCheckpoint.from_json(document["checkpoint"], "/checkpoint") if "checkpoint" in document else None,
            override=ReceiptOverride.from_json(document["override"]) if "override" in document else None,
            log_head=_sha256(document["logHead"], "/logHead") if "logHead" in document else b"",
        )


def _multihash(digest: bytes) -> str:
    return multibase.encode("u", SHA2_256 + digest)


def _sha256(value: object, where: str) -> bytes:
    try:
        multihash = multibase.decode(fields.text(value, where, "digest"), what="digest", allowed="u")
    except FormatError as error:
        raise FormatError(error.what, where=where, hint=error.hint) from error
    if not multihash.startswith(SHA2_256) or len(multihash) != len(SHA2_256) + _DIGEST_BYTES:
        raise FormatError("the digest is not a SHA-256 multihash", where=where)
    return multihash[len(SHA2_256) :]


def _names(document: JSONObject, member: str) -> tuple[ClaimName, ...]:
    names = fields.json_list(fields.member(document, member), f"/{member}", "names of claims")
    return tuple(ClaimName.parse(name, f"/{member}/{place}") for place, name in enumerate(names))


def _moment(document: JSONObject, member: str, where: str) -> datetime:
    value = fields.member(document, member, where)
    if not isinstance(value, str):
        raise FormatError("a time is a text", where=f"{where}/{member}")
    try:
        return timestamps.parse(value)
    except FormatError as error:
        raise FormatError(error.what, where=f"{where}/{member}", hint=error.hint) from error
