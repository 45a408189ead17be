"""Facts: what evidence proves about the newest state of DIDs, status lists and registry records, each verified once for its content.

Whatever cannot be proved raises ``Unproven``, which says whether that is a no (``fail``) or a don't-know (``unknown``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from did_health.did.did import DID, DIDURL
from did_health.did.document import DIDDocument
from did_health.did.resolution import required_urls, resolve
from did_health.encoding.strict_json import JSON
from did_health.errors import FormatError, ResolutionError, UnsupportedError, VerificationError
from did_health.keys import PublicKey
from did_health.ledger.batch import IssuanceReceipt
from did_health.ledger.entry import Entry, Kind, did_subject, subject_of
from did_health.limits import MAX_DID_LOG_BYTES, MAX_RESPONSE_BYTES
from did_health.roles.evidence import Evidence, Need
from did_health.roles.memo import Memo
from did_health.roles.report import Outcome
from did_health.tlog.proof import TlogProof
from did_health.tlog.witness_policy import WitnessPolicy, verify_proof
from did_health.trust.policy import TrustPolicy
from did_health.trust.registry import ACTION_ISSUE, RegistryRecord, record_identifier
from did_health.vc.credential import Credential
from did_health.vc.proofs.data_integrity import verify_proofs
from did_health.vc.status import StatusEntry, StatusListCredential, StatusResult, check_status

WEBVH: Final = "webvh"
_SELF_CERTIFYING: Final = frozenset({"key", "jwk"})


class Unproven(VerificationError):  # it is no error of the program: it is one way for a check to end
    """The evidence does not prove what a check asks for: ``outcome`` is ``fail`` (it proves the contrary) or ``unknown``."""

    def __init__(self, outcome: Outcome, code: str, sentence: str, as_of: datetime | None = None) -> None:
        super().__init__(sentence, code=code)
        self.outcome = outcome
        self.as_of = as_of


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest entry of a subject, as a witnessed checkpoint shows it; ``as_of`` is the smallest timestamp within the quorum."""

    entry: Entry
    as_of: datetime


@dataclass(frozen=True, slots=True)
class DIDFacts:
    """A resolved DID; ``as_of`` is ``None`` for a DID that cannot change (did:key, did:jwk), ``version`` the digest of its last log line."""

    document: DIDDocument
    as_of: datetime | None
    version: bytes = b""


@dataclass(frozen=True, slots=True)
class ContentFacts:
    """The credential that is the newest content of its subject, its proof verified; ``digest`` is that of its bytes on the ledger."""

    credential: Credential
    digest: bytes
    as_of: datetime


class Facts:
    """What one collection of evidence proves under one policy at one moment."""

    __slots__ = ("_evidence", "_ledger", "_max_age", "_policy", "memo", "now")

    def __init__(self, policy: TrustPolicy, evidence: Evidence, memo: Memo, now: datetime, max_age: timedelta) -> None:
        self._ledger = policy.ledger or WitnessPolicy()
        self._policy, self._evidence, self.memo, self.now, self._max_age = policy, evidence, memo, now, max_age

    @property
    def registry_authority(self) -> str:
        """The DID of the registry authority that the policy names."""
        return self._policy.registry_authority

    # ---- planning

    def needs_of_latest(self, subject: bytes) -> list[Need]:
        """Where to ask for the newest entry of ``subject``."""
        return [Need(url) for url in self._latest_urls(subject) if url not in self._evidence]

    def needs_of_did(self, text: str) -> list[Need]:
        """What is missing to resolve a DID and to know that it is the newest version."""
        did = DID.parse(text)
        needs = [Need(url, MAX_DID_LOG_BYTES) for url in required_urls(did) if url not in self._evidence]
        return needs + self.needs_of_latest(did_subject(str(did))) if did.method == WEBVH else needs

    def needs_of_content(self, subject: bytes) -> list[Need]:
        """What is missing to have the newest content of ``subject``: first its entry, then what the entry names."""
        if needs := self.needs_of_latest(subject):
            return needs
        try:
            latest = self.latest(subject)
        except (Unproven, FormatError):
            return []
        if latest is None or any(url in self._evidence for url in self._content_urls(latest.entry)):
            return []
        return [Need(url, MAX_RESPONSE_BYTES) for url in self._content_urls(latest.entry)[:1]]

    def record_subject(self, issuer: str, resource: str) -> bytes:
        """The subject of the registry record by which ``issuer`` may issue ``resource``."""
        return subject_of(Kind.REGISTRY_RECORD, record_identifier(self._policy.registry_authority, issuer, ACTION_ISSUE, resource))

    # ---- facts

    def latest(self, subject: bytes) -> Latest | None:
        """The newest entry of ``subject``, or ``None`` if the ledger said that it has none.

        Raises ``Unproven`` if nobody answered, if the proof does not hold, or if it is older than the policy allows.
        """
        newest: Latest | None = None
        answered = False
        for url in self._latest_urls(subject):
            item = self._evidence.get(url)
            if item is None:
                continue
            answered = True
            if item.content is not None:
                content = item.content
                found = self.memo.get((Latest, subject, content, self._ledger), lambda content=content: self._proved(subject, content))  # type: ignore[misc]
                if newest is None or found.entry.seq > newest.entry.seq:
                    newest = found
            elif self.now - item.fetched_at > self._max_age:
                raise Unproven(Outcome.UNKNOWN, "evidence_stale", "the ledger's answer is older than the policy allows", item.fetched_at)
        if not answered:
            raise Unproven(Outcome.UNKNOWN, "ledger_unavailable", "no ledger could be asked for the newest state")
        if newest is not None:
            self._require_fresh(newest.as_of)
        return newest

    def did(self, text: str) -> DIDFacts:
        """The DID's document by the newest log. Raises ``Unproven``."""
        try:
            did = DID.parse(text)
            if did.method in _SELF_CERTIFYING:
                return self.memo.get((DIDFacts, text), lambda: DIDFacts(resolve(did, {}, now=self.now).active_document, None))
            if did.method != WEBVH:
                raise Unproven(Outcome.UNKNOWN, "did_not_on_ledger", f"a did:{did.method} is not on the ledger, so its newest state cannot be proved")
            return self._webvh(did)
        except UnsupportedError as error:
            raise Unproven(Outcome.FAIL, "did_method_not_supported", str(error)) from error
        except ResolutionError as error:
            outcome = Outcome.UNKNOWN if error.code in ("NOT_FOUND", "INTERNAL_ERROR") else Outcome.FAIL
            raise Unproven(outcome, f"did_{error.code.lower()}", str(error)) from error
        except FormatError as error:
            raise Unproven(Outcome.FAIL, "did_malformed", str(error)) from error

    def key(self, verification_method: str, purpose: str, controller: str | None = None) -> PublicKey:
        """The key of a verification method for a proof purpose; the ``KeySource`` of every proof. Raises ``Unproven``."""
        did = verification_method.partition("#")[0]
        if controller is not None and did != controller:
            raise Unproven(Outcome.FAIL, "wrong_controller", "the proof was made with somebody else's key")
        document = self.did(did).document
        return document.key(verification_method, purpose, self.now)

    def content(self, kind: Kind, identifier: str, author: str) -> ContentFacts | None:
        """The newest logged credential of a subject, issued and signed by ``author``; ``None`` if the ledger has none.

        Raises ``Unproven``; ``as_of`` of the result is the older of the entry's and the author's.
        """
        latest = self.latest(subject_of(kind, identifier))
        if latest is None:
            return None
        item = next((item for url in self._content_urls(latest.entry) if (item := self._evidence.get(url)) is not None and item.content is not None), None)
        if item is None or item.content is None:
            raise Unproven(Outcome.UNKNOWN, f"{kind}_unavailable", f"the newest {kind.replace('-', ' ')} could not be had", latest.as_of)
        content = item.content
        author_facts = self.did(author)
        credential = self.memo.get(
            (ContentFacts, latest.entry.content, content, author, author_facts.version),
            lambda: self._secured(kind, content, latest.entry.content, author),
        )
        return ContentFacts(credential, latest.entry.content, min(latest.as_of, author_facts.as_of or latest.as_of))

    def record(self, issuer: str, resource: str) -> tuple[RegistryRecord, datetime] | None:
        """The registry record by which ``issuer`` may issue ``resource``, and its time; ``None`` if there is none. Raises ``Unproven``."""
        authority = self._policy.registry_authority
        facts = self.content(Kind.REGISTRY_RECORD, record_identifier(authority, issuer, ACTION_ISSUE, resource), authority)
        if facts is None:
            return None
        record = self.memo.get((RegistryRecord, facts.digest), lambda: RegistryRecord.from_credential(facts.credential))
        if record.entity != issuer or record.resource != resource or record.authority != authority:
            raise Unproven(Outcome.FAIL, "registry_record_mismatch", "the registry record is about somebody or something else", facts.as_of)
        return record, facts.as_of

    def status(self, raw: JSON, issuer: str) -> tuple[StatusResult, datetime]:
        """The value of a ``credentialStatus`` entry by the issuer's newest list, and the list's time. Raises ``Unproven``."""
        try:
            entry = StatusEntry.parse(raw)
        except UnsupportedError as error:
            raise Unproven(Outcome.UNKNOWN, "status_unsupported", f"the status is of a kind that is not supported: {error}") from error
        except FormatError as error:
            raise Unproven(Outcome.FAIL, "status_malformed", f"the credential's status entry is malformed: {error}") from error
        facts = self.content(Kind.STATUS_LIST, entry.list_url, issuer)
        if facts is None:
            raise Unproven(Outcome.UNKNOWN, "status_list_not_logged", "the ledger has never seen the status list that the credential names")
        try:
            status_list = self.memo.get((StatusListCredential, facts.digest), lambda: StatusListCredential.parse(facts.credential))
            return check_status(entry, status_list, self.now), facts.as_of
        except (VerificationError, FormatError, UnsupportedError) as error:
            raise Unproven(Outcome.UNKNOWN, f"status_{error.code.lower()}", f"the status list gives no answer: {error}", facts.as_of) from error

    def issuance(self, receipt: IssuanceReceipt, issuer: str) -> tuple[Entry, datetime]:
        """The batch entry of an issuance receipt, signed by ``issuer``, and when it was witnessed; verifies all of the receipt but its path.

        Raises ``Unproven``.
        """
        return self.memo.get((IssuanceReceipt, receipt.ledger_proof, issuer, self._ledger), lambda: self._issuance(receipt, issuer))

    # ---- how each is proved

    def _latest_urls(self, subject: bytes) -> Sequence[str]:
        name = subject.hex()
        return [f"{log.url}/latest/{name}" for log in self._ledger.logs if log.url]

    def _content_urls(self, entry: Entry) -> Sequence[str]:
        name = entry.content.hex()
        return [f"{log.url}/content/{name}" for log in self._ledger.logs if log.url]

    def _require_fresh(self, as_of: datetime) -> None:
        if self.now - as_of > self._max_age:
            raise Unproven(Outcome.UNKNOWN, "evidence_stale", "the newest evidence is older than the policy allows", as_of)

    def _proved(self, subject: bytes, content: bytes) -> Latest:
        try:
            proof = TlogProof.parse(content)
            if proof.extra is None:
                raise FormatError("the proof of the newest entry lacks the entry")
            entry = Entry.parse(proof.extra)
        except (FormatError, UnsupportedError) as error:
            raise Unproven(Outcome.UNKNOWN, "ledger_proof_malformed", f"the ledger's answer is malformed: {error}") from error
        try:
            verified = verify_proof(proof, proof.extra, self._ledger, now=int(self.now.timestamp()))
        except (VerificationError, FormatError) as error:
            raise Unproven(Outcome.FAIL, "ledger_proof_invalid", f"the ledger's proof does not hold: {error}") from error
        as_of = _witnessed_at(verified.timestamp)
        if entry.subject != subject:
            raise Unproven(Outcome.UNKNOWN, "ledger_proof_mismatch", "the ledger answered about another subject")
        return Latest(entry, as_of)

    def _webvh(self, did: DID) -> DIDFacts:
        latest = self.latest(did_subject(str(did)))
        if latest is None:
            raise Unproven(Outcome.FAIL, "did_not_logged", "the ledger has never seen this DID")
        resources = {url: item.content for url in required_urls(did) if (item := self._evidence.get(url)) is not None}
        log = resources.get(required_urls(did)[0])
        if log is None:
            raise Unproven(Outcome.UNKNOWN, "did_unavailable", "the DID's log could not be had", latest.as_of)
        document = self.memo.get((DIDFacts, str(did), latest.entry.content, *resources.items()), lambda: self._resolved(did, resources, log, latest))
        return DIDFacts(document, latest.as_of, latest.entry.content)

    def _resolved(self, did: DID, resources: dict[str, bytes | None], log: bytes, latest: Latest) -> DIDDocument:
        last_line = log.rstrip(b"\n").rpartition(b"\n")[2]
        if hashlib.sha256(last_line).digest() != latest.entry.content:
            raise Unproven(Outcome.UNKNOWN, "did_log_not_latest", "the DID's log is not the newest that the ledger knows", latest.as_of)
        return resolve(did, resources, now=self.now).active_document

    def _issuance(self, receipt: IssuanceReceipt, issuer: str) -> tuple[Entry, datetime]:
        try:
            found = receipt.verify_ledger_proof(self._ledger, now=int(self.now.timestamp()))
            if found.entry.subject != subject_of(Kind.ISSUANCE_BATCH, issuer):
                raise Unproven(Outcome.FAIL, "receipt_of_another_issuer", "the issuance receipt is another issuer's")
            found.entry.verify(self.key(found.entry.author, "assertionMethod", issuer))
        except Unproven:
            raise
        except (VerificationError, ResolutionError, FormatError, UnsupportedError) as error:
            raise Unproven(Outcome.FAIL, "receipt_invalid", f"the issuance receipt does not hold: {error}") from error
        return found.entry, _witnessed_at(found.timestamp)

    def _secured(self, kind: Kind, content: bytes, digest: bytes, author: str) -> Credential:
        what = kind.replace("-", " ")
        if hashlib.sha256(content).digest() != digest:
            raise Unproven(Outcome.UNKNOWN, f"{kind}_not_latest", f"what was given as the newest {what} is not what the ledger has")
        try:
            credential = Credential.parse(content)
            if credential.issuer_id != author:
                raise Unproven(Outcome.FAIL, f"{kind}_wrong_issuer", f"the {what} was not issued by its author")
            verify_proofs(credential.raw, self.key, purpose="assertionMethod", now=self.now)
        except (FormatError, UnsupportedError) as error:
            raise Unproven(Outcome.UNKNOWN, f"{kind}_malformed", f"the {what} is malformed: {error}") from error
        except Unproven:
            raise
        except VerificationError as error:
            raise Unproven(Outcome.FAIL, f"{kind}_not_authentic", f"the {what} is not signed by its author: {error}") from error
        return credential


def _witnessed_at(timestamp: int | None) -> datetime:
    if timestamp is None:
        raise Unproven(Outcome.UNKNOWN, "checkpoint_not_witnessed", "the policy asks for no witness, so nobody vouches for the checkpoint's age")
    return datetime.fromtimestamp(timestamp, UTC)


def did_of(url: str) -> str:
    """The DID of a DID URL; raises ``FormatError``."""
    return str(DIDURL.parse(url).did)
