"""A verifier's own log: rows that are only ever added, each with the hash of the one before, so that a row cannot be changed or left out unseen.

A row keeps what an accounting of disclosures asks for (date, recipient, description, purpose [45 CFR 164.528(b)(2)]) and what came of it;
names of claims, never their values. Heads of the log go to the ledger together with the receipts, so that its end cannot be cut off
either, up to the newest head.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from did_health.encoding import strict_json, timestamps
from did_health.encoding.base64 import base64url_encode
from did_health.encoding.jcs import canonicalize
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health import fields
from did_health.health.purposes import ClaimName
from did_health.health.verification_receipt import ReceiptOverride

ROW_FORMAT: Final = "did-health/verifier-log/v1"
HEAD_FORMAT: Final = "did-health/verifier-log-head/v1"
_CHAIN: Final = b"did-health/verifier-log/v1\x00"
NO_ROW: Final = bytes(32)
"""The hash before the first row."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What one row says. ``entry_id`` is random, so that no hash of a row can be guessed; ``receipts`` are the digests of what was signed about it.

    ``note`` is what was written beside an override; it stands here only. ``recheck_of`` is the ``entry_id`` of the row that was decided by hand
    and is checked again in this one.
    """

    entry_id: str
    at: datetime
    recipient: str
    description: tuple[ClaimName, ...]
    purpose: str
    verdict: str
    reasons: tuple[str, ...]
    receipts: tuple[bytes, ...] = ()
    override: ReceiptOverride | None = None
    note: str = field(default="", repr=False)
    recheck_of: str = ""

    def to_json(self) -> bytes:
        """The row's content."""
        document: JSONObject = {
            "format": ROW_FORMAT,
            "id": self.entry_id,
            "date": timestamps.format(self.at),
            "recipient": self.recipient,
            "description": [str(name) for name in self.description],
            "purpose": self.purpose,
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "receipts": [base64url_encode(digest) for digest in self.receipts],
        }
        if self.override is not None:
            document["override"] = self.override.to_json() | fields.present(note=self.note)
        return strict_json.dumps(document | fields.present(recheckOf=self.recheck_of))


@dataclass(frozen=True, slots=True)
class LogRow:
    """A row as it is kept: ``digest`` is the hash of its content and of the row before, whose digest is ``previous``."""

    position: int
    previous: bytes
    content: bytes = field(repr=False)
    digest: bytes = b""

    @classmethod
    def after(cls, last: LogRow | None, content: bytes) -> LogRow:
        """The row with this content that follows ``last`` (``None``: it is the first)."""
        position, previous = (0, NO_ROW) if last is None else (last.position + 1, last.digest)
        return cls(position, previous, content, chained(position, previous, content))

    @property
    def document(self) -> JSONObject:
        """The content as JSON; raises ``FormatError``."""
        document = strict_json.loads_object(self.content, what="row of a verifier's log")
        if document.get("format") != ROW_FORMAT:
            raise FormatError("this is no row of a verifier's log", where=f"row {self.position}")
        return document


def chained(position: int, previous: bytes, content: bytes) -> bytes:
    """The digest of a row: SHA-256 over the format's name, 00, the position in 8 bytes, the digest before, and the content."""
    return hashlib.sha256(_CHAIN + position.to_bytes(8, "big") + previous + content).digest()


def head_digest(verifier: str, row: LogRow) -> bytes:
    """What stands for a head of the log in a receipt batch: the digest of a document that names the verifier, and the row's position and digest."""
    document = {"format": HEAD_FORMAT, "verifier": verifier, "position": row.position, "digest": base64url_encode(row.digest)}
    return hashlib.sha256(canonicalize(document)).digest()


@dataclass(frozen=True, slots=True)
class KeptReceipt:
    """A signed receipt as its verifier keeps it; ``batch`` and ``place`` are set once it belongs to a receipt batch."""

    id: str
    digest: bytes
    document: bytes = field(repr=False)
    batch: int | None = None
    place: int | None = None


@dataclass(frozen=True, slots=True)
class KeptBatch:
    """A receipt batch: its number among the verifier's, the digests of its members in their order, the head's last, and the head's position.

    ``ledger_proof`` is the text of its entry's proof once it is logged, empty until then.
    """

    number: int
    members: tuple[bytes, ...]
    head: int
    ledger_proof: str = ""


class VerifierRecords(Protocol):
    """What a verifier keeps. Durable when a call returns; safe for several threads and processes; rows are added and never changed.

    Every method raises ``StoreError`` when the store fails, and ``ConflictError`` where another writer was first.
    """

    def together(self) -> AbstractContextManager[None]:
        """A block: whatever this thread writes in it, here and into what shares the store, is kept as one, or not at all if an error leaves it."""

    def append(self, verifier: str, content: bytes, receipts: Sequence[KeptReceipt]) -> LogRow:
        """Add a row after the last one, with the receipts that it names: all of it, or nothing."""

    def last(self, verifier: str) -> LogRow | None:
        """The newest row."""

    def rows(self, verifier: str) -> Iterator[LogRow]:
        """Every row in its order, read in pages."""

    def receipt(self, verifier: str, receipt_id: str) -> KeptReceipt | None:
        """A receipt by its credential's id."""

    def receipt_digests(self, verifier: str) -> frozenset[bytes]:
        """The digest of every receipt that is kept, computed from its document anew."""

    def open_batch(self, verifier: str, head_of: Callable[[LogRow], bytes], limit: int) -> KeptBatch | None:
        """The batch that is not logged yet; if there is none, a new one of up to ``limit`` receipts in none so far, and the newest row's head.

        ``None`` if nothing was added since the last batch.
        """

    def finish_batch(self, verifier: str, number: int, ledger_proof: str) -> None:
        """A batch has been logged."""

    def batches(self, verifier: str) -> Sequence[KeptBatch]:
        """All batches in their order."""
