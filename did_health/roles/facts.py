"""Facts: what the evidence proves, and is fresh enough to prove, at one moment and for one purpose; and what is missing to prove it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from did_health.did.did import DID, DIDURL
from did_health.did.resolution import required_urls
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import PublicKey
from did_health.ledger.batch import IssuanceReceipt
from did_health.ledger.entry import Kind, did_subject, subject_of
from did_health.limits import MAX_CLOCK_SKEW_SECONDS, MAX_DID_LOG_BYTES, MAX_RESPONSE_BYTES
from did_health.roles.documents import Part, parse_document
from did_health.roles.evidence import Need
from did_health.roles.ledger_state import WEBVH, ContentState, DIDState, LedgerState, Logged, Unproven
from did_health.roles.memo import Memo
from did_health.roles.report import Outcome
from did_health.trust.registry import ACTION_ISSUE, RegistryRecord, record_identifier
from did_health.vc.ledger_revocation import LedgerRevocation
from did_health.vc.status import EntriesAlike, StatusEntry, StatusResult, check_status, is_clear

_SKEW: Final = timedelta(seconds=MAX_CLOCK_SKEW_SECONDS)


class Facts:
    """The state that evidence proves, seen at ``now`` by somebody who accepts proofs of at most ``max_age``."""

    __slots__ = ("_found_before", "_newest", "_oldest", "_state", "families", "now")

    def __init__(self, state: LedgerState, now: datetime, max_age: timedelta) -> None:
        self._state, self.now = state, now
        self._oldest, self._newest = now - max_age, now + _SKEW
        # One step after the other asks for the issuer. One pair, so that threads cannot mix it up.
        self._found_before: tuple[str, DIDState | None] = ("", None)
        self.families: Memo | None = None
        """Of licences (``roles.siblings``), for verifications at the same moment, if there are several."""

    @property
    def registry_authority(self) -> str:
        """The DID of the registry authority that the policy names."""
        return self._state.registry_authority

    # ---- what is missing

    def needs_of_did(self, text: str) -> list[Need]:
        """What is missing to resolve a DID and to know that it is the newest version."""
        did = DID.parse(text)
        # A DID that proves itself needs nothing, and of any other method the newest version cannot be proved: nobody's server is asked for it.
        if did.method != WEBVH:
            return []
        needs = [Need(url, MAX_DID_LOG_BYTES) for url in required_urls(did) if url not in self._state.evidence]
        return needs + self._needs_of_latest(did_subject(str(did)))

    def needs_of_record(self, entity: str, resource: str, action: str = ACTION_ISSUE) -> list[Need]:
        """What is missing to know whether ``entity`` may do ``action`` with ``resource``."""
        return self._needs_of_content(subject_of(Kind.REGISTRY_RECORD, record_identifier(self.registry_authority, entity, action, resource)))

    def needs_of_status_list(self, url: str) -> list[Need]:
        """What is missing to have the newest status list at ``url``."""
        return self._needs_of_content(subject_of(Kind.STATUS_LIST, url))

    def is_logged_list(self, url: str) -> bool:
        """Whether the ledger is known to have a status list for ``url``."""
        return self._state.has_list(url, self.now)

    def needs_of_revocation(self, subject: bytes) -> list[Need]:
        """What is missing to know whether the handle whose SHA-256 is ``subject`` has been published."""
        return self._needs_of_latest(subject)

    def needs_of_logged_credential(self, url: str) -> list[Need]:
        """What is missing to read the credential with its receipt that is served at ``url``."""
        return [] if url in self._state.evidence else [Need(url)]

    def _needs_of_latest(self, subject: bytes) -> list[Need]:
        return [Need(url) for url in self._state.latest_urls(subject) if url not in self._state.evidence]

    def _needs_of_content(self, subject: bytes) -> list[Need]:
        """First the newest entry, then what it names."""
        if needs := self._needs_of_latest(subject):
            return needs
        try:
            entry = self._state.latest(subject, self.now).entry
        except Unproven:
            return []
        if entry is None:
            return []
        urls = self._state.content_urls(entry.content)
        # Every copy is the same: one is enough, and the next log is asked only if the one before did not have it.
        if any((item := self._state.evidence.get(url)) is not None and item.content is not None for url in urls):
            return []
        return [Need(url, MAX_RESPONSE_BYTES) for url in urls if url not in self._state.evidence][:1]

    # ---- what is proved

    def did(self, text: str) -> DIDState:
        """The DID's document by the newest log. Raises ``Unproven``."""
        before, found = self._found_before
        if text == before and found is not None:
            return found
        state = self._state.did(text, self.now)
        if state.as_of is not None:
            self._require_fresh(state.as_of)
        self._found_before = (text, state)
        return state

    def key(self, verification_method: str, purpose: str, controller: str | None = None) -> PublicKey:
        """The key of a verification method for a proof purpose; the ``KeySource`` of every proof. Raises ``Unproven``."""
        did = verification_method.partition("#")[0]
        if controller is not None and did != controller:
            raise Unproven(Outcome.FAIL, "wrong_controller", "the proof was made with somebody else's key")
        return self.did(did).document.key(verification_method, purpose, self.now)

    def assertion_key(self, verification_method: str, purpose: str, controller: str | None = None) -> PublicKey:
        """As ``key``, for credentials: a retired key of the issuer's is found too. See ``retired``."""
        if controller is None:
            return self.key(verification_method, purpose)
        state = self.did(controller)
        retired = state.retired.get(verification_method)
        if retired is not None:
            return retired
        if verification_method.partition("#")[0] != controller:
            return self.key(verification_method, purpose, controller)
        return state.document.key(verification_method, purpose, self.now)

    def retired(self, issuer: str) -> Collection[str]:
        """The keys that the issuer's document lists no more. What they signed counts only if it was logged while they were in force."""
        return self.did(issuer).retired

    def record(self, entity: str, resource: str, action: str = ACTION_ISSUE) -> tuple[RegistryRecord | None, datetime]:
        """The registry record by which ``entity`` may do ``action`` with ``resource`` (``None``: there is none), and its time. Raises ``Unproven``."""
        record, content = self._state.record(entity, resource, self.now, action)
        if not self._oldest <= content.as_of <= self._newest or content.expires is not None:
            self._require_current(content, "registry record")
        return record, content.as_of

    def clear(self, entry: JSONObject, issuer: str) -> datetime | None:
        """For which time a status entry of the common shape says nothing against its credential; ``None`` if ``status`` has to be asked.

        It answers for lists that ``status`` has found good already, and for entries that ``is_clear`` knows.
        """
        known = self._state.known_status_list(entry["statusListCredential"], issuer)
        if known is None:
            return None
        status_list, content = known
        if status_list is None or content.expires is not None or not self._oldest <= content.as_of <= self._newest:
            return None
        return content.as_of if is_clear(entry, status_list, self.now) else None

    def clear_alike(self, entry: JSONObject, issuer: str) -> EntriesAlike | None:
        """For entries like this one, if it is ``clear``."""
        known = self._state.known_status_list(entry["statusListCredential"], issuer)
        if known is None or known[0] is None or self.clear(entry, issuer) is None:
            return None
        return EntriesAlike(entry, known[0].status_list)

    def status(self, raw: JSON, issuer: str) -> tuple[StatusResult, datetime]:
        """The value of a ``credentialStatus`` entry by the issuer's newest list, and the list's time. Raises ``Unproven``."""
        try:
            entry = StatusEntry.parse(raw)
        except UnsupportedError as error:
            raise Unproven(Outcome.UNKNOWN, "status_unsupported", f"the status is of a kind that is not supported: {error}") from error
        except FormatError as error:
            raise Unproven(Outcome.FAIL, "status_malformed", f"the credential's status entry is malformed: {error}") from error
        status_list, content = self._state.status_list(entry.list_url, issuer, self.now)
        if not self._oldest <= content.as_of <= self._newest or content.expires is not None:
            self._require_current(content, "status list")
        if status_list is None:
            raise Unproven(Outcome.UNKNOWN, "status_list_not_logged", "the ledger has never seen the status list that the credential names", content.as_of)
        try:
            return check_status(entry, status_list, self.now), content.as_of
        except (VerificationError, UnsupportedError) as error:
            raise Unproven(Outcome.UNKNOWN, error.code.lower(), f"the status list gives no answer: {error}", content.as_of) from error

    def handle_revoked(self, raw: JSON) -> tuple[bool, datetime]:
        """Whether the handle of a ``LedgerRevocationEntry`` was published, and for which time that is known. Raises ``Unproven``."""
        try:
            subject = LedgerRevocation.parse(raw).subject
        except FormatError as error:
            raise Unproven(Outcome.FAIL, "status_malformed", f"the credential's status entry is malformed: {error}") from error
        return self.revocation(subject)

    def revocation(self, subject: bytes) -> tuple[bool, datetime]:
        """Whether somebody published the secret handle whose SHA-256 is ``subject`` (see ``revocation_subject``), and for which time that is
        so: what the handle stands for is then revoked. False is a proof of absence. Raises ``Unproven``."""
        latest = self._state.latest(subject, self.now)
        self._require_fresh(latest.as_of)
        return latest.entry is not None, latest.as_of

    def logged_credential(self, url: str) -> Part:
        """The credential with its receipt that is served at ``url``, not verified. Raises ``Unproven`` if it could not be had, or is no such thing."""
        item = self._state.evidence.get(url)
        if item is None:
            raise Unproven(Outcome.UNKNOWN, "credential_unavailable", "a credential that this one refers to could not be had")
        if item.content is None:
            raise Unproven(Outcome.UNKNOWN, "credential_not_found", "a credential that this one refers to is not where it should be", item.fetched_at)
        try:
            document = parse_document(item.content)
        except (FormatError, UnsupportedError, VerificationError) as error:
            raise Unproven(Outcome.UNKNOWN, "credential_malformed", f"what is served for a credential referred to cannot be read: {error}") from error
        if document.presentation is not None:
            raise Unproven(Outcome.UNKNOWN, "credential_malformed", "what is served for a credential referred to is a presentation")
        return document.parts[0]

    def issuance(self, receipt: IssuanceReceipt, issuer: str) -> Logged:
        """When the batch of an issuance receipt was witnessed, which may be long ago, and by which key it was signed; the path is left to check.

        Raises ``Unproven``.
        """
        logged = self._state.issuance(receipt, issuer, self.now)
        if logged.at > self._newest:
            raise Unproven(Outcome.UNKNOWN, "evidence_from_the_future", "the ledger's proof is from the future: check this machine's clock", logged.at)
        return logged

    def _require_fresh(self, as_of: datetime) -> None:
        if as_of < self._oldest:
            raise Unproven(Outcome.UNKNOWN, "evidence_stale", "the newest evidence is older than the policy allows", as_of)
        if as_of > self._newest:
            raise Unproven(Outcome.UNKNOWN, "evidence_from_the_future", "the newest evidence is from the future: check this machine's clock", as_of)

    def _require_current(self, content: ContentState, what: str) -> None:
        self._require_fresh(content.as_of)
        if content.expires is not None and self.now >= content.expires:
            raise Unproven(Outcome.UNKNOWN, "evidence_expired", f"the signature of the {what} has expired", content.as_of)


def did_of(url: str) -> str:
    """The DID of a DID URL; raises ``FormatError``."""
    return str(DIDURL.parse(url).did)
