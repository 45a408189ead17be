"""Ledger entries: what one leaf of the log says, in deterministic CBOR, signed by its author.

An entry never holds the document it is about, only the document's hash; the document is kept beside the log, by that hash. Nothing about
a patient, and no hash of anything that could be guessed, belongs into either.

Keys of the CBOR map: 1 version, 2 kind, 3 subject, 4 seq, 5 prev, 6 content, 7 author, 8 time, 9 signature over
``"did-health/entry/v1" 00`` and the map without key 9.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from did_health.encoding import cbor
from did_health.encoding.timestamps import require_aware
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys.base import PublicKey, Signer
from did_health.limits import MAX_ENTRY_BYTES, MAX_URL_CHARACTERS

VERSION: Final = 1
HASH_BYTES: Final = 32
_SIGNATURE_BYTES: Final = (64, 96)
_SIGNATURE_CONTEXT: Final = b"did-health/entry/v1\x00"
_SUBJECT_CONTEXT: Final = b"did-health/subject/v1\x00"
_KEYS: Final = frozenset(range(1, 10))
# 9999-12-31T23:59:59Z, the last second that a datetime can hold.
_LAST_SECOND: Final = 253_402_300_799
_MAX_SEQ: Final = (1 << 53) - 1


class Kind(StrEnum):
    """What an entry is about."""

    DID = "did"
    STATUS_LIST = "status-list"
    REGISTRY_RECORD = "registry-record"
    ISSUANCE_BATCH = "issuance-batch"
    RECEIPT_BATCH = "receipt-batch"
    SCHEMA = "schema"
    REVOCATION = "revocation"
    MAP_HEAD = "map-head"


def subject_of(kind: Kind, identifier: str) -> bytes:
    """The 32 bytes under which an entry's thing is found: SHA-256("did-health/subject/v1" 00 kind 00 identifier).

    The identifier is ``did:webvh:<SCID>`` for ``did``, the list's URL for ``status-list``, the issuer's DID for ``issuance-batch`` and
    ``receipt-batch``, the four words of a registry record joined by blanks for ``registry-record``, and the author's DID, a blank and
    the schema's ``$id`` for ``schema``. A ``revocation`` has ``revocation_subject``.
    """
    return hashlib.sha256(_SUBJECT_CONTEXT + kind.encode() + b"\x00" + identifier.encode()).digest()


def did_subject(did: str) -> bytes:
    """The subject of a did:webvh DID's own log; the host is left out, because a DID can move.

    Raises ``FormatError`` for any other DID: only did:webvh DIDs have entries.
    """
    method, _, rest = did.partition("did:webvh:")
    scid, separator, host = rest.partition(":")
    if method or not (scid and separator and host):
        raise FormatError("only did:webvh DIDs are on the ledger")
    return subject_of(Kind.DID, f"did:webvh:{scid}")


def revocation_subject(handle: bytes) -> bytes:
    """The subject of a revocation: the SHA-256 of the secret 32-byte handle, which is what the credential carries.

    The published document is the handle itself, so whoever reads it can check it, and nobody else could have made it.
    """
    if len(handle) != HASH_BYTES:
        raise FormatError(f"a revocation handle has {HASH_BYTES} bytes")
    return hashlib.sha256(handle).digest()


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. ``seq`` counts the entries of its subject from 0, ``prev`` is the digest of the one before (``None`` at 0).

    ``content`` is the SHA-256 of the document, ``author`` the DID URL of a verification method (for ``did`` entries the update key as a
    multikey), ``time`` the author's clock in Unix seconds, which proves nothing.
    """

    kind: Kind
    subject: bytes
    seq: int
    prev: bytes | None
    content: bytes
    author: str
    time: int
    signature: bytes

    @classmethod
    def create(
        cls, *, kind: Kind, subject: bytes, content: bytes, author: str, now: datetime, signer: Signer, previous: Entry | None = None
    ) -> Entry:
        """Sign the entry that follows ``previous`` (``None`` for the subject's first); ``content`` is the document's SHA-256."""
        seq, prev = (0, None) if previous is None else (previous.seq + 1, previous.digest)
        unsigned = cls(kind, subject, seq, prev, content, author, int(require_aware(now).timestamp()), b"")
        return replace(unsigned, signature=signer.sign(unsigned.signed_bytes()))

    @classmethod
    def parse(cls, data: bytes) -> Entry:
        """Read one entry.

        Raises ``FormatError`` unless it is well-formed and deterministically encoded, ``UnsupportedError`` for another version or kind.
        """
        value = cbor.loads(data, what="ledger entry", max_bytes=MAX_ENTRY_BYTES)
        if not isinstance(value, dict) or any(type(key) is not int for key in value) or 1 not in value:
            raise FormatError("the ledger entry is not a map with integer keys and a version")
        if type(value[1]) is not int:
            raise FormatError("the version of the ledger entry is not an integer", where="key 1")
        if value[1] != VERSION:
            raise UnsupportedError("the ledger entry is of another version", where="key 1", hint="A newer did-health may read it")
        if value.keys() != _KEYS:
            raise FormatError("a ledger entry has exactly the keys 1 to 9")
        seq, prev, time, signature = (value[key] for key in (4, 5, 8, 9))
        if type(seq) is not int or not 0 <= seq <= _MAX_SEQ:
            raise FormatError("the sequence number of the ledger entry is not a number of this range", where="key 4")
        if (prev is None) != (seq == 0):
            raise FormatError("the first entry of a subject has no predecessor, and every other one has", where="key 5")
        if type(time) is not int or not 0 <= time <= _LAST_SECOND:
            raise FormatError("the time of the ledger entry is not in Unix seconds", where="key 8")
        if type(signature) is not bytes or len(signature) not in _SIGNATURE_BYTES:
            raise FormatError("the signature of the ledger entry has a wrong length", where="key 9")
        return cls(
            _kind(value[2]), _hash(value, 3), seq, None if prev is None else _hash(value, 5), _hash(value, 6), _author(value[7]), time, signature
        )

    def _members(self) -> dict[int, Any]:
        return {1: VERSION, 2: str(self.kind), 3: self.subject, 4: self.seq, 5: self.prev, 6: self.content, 7: self.author, 8: self.time}

    def signed_bytes(self) -> bytes:
        """What the author signs."""
        return _SIGNATURE_CONTEXT + cbor.dumps(self._members())

    def encode(self) -> bytes:
        """The entry's one encoding: the data of its leaf."""
        return cbor.dumps({**self._members(), 9: self.signature})

    @property
    def digest(self) -> bytes:
        """SHA-256 of the encoding; the ``prev`` of the entry that follows."""
        return hashlib.sha256(self.encode()).digest()

    def verify(self, key: PublicKey) -> None:
        """Raises ``VerificationError`` (``entry_signature_invalid``) unless ``key`` made the signature."""
        if not key.verify(self.signature, self.signed_bytes()):
            raise VerificationError("the signature of the ledger entry is not its author's", where="key 9", code="entry_signature_invalid")


def _kind(value: object) -> Kind:
    if not isinstance(value, str):
        raise FormatError("the kind of the ledger entry is not a text", where="key 2")
    try:
        return Kind(value)
    except ValueError as error:
        raise UnsupportedError("the ledger entry is of an unknown kind", where="key 2") from error


def _hash(value: dict[int, Any], key: int) -> bytes:
    found = value[key]
    if type(found) is not bytes or len(found) != HASH_BYTES:
        raise FormatError(f"a member of the ledger entry is not a hash of {HASH_BYTES} bytes", where=f"key {key}")
    return found


def _author(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_URL_CHARACTERS or not value.isascii() or not value.isprintable() or " " in value:
        raise FormatError("the author of the ledger entry is not a DID URL or multikey", where="key 7")
    return value
