"""Who may put which entry on the ledger. Judged before anything is written: a refusal leaves no trace.

The steps, numbered here and below:

1. the entry is well-formed and deterministically encoded, its document within the limits and of the hash that the entry holds;
2. the author is not over the rate;
3. ``seq`` and ``prev`` continue the subject's history;
4. the author is entitled to this kind and subject, and made the signature (``_RULES``, one function for each kind).

Left to those who read: what a document says beyond who may say it (the proof inside a registry record or status list, a batch's members).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Protocol

from did_health.did.document import DIDDocument
from did_health.did.methods.webvh import Log, WebvhDID, verify_proposed
from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.errors import ConflictError, FormatError, VerificationError
from did_health.keys import PublicKey, public_key_from_multikey
from did_health.ledger.batch import parse_batch_content
from did_health.ledger.entry import Entry, Kind, did_subject, revocation_subject, subject_of
from did_health.ledger.log import Submission
from did_health.limits import MAX_AUTHOR_ENTRIES_PER_HOUR, MAX_DOCUMENT_BYTES

_DID_KEY: Final = "did:key:"
_WITHIN_THE_SECOND: Final = timedelta(microseconds=999_999)


class AdmissionState(Protocol):
    """What a ledger knows before it judges; everything that is on it or staged, whether published or not."""

    @property
    def registry_authorities(self) -> frozenset[str]:
        """The DIDs whose registry records this ledger takes."""

    @property
    def replayed(self) -> bool:
        """Whether entries that a log has taken are judged once more, elsewhere: what was known beside that log then is not known here.

        That is who its registry authorities are, and which approvals of DIDs' witnesses it publishes. Verifiers judge both for themselves.
        """

    def expect(self, subjects: Collection[bytes]) -> None:
        """These subjects are the ones that will be asked for: a store may read them all at once."""

    def latest(self, subject: bytes) -> Entry | None:
        """The subject's last entry."""

    def did_log(self, subject: bytes) -> Log | None:
        """The verified log of the DID with this subject (see ``did_subject``)."""

    def witness_proofs(self, did: WebvhDID) -> bytes | None:
        """The ``did-witness.json`` that this ledger publishes for a DID, where it has one."""

    def entries_within_hour(self, author: str) -> int:
        """How many entries of this author (see ``author_of``) were taken in the last hour."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A submission that may be sequenced. ``data`` is the leaf's data, ``log`` the author's DID log as it is with this line.

    ``witness_proofs``: the ``did-witness.json`` that approves all of ``log``, where it came with the line.
    """

    entry: Entry
    data: bytes
    content: bytes
    log: Log | None = None
    witness_proofs: bytes | None = None

    @property
    def author(self) -> str:
        """Whose rate this entry counts against."""
        return author_of(self.entry)


def author_of(entry: Entry) -> str:
    """The author as one party: the DID without the name of the key, or the multikey of a ``did`` entry."""
    return entry.author.partition("#")[0]


def admit(submission: Submission, state: AdmissionState, *, now: datetime) -> Admitted:
    """Judge one submission.

    Raises ``FormatError`` or ``UnsupportedError`` for malformed bytes, ``ConflictError`` (``entry_superseded``) if the subject has an
    entry of this number, ``VerificationError`` otherwise: ``entry_content_mismatch``, ``entry_out_of_order``, ``entry_signature_invalid``,
    ``author_unknown``, ``author_not_entitled``, ``rate_exceeded``, ``already_revoked``, ``map_head_reserved``, or the code of the DID's rules.
    """
    return admit_parsed(Entry.parse(submission.entry), submission, state, now=now)


def admit_parsed(entry: Entry, submission: Submission, state: AdmissionState, *, now: datetime) -> Admitted:
    """As ``admit``, for a caller that has parsed the submission's entry already."""
    if len(submission.content) > MAX_DOCUMENT_BYTES:
        raise FormatError(f"the document of a ledger entry has more than {MAX_DOCUMENT_BYTES} bytes")  # 1
    if hashlib.sha256(submission.content).digest() != entry.content:
        raise VerificationError("the document is not the one whose hash the ledger entry holds", code="entry_content_mismatch")
    if submission.witness_proofs is not None and entry.kind is not Kind.DID:
        raise VerificationError("only a line of a DID's log has approvals of witnesses", code="witness_proofs_unexpected")
    if state.entries_within_hour(author_of(entry)) >= MAX_AUTHOR_ENTRIES_PER_HOUR:  # 2
        raise VerificationError("this author has too many ledger entries within the hour", hint="Try again later", code="rate_exceeded")
    _require_continuation(entry, state.latest(entry.subject))  # 3
    log = _RULES[entry.kind](entry, submission, state, now)  # 4
    return Admitted(entry, submission.entry, submission.content, log, submission.witness_proofs)


def admit_replayed(entry: Entry, data: bytes, content: bytes, state: AdmissionState, *, now: datetime) -> Admitted:
    """Judge once more, by step 4, an entry that a log took at ``now``; ``content`` is the document whose hash it holds.

    Steps 1 and 3 are ``Replay``'s, and step 2 protects the log alone. Raises as ``admit`` does.
    """
    return Admitted(entry, data, content, _RULES[entry.kind](entry, Submission(data, content), state, now))


def _require_continuation(entry: Entry, latest: Entry | None) -> None:
    due = 0 if latest is None else latest.seq + 1
    if entry.seq < due:
        raise ConflictError(
            f"the subject has entry number {entry.seq} already", hint="Read its latest entry and sign the one that follows", code="entry_superseded"
        )
    if entry.seq > due or entry.prev != (latest.digest if latest else None):
        raise VerificationError("the ledger entry does not continue its subject's history", where=f"seq {entry.seq}, {due} due", code="entry_out_of_order")


def _did(entry: Entry, submission: Submission, state: AdmissionState, now: datetime) -> Log:
    """One more line of a DID's own log, signed by a key that signed the line: the DID's rules entitle it, pre-rotation included."""
    # A ledger's time is in whole seconds, a DID's second line of one second is not: it is not in the future of that second.
    now += _WITHIN_THE_SECOND - timedelta(microseconds=now.microsecond)
    previous = state.did_log(entry.subject)
    log = verify_proposed(previous, submission.content, now)
    if submission.witness_proofs is not None:
        log = _approved(log, submission.witness_proofs, now)
    elif not log.witnessed and (published := state.witness_proofs(log.did)) is not None:
        log = log.with_witness_proofs(published, now=now)
    # Approvals are not logged: whoever replays takes the log's word that it saw them.
    log = replace(log, witnessed_through=len(log.entries)) if state.replayed else log.require_witnessed()
    if entry.subject != did_subject(log.did.text):
        raise _not_entitled("the line is of another DID than the entry's subject")
    if entry.author not in log.latest.signers:
        raise _not_entitled("the author is not a key that signed the line")
    entry.verify(public_key_from_multikey(entry.author))
    return log


def _approved(log: Log, proofs: bytes, now: datetime) -> Log:
    """The log by these proofs alone, which will be published in the place of those before them: whoever reads the log has no others."""
    if not any(entry.witnesses for entry in log.entries):
        raise VerificationError("the DID has no witnesses whose approvals could be published", code="witness_proofs_unexpected")
    return replace(log, witnessed_through=0).with_witness_proofs(proofs, now=now).require_witnessed()


def _status_list(entry: Entry, submission: Submission, state: AdmissionState, now: datetime) -> None:
    """A status list credential by its issuer, at a URL of the issuer's own place, which stays with it when the DID moves."""
    issuer, key = _author_key(entry, state, now)
    credential = strict_json.loads_object(submission.content, what="status list credential")
    if _issuer(credential) != issuer:
        raise _not_entitled("the status list has another issuer than the entry's author")
    if entry.subject != subject_of(Kind.STATUS_LIST, _text(credential, "id")):
        raise _not_entitled("the status list has another id than the entry's subject")
    previous = state.latest(entry.subject)
    if previous is None:
        # Or anybody could be first at somebody else's URL, and so keep the owner from it.
        if not _text(credential, "id").startswith(WebvhDID.parse(issuer).base_url):
            raise _not_entitled("the status list's URL is not below the place of its issuer's DID")
    # A DID that moved keeps its SCID, and so the lists it began.
    elif did_subject(author_of(previous)) != did_subject(issuer):
        raise _not_entitled("the status list belongs to another issuer")
    entry.verify(key)


def _registry_record(entry: Entry, submission: Submission, state: AdmissionState, now: datetime) -> None:
    """A registry record by an authority that this ledger was told of."""
    authority, key = _author_key(entry, state, now)
    if not state.replayed and authority not in state.registry_authorities:
        raise _not_entitled("the author is not a registry authority of this ledger")
    if _issuer(strict_json.loads_object(submission.content, what="registry record")) != authority:
        raise _not_entitled("the registry record has another issuer than the entry's author")
    entry.verify(key)


def _batch(entry: Entry, submission: Submission, state: AdmissionState, now: datetime) -> None:
    """A batch of issued credentials or receipts, by the DID that is the subject."""
    author, key = _author_key(entry, state, now)
    parse_batch_content(submission.content)
    if entry.subject != subject_of(entry.kind, author):
        raise _not_entitled("the batch is of another DID than the author's")
    entry.verify(key)


def _schema(entry: Entry, submission: Submission, state: AdmissionState, now: datetime) -> None:
    """A JSON Schema, under its author's DID and its ``$id``."""
    author, key = _author_key(entry, state, now)
    identifier = _text(strict_json.loads_object(submission.content, what="schema"), "$id")
    if entry.subject != subject_of(Kind.SCHEMA, f"{author} {identifier}"):
        raise _not_entitled("the schema has another author or $id than the entry's subject")
    entry.verify(key)


def _revocation(entry: Entry, submission: Submission, state: AdmissionState, now: datetime) -> None:
    """The handle itself, by anybody who knows it. The author's key should be made for this one entry, for it says nothing."""
    if entry.seq:
        raise VerificationError("this handle has been published already", code="already_revoked")
    if entry.subject != revocation_subject(submission.content):
        raise _not_entitled("the subject is not the hash of the handle")
    entry.verify(_author_key(entry, state, now)[1])


def _map_head(_entry: Entry, _submission: Submission, _state: AdmissionState, _now: datetime) -> None:
    raise VerificationError("map heads are made by the log alone", code="map_head_reserved")


_RULES: Final[Mapping[Kind, Callable[[Entry, Submission, AdmissionState, datetime], Log | None]]] = MappingProxyType({
    Kind.DID: _did,
    Kind.STATUS_LIST: _status_list,
    Kind.REGISTRY_RECORD: _registry_record,
    Kind.ISSUANCE_BATCH: _batch,
    Kind.RECEIPT_BATCH: _batch,
    Kind.SCHEMA: _schema,
    Kind.REVOCATION: _revocation,
    Kind.MAP_HEAD: _map_head,
})


def _author_key(entry: Entry, state: AdmissionState, now: datetime) -> tuple[str, PublicKey]:
    """The author's DID and key: by the newest document of a did:webvh DID that is on this ledger, or out of a did:key DID."""
    did, separator, fragment = entry.author.partition("#")
    if entry.kind is Kind.REVOCATION and did.startswith(_DID_KEY):
        multikey = did.removeprefix(_DID_KEY)
        if not separator or fragment != multikey:
            raise VerificationError("the author is no verification method of a did:key DID", where="key 7", code="author_unknown")
        return did, public_key_from_multikey(multikey)
    log = state.did_log(did_subject(did))
    if log is None or log.did.text != did:
        raise VerificationError("the author's DID is not on this ledger", where="key 7", hint="Log its did.jsonl first", code="author_unknown")
    if log.deactivated:
        raise VerificationError("the author's DID has been deactivated", where="key 7", code="author_unknown")
    return did, DIDDocument.parse(log.latest.state).key(entry.author, "assertionMethod", now)


def _issuer(credential: JSONObject) -> str:
    issuer = credential.get("issuer")
    if isinstance(issuer, dict):
        issuer = issuer.get("id")
    if not isinstance(issuer, str):
        raise FormatError("the credential names no issuer", where="/issuer")
    return issuer


def _text(document: JSONObject, name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        raise FormatError("the document of the ledger entry lacks a text", where=f"/{name}")
    return value


def _not_entitled(what: str) -> VerificationError:
    return VerificationError(what, code="author_not_entitled")
