"""The ledger as others see it: what is handed in, what comes back, and the interface that an embedded or a remote ledger implements."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from did_health.keys.base import Signer
from did_health.ledger.entry import Entry, Kind
from did_health.tlog.proof import TlogProof


@dataclass(frozen=True, slots=True)
class Submission:
    """A signed entry's bytes, and the document whose SHA-256 the entry holds.

    ``witness_proofs`` goes with a line of a DID that has witnesses (did:webvh 1.0, "DID Witnesses"): the ``did-witness.json`` that
    approves the DID's whole log, this line included. It is on no log, and published beside the DID's.
    """

    entry: bytes
    content: bytes
    witness_proofs: bytes | None = None


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """An entry in the log: its bytes, its ``index`` among the leaves, and the proof under the newest published checkpoint.

    The proof's extra data are the entry's bytes, so the proof alone is the bundle "latest entry of this subject".
    """

    entry: bytes
    index: int
    proof: TlogProof

    @property
    def parsed(self) -> Entry:
        """The entry's fields."""
        return Entry.parse(self.entry)


class SequencedEntry(Protocol):
    """An entry and its place in the log, as far as the next entry of its subject needs them."""

    @property
    def entry(self) -> bytes:
        """Its bytes."""

    @property
    def index(self) -> int:
        """Its place among the leaves."""

    @property
    def parsed(self) -> Entry:
        """The entry's fields."""


class Ledger(Protocol):
    """A log that can be written to. Safe for several threads; durable and witnessed when ``submit`` returns."""

    @property
    def origin(self) -> str:
        """The log's name: first line of its checkpoints."""

    @property
    def vkey(self) -> str:
        """The log's verifier key (C2SP signed-note)."""

    @property
    def url(self) -> str:
        """The prefix under which checkpoint, tiles, contents and latest entries are read; without a slash at its end."""

    def submit(self, submissions: Sequence[Submission]) -> tuple[LoggedEntry, ...]:
        """Log one batch: all of it or nothing, in this order, under one new checkpoint.

        Raises ``FormatError`` or ``VerificationError`` (by its code) for a refused submission, in which case nothing was written;
        ``ConflictError`` if another writer was first, so that nothing was written either: read ``latest`` again and sign anew;
        ``StoreError`` for a failing store or too few witnesses.
        """

    def latest(self, subject: bytes) -> SequencedEntry | None:
        """The newest published entry of a subject (32 bytes, see ``subject_of``), or ``None``."""


def prepare(
    kind: Kind, subject: bytes, content: bytes, *, author: str, signer: Signer, now: datetime, previous: SequencedEntry | None = None
) -> Submission:
    """Sign an entry about the document ``content``, to follow ``previous``, which is what ``Ledger.latest`` gives for the subject."""
    entry = Entry.create(
        kind=kind,
        subject=subject,
        content=hashlib.sha256(content).digest(),
        author=author,
        now=now,
        signer=signer,
        previous=previous.parsed if previous else None,
    )
    return Submission(entry.encode(), content)
