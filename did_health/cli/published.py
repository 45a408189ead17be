"""A ledger as anybody sees it: the static files that it publishes, read and recomputed without a passphrase."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from did_health.errors import DidHealthError, FormatError, StoreError, VerificationError
from did_health.keys import PublicKey
from did_health.ledger.entry import Entry
from did_health.ledger.latest import LatestBundle, NewestEntry
from did_health.ledger.replay import Replay
from did_health.limits import MAX_NOTE_BYTES
from did_health.stores import files
from did_health.stores.database import Database
from did_health.stores.ledger_store import LedgerStore
from did_health.stores.tile_files import CHECKPOINT, TileFiles
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.merkle import Tree, leaf_hash
from did_health.tlog.note import SignedNote
from did_health.tlog.prefix_map_tree import MemoryItems
from did_health.tlog.proof import TlogProof
from did_health.tlog.tiles import parse_bundle, tile_content, tiles_for

FOLDER: Final = "published"


@dataclass(frozen=True, slots=True)
class CheckedLog:
    """What a whole check found: how many entries of which kinds, and how many documents are there of those that entries name."""

    checkpoint: Checkpoint
    kinds: Mapping[str, int]
    documents: int


class PublishedLog:
    """The log in ``<directory>/published``. Raises ``StoreError`` if there is none."""

    def __init__(self, directory: Path) -> None:
        self._folder = directory / FOLDER
        self._files = TileFiles(self._folder)
        data = files.read(self._folder / CHECKPOINT, max_bytes=MAX_NOTE_BYTES)
        if data is None:
            raise StoreError("there is no published ledger here", where=str(directory), hint="Make one with: did-health board init", code="store_missing")
        self.note = SignedNote.parse(data)
        self.checkpoint = Checkpoint.parse(self.note.text)

    def entries(self) -> Iterator[bytes]:
        """The data of all leaves, in order. Raises ``StoreError`` for a missing bundle, ``FormatError`` for a broken one."""
        for tile in tiles_for(0, self.checkpoint.size):
            if tile.level == 0:
                data = self._read(tile.entries_path)
                try:
                    yield from parse_bundle(data, tile.width)
                except FormatError as error:
                    raise VerificationError(error.what, where=str(self._folder / tile.entries_path), code="log_damaged") from error

    def _read(self, path: str) -> bytes:
        data = self._files.read(path)
        if data is None:
            raise StoreError("a file of the published log is missing", where=str(self._folder / path), hint="Restore it from a mirror", code="log_damaged")
        return data

    def proof(self, index: int) -> TlogProof:
        """The proof of entry ``index`` under the published checkpoint; its extra data are the entry. Raises ``ValueError`` beyond the end."""
        leaves = list(self.entries())
        if not 0 <= index < len(leaves):
            raise ValueError(f"the log has the entries 0 to {len(leaves) - 1}")
        tree = Tree()
        tree.extend(map(leaf_hash, leaves))
        return TlogProof(index, tree.inclusion_proof(index), self.note, leaves[index])

    def latest(self, subject: bytes) -> int | None:
        """The index of the newest entry about a subject."""
        found = None
        for index, data in enumerate(self.entries()):
            # Parsing is only worth its while where the subject's bytes are.
            if subject in data and Entry.parse(data).subject == subject:
                found = index
        return found

    def bundle(self, subject: bytes) -> LatestBundle:
        """The proof of a subject's newest entry, or that it has none, made by replaying the log. Raises ``VerificationError``, ``StoreError``."""
        replay, leaves, newest = self._new_replay(None), list(self.entries()), None
        for index, data in enumerate(leaves):
            if _added(replay, data).subject == subject:
                newest = NewestEntry(index, data)
        replay.require_closed()
        if replay.head is None:
            raise VerificationError("the log is empty, so nothing is proved by it", code="log_damaged")
        tree = Tree.from_leaf_hashes(map(leaf_hash, leaves))
        return LatestBundle.of(replay.tree.prove(subject), replay.head, tree.inclusion_proof(len(leaves) - 1), self.note, newest)

    def check(self, key: PublicKey, document: Callable[[bytes], bytes | None]) -> CheckedLog:
        """Recompute everything that the checkpoint, signed with ``key``, commits to; ``document`` finds a document by its SHA-256.

        Every entry parses and continues its subject's history, every map head is that of the leaves before it, the tree's root is the
        checkpoint's, every tile is what the entries give, and every document that is there has the hash that an entry holds. Raises
        ``VerificationError``, ``StoreError``.
        """
        tree, replay = Tree(), self._new_replay(key)
        kinds: dict[str, int] = {}
        documents = 0
        for index, data in enumerate(self.entries()):
            entry = _added(replay, data)
            tree.append(leaf_hash(data))
            kinds[str(entry.kind)] = kinds.get(str(entry.kind), 0) + 1
            content = document(entry.content)
            if content is not None and hashlib.sha256(content).digest() != entry.content:
                raise VerificationError("a document is not the one that was logged", where=f"entry {index}", code="log_damaged")
            documents += content is not None
        replay.require_closed()
        if tree.root() != self.checkpoint.root:
            raise VerificationError("the entries do not give the root of the signed checkpoint", where=str(self._folder), code="log_damaged")
        for tile in tiles_for(0, self.checkpoint.size):
            if self._read(tile.path) != tile_content(tree, tile):
                raise VerificationError("a tile is not what the entries give", where=str(self._folder / tile.path), code="log_damaged")
        return CheckedLog(self.checkpoint, kinds, documents)

    def _new_replay(self, key: PublicKey | None) -> Replay:
        return Replay(self.checkpoint.origin, key, MemoryItems(), {}, top_bits=8)


def _added(replay: Replay, data: bytes) -> Entry:
    try:
        return replay.add(data)
    except VerificationError:
        raise
    except DidHealthError as error:
        raise VerificationError(error.what, where=f"entry {replay.size} {error.where}".rstrip(), code="log_damaged") from error


@contextmanager
def logged_documents(directory: Path) -> Iterator[Callable[[bytes], bytes | None]]:
    """The documents of the ledger in ``directory``, which are in its database; of a ledger without one, such as a copy, none is there."""
    try:
        database = Database.open(directory / "ledger.sqlite", create=False, read_only=True)
    except StoreError as error:
        if error.code != "store_missing":
            raise
        yield lambda _digest: None
        return
    try:
        yield LedgerStore(database).content
    finally:
        database.close()
