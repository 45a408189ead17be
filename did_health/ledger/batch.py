"""Issuance batches: one entry for many credentials, and the receipt by which each proves that it is one of them.

The entry's document is the deterministic CBOR map ``{1: root, 2: count}`` over the digests of the secured credentials, in RFC 6962's
tree. A credential's digest is the SHA-256 of its canonical JSON with its proof; it holds a random id, so its digest tells nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import ClassVar, Final

from did_health.encoding import cbor, strict_json
from did_health.encoding.base64 import base64url_decode, base64url_encode
from did_health.encoding.jcs import Canonicalize, canonicalize
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, VerificationError
from did_health.ledger.entry import HASH_BYTES, Entry, Kind
from did_health.limits import MAX_ISSUANCE_BATCH, MAX_PROOF_HASHES
from did_health.tlog.merkle import leaf_hash, node_hash, verify_inclusion
from did_health.tlog.proof import TlogProof
from did_health.tlog.witness_policy import VerifiedCheckpoint, WitnessPolicy, verify_proof

_ROOT: Final = "issuance receipt's root"
_ROOT_CHARACTERS: Final = 43
# By the number of hashes in a row: one call takes all of them apart.
_UNPACK: Final = tuple(Struct(f"{HASH_BYTES}s" * count).unpack for count in range(MAX_PROOF_HASHES + 1))
FORMAT: Final = "did-health/issuance-receipt/v1"
PROOF_FORMAT: Final = "did-health/receipt-proof/v1"


def credential_digest(secured: JSONObject, canonicalize: Canonicalize = canonicalize) -> bytes:
    """SHA-256 of the canonical JSON (RFC 8785) of a credential with its proof; ``canonicalize`` is for a caller who has surveyed it."""
    return hashlib.sha256(canonicalize(secured)).digest()


def batch_content(root: bytes, count: int) -> bytes:
    """The document of an issuance-batch or receipt-batch entry: what its ``content`` is the hash of."""
    return cbor.dumps({1: root, 2: count})


def parse_batch_content(data: bytes) -> tuple[bytes, int]:
    """``(root, count)`` of such a document; raises ``FormatError``."""
    value = cbor.loads(data, what="issuance batch", max_bytes=64)
    if not isinstance(value, dict) or any(type(key) is not int for key in value) or value.keys() != {1, 2}:
        raise FormatError("an issuance batch is a map with the keys 1 and 2")
    root, count = value[1], value[2]
    if type(root) is not bytes or len(root) != HASH_BYTES or type(count) is not int or not 0 < count <= MAX_ISSUANCE_BATCH:
        raise FormatError("an issuance batch holds a root of 32 bytes and a count within the limit")
    return root, count


class IssuanceBatch:
    """The tree over a batch's credential digests (each 32 bytes), built once: the root, and the path of every credential in it.

    Raises ``ValueError`` for an empty or too large batch or a digest of a wrong length.
    """

    def __init__(self, digests: Sequence[bytes]) -> None:
        if not 0 < len(digests) <= MAX_ISSUANCE_BATCH:
            raise ValueError(f"an issuance batch has 1 to {MAX_ISSUANCE_BATCH} credentials")
        if any(len(digest) != HASH_BYTES for digest in digests):
            raise ValueError(f"a credential digest has {HASH_BYTES} bytes")
        # Hashing whole levels, with an odd last node moved up as it is, gives RFC 6962's tree.
        level = [leaf_hash(digest) for digest in digests]
        self._levels = [level]
        while len(level) > 1:
            odd = level[-1:] if len(level) & 1 else []
            level = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)] + odd
            self._levels.append(level)

    @property
    def count(self) -> int:
        """The number of credentials."""
        return len(self._levels[0])

    @property
    def root(self) -> bytes:
        """The root of the tree, 32 bytes."""
        return self._levels[-1][0]

    @property
    def content(self) -> bytes:
        """The document to submit with the entry."""
        return batch_content(self.root, self.count)

    def path(self, index: int) -> tuple[bytes, ...]:
        """The hashes that lead from credential ``index`` to the root, its sibling first."""
        if not 0 <= index < self.count:
            raise ValueError(f"the batch has {self.count} credentials, none of them number {index}")
        path = []
        for level in self._levels[:-1]:
            if index ^ 1 < len(level):
                path.append(level[index ^ 1])
            index >>= 1
        return tuple(path)

    def receipts(self, proof: TlogProof) -> list[IssuanceReceipt]:
        """The receipt of every credential, in order. ``proof`` is the batch entry's (``LoggedEntry.proof``); its text is made once."""
        text, root, count = proof.encode().decode(), self.root, self.count
        return [IssuanceReceipt(index, count, root, self.path(index), text) for index in range(count)]

    def receipt_proof(self, index: int, ledger_proof: str) -> ReceiptProof:
        """As ``receipts``, of one member of a receipt batch; ``ledger_proof`` is the text of the batch entry's proof."""
        return ReceiptProof(index, self.count, self.root, self.path(index), ledger_proof)


@dataclass(frozen=True, slots=True)
class ReceiptFacts:
    """What a verified ledger proof of a batch says.

    The caller still has to compare ``entry.subject`` with the credential's issuer (``subject_of(Kind.ISSUANCE_BATCH, issuer)``), and may
    check the entry's signature with the key of ``entry.author``; the ledger did so before it took the entry. ``timestamp`` (POSIX
    seconds) is when the quorum had seen it: the credential was issued before that.
    """

    entry: Entry
    index: int
    checkpoint: VerifiedCheckpoint

    @property
    def timestamp(self) -> int | None:
        """When the quorum of witnesses had seen the batch; ``None`` where the policy asks for no witness."""
        return self.checkpoint.timestamp


@dataclass(frozen=True, slots=True)
class IssuanceReceipt:
    """Proof that a credential is number ``index`` of the ``count`` of a batch with ``root``, and that the batch is on the ledger.

    ``ledger_proof`` is a tlog-proof file's text as received, the same for the whole batch. Nothing of it is verified before ``verify``.
    """

    document_format: ClassVar[str] = FORMAT
    kind: ClassVar[Kind] = Kind.ISSUANCE_BATCH

    index: int
    count: int
    root: bytes
    path: tuple[bytes, ...]
    ledger_proof: str

    @classmethod
    def parse(cls, receipt: bytes | JSONObject) -> IssuanceReceipt:
        """Read what ``to_json`` wrote, as bytes or as the object inside a larger document; raises ``FormatError``."""
        document = receipt if isinstance(receipt, dict) else strict_json.loads_object(receipt, what="issuance receipt")
        get = document.get
        if get("format") != cls.document_format:
            raise FormatError(f"this is not of the format {cls.document_format}", where="/format")
        index, count, proof = get("index"), get("count"), get("ledgerProof")
        if type(index) is not int or type(count) is not int or not 0 <= index < count <= MAX_ISSUANCE_BATCH:
            raise FormatError("the index of the issuance receipt is not within its count", where="/index")
        root = _root(_text(document, "root"))
        path = base64url_decode(_text(document, "path"), what="issuance receipt's path")
        if len(path) % HASH_BYTES or len(path) > MAX_PROOF_HASHES * HASH_BYTES:
            raise FormatError("the path of the issuance receipt is not a row of hashes", where="/path")
        if not isinstance(proof, str) or not proof:
            raise FormatError("the issuance receipt has no ledger proof", where="/ledgerProof")
        hashes = _UNPACK[len(path) // HASH_BYTES](path)
        return cls(index, count, root, hashes, proof)

    def to_object(self) -> JSONObject:
        """As a JSON object, to travel inside a presentation; the path is base64url of all its hashes in a row."""
        return {
            "format": self.document_format,
            "index": self.index,
            "count": self.count,
            "root": base64url_encode(self.root),
            "path": base64url_encode(b"".join(self.path)),
            "ledgerProof": self.ledger_proof,
        }

    def to_json(self) -> bytes:
        """As a JSON document: the bytes of ``to_object``, three times as fast for the receipts of one batch."""
        return b'{"format":"%b","index":%d,"count":%d,"root":"%b","path":"%b","ledgerProof":%b}' % (
            self.document_format.encode(),
            self.index,
            self.count,
            base64url_encode(self.root).encode(),
            base64url_encode(b"".join(self.path)).encode(),
            _json_text(self.ledger_proof),
        )

    @property
    def proof_digest(self) -> bytes:
        """SHA-256 of the ledger proof's text: under this a caller remembers the outcome of ``verify_ledger_proof`` for a whole batch."""
        return hashlib.sha256(self.ledger_proof.encode("utf-8", "surrogatepass")).digest()

    def verify_batch(self, batch: Entry) -> None:
        """Check that ``root`` and ``count`` are those that ``batch`` (a verified entry) logged: the same for the whole batch.

        Raises ``VerificationError`` with code ``receipt_batch_mismatch``.
        """
        if hashlib.sha256(batch_content(self.root, self.count)).digest() != batch.content:
            raise VerificationError("the issuance receipt's batch is not the one on the ledger", code="receipt_batch_mismatch")

    def verify_path(self, digest: bytes) -> None:
        """Check that the credential with this digest is in the batch with ``root`` and ``count``, which ``verify_batch`` looked at: a dozen hashes.

        Raises ``VerificationError`` with code ``inclusion_proof_invalid``.
        """
        verify_inclusion(leaf_hash(digest), self.index, self.count, self.path, self.root)

    def verify_ledger_proof(self, policy: WitnessPolicy, *, now: int | None = None) -> ReceiptFacts:
        """Check the part that a whole batch shares: a batch entry, in a log that ``policy`` accepts. ``now`` is in POSIX seconds.

        Raises ``FormatError`` for a malformed proof, and ``VerificationError``: what ``verify_proof`` raises, or ``receipt_not_a_batch``.
        """
        try:
            proof = TlogProof.parse(self.ledger_proof.encode())
        except UnicodeEncodeError as error:
            raise FormatError("the ledger proof holds a lone surrogate", where="/ledgerProof") from error
        if proof.extra is None:
            raise FormatError("the ledger proof of the receipt lacks its entry", where="/ledgerProof")
        entry = Entry.parse(proof.extra)
        if entry.kind is not self.kind:
            raise VerificationError(f"the ledger entry of the receipt is not of the kind {self.kind}", code="receipt_not_a_batch")
        return ReceiptFacts(entry, proof.index, verify_proof(proof, proof.extra, policy, now=now))

    def verify(self, digest: bytes, policy: WitnessPolicy, *, now: int | None = None) -> ReceiptFacts:
        """All three checks, for a single credential."""
        facts = self.verify_ledger_proof(policy, now=now)
        self.verify_batch(facts.entry)
        self.verify_path(digest)
        return facts


@dataclass(frozen=True, slots=True)
class ReceiptProof(IssuanceReceipt):
    """The same for a ``receipt-batch``: that a receipt of a verification, by its digest, is on the ledger."""

    document_format: ClassVar[str] = PROOF_FORMAT
    kind: ClassVar[Kind] = Kind.RECEIPT_BATCH


@lru_cache(maxsize=8)
def _json_text(text: str) -> bytes:
    return strict_json.dumps(text)


def _text(document: JSONObject, name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        raise FormatError("the issuance receipt lacks a text", where=f"/{name}")
    return value


def _root(text: str) -> bytes:
    # Only texts of the right length are remembered, so that a stranger's receipts cannot fill the memory.
    root = _decoded_root(text) if len(text) == _ROOT_CHARACTERS else base64url_decode(text, what=_ROOT)
    if len(root) != HASH_BYTES:
        raise FormatError(f"the root of the issuance receipt has {len(root)} bytes", where="/root")
    return root


@lru_cache(maxsize=256)  # the same for a whole batch
def _decoded_root(text: str) -> bytes:
    return base64url_decode(text, what=_ROOT)
