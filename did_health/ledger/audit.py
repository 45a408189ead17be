"""Going through a whole log as a stranger: everything that its signed checkpoint commits to is made again from the leaves.

Of each batch, in the order of the log: every leaf is an entry that continues its subject's history; its author was entitled to write it when the
batch was closed, and signed it (where documents are at hand, for DIDs' keys are in them); and the head is that of all leaves before it. At the
end the root is the checkpoint's. Not judged, because it is not on the log: who is a registry authority, and the approvals of DIDs' witnesses.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from did_health.did.methods.webvh import Log, WebvhDID
from did_health.errors import DidHealthError, FormatError, UnsupportedError, VerificationError
from did_health.keys import PublicKey
from did_health.ledger.admission import Admitted, admit_replayed
from did_health.ledger.entry import Entry, Kind
from did_health.ledger.map_head import LoggedHead
from did_health.ledger.replay import Replay
from did_health.limits import MAX_BATCH_ENTRIES
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.merkle import Tree, leaf_hash
from did_health.tlog.prefix_map_tree import MemoryItems

_MOST_WITHOUT_HEAD: Final = 4 * MAX_BATCH_ENTRIES
_DAMAGED: Final = "log_damaged"


@dataclass(frozen=True, slots=True)
class AuditedLog:
    """What an audit went through: how many entries of which kinds, and of how many the document was there; ``head`` is the last leaf."""

    checkpoint: Checkpoint
    kinds: Mapping[str, int]
    documents: int
    authors_judged: bool
    head: LoggedHead | None


class Audit:
    """The audit of the log ``origin``, which signs with ``key``: ``add`` every leaf in its order, then ``finish``.

    With ``authors`` every leaf that is no map head needs its document; without, documents are looked at where they are given.
    """

    def __init__(self, origin: str, key: PublicKey, *, authors: bool) -> None:
        self.tree = Tree()
        self._origin, self._authors = origin, authors
        self._replay = Replay(origin, key, MemoryItems(), {}, top_bits=8)
        self._state = _Replayed()
        self._batch: list[tuple[Entry, bytes, bytes | None]] = []
        self._kinds: Counter[str] = Counter()
        self._documents = 0

    def add(self, data: bytes, document: bytes | None) -> None:
        """The next leaf. It is judged with its batch, so an error may be about one before it.

        Raises ``VerificationError`` whose ``where`` begins with ``entry N``, the first that is wrong; ``UnsupportedError`` for an entry of
        a later version.
        """
        index = self.tree.size
        self.tree.append(leaf_hash(data))
        try:
            entry = Entry.parse(data)
        except (FormatError, UnsupportedError) as error:
            # Whatever is wrong before it comes first.
            self._judge(None)
            raise _at(index, error) from error
        self._batch.append((entry, data, document))
        if entry.kind is Kind.MAP_HEAD:
            self._judge(datetime.fromtimestamp(entry.time, UTC))
        elif len(self._batch) > _MOST_WITHOUT_HEAD:
            self._judge(None)
            self._replay.require_closed()

    def finish(self, checkpoint: Checkpoint) -> AuditedLog:
        """All leaves were added: they have to end with a map head, and give the root of the verified ``checkpoint``. Raises as ``add``."""
        self._judge(None)
        try:
            self._replay.require_closed()
        except VerificationError as error:
            raise VerificationError(error.what, where=f"entry {self.tree.size - 1}", code=error.code) from error
        if (checkpoint.origin, checkpoint.size, checkpoint.root) != (self._origin, self.tree.size, self.tree.root()):
            raise VerificationError("the entries do not give the root of the signed checkpoint", where=f"size {checkpoint.size}", code=_DAMAGED)
        return AuditedLog(checkpoint, dict(self._kinds), self._documents, self._authors, self._replay.head)

    def _judge(self, closed_at: datetime | None) -> None:
        """The leaves of a batch, in their order; without a head there is no time as of which authors could be judged."""
        batch, self._batch = self._batch, []
        for entry, data, document in batch:
            index = self._replay.size
            try:
                self._replay.add(data)
                self._require_document(entry, document)
                if self._authors and document is not None and entry.kind is not Kind.MAP_HEAD and closed_at is not None:
                    self._state.take(admit_replayed(entry, data, document, self._state, now=closed_at))
            except DidHealthError as error:
                raise _at(index, error) from error
            self._kinds[str(entry.kind)] += 1
            self._documents += document is not None

    def _require_document(self, entry: Entry, document: bytes | None) -> None:
        if document is None:
            if self._authors and entry.kind is not Kind.MAP_HEAD:
                raise VerificationError("the document of the entry is missing", code=_DAMAGED)
        elif hashlib.sha256(document).digest() != entry.content:
            raise VerificationError("the document is not the one that was logged", code=_DAMAGED)


def _at(index: int, error: DidHealthError) -> DidHealthError:
    where = error.where if error.where.startswith("entry ") else f"entry {index} {error.where}".rstrip()
    kind = UnsupportedError if isinstance(error, UnsupportedError) else VerificationError
    code = _DAMAGED if isinstance(error, FormatError) else error.code
    return kind(error.what, where=where, hint=error.hint, code=code)


class _Replayed:
    """What entitles authors, as far as the audit is; implements ``ledger.admission.AdmissionState``."""

    replayed = True
    registry_authorities: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._logs: dict[bytes, Log] = {}
        self._lists: dict[bytes, Entry] = {}

    def expect(self, subjects: Collection[bytes]) -> None:
        """Everything is in memory."""

    def latest(self, subject: bytes) -> Entry | None:
        # Asked for status lists alone: the order of entries is the replay's to judge.
        return self._lists.get(subject)

    def did_log(self, subject: bytes) -> Log | None:
        return self._logs.get(subject)

    def witness_proofs(self, _did: WebvhDID) -> bytes | None:
        return None

    def entries_within_hour(self, _author: str) -> int:
        return 0

    def take(self, admitted: Admitted) -> None:
        if admitted.log is not None:
            self._logs[admitted.entry.subject] = admitted.log
        if admitted.entry.kind is Kind.STATUS_LIST:
            self._lists[admitted.entry.subject] = admitted.entry
