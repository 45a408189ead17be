"""An institution: a did:webvh DID with pre-rotation, its keys, and its signed entries on the ledger."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from did_health.did.document import DIDDocument
from did_health.did.methods import webvh
from did_health.encoding import strict_json
from did_health.encoding.base64 import base64url_decode, base64url_encode
from did_health.encoding.strict_json import JSONObject
from did_health.errors import ConflictError, FormatError, StoreError, VerificationError
from did_health.health import fields
from did_health.keys import Algorithm, generate, signer_from_secret
from did_health.keys.base import ExportableSigner
from did_health.ledger.entry import Kind, did_subject, subject_of
from did_health.ledger.log import Ledger, LoggedEntry, SequencedEntry, Submission, prepare
from did_health.limits import MAX_ANNOUNCED_SERVICES, MAX_DID_LOG_BYTES
from did_health.roles.evidence import Need, Source
from did_health.roles.signing import default_suite, require_document_algorithm
from did_health.vc.proofs.data_integrity import add_proof

_KEYS_FORMAT: Final = "did-health/institution-keys/v1"
SEALED_CONTENT: Final = "institution keys"
_SERVICE_TYPE: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}")


class PublishingLedger(Ledger, Source, Protocol):
    """A ledger that also serves its institutions' documents at their own URLs, where ``fetch`` finds them."""

    def publish(self, url: str, content: bytes) -> None:
        """Serve ``content`` at ``url`` from now on. Raises ``StoreError``."""

    def publish_all(self, documents: Mapping[str, bytes]) -> None:
        """As ``publish``, many documents by their URLs."""


@dataclass(frozen=True, slots=True)
class InstitutionKeys:
    """The secrets of an institution: one key signs credentials and entries, one updates the DID, and the next one will.

    ``next_update`` is already committed to by its hash, so that a stolen ``update`` cannot take the DID over. Keep it apart.
    """

    assertion: ExportableSigner
    update: ExportableSigner
    next_update: ExportableSigner

    @classmethod
    def generate(cls, random: Callable[[int], bytes], algorithm: Algorithm = Algorithm.ED25519) -> InstitutionKeys:
        """New keys; ``algorithm`` is that of the assertion key (did:webvh itself is Ed25519), one of ``DOCUMENT_ALGORITHMS``."""
        return cls(generate(random, require_document_algorithm(algorithm)), generate(random), generate(random))

    def to_bytes(self) -> bytes:
        """The secrets as JSON, to be sealed before they are written anywhere."""
        named = {"assertion": self.assertion, "update": self.update, "nextUpdate": self.next_update}
        keys = {name: {"algorithm": signer.public_key.algorithm, "secret": base64url_encode(signer.secret)} for name, signer in named.items()}
        return strict_json.dumps({"format": _KEYS_FORMAT, "keys": keys})

    @classmethod
    def parse(cls, data: bytes) -> InstitutionKeys:
        """Read what ``to_bytes`` wrote; raises ``FormatError``."""
        document = strict_json.loads_object(data, what="institution's keys")
        keys = document.get("keys")
        if document.get("format") != _KEYS_FORMAT or not isinstance(keys, dict):
            raise FormatError("the file does not hold an institution's keys")
        return cls(*(signer_from_json(keys.get(name), f"/keys/{name}") for name in ("assertion", "update", "nextUpdate")))


def announced(services: Mapping[str, str]) -> list[JSONObject]:
    """The ``service`` member of a DID document (DID Core 1.0 §5.4) for HTTPS URLs by the type of service. Raises ``FormatError``."""
    if len(services) > MAX_ANNOUNCED_SERVICES:
        raise FormatError(f"an institution announces at most {MAX_ANNOUNCED_SERVICES} services")
    for kind, url in services.items():
        if not _SERVICE_TYPE.fullmatch(kind):
            raise FormatError("the type of a service is a word", where=kind[:64], hint="Write it as TRQP")
        if not fields.https_url(url, kind, "service's URL").removeprefix("https://").partition("/")[0]:
            raise FormatError("the service's URL names no host", where=kind)
    return [{"id": f"#{kind}", "type": kind, "serviceEndpoint": url} for kind, url in services.items()]


def signer_from_json(key: object, where: str) -> ExportableSigner:
    """A signer from ``{"algorithm": …, "secret": base64url}``; raises ``FormatError``, which never quotes the secret."""
    if not isinstance(key, dict) or not isinstance(key.get("secret"), str) or key.get("algorithm") not in list(Algorithm):
        raise FormatError("a key is malformed", where=where)
    return signer_from_secret(Algorithm(key["algorithm"]), base64url_decode(key["secret"], what="secret"))


class Institution:
    """A DID under one's own control, anchored on one ledger.

    ``clock`` gives aware UTC time. Not to be used by two threads at once: entries of one subject follow each other.
    """

    __slots__ = ("clock", "keys", "ledger", "log", "random")

    def __init__(self, log: webvh.Log, keys: InstitutionKeys, ledger: PublishingLedger, clock: Callable[[], datetime], random: Callable[[int], bytes]) -> None:
        self.log, self.keys, self.ledger, self.clock, self.random = log, keys, ledger, clock, random

    @classmethod
    def create(
        cls,
        location: str,
        ledger: PublishingLedger,
        *,
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
        algorithm: Algorithm = Algorithm.ED25519,
    ) -> Institution:
        """A new DID at ``location`` (``host[/path]``), logged on ``ledger`` and published there; ``algorithm`` is the assertion key's."""
        institution = cls.draft(location, ledger, clock=clock, random=random, algorithm=algorithm)
        institution.found()
        return institution

    @classmethod
    def draft(
        cls,
        location: str,
        ledger: PublishingLedger,
        *,
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
        algorithm: Algorithm = Algorithm.ED25519,
    ) -> Institution:
        """As ``create``, and not logged yet: nobody knows of the DID until it is ``found``ed."""
        keys = InstitutionKeys.generate(random, algorithm)
        assertion = keys.assertion.public_key.multikey
        log = webvh.create(
            location,
            webvh.multikey_document({assertion: assertion}),
            update_keys=[keys.update.public_key.multikey],
            signer=keys.update,
            next_key_hashes=[webvh.next_key_hash(keys.next_update.public_key.multikey)],
            now=clock(),
        )
        return cls(log, keys, ledger, clock, random)

    def found(self) -> None:
        """Log and publish the first line of a draft's DID log."""
        self._log_line(self.log, self.keys, self.keys.update)

    @classmethod
    def open(
        cls, log_url: str, keys: InstitutionKeys, ledger: PublishingLedger, *, clock: Callable[[], datetime], random: Callable[[int], bytes]
    ) -> Institution:
        """The institution whose ``did.jsonl`` is published at ``log_url``.

        A line that a crash left on the ledger and off the published log is put there now. Raises ``StoreError`` (``store_corrupt``) if
        there is no such log, or ``ledger`` has another one.
        """
        published = ledger.fetch(Need(log_url, MAX_DID_LOG_BYTES))
        if published is None:
            raise StoreError("the ledger does not have the institution's DID log", where=log_url, code="store_corrupt")
        log = webvh.Log.parse(published, now=clock())
        newest = ledger.latest(did_subject(str(log.did)))
        if newest is None:
            raise StoreError("the institution's DID is not on the ledger", where=log_url, code="store_corrupt")
        digest = newest.parsed.content
        if hashlib.sha256(log.lines[-1]).digest() != digest:
            line = ledger.fetch(Need(f"{ledger.url}/content/{digest.hex()}", MAX_DID_LOG_BYTES))
            if line is None:
                raise StoreError("the ledger does not have the newest line of the institution's DID log", where=log_url, code="store_corrupt")
            log = webvh.Log.parse(log.encode() + line + b"\n", now=clock())
            ledger.publish(log_url, log.encode())
        return cls(log, keys, ledger, clock, random)

    @property
    def did(self) -> str:
        """The DID."""
        return str(self.log.did)

    @property
    def base_url(self) -> str:
        """``https://host[/path]``, under which the institution publishes; without a slash at its end."""
        return self.log.did.base_url.rstrip("/")

    @property
    def verification_method(self) -> str:
        """The DID URL of the assertion key."""
        return f"{self.did}#{self.keys.assertion.public_key.multikey}"

    def rotate(self, save: Callable[[InstitutionKeys], None], *, services: Mapping[str, str] | None = None) -> None:
        """Put the committed next key in charge, with a new assertion key, and commit to a fresh next key.

        ``services`` are those that the document names from now on (see ``announced``), by default those that it names already.

        ``save`` writes the new keys away; it is called before anything is logged, so that no crash can lose a key that is in charge.
        If it happens in between, rotate again. The old assertion key leaves the document: the ledger admits nothing more that is signed
        with it, whoever has it, and what was logged before stays verifiable.

        Raises ``ConflictError`` if somebody else has continued the DID's log, ``FormatError`` for a service that is none; nothing is saved then.
        """
        named = self.log.latest.state.get("service", []) if services is None else announced(services)
        self.require_newest()
        update, new_next, assertion = self._next_signer(), generate(self.random), generate(self.random, self.keys.assertion.public_key.algorithm)
        multikey = assertion.public_key.multikey
        log = webvh.update(
            self.log,
            signer=update,
            now=self.clock(),
            state=webvh.multikey_document({multikey: multikey}, services=named),
            next_key_hashes=[webvh.next_key_hash(new_next.public_key.multikey)],
        )
        keys = InstitutionKeys(assertion, update, new_next)
        save(keys)
        self._log_line(log, keys, update)

    def deactivate(self) -> None:
        """End the DID for ever."""
        self.require_newest()
        signer = self._next_signer()
        self._log_line(webvh.deactivate(self.log, signer=signer, now=self.clock()), self.keys, signer)

    def require_newest(self) -> None:
        """Raises ``ConflictError`` (``did_log_not_newest``) if the DID's log was continued elsewhere since it was opened here, as by a rotation.

        The keys that another process saved must not be overwritten by those of a line that will never be logged.
        """
        newest = self.ledger.latest(did_subject(self.did))
        if newest is None or newest.parsed.content != hashlib.sha256(self.log.lines[-1]).digest():
            raise ConflictError(
                "the DID's log on the ledger is another than the one at hand: its keys may have been rotated since it was opened",
                where=self.did,
                hint="Open the institution again",
                code="did_log_not_newest",
            )

    def require_current_key(self) -> None:
        """Raises unless the ledger, as it is now, admits what the assertion key signs: to be asked before anything is written that has to be logged.

        ``ConflictError`` as of ``require_newest``, and ``VerificationError``: ``did_deactivated``, or ``wrong_key`` if the document does not list the key.
        """
        self.require_newest()
        if self.log.deactivated:
            raise VerificationError("the DID was deactivated: nothing more is signed in its name", where=self.did, code="did_deactivated")
        if self.verification_method not in DIDDocument.parse(self.log.latest.state).relationship("assertionMethod"):
            hint = "If a rotation was cut off, rotate again; else use the newest copy of the keys"
            raise VerificationError("the DID's document does not list the assertion key at hand", where=self.did, hint=hint, code="wrong_key")

    def _next_signer(self) -> ExportableSigner:
        for signer in (self.keys.next_update, self.keys.update):
            if self.log.may_sign_next(signer.public_key.multikey):
                return signer
        raise VerificationError("none of the keys at hand is the one that the DID committed to", hint="Use the newest copy of the keys", code="wrong_key")

    def secured(self, document: JSONObject, *, created: datetime, suite: str = "") -> JSONObject:
        """``document`` with a proof by the assertion key; ``suite`` is by default the JCS suite of that key. Raises as ``add_proof``."""
        signer = self.keys.assertion
        return add_proof(
            document, suite=suite or default_suite(signer), signer=signer, verification_method=self.verification_method, created=created
        )

    def entry(self, kind: Kind, identifier: str, content: bytes) -> Submission:
        """The signed entry by which ``content`` becomes the newest document of a subject (see ``subject_of``), to be submitted."""
        return self.entry_about(kind, subject_of(kind, identifier), content)

    def entry_about(self, kind: Kind, subject: bytes, content: bytes) -> Submission:
        """As ``entry``, for a subject of 32 bytes."""
        return self.entry_after(self.ledger.latest(subject), kind, subject, content)

    def entry_after(self, previous: SequencedEntry | None, kind: Kind, subject: bytes, content: bytes) -> Submission:
        """As ``entry_about``, to follow ``previous``: the ledger refuses it (``ConflictError``) if anything was logged in between."""
        return prepare(
            kind, subject, content, author=self.verification_method, signer=self.keys.assertion, now=self.clock(), previous=previous
        )

    def submit(self, *submissions: Submission) -> tuple[LoggedEntry, ...]:
        """Log entries as one batch; see ``Ledger.submit``."""
        return self.ledger.submit(submissions)

    def _log_line(self, log: webvh.Log, keys: InstitutionKeys, signer: ExportableSigner) -> None:
        subject = did_subject(str(log.did))
        previous = self.ledger.latest(subject)
        self.submit(prepare(Kind.DID, subject, log.lines[-1], author=signer.public_key.multikey, signer=signer, now=self.clock(), previous=previous))
        self.log, self.keys = log, keys
        self.ledger.publish(log.did.log_url, log.encode())
