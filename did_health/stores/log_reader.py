"""Reading a log that is kept in a database and in published files: the same for the ledger that writes it and for a mirror of it.

Everything that is served is of one published checkpoint. Nothing here signs, and nothing needs a key.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Connection

from did_health.errors import FormatError, StoreError, TransportError
from did_health.ledger.document_bundle import encode_documents, parse_documents_path
from did_health.ledger.entry import HASH_BYTES
from did_health.ledger.latest import LatestBundle
from did_health.ledger.map_head import LoggedHead
from did_health.limits import MAX_DOCUMENT_BUNDLE_BYTES
from did_health.roles.evidence import Need
from did_health.stores.hosting import Hosting
from did_health.stores.ledger_map import LedgerMap, head_at, newest_of
from did_health.stores.ledger_state import DIDLogs
from did_health.stores.ledger_store import LedgerStore, LogState
from did_health.stores.tile_files import CHECKPOINT, TileFiles
from did_health.tlog.merkle import Tree
from did_health.tlog.note import SignedNote
from did_health.tlog.prefix_map_tree import PrefixTree
from did_health.tlog.tiles import FULL_WIDTH, Tile, encode_bundle, parse_entries_path, parse_tile_path, tile_content

Clock = Callable[[], datetime]
_FORGOTTEN: Final = "Restore the newer copy; nothing was signed"


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is the same in the bundles of all subjects under one published checkpoint."""

    published: bytes
    note: SignedNote
    head: LoggedHead
    head_path: tuple[bytes, ...]


class LogReader:
    """What is published of a log whose URL is ``url``; implements ``did_health.roles.evidence.Source``. Safe for several threads."""

    def __init__(self, url: str, store: LedgerStore, files: TileFiles, clock: Clock) -> None:
        self.url = url
        self._store, self._files, self._clock = store, files, clock
        self._tree, self._logs, self._map = Tree(), DIDLogs(store), LedgerMap()
        # The tree in memory follows the database; one thread at a time moves it.
        self._turn = threading.RLock()
        self._shown: _Shown | None = None
        self._hosting = Hosting(store, self._logs)

    @property
    def size(self) -> int:
        """How many entries are published."""
        return self._store.state().published_size

    def host(self) -> None:
        """Serve the documents that follow from what was published since the last call (see ``stores.hosting``)."""
        with self._turn:
            self._hosting.catch_up()

    def hosts(self, host: str) -> bool:
        """Whether documents of this host (``name`` or ``name:port``, in lower case) are served here."""
        return self._store.serves(host)

    def consistency_proof(self, old: int, new: int) -> tuple[bytes, ...]:
        """That the log of size ``new`` continues that of size ``old``; raises ``ValueError`` for sizes it does not have."""
        with self._turn:
            return self._tree.consistency_proof(old, new)

    def bundle(self, subject: bytes) -> LatestBundle | None:
        """The proof of a subject's newest published entry, or that it has none; ``None`` only while nothing at all is published."""
        with self._turn, self._snapshot() as (connection, state, prefix_tree):
            if state.published is None:
                return None
            shown = self._shown
            if shown is None or shown.published != state.published:
                shown = self._shown = self._newly_shown(connection, state, state.published)
            return LatestBundle.of(prefix_tree.prove(subject), shown.head, shown.head_path, shown.note, newest_of(connection, subject))

    def _newly_shown(self, connection: Connection, state: LogState, published: bytes) -> _Shown:
        self._follow(state)
        size = state.published_size
        head = head_at(connection, size)
        if head is None:
            raise StoreError("the published checkpoint is of no entries", hint="Recover the log from a mirror", code="store_corrupt")
        return _Shown(published, SignedNote.parse(published), head, self._tree.inclusion_proof(size - 1, size))

    @contextmanager
    def _snapshot(self) -> Iterator[tuple[Connection, LogState, PrefixTree]]:
        """Everything that is published at one moment, and the tree of its map."""
        with self._store.snapshot() as (connection, state), self._map.reading(connection, state.published_size) as prefix_tree:
            yield connection, state, prefix_tree

    def _follow(self, state: LogState) -> None:
        if self._tree.size < state.size:
            # No further: another process may have added to the log since this state was read.
            for hashes in self._store.leaf_hashes(self._tree.size, state.size):
                self._tree.extend(hashes)
        if self._tree.size < state.size or self._tree.root(state.size) != state.root:
            raise StoreError("the entries in the database do not give its signed root", hint="Recover the log from a mirror", code="store_corrupt")
        if self._tree.size > state.size:
            raise StoreError("the database is older than this process knows", hint=_FORGOTTEN, code="ledger_rolled_back")

    def _verify_map(self) -> None:
        """The table of the map is the only one that could be wrong without being noticed otherwise; the entries tell what it should be."""
        try:
            with self._snapshot():
                return
        except StoreError as error:
            if error.code != "map_damaged":
                raise
        self._store.restore_map()
        with self._snapshot():
            return

    def fetch(self, need: Need) -> bytes | None:
        """What is found at a URL below ``url`` or among the published documents; nothing is sent anywhere.

        Raises ``TransportError`` for hosts that this ledger serves nothing of, and for more than ``need.max_bytes``.
        """
        data = self._find(need.url)
        if data is not None and len(data) > need.max_bytes:
            raise TransportError(f"the answer has {len(data)} bytes, more than the {need.max_bytes} wanted", where=need.url, code="response_too_large")
        if data is None and not self._serves(need.url):
            raise TransportError("nothing is served from this host here", where=need.url, hint="This ledger has no network", code="host_unknown")
        return data

    def _serves(self, url: str) -> bool:
        host = host_of(url)
        return host == host_of(self.url) or self._store.serves(host)

    def _find(self, url: str) -> bytes | None:
        path = url.removeprefix(f"{self.url}/")
        if path == url:
            return self._store.document(url)
        if path == CHECKPOINT:
            return self._store.state().published
        folder, _, name = path.partition("/")
        if folder == "tile":
            return self._tile(path)
        if folder == "documents":
            return self._bundled_documents(path)
        digest = _digest(name)
        if folder == "content" and digest:
            return self._store.content(digest)
        if folder == "latest" and digest:
            bundle = self.bundle(digest)
            return bundle.encode() if bundle else None
        return self._store.document(url)

    def _tile(self, path: str) -> bytes | None:
        try:
            tile = parse_entries_path(path) if path.startswith("tile/entries/") else parse_tile_path(path)
        except FormatError:
            return None
        found = self._files.read(path)
        return found if found is not None else self._tile_of_database(tile, path)

    def _tile_of_database(self, tile: Tile, path: str) -> bytes | None:
        """A published tile that another process has written, or only a smaller or larger one of its place."""
        with self._turn:
            state = self._store.state()
            if (tile.start + tile.width) * FULL_WIDTH**tile.level > state.published_size:
                return None
            if path != tile.path:
                return encode_bundle(self._store.entry_data(tile.start, tile.start + tile.width))
            self._follow(state)
            return tile_content(self._tree, tile)

    def _bundled_documents(self, path: str) -> bytes | None:
        try:
            tile = parse_documents_path(path)
        except FormatError:
            return None
        documents = self._store.documents_between(tile.start, tile.start + tile.width, max_bytes=MAX_DOCUMENT_BUNDLE_BYTES)
        return None if documents is None else encode_documents(documents)


def host_of(url: str) -> str:
    """The host of a URL, with its port, in lower case. Raises ``FormatError`` for what names none."""
    try:
        host = urlsplit(url).netloc
    except ValueError as error:
        raise FormatError("the URL is malformed") from error
    if not host:
        raise FormatError("the URL names no host", hint="Write it with its scheme, as https://ledger.example")
    return host.lower()


def _digest(name: str) -> bytes | None:
    try:
        digest = bytes.fromhex(name)
    except ValueError:
        return None
    return digest if len(digest) == HASH_BYTES and digest.hex() == name else None
