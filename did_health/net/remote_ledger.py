"""A ledger behind a URL; implements ``roles.institution.PublishingLedger``, so that boards, institutions and authorities write to it as to their own.

Nothing it says is believed: checkpoints are checked by the policy, entries by their proofs, and a log that was seen once may not shrink or
change afterwards. Refusals come back as the errors that the ledger's own code raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import Final

from did_health.encoding import strict_json
from did_health.errors import ConflictError, DidHealthError, FormatError, StoreError, TransportError, UnsupportedError, VerificationError
from did_health.ledger.entry import Entry
from did_health.ledger.latest import LatestBundle, NewestEntry
from did_health.ledger.log import LoggedEntry, Submission
from did_health.ledger.submission_format import MEDIA_TYPE, encode_request, parse_logged, parse_receipts
from did_health.ledger.submission_receipt import SubmissionReceipt
from did_health.limits import MAX_DID_LOG_BYTES, MAX_LATEST_BUNDLE_BYTES, MAX_SUBMISSION_ANSWER_BYTES, MAX_SUBMISSION_WAIT_SECONDS
from did_health.net.exchange import Answer, HTTPExchange
from did_health.net.hosted import hosted_url
from did_health.roles.evidence import Need
from did_health.stores.clock import system_clock
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.note import SignedNote
from did_health.tlog.witness_policy import PolicyLog, WitnessPolicy

_OK: Final = 200
_ACCEPTED: Final = 202
_NOTHING: Final = frozenset({404, 410})
_ELSEWHERE: Final = 421
_CONFLICTS: Final = frozenset({"entry_superseded", "ledger_conflict"})
_MAX_WORDS: Final = 500
# Beyond the time for which the ledger itself lets a caller wait.
_TIMEOUT_SECONDS: Final = MAX_SUBMISSION_WAIT_SECONDS + 10


class AwaitingPublication(StoreError):
    """The entries are kept and not published yet, because witnesses are missing: ``receipts`` are the log's signed promises, verified.

    Submit the same entries again later to get their proofs. A log that breaks a promise is convicted by
    ``SubmissionReceipt.is_broken_by``.
    """

    default_code = "entries_waiting"

    def __init__(self, receipts: tuple[bytes, ...], deadline: int) -> None:
        super().__init__("the ledger has the entries and could not publish them yet", hint="Submit them again later; keep the receipts until then")
        self.receipts = receipts
        self.deadline = deadline


class RemoteLedger:
    """The ledger at ``url`` under ``policy``, which must know exactly one log of that URL, or one log at all. Safe for several threads.

    ``allow_hosts`` and ``timeout_seconds`` are as of ``net.client.Client``. Close it after use. Raises ``ValueError`` for a policy that
    does not say which log is meant.
    """

    def __init__(
        self,
        url: str,
        policy: WitnessPolicy,
        *,
        allow_hosts: Iterable[str] = frozenset(),
        clock: Callable[[], datetime] = system_clock,
        timeout_seconds: float = _TIMEOUT_SECONDS,
        exchange: HTTPExchange | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._log = _log_of(policy, self.url)
        self._policy, self._clock = policy, clock
        self._exchange = exchange or HTTPExchange(allow_hosts, timeout_seconds=timeout_seconds)
        self._lock = Lock()
        self._seen = Checkpoint(self._log.key.name, 0, b"")

    @property
    def origin(self) -> str:
        return self._log.key.name

    @property
    def vkey(self) -> str:
        return str(self._log.key)

    def submit(self, submissions: Sequence[Submission]) -> tuple[LoggedEntry, ...]:
        """As ``Ledger.submit``; beyond that raises ``AwaitingPublication``, and ``TransportError`` if it is not known what became of the entries.

        After a ``TransportError`` the same entries may be submitted again: what was logged is not logged twice.
        """
        seen = self._seen.size
        answer = self._exchange.post(
            f"{self.url}/entries", encode_request(submissions), content_type=MEDIA_TYPE, max_bytes=MAX_SUBMISSION_ANSWER_BYTES
        )
        try:
            if answer.status == _OK:
                return self._logged(answer.body, submissions, seen)
            if answer.status == _ACCEPTED:
                raise self._awaiting(answer.body, submissions)
        except (FormatError, UnsupportedError) as error:
            raise TransportError(f"the answer of ledger {self.origin} is of no use: {error.what}", code="malformed_response") from error
        raise self._refusal(answer)

    def latest(self, subject: bytes) -> NewestEntry | None:
        """The newest published entry of a subject, or ``None``; both are proved, or this raises ``VerificationError``, ``StoreError``, ``TransportError``."""
        seen = self._seen.size
        answer = self._exchange.get(f"{self.url}/latest/{subject.hex()}", max_bytes=MAX_LATEST_BUNDLE_BYTES)
        if answer.status in _NOTHING:
            # Only a log without any entry has no proof to give.
            if seen:
                raise TransportError(f"ledger {self.origin} gives no proof", code="unexpected_status")
            return None
        if answer.status != _OK:
            raise self._refusal(answer)
        try:
            bundle = LatestBundle.parse(answer.body)
            verified = bundle.verify(subject, self._policy, now=int(self._clock().timestamp()))
        except (FormatError, UnsupportedError) as error:
            raise TransportError(f"the answer of ledger {self.origin} is of no use: {error.what}", code="malformed_response") from error
        self._follow(verified.checkpoint.checkpoint, seen)
        return bundle.newest

    def fetch(self, need: Need) -> bytes | None:
        """What is found at a URL below ``url``, or hosted by the ledger; see ``roles.evidence.Source``."""
        place = need.url if need.url.startswith(f"{self.url}/") else hosted_url(self.url, need.url)
        if place is None:
            raise TransportError("the ledger serves nothing of this host", where=need.url, code="host_unknown")
        answer = self._exchange.get(place, max_bytes=need.max_bytes)
        if answer.status == _OK:
            return answer.body
        if answer.status in _NOTHING:
            return None
        if answer.status == _ELSEWHERE:
            raise TransportError("the ledger serves nothing of this host", where=need.url, code="host_unknown")
        raise TransportError(f"the answer has status {answer.status}", where=need.url, code="unexpected_status")

    def publish(self, url: str, content: bytes) -> None:
        """Nothing is sent: the ledger hosts what was logged. Raises ``StoreError`` (``not_hosted``) if it does not.

        What it hosts may be newer than ``content`` already.
        """
        try:
            hosted = self.fetch(Need(url, MAX_DID_LOG_BYTES))
        except TransportError as error:
            if error.code != "host_unknown":
                raise
            hosted = None
        if hosted is None or (url.endswith("/did.jsonl") and not hosted.startswith(content)):
            hint = "Another DID was logged for this place first, or the ledger could not make the document yet: try again"
            raise StoreError("the ledger does not host this document", where=url, hint=hint, code="not_hosted")

    def publish_all(self, documents: Mapping[str, bytes]) -> None:
        """As ``publish``, one after the other."""
        for url, content in documents.items():
            self.publish(url, content)

    def close(self) -> None:
        """Close all connections; the ledger may be used again."""
        self._exchange.close()

    def _logged(self, body: bytes, submissions: Sequence[Submission], seen: int) -> tuple[LoggedEntry, ...]:
        logged = parse_logged(body, [one.entry for one in submissions])
        note: SignedNote = logged[0].proof.checkpoint
        checkpoint = self._policy.check(note, now=int(self._clock().timestamp())).checkpoint
        self._require_origin(checkpoint)
        for one in logged:
            one.proof.verify_inclusion(one.entry, checkpoint)
        self._follow(checkpoint, seen)
        return logged

    def _awaiting(self, body: bytes, submissions: Sequence[Submission]) -> AwaitingPublication:
        receipts = parse_receipts(body, len(submissions))
        entries = [Entry.parse(one.entry) for one in submissions]
        promises = [SubmissionReceipt.verify(receipt, self._log.key, entry) for receipt, entry in zip(receipts, entries, strict=True)]
        return AwaitingPublication(receipts, max(promise.deadline for promise in promises))

    def _follow(self, checkpoint: Checkpoint, seen: int) -> None:
        """Refuse a log smaller than the size ``seen`` before it was asked, and another one of the largest size; remember the largest."""
        self._require_origin(checkpoint)
        with self._lock:
            if checkpoint.size < seen:
                hint = "A cache on the way may be old, or the ledger was put back to an older state: try again"
                raise StoreError(f"ledger {self.origin} has shown {seen} leaves, and now {checkpoint.size}", hint=hint, code="ledger_rolled_back")
            if checkpoint.size == self._seen.size and checkpoint.root != self._seen.root:
                raise VerificationError(f"ledger {self.origin} has shown two logs of size {checkpoint.size}", code="ledger_forked")
            if checkpoint.size > self._seen.size:
                self._seen = checkpoint

    def _require_origin(self, checkpoint: Checkpoint) -> None:
        if checkpoint.origin != self.origin:
            raise VerificationError("the checkpoint is another log's", code="note_unverified")

    def _refusal(self, answer: Answer) -> DidHealthError:
        words = _problem(answer)
        what, code = words["detail"] or f"ledger {self.origin} answers with status {answer.status}", words["code"]
        if not code:
            hint = "It is busy: try again later" if answer.status in (429, 503) else ""
            return TransportError(f"ledger {self.origin} answers with status {answer.status}", hint=hint, code="unexpected_status")
        if answer.status == 503:
            return StoreError(what, hint=words["hint"], code=code)
        kind = ConflictError if code in _CONFLICTS else _BY_STATUS.get(answer.status, TransportError)
        if code == UnsupportedError.default_code:
            kind = UnsupportedError
        return kind(what, where=words["where"], hint=words["hint"], code=code)


_BY_STATUS: Final[dict[int, type[DidHealthError]]] = {
    400: FormatError, 413: FormatError, 403: VerificationError, 409: VerificationError, 422: VerificationError, 429: VerificationError,
}  # fmt: skip


def _problem(answer: Answer) -> dict[str, str]:
    """The texts of a problem, a stranger's words: bounded, and only what can be printed; empty where there are none."""
    try:
        document = strict_json.loads_object(answer.body, what="problem") if answer.content_type == "application/problem+json" else {}
    except FormatError:
        document = {}
    texts = {name: document.get(name) for name in ("code", "detail", "where", "hint")}
    return {name: "".join(filter(str.isprintable, text[:_MAX_WORDS])) if isinstance(text, str) else "" for name, text in texts.items()}


def _log_of(policy: WitnessPolicy, url: str) -> PolicyLog:
    found = [log for log in policy.logs if log.url == url] or list(policy.logs)
    if len(found) != 1:
        raise ValueError("the policy does not say which log is at this URL")
    return found[0]
