"""Planning one batch: which entries become which leaves, and the checkpoint that is to be signed for them.

Pure but for the tree, which is the caller's working copy: when the batch cannot be stored, ``tree.truncate(batch.old.size)`` undoes it.
A map head, once there is a map, is made here after the last admitted entry, so that it is the last leaf of its batch (Rule L).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from did_health.did.methods.webvh import Log, WebvhDID
from did_health.errors import FormatError
from did_health.ledger.admission import AdmissionState, Admitted, admit
from did_health.ledger.entry import Entry, Kind
from did_health.ledger.log import Submission
from did_health.limits import MAX_BATCH_ENTRIES
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.merkle import Tree, leaf_hash
from did_health.tlog.note import NoteSigner, SignedNote, sign_note


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch ready to be stored: ``entries`` become the leaves from ``old.size`` on, ``note`` is the signed checkpoint after them."""

    old: Checkpoint
    new: Checkpoint
    entries: tuple[Admitted, ...]
    leaf_hashes: tuple[bytes, ...]
    note: SignedNote


class Staged:
    """The state of a ledger with entries on top that are admitted and not yet stored, so that one batch can hold several of one subject."""

    def __init__(self, stored: AdmissionState) -> None:
        self._stored = stored
        self._latest: dict[bytes, Entry] = {}
        self._logs: dict[bytes, Log] = {}
        self._counts: dict[str, int] = {}

    @property
    def registry_authorities(self) -> frozenset[str]:
        return self._stored.registry_authorities

    def latest(self, subject: bytes) -> Entry | None:
        return self._latest.get(subject) or self._stored.latest(subject)

    def did_log(self, subject: bytes) -> Log | None:
        return self._logs.get(subject) or self._stored.did_log(subject)

    def witness_proofs(self, did: WebvhDID) -> bytes | None:
        return self._stored.witness_proofs(did)

    def entries_within_hour(self, author: str) -> int:
        # Counted in the store once, and from then on here.
        if author not in self._counts:
            self._counts[author] = self._stored.entries_within_hour(author)
        return self._counts[author]

    def stage(self, admitted: Admitted) -> None:
        """Let the entries after this one see it."""
        entry = admitted.entry
        self._latest[entry.subject] = entry
        if entry.kind is Kind.DID and admitted.log is not None:
            self._logs[entry.subject] = admitted.log
        self._counts[admitted.author] = self.entries_within_hour(admitted.author) + 1


def admit_all(submissions: Sequence[Submission], state: AdmissionState, *, now: datetime) -> tuple[Admitted, ...]:
    """Admit a batch in its order, or raise what ``admit`` raises for the first one refused."""
    if not 0 < len(submissions) <= MAX_BATCH_ENTRIES:
        raise FormatError(f"a batch has 1 to {MAX_BATCH_ENTRIES} entries")
    staged = Staged(state)
    admitted = []
    for submission in submissions:
        admitted.append(admit(submission, staged, now=now))
        staged.stage(admitted[-1])
    return tuple(admitted)


def plan(tree: Tree, entries: Sequence[Admitted], *, signer: NoteSigner) -> Batch:
    """Append ``entries`` to ``tree`` and sign the checkpoint of what it then is; the log's origin is the signer's name.

    The note must not leave the process before the batch is stored: two trees of one size would be a fork.
    """
    old = Checkpoint(signer.name, tree.size, tree.root())
    leaf_hashes = tuple([leaf_hash(entry.data) for entry in entries])
    tree.extend(leaf_hashes)
    new = Checkpoint(signer.name, tree.size, tree.root())
    return Batch(old, new, tuple(entries), leaf_hashes, sign_note(new.encode(), [signer]))
