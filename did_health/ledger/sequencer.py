"""Planning one batch: which entries become which leaves, the map head after them, and the checkpoint that is to be signed.

Pure but for the tree, which is the caller's working copy: when the batch cannot be stored, ``tree.truncate(batch.old.size)`` undoes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from did_health.did.methods.webvh import Log, WebvhDID
from did_health.errors import DidHealthError, EdgeError, FormatError, VerificationError
from did_health.ledger.admission import AdmissionState, Admitted, admit_parsed
from did_health.ledger.entry import Entry, Kind
from did_health.ledger.log import Submission
from did_health.ledger.map_head import EMPTY_MAP, LoggedHead, MapHead, map_value, require_rule_l, sign_head
from did_health.limits import MAX_BATCH_ENTRIES
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.merkle import Tree, leaf_hash
from did_health.tlog.note import NoteSigner, SignedNote, sign_note
from did_health.tlog.prefix_map_tree import MapUpdate, PrefixTree


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch ready to be stored: ``leaves`` (the submitted ``entries`` and the map head) are the log's leaves from ``old.size`` on, ``note``
    is the signed checkpoint after them. ``map_update`` is for the map's tree, once the checkpoint is published."""

    old: Checkpoint
    new: Checkpoint
    entries: tuple[Admitted, ...]
    head: Admitted
    leaf_hashes: tuple[bytes, ...]
    note: SignedNote
    map_update: MapUpdate

    @property
    def leaves(self) -> tuple[Admitted, ...]:
        """What is logged, in order."""
        return (*self.entries, self.head)


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

    @property
    def replayed(self) -> bool:
        return self._stored.replayed

    def expect(self, subjects: Collection[bytes]) -> None:
        self._stored.expect(subjects)

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
    """Admit a batch in its order, or raise what ``admit`` raises for the first one that is malformed, else for the first one refused."""
    if not 0 < len(submissions) <= MAX_BATCH_ENTRIES:
        raise FormatError(f"a batch has 1 to {MAX_BATCH_ENTRIES} entries")
    staged = Staged(state)
    admitted = []
    parsed = [Entry.parse(submission.entry) for submission in submissions]
    staged.expect({entry.subject for entry in parsed})
    for entry, submission in zip(parsed, submissions, strict=True):
        admitted.append(admit_parsed(entry, submission, staged, now=now))
        staged.stage(admitted[-1])
    return tuple(admitted)


def admit_groups(groups: Sequence[Sequence[Submission]], state: AdmissionState, *, now: datetime) -> list[tuple[Admitted, ...] | DidHealthError]:
    """Admit several groups in their order, each of them whole or not at all: what it became, or why it is refused, which is nothing to the others.

    Raises ``EdgeError`` for a store that fails.
    """
    staged = Staged(state)
    outcomes: list[tuple[Admitted, ...] | DidHealthError] = []
    for group in groups:
        try:
            admitted = admit_all(group, staged, now=now)
        except EdgeError as error:
            if error.code != "entry_superseded":
                raise
            outcomes.append(error)
        except DidHealthError as error:
            outcomes.append(error)
        else:
            for one in admitted:
                staged.stage(one)
            outcomes.append(admitted)
    return outcomes


def plan(
    tree: Tree, prefix_tree: PrefixTree, entries: Sequence[Admitted], *, previous: LoggedHead | None, signer: NoteSigner, now: datetime
) -> Batch:
    """Append ``entries`` and a map head to ``tree`` and sign the checkpoint of what it then is; the log's origin is the signer's name.

    ``prefix_tree`` is the map of all that ``tree`` has, and is only read; ``previous`` is the last leaf (``None`` for the empty log). The note
    must not leave the process before the batch is stored: two trees of one size would be a fork.

    Raises ``VerificationError``, with nothing signed and ``tree`` as it was, if Rule L would be broken (see ``require_rule_l``) or
    the map is not the one of the last head (``map_head_mismatch``).
    """
    before = previous.head if previous else EMPTY_MAP
    if (prefix_tree.root, prefix_tree.count) != (before.root, before.count) or before.size != max(tree.size - 1, 0):
        raise VerificationError("the map is not the one that the log's last head says", code="map_head_mismatch")
    old = Checkpoint(signer.name, tree.size, tree.root())
    update = prefix_tree.prepare(_values(entries, old.size))
    document = MapHead(old.size + len(entries), update.root, update.count)
    entry = sign_head(document, previous.entry if previous else None, signer=signer, time=int(now.timestamp()))
    head = Admitted(entry, entry.encode(), document.encode())
    leaf_hashes = tuple([leaf_hash(leaf.data) for leaf in (*entries, head)])
    _require_rule_l(signer.name, old.size, entries, head)
    tree.extend(leaf_hashes)
    new = Checkpoint(signer.name, tree.size, tree.root())
    return Batch(old, new, tuple(entries), head, leaf_hashes, sign_note(new.encode(), [signer]), update)


def _values(entries: Sequence[Admitted], start: int) -> dict[bytes, bytes]:
    """What a batch makes of the map: the last entry of a subject is the one that counts."""
    return {
        one.entry.subject: map_value(one.entry.seq, index, hashlib.sha256(one.data).digest(), one.entry.content)
        for index, one in enumerate(entries, start)
    }


def _require_rule_l(origin: str, start: int, entries: Sequence[Admitted], head: Admitted) -> None:
    """Looked at once more, and on what will be signed: a checkpoint that breaks the rule cannot be taken back."""
    if not entries or any(one.entry.kind is Kind.MAP_HEAD for one in entries):
        raise VerificationError("a batch has entries, none of them a map head, and then its own head", code="map_head_repeated")
    require_rule_l(origin, start + len(entries) + 1, Entry.parse(head.data), head.content, entries[-1].entry)
