"""Replaying a log: recomputing, entry by entry, what its map heads say. Mirrors and audits do it; no witness does.

The map is a total function of the leaves: every leaf that is no map head sets its subject's value, in the order of the log, whatever the
entry says. Whether an entry continues its subject's history is looked at, too, for a map that went back would be no lie otherwise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Protocol

from did_health.errors import VerificationError
from did_health.keys import PublicKey
from did_health.ledger.entry import Entry, Kind
from did_health.ledger.map_head import EMPTY_MAP, LoggedHead, MapHead, head_subject, map_value
from did_health.tlog.prefix_map_tree import PrefixTree, SortedItems


class WritableItems(SortedItems, Protocol):
    """Where a replay keeps the map; ``MemoryItems`` is one."""

    def put(self, updates: Mapping[bytes, bytes]) -> None:
        """Set the values of these keys."""
        ...


class History(Protocol):
    """Where a replay keeps what the last entry of each subject was; a ``dict`` is one."""

    def get(self, subject: bytes, /) -> tuple[int, bytes] | None:
        """The number and the digest of the subject's last entry."""

    def __setitem__(self, subject: bytes, last: tuple[int, bytes], /) -> None: ...


class Replay:
    """The state of one log's map after the leaves that were added; ``tree`` is of the last head, ``size`` counts the leaves."""

    def __init__(self, origin: str, key: PublicKey | None, items: WritableItems, history: History, *, top_bits: int = 16) -> None:
        """Begin with the empty log of ``origin``; ``key`` is the one it signs checkpoints with (``None`` leaves its signatures
        to others); ``items`` and ``history`` are empty."""
        self.tree = PrefixTree(items, top_bits)
        self.size = 0
        self.head: LoggedHead | None = None
        self._origin, self._subject, self._key = origin, head_subject(origin), key
        self._items, self._history = items, history
        self._waiting: dict[bytes, bytes] = {}
        self._last: Entry | None = None

    def resume(self, size: int, head: LoggedHead | None, tree: PrefixTree) -> None:
        """Go on after ``size`` leaves that were replayed before: ``head`` is the last of them, ``tree`` the map over ``items``, which has them.

        Raises ``VerificationError`` (``map_head_wrong``) if head and map are not of this size or of each other.
        """
        before = head.head if head else EMPTY_MAP
        if (before.root, before.count) != (tree.root, tree.count) or before.size != max(size - 1, 0):
            raise self._fault("the map that was kept is not that of the last head", "map_head_wrong")
        self.size, self.head, self.tree = size, head, tree
        self._last = head.entry if head else None

    def add(self, data: bytes) -> Entry:
        """Take the next leaf.

        Raises ``FormatError`` or ``UnsupportedError`` for a leaf that is no entry; ``VerificationError``: ``entry_out_of_order`` if it does not
        continue its subject's history, and for heads ``map_head_foreign`` (not of this log), ``map_head_repeated``, ``map_head_wrong``
        (the size, root or count is another) or ``entry_signature_invalid``. After any of these the replay is over.
        """
        entry, digest = Entry.parse(data), hashlib.sha256(data).digest()
        last = self._history.get(entry.subject)
        if (entry.seq, entry.prev) != ((0, None) if last is None else (last[0] + 1, last[1])):
            raise self._fault("the entry does not continue its subject's history", "entry_out_of_order")
        self._history[entry.subject] = entry.seq, digest
        if entry.kind is Kind.MAP_HEAD:
            self._close(entry)
        else:
            self._waiting[entry.subject] = map_value(entry.seq, self.size, digest, entry.content)
        self._last = entry
        self.size += 1
        return entry

    def require_closed(self) -> None:
        """Rule L at a checkpoint of the present size: raises ``VerificationError`` (``map_head_missing``) unless the last leaf is a head."""
        if self.size and (self._last is None or self._last.kind is not Kind.MAP_HEAD):
            raise self._fault("the log's last leaf is not a head of its map", "map_head_missing")

    def _close(self, entry: Entry) -> None:
        if entry.subject != self._subject or entry.author != self._origin:
            raise self._fault("the map head is not of this log", "map_head_foreign")
        if not self._waiting:
            raise self._fault("a map head follows another one, or nothing", "map_head_repeated")
        update = self.tree.prepare(self._waiting)
        head = MapHead(self.size, update.root, update.count)
        if head.digest != entry.content:
            raise self._fault("the map head is not that of the leaves before it", "map_head_wrong")
        if self._key is not None:
            entry.verify(self._key)
        self._items.put(self._waiting)
        self.tree.commit(update)
        self._waiting = {}
        self.head = LoggedHead(entry, head)

    def _fault(self, what: str, code: str) -> VerificationError:
        return VerificationError(what, where=f"entry {self.size}", code=code)
