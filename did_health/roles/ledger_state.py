"""What evidence proves about the newest state of DIDs, status lists and registry records; each proof is verified once for its content.

Whether that state is fresh enough is not asked here (see ``facts``): results carry the time for which they are proved. Whatever cannot
be proved raises ``Unproven``, which says whether that is a no (``fail``) or a don't-know (``unknown``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeVar

from did_health.did.did import DID
from did_health.did.document import DIDDocument
from did_health.did.method import Resources
from did_health.did.resolution import required_urls, resolve
from did_health.encoding import strict_json
from did_health.errors import DidHealthError, FormatError, ResolutionError, UnsupportedError, VerificationError
from did_health.keys import PublicKey
from did_health.ledger.batch import IssuanceReceipt
from did_health.ledger.entry import Entry, Kind, did_subject, subject_of
from did_health.ledger.latest import LatestBundle
from did_health.roles.evidence import Evidence
from did_health.roles.memo import Memo
from did_health.roles.pins import Pins, PinsInMemory, require_continued, require_same_view
from did_health.roles.report import Outcome
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.witness_policy import WitnessPolicy
from did_health.trust.policy import TrustPolicy
from did_health.trust.registry import ACTION_ISSUE, RegistryRecord, record_identifier
from did_health.vc.credential import Credential
from did_health.vc.proofs.data_integrity import verify_proofs
from did_health.vc.status import StatusListCredential

WEBVH: Final = "webvh"
_SELF_CERTIFYING: Final = frozenset({"key", "jwk"})
_ASSERTION: Final = "assertionMethod"
INVALID_RECEIPT: Final = frozenset({"receipt_invalid", "receipt_of_another_issuer"})
"""The codes by which ``LedgerState.issuance`` refuses the receipt itself."""
_NO_KEYS: Final[Mapping[str, PublicKey]] = MappingProxyType({})

Result = TypeVar("Result")


class Unproven(VerificationError):  # it is no error of the program: it is one way for a check to end
    """The evidence does not prove what a check asks for: ``outcome`` is ``fail`` (it proves the contrary) or ``unknown``."""

    def __init__(self, outcome: Outcome, code: str, sentence: str, as_of: datetime | None = None) -> None:
        super().__init__(sentence, code=code)
        self.outcome = outcome
        self.as_of = as_of


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest entry of a subject (``None``: no ledger of the policy has one), and the time for which that is proved: the smallest
    timestamp within the quorum that cosigned the checkpoint.
    """

    entry: Entry | None
    as_of: datetime


@dataclass(frozen=True, slots=True)
class DIDState:
    """A resolved DID. ``as_of`` is ``None`` for one that cannot change (did:key, did:jwk); ``version`` is the digest of its last log line.

    ``retired`` are the assertion keys of earlier versions that the document no longer lists, by their URL. The ledger admits nothing
    that is signed with one of them, so what they signed and is on the ledger was signed while they were in force.
    """

    document: DIDDocument
    as_of: datetime | None
    version: bytes = b""
    retired: Mapping[str, PublicKey] = field(default_factory=lambda: _NO_KEYS)

    def key_of_logged(self, url: str, now: datetime) -> PublicKey:
        """The assertion key named ``url`` of something that is on the ledger: it may be retired. Raises as ``DIDDocument.key``."""
        key = self.retired.get(url)
        return key if key is not None else self.document.key(url, _ASSERTION, now)


class Logged(NamedTuple):
    """When a batch of issued credentials was witnessed, and the verification method that its author signed it with."""

    at: datetime
    author: str


@dataclass(frozen=True, slots=True)
class ContentState:
    """The newest logged credential of a subject (``None``: there is none), its proof verified.

    ``digest`` is that of its bytes on the ledger, ``expires`` when the first of its proofs or their keys ends, ``as_of`` the older of the entry's time
    and its author's.
    """

    credential: Credential | None
    as_of: datetime
    digest: bytes = b""
    expires: datetime | None = None


_NONE_BEFORE: Final[tuple[str, Logged | None]] = ("", None)


class LedgerState:
    """What one collection of evidence proves under one policy. ``now`` (aware UTC) bounds timestamps: none may be from the future.

    ``pins`` remember what was seen of the logs; what was asked for after it must not be older (see ``roles.pins``).
    """

    __slots__ = ("_batches", "_known", "_ledger", "_memo", "_pins", "_policy", "evidence")

    def __init__(self, policy: TrustPolicy, evidence: Evidence, memo: Memo, pins: Pins | None = None) -> None:
        self._policy, self.evidence, self._memo = policy, evidence, memo
        self._pins = PinsInMemory() if pins is None else pins
        self._ledger = policy.ledger or WitnessPolicy()
        self._known: dict[Hashable, Any] = {}
        self._batches: dict[Hashable, tuple[str, Logged | None]] = {}

    @property
    def registry_authority(self) -> str:
        """The DID of the registry authority that the policy names."""
        return self._policy.registry_authority

    def latest_urls(self, subject: bytes) -> Sequence[str]:
        """Where the newest entry of ``subject`` is found."""
        name = subject.hex()
        return [f"{log.url}/latest/{name}" for log in self._ledger.logs if log.url]

    def content_urls(self, digest: bytes) -> Sequence[str]:
        """Where a logged document is found."""
        name = digest.hex()
        return [f"{log.url}/content/{name}" for log in self._ledger.logs if log.url]

    def latest(self, subject: bytes, now: datetime) -> Latest:
        """The newest entry of ``subject``, or that it has none. Raises ``Unproven`` if nobody gave a proof, or if it does not hold."""
        return self._once((Latest, subject), self._latest, subject, now)

    def did(self, text: str, now: datetime) -> DIDState:
        """The DID's document by the newest log. Raises ``Unproven``."""
        known = self._known.get((DIDState, text))
        return known if known is not None else self._once((DIDState, text), self._did, text, now)

    def content(self, kind: Kind, identifier: str, author: str, now: datetime) -> ContentState:
        """The newest logged credential of a subject, issued and signed by ``author``. Raises ``Unproven``."""
        return self._once((kind, identifier, author), self._content, kind, identifier, author, now)

    def status_list(self, url: str, issuer: str, now: datetime) -> tuple[StatusListCredential | None, ContentState]:
        """The issuer's newest status list at ``url``. Raises ``Unproven``."""
        return self._once((StatusListCredential, url, issuer), self._status_list, url, issuer, now)

    def has_list(self, url: str, now: datetime) -> bool:
        """Whether it is proved that some status list was logged for ``url``."""
        try:
            return self.latest(subject_of(Kind.STATUS_LIST, url), now).entry is not None
        except Unproven:
            return False

    def known_status_list(self, url: str, issuer: str) -> tuple[StatusListCredential | None, ContentState] | None:
        """What ``status_list`` has found before; ``None`` if it has not been asked."""
        return self._known.get((StatusListCredential, url, issuer))

    def record(self, entity: str, resource: str, now: datetime, action: str = ACTION_ISSUE) -> tuple[RegistryRecord | None, ContentState]:
        """The registry record by which ``entity`` may do ``action`` with ``resource``. Raises ``Unproven``."""
        return self._once((RegistryRecord, entity, resource, action), self._record, entity, resource, now, action)

    def issuance(self, receipt: IssuanceReceipt, issuer: str, now: datetime) -> Logged:
        """When and by which key the batch of an issuance receipt, signed by ``issuer``, was witnessed: all of the receipt is checked but its path, which
        alone is not the same for the whole batch.

        Raises ``Unproven``.
        """
        # The proof is long, and so it is compared rather than hashed.
        batch = (type(receipt), receipt.root, receipt.count, issuer)
        proof, before = self._batches.get(batch, _NONE_BEFORE)
        if before is not None and proof == receipt.ledger_proof:
            return before
        state = self.did(issuer, now)
        logged, checkpoint = self._memo.get((*batch, receipt.ledger_proof, state.version), lambda: self._issuance(receipt, issuer, state, now))
        self._once((require_same_view, checkpoint), lambda: _pinned(lambda: require_same_view(self._pins, checkpoint)))
        self._batches[batch] = (receipt.ledger_proof, logged)
        return logged

    def _once(self, key: Hashable, compute: Callable[..., Result], *arguments: Any) -> Result:
        known: Result | None = self._known.get(key)
        if known is None:
            known = self._known[key] = compute(*arguments)
        return known

    def _latest(self, subject: bytes, now: datetime) -> Latest:
        found: list[Latest] = []
        asked, silent = 0, 0
        for url in self.latest_urls(subject):
            item = self.evidence.get(url)
            if item is None or item.content is None:
                silent += 1
                asked += item is not None
            else:
                found.append(self._pinned_latest(subject, item.content, item.fetched_at, now))
        newest = max(found, key=lambda latest: latest.entry.seq if latest.entry else -1, default=None)
        if newest is not None and newest.entry is not None:
            return newest
        # That one ledger has nothing says nothing of the others: none may keep silent.
        if newest is None or silent:
            if asked:
                raise Unproven(Outcome.UNKNOWN, "ledger_proof_missing", "a ledger proves neither what the newest state is nor that it has none")
            raise Unproven(Outcome.UNKNOWN, "ledger_unavailable", "no ledger could be asked for the newest state")
        return Latest(None, min(latest.as_of for latest in found))

    def _pinned_latest(self, subject: bytes, content: bytes, fetched_at: datetime, now: datetime) -> Latest:
        latest, checkpoint = self._memo.get((Latest, subject, content), lambda: self._proved(subject, content, now))
        # Not with what is remembered of the content: the same bytes are a roll-back when they come again after newer ones.
        self._once(
            (require_continued, checkpoint, fetched_at),
            lambda: _pinned(lambda: require_continued(self._pins, checkpoint, fetched_at=fetched_at, now=now)),
        )
        return latest

    def _proved(self, subject: bytes, content: bytes, now: datetime) -> tuple[Latest, Checkpoint]:
        try:
            bundle = LatestBundle.parse(content)
            # Witnesses cosign a checkpoint once for everything under it, so it is looked at once, too.
            key = (LatestBundle, bundle.checkpoint)
            checkpoint = self._memo.get(key, lambda: _not_from_the_future(lambda at: self._ledger.check(bundle.checkpoint, now=at), now))
            verified = bundle.verify_under(subject, checkpoint)
        except (FormatError, UnsupportedError) as error:
            raise Unproven(Outcome.UNKNOWN, "ledger_proof_malformed", f"the ledger's answer is malformed: {error}") from error
        except Unproven:
            raise
        except VerificationError as error:
            if error.code == "latest_of_another_subject":
                raise Unproven(Outcome.UNKNOWN, "ledger_proof_mismatch", "the ledger answered about another subject") from error
            _require_named(error)
            raise Unproven(Outcome.FAIL, "ledger_proof_invalid", f"the ledger's proof does not hold: {error}{_doubt_of_policy(error)}") from error
        return Latest(verified.entry, _witnessed_at(verified.timestamp)), verified.checkpoint.checkpoint

    def _did(self, text: str, now: datetime) -> DIDState:
        try:
            did = DID.parse(text)
            if did.method in _SELF_CERTIFYING:
                return self._memo.get((DIDState, text), lambda: DIDState(resolve(did, {}, now=now).active_document, None))
            if did.method != WEBVH:
                raise Unproven(Outcome.UNKNOWN, "did_not_on_ledger", f"a did:{did.method} is not on the ledger, so its newest state cannot be proved")
            return self._webvh(did, now)
        except UnsupportedError as error:
            raise Unproven(Outcome.FAIL, "did_method_not_supported", str(error)) from error
        except ResolutionError as error:
            outcome = Outcome.UNKNOWN if error.code in ("NOT_FOUND", "INTERNAL_ERROR") else Outcome.FAIL
            raise Unproven(outcome, f"did_{error.code.lower()}", str(error)) from error
        except FormatError as error:
            raise Unproven(Outcome.FAIL, "did_malformed", str(error)) from error

    def _webvh(self, did: DID, now: datetime) -> DIDState:
        latest = self.latest(did_subject(str(did)), now)
        if latest.entry is None:
            raise Unproven(Outcome.FAIL, "did_not_logged", "the ledger has never seen this DID", latest.as_of)
        digest = latest.entry.content
        urls = required_urls(did)
        resources = {url: item.content for url in urls if (item := self.evidence.get(url)) is not None}
        log = resources.get(urls[0])
        if log is None:
            raise Unproven(Outcome.UNKNOWN, "did_unavailable", "the DID's log could not be had", latest.as_of)
        if hashlib.sha256(log.rstrip(b"\n").rpartition(b"\n")[2]).digest() != digest:
            raise Unproven(Outcome.UNKNOWN, "did_log_not_latest", "the DID's log is not the newest that the ledger knows", latest.as_of)
        document, retired = self._memo.get((DIDState, str(did), *resources.items()), lambda: _resolved(did, resources, log, now))
        return DIDState(document, latest.as_of, digest, retired)

    def _content(self, kind: Kind, identifier: str, author: str, now: datetime) -> ContentState:
        latest = self.latest(subject_of(kind, identifier), now)
        if latest.entry is None:
            return ContentState(None, latest.as_of)
        digest = latest.entry.content
        items = (self.evidence.get(url) for url in self.content_urls(digest))
        content = next((item.content for item in items if item is not None and item.content is not None), None)
        if content is None:
            raise Unproven(Outcome.UNKNOWN, f"{_code(kind)}_unavailable", f"the newest {_words(kind)} could not be had", latest.as_of)
        state = self.did(author, now)
        credential, expires = self._memo.get(
            (ContentState, digest, content, author, state.version), lambda: self._secured(kind, content, digest, author, now)
        )
        return ContentState(credential, min(latest.as_of, state.as_of or latest.as_of), digest, expires)

    def _secured(self, kind: Kind, content: bytes, digest: bytes, author: str, now: datetime) -> tuple[Credential, datetime | None]:
        code, words = _code(kind), _words(kind)
        if hashlib.sha256(content).digest() != digest:
            raise Unproven(Outcome.UNKNOWN, f"{code}_not_latest", f"what was given as the newest {words} is not what the ledger has")
        try:
            credential = Credential.parse(content)
            if credential.issuer_id != author:
                raise Unproven(Outcome.FAIL, f"{code}_wrong_issuer", f"the {words} was not issued by its author")
            state = self.did(author, now)
            # Without the time: what is remembered of a proof must not depend on when it was looked at. Its end is judged with each use (see
            # ``facts``), and its beginning is the author's word only, while the ledger's witnesses say when it was there.
            proofs = verify_proofs(credential.raw, lambda method, *_: state.key_of_logged(method, now), purpose=_ASSERTION, controller=author)
        except (FormatError, UnsupportedError) as error:
            raise Unproven(Outcome.UNKNOWN, f"{code}_malformed", f"the {words} is malformed: {error}") from error
        except Unproven:
            raise
        except (VerificationError, ResolutionError) as error:
            raise Unproven(Outcome.FAIL, f"{code}_not_authentic", f"the {words} is not signed by its author: {error}") from error
        methods = (state.document.verification_methods.get(proof.verification_method) for proof in proofs)
        ends = [proof.proof.expires for proof in proofs] + [method.expires for method in methods if method is not None]
        return credential, min((end for end in ends if end is not None), default=None)

    def _status_list(self, url: str, issuer: str, now: datetime) -> tuple[StatusListCredential | None, ContentState]:
        content = self.content(Kind.STATUS_LIST, url, issuer, now)
        credential = content.credential
        if credential is None:
            return None, content
        try:
            return self._memo.get((StatusListCredential, content.digest), lambda: StatusListCredential.parse(credential)), content
        except (FormatError, UnsupportedError) as error:
            raise Unproven(Outcome.UNKNOWN, "status_list_malformed", f"the status list is malformed: {error}", content.as_of) from error

    def _record(self, entity: str, resource: str, now: datetime, action: str) -> tuple[RegistryRecord | None, ContentState]:
        authority = self.registry_authority
        content = self.content(Kind.REGISTRY_RECORD, record_identifier(authority, entity, action, resource), authority, now)
        if content.credential is None:
            return None, content
        try:
            record = RegistryRecord.from_credential(content.credential)
        except FormatError as error:
            raise Unproven(Outcome.UNKNOWN, "registry_record_malformed", f"the registry record is malformed: {error}", content.as_of) from error
        if (record.entity, record.resource) != (entity, resource):
            raise Unproven(Outcome.FAIL, "registry_record_mismatch", "the registry record is about somebody or something else", content.as_of)
        return record, content

    def _issuance(self, receipt: IssuanceReceipt, issuer: str, state: DIDState, now: datetime) -> tuple[Logged, Checkpoint]:
        try:
            found = _not_from_the_future(lambda at: receipt.verify_ledger_proof(self._ledger, now=at), now)
            entry = found.entry
            receipt.verify_batch(entry)
            if entry.subject != subject_of(receipt.kind, issuer):
                raise Unproven(Outcome.FAIL, "receipt_of_another_issuer", "the issuance receipt is another issuer's")
            entry.verify(state.key_of_logged(entry.author, now))
        except Unproven:
            raise
        except (VerificationError, ResolutionError, FormatError, UnsupportedError) as error:
            _require_named(error)
            raise Unproven(Outcome.FAIL, "receipt_invalid", f"the issuance receipt does not hold: {error}{_doubt_of_policy(error)}") from error
        return Logged(_witnessed_at(found.timestamp), entry.author), found.checkpoint.checkpoint


def _resolved(did: DID, resources: Resources, log: bytes, now: datetime) -> tuple[DIDDocument, Mapping[str, PublicKey]]:
    """The document, and the assertion keys of earlier versions that it lists no more; ``resolve`` has verified every line."""
    document = resolve(did, resources, now=now).active_document
    retired: dict[str, PublicKey] = {}
    for line in log.splitlines()[:-1]:
        past = DIDDocument.parse(strict_json.loads_object(line, what="DID log line")["state"])
        for url, method in past.relationship(_ASSERTION).items():
            if url not in document.verification_methods:
                # A key of a kind that is not supported can have signed nothing that counts here.
                with suppress(UnsupportedError, FormatError):
                    retired[url] = method.public_key
    return document, MappingProxyType(retired)


def _not_from_the_future(verify: Callable[[int | None], Result], now: datetime) -> Result:
    """What ``verify`` gives for ``now``; a proof that holds at some later time only says that somebody's clock is wrong."""
    try:
        return verify(int(now.timestamp()))
    except VerificationError as error:
        verify(None)
        raise Unproven(Outcome.UNKNOWN, "evidence_from_the_future", "the ledger's proof is from the future: check this machine's clock") from error


def _require_named(error: DidHealthError) -> None:
    """Of what a log says that the policy does not name nothing is known, neither good nor bad. Raises ``Unproven``."""
    if error.code == "log_not_in_policy":
        sentence = f"the ledger's proof is by a log that the trust policy does not name, so it says nothing: is it the right policy? {error.hint}"
        raise Unproven(Outcome.UNKNOWN, error.code, sentence) from error


def _doubt_of_policy(error: DidHealthError) -> str:
    """What else may be wrong where the policy's own keys and quorum are not met: both look the same under a policy that is not the ledger's."""
    return "; either it is forged, or the trust policy is another ledger's" if error.code in ("note_unverified", "quorum_not_met") else ""


def _pinned(check: Callable[[], None]) -> bool:
    try:
        check()
    except VerificationError as error:
        raise Unproven(Outcome.UNKNOWN, error.code, error.what) from error
    return True


def _witnessed_at(timestamp: int | None) -> datetime:
    if timestamp is None:
        raise Unproven(Outcome.UNKNOWN, "checkpoint_not_witnessed", "the policy asks for no witness, so nobody vouches for the checkpoint's age")
    return datetime.fromtimestamp(timestamp, UTC)


def _code(kind: Kind) -> str:
    return kind.replace("-", "_")


def _words(kind: Kind) -> str:
    return kind.replace("-", " ")
