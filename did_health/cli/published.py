"""A ledger as anybody sees it: the static files that it publishes, read and recomputed without a passphrase."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from did_health.errors import DidHealthError, FormatError, StoreError, UnsupportedError, VerificationError
from did_health.keys import PublicKey
from did_health.ledger.audit import Audit, AuditedLog
from did_health.ledger.entry import Entry, Kind
from did_health.ledger.latest import LatestBundle, NewestEntry
from did_health.ledger.map_head import LoggedHead, MapHead
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
from did_health.tlog.tiles import FULL_WIDTH, Tile, parse_bundle, tile_content, tiles_for

FOLDER: Final = "published"


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

    def check(self, key: PublicKey, document: Callable[[bytes], bytes | None] | None) -> AuditedLog:
        """Make everything again that the checkpoint, signed with ``key``, commits to; ``document`` finds a document by its SHA-256.

        Beyond what ``Audit`` says, every tile is what the entries give. Without ``document`` nobody's authorship is judged. Raises
        ``VerificationError``, ``UnsupportedError``, ``StoreError``.
        """
        audit = Audit(self.checkpoint.origin, key, authors=document is not None)
        for data in self.entries():
            audit.add(data, _content(data, document) if document else None)
        found = audit.finish(self.checkpoint)
        for tile in tiles_for(0, self.checkpoint.size):
            if self._read(tile.path) != tile_content(audit.tree, tile):
                raise VerificationError("a tile is not what the entries give", where=str(self._folder / tile.path), code="log_damaged")
        return found

    def head(self, document: Callable[[bytes], bytes | None]) -> LoggedHead | None:
        """The last leaf, if it is a map head whose ``document`` is there. Nothing is proved: ``check`` does that."""
        tile = Tile(0, (self.checkpoint.size - 1) // FULL_WIDTH, (self.checkpoint.size - 1) % FULL_WIDTH + 1) if self.checkpoint.size else None
        if tile is None:
            return None
        try:
            entry = Entry.parse(parse_bundle(self._read(tile.entries_path), tile.width)[-1])
            content = document(entry.content)
            return None if content is None or entry.kind is not Kind.MAP_HEAD else LoggedHead(entry, MapHead.parse(content))
        except (FormatError, UnsupportedError) as error:
            raise VerificationError(error.what, where=str(self._folder / tile.entries_path), code="log_damaged") from error

    def _new_replay(self, key: PublicKey | None) -> Replay:
        return Replay(self.checkpoint.origin, key, MemoryItems(), {}, top_bits=8)


def _added(replay: Replay, data: bytes) -> Entry:
    try:
        return replay.add(data)
    except VerificationError:
        raise
    except DidHealthError as error:
        raise VerificationError(error.what, where=f"entry {replay.size} {error.where}".rstrip(), code="log_damaged") from error


def _content(data: bytes, document: Callable[[bytes], bytes | None]) -> bytes | None:
    try:
        return document(Entry.parse(data).content)
    except (FormatError, UnsupportedError):
        # The audit says what is wrong with it.
        return None


@contextmanager
def ledger_store(directory: Path) -> Iterator[LedgerStore | None]:
    """The database of the ledger in ``directory``, to be read; ``None`` for a ledger without one, such as a copy."""
    try:
        database = Database.open(directory / "ledger.sqlite", create=False, read_only=True)
    except StoreError as error:
        if error.code != "store_missing":
            raise
        yield None
        return
    try:
        yield LedgerStore(database)
    finally:
        database.close()
