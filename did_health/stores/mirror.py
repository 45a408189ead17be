"""A mirror of one log in one folder: a copy of everything, of which every map head was recomputed before it was kept.

::

    <folder>/mirror.sqlite      entries, documents, the newest published checkpoint, and the alarm if there was one
    <folder>/published/…        checkpoint, tiles and entry bundles (C2SP tlog-tiles)

A copy goes through these steps, and a crash after any of them is made good by the next ones:

1. the log's signature on a checkpoint, whoever showed it;
2. the leaf hashes up to its size have to continue those that are kept and give its root, so that entries are the log's own word;
3. entries and documents have to have these hashes; entries are replayed: decoding, the order of each subject, every map head, and
   whether its author was entitled to each entry, at the time that its batch's head says;
4. they are kept, in transactions that end with a map head each; now the mirror may cosign the checkpoint (``take`` has returned);
5. when the log has published it, tiles and map follow, and it is shown (``follow``).

What the log signed and is wrong (an entry, a map head, another history, a checkpoint that ends with no head) is the **alarm**: it is written
down with the checkpoint that proves it, and nothing of this log is taken or cosigned from then on. What is kept is still served. Two
things that are not on the log are not judged here but by verifiers: who is a registry authority, and the approvals of DIDs' witnesses.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn, Protocol, cast

from sqlalchemy import Connection

from did_health.encoding import strict_json
from did_health.errors import DidHealthError, FormatError, StoreError, TransportError, VerificationError
from did_health.keys import PublicKey
from did_health.ledger.admission import Admitted, admit_replayed
from did_health.ledger.entry import Entry, Kind
from did_health.ledger.replay import Replay
from did_health.ledger.sequencer import Staged
from did_health.limits import MAX_BATCH_ENTRIES
from did_health.stores import files
from did_health.stores.database import Database
from did_health.stores.ledger_map import TableItems, head_at, rows_between
from did_health.stores.ledger_state import DIDLogs, StoredState
from did_health.stores.ledger_store import LogState
from did_health.stores.log_reader import Clock, LogReader, host_of
from did_health.stores.mirror_store import MirrorStore
from did_health.stores.sqlite import SMALL_ROWS
from did_health.stores.tile_files import CHECKPOINT, TileFiles
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.merkle import Tree
from did_health.tlog.note import SignedNote, VerifierKey, open_note
from did_health.tlog.prefix_map_tree import MemoryItems, PrefixTree
from did_health.tlog.tiles import FULL_WIDTH

_DATABASE: Final = "mirror.sqlite"
_LOG: Final = "log"
_URL: Final = "url"
_KEEPS: Final = "keeps"
_EVERYTHING: Final = "everything"
_ENTRIES: Final = "entries"
_TOP_BITS: Final = 16
# Of whole batches, so that what is kept always ends with a map head.
_LEAVES_AT_ONCE: Final = 2_000
_MOST_WITHOUT_HEAD: Final = 4 * MAX_BATCH_ENTRIES
_TILES_AT_ONCE: Final = 1 << 14


class LogSource(Protocol):
    """Where the log is read. Nothing it gives is believed; all raise ``TransportError``. ``net.followed_log.FollowedLog`` is one."""

    def checkpoint(self) -> bytes | None:
        """The published checkpoint; ``None`` while there is none."""

    def leaf_hashes(self, start: int, size: int) -> Iterable[bytes]:
        """The hashes of the leaves from ``start`` to ``size``."""

    def entries(self, start: int, size: int, expected: Sequence[bytes]) -> Iterator[bytes]:
        """The leaves from ``start`` to ``size``, whose hashes are ``expected``: that is checked."""

    def documents(self, start: int, end: int, digests: Collection[bytes]) -> dict[bytes, bytes]:
        """The documents with these SHA-256 digests, which is checked; they are among those of the leaves from ``start`` to ``end``."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What a log was caught at: the error's ``code`` and words, and the ``checkpoint``, signed by the log, that proves it."""

    code: str
    what: str
    checkpoint: str

    def encode(self) -> str:
        """As it is written down."""
        return strict_json.dumps({"code": self.code, "what": self.what, "checkpoint": self.checkpoint}).decode()

    @classmethod
    def parse(cls, text: str) -> Alarm:
        """Read what ``encode`` wrote."""
        members = strict_json.loads_object(text.encode())
        return cls(str(members["code"]), str(members["what"]), str(members["checkpoint"]))

    def error(self) -> VerificationError:
        """To raise wherever the log would have to be trusted."""
        return VerificationError(self.what, hint="Keep the mirror's folder: it holds the proof", code=self.code)


class Mirror(LogReader):
    """A copy of a log; ``open`` is the way in. Safe for several threads."""

    def __init__(
        self, folder: Path, database: Database, store: MirrorStore, key: VerifierKey, url: str, source: LogSource, clock: Clock, documents: bool
    ) -> None:
        super().__init__(url, store, TileFiles(folder / "published"), clock)
        self.key = key
        self._documents = documents
        self._database, self._kept, self._source = database, store, source
        # One at a time copies; readers do not wait for it.
        self._copying = threading.Lock()
        self._stopping = threading.Event()
        self._ahead = Tree()
        self._items, self._history = _Items(), _History()
        # Not those of the readers, who may be others' threads.
        self._judged_logs = DIDLogs(store)
        self._replay: Replay | None = None
        alarm = store.alarm()
        self.alarm = Alarm.parse(alarm) if alarm else None

    @classmethod
    def open(cls, folder: Path, key: VerifierKey, url: str, source: LogSource, *, clock: Clock, documents: bool = True) -> Mirror:
        """The mirror in ``folder`` of the log with verifier key ``key``; an empty one is made if nothing is there.

        ``url`` is the prefix under which verifiers find the log, ``source`` where it is read. Without ``documents`` only entries are kept,
        their authors are not judged, and no files are written: enough to check tree and map, and nothing to serve. Raises ``StoreError``:
        ``store_foreign`` for a folder with a copy of another log, or made with another choice, ``store_corrupt``; ``FormatError`` for a
        URL that cannot be one.
        """
        url = url.rstrip("/")
        host_of(url)
        files.make_folder(folder)
        database = Database.open(folder / _DATABASE, paging=SMALL_ROWS)
        try:
            store = MirrorStore(database)
            known, keeps = store.settings(), _EVERYTHING if documents else _ENTRIES
            if not known:
                store.initialise({_LOG: str(key), _URL: url, _KEEPS: keeps})
            elif (known.get(_LOG), known.get(_URL), known.get(_KEEPS, _EVERYTHING)) != (str(key), url, keeps):
                hint = f"It is of {known.get(_LOG)} at {known.get(_URL)}, and keeps {known.get(_KEEPS, _EVERYTHING)}"
                raise StoreError("the folder holds another copy of a log", where=str(folder), hint=hint, code="store_foreign")
            mirror = cls(folder, database, store, key, url, source, clock, documents)
            mirror._recover()
        except BaseException:
            database.close()
            raise
        return mirror

    @property
    def origin(self) -> str:
        """The log's name."""
        return self.key.name

    @property
    def taken(self) -> int:
        """How many entries are kept and verified; the last of them may not be published yet."""
        return self._store.state().size

    def _recover(self) -> None:
        with self._turn:
            self._follow(self._store.state())
        self._verify_map()
        with self._copying:
            state = self._synchronised()
            if state.published is not None and self._documents:
                self._write_files(state.published, state.published_size)

    # ---- copying

    def follow(self) -> bool:
        """Take what the log has published since the last call, and publish it here; whether there was anything.

        Raises ``TransportError`` for a log that cannot be reached or serves what it did not sign, and what ``take`` raises.
        """
        data = self._source.checkpoint()
        if data is None or data == self._store.state().published:
            return False
        try:
            note = SignedNote.parse(data)
            self.signed(note)
        except (FormatError, VerificationError) as error:
            raise TransportError(f"the log's checkpoint is of no use: {error.what}", code="malformed_response") from error
        return self.show(note)

    def show(self, note: SignedNote) -> bool:
        """Take a checkpoint that the log has published, and publish it here; whether it is not smaller than what is published. Raises as ``take``."""
        checkpoint = self.take(note)
        with self._copying:
            published = self._synchronised().published_size
            if checkpoint.size < published:
                # From a cache that is behind; that it is of the same history was seen.
                return False
            data = note.encode()
            if self._documents:
                self._write_tiles(published, checkpoint.size)
            self._kept.show(data, checkpoint.size)
            if self._documents:
                self._files.write_checkpoint(data)
            with self._store.snapshot() as (connection, state):
                # The table has the others now.
                self._items.set_beyond(connection, state)
        return True

    def take(self, note: SignedNote) -> Checkpoint:
        """Have everything that a signed checkpoint commits to: verified, replayed, and durable when this returns. It need not be published.

        Raises ``VerificationError`` for a signature that is not the log's, ``log_inconsistent`` for leaves that do not give the root, and for
        whatever is or becomes the alarm; ``UnsupportedError`` for entries of a later version; ``TransportError``, ``StoreError``.
        """
        checkpoint = self.signed(note)
        with self._copying:
            if self.alarm is not None:
                raise self.alarm.error()
            state = self._synchronised()
            try:
                if checkpoint.size <= state.size:
                    self._require_kept(checkpoint)
                else:
                    self._copy(state, checkpoint)
            except _Caught as caught:
                self._sound(note, caught.error)
        return checkpoint

    @property
    def shown(self) -> SignedNote | None:
        """The checkpoint that is published here."""
        published = self._store.state().published
        return None if published is None else SignedNote.parse(published)

    def leaves(self, start: int, end: int) -> list[bytes]:
        """The data of the leaves that were taken, from ``start`` to ``end``."""
        return self._store.entry_data(start, end)

    def signed(self, note: SignedNote) -> Checkpoint:
        """What the log signed in ``note``. Raises ``FormatError``; ``VerificationError`` (``checkpoint_foreign``, ``note_unverified``, …)."""
        checkpoint = Checkpoint.parse(note.text)
        if checkpoint.origin != self.origin:
            raise VerificationError("the checkpoint is of another log", where=checkpoint.origin, code="checkpoint_foreign")
        open_note(note, [self.key])
        return checkpoint

    def _synchronised(self) -> LogState:
        state = self._store.state()
        if self._ahead.size > state.size:
            self._ahead.truncate(state.size)
        for hashes in self._store.leaf_hashes(self._ahead.size):
            self._ahead.extend(hashes)
        if self._replay is not None and self._replay.size != state.size:
            self._replay = None
        return state

    def _require_kept(self, checkpoint: Checkpoint) -> None:
        if self._ahead.root(checkpoint.size) != checkpoint.root:
            raise _Caught(VerificationError("the log signed two histories", where=f"size {checkpoint.size}", code="log_forked"))
        if checkpoint.size and Entry.parse(self._store.entry_data(checkpoint.size - 1, checkpoint.size)[0]).kind is not Kind.MAP_HEAD:
            raise _Caught(_no_head(checkpoint.size))

    def _copy(self, state: LogState, checkpoint: Checkpoint) -> None:
        start = state.size
        hashes: list[bytes] = []
        for one in self._source.leaf_hashes(start, checkpoint.size):
            hashes.append(one)
            if not len(hashes) % FULL_WIDTH:
                self._require_going()
        try:
            self._ahead.extend(hashes)
            if self._ahead.size != checkpoint.size or self._ahead.root() != checkpoint.root:
                # Whether the log forked or what was served is not its own, only a consistency proof could tell.
                hint = "If it stays so, the log has two histories: compare its checkpoint with those of witnesses"
                raise VerificationError("the log's leaves do not give its signed root", where=f"size {checkpoint.size}", hint=hint, code="log_inconsistent")
            leaves: list[Entry] = []
            data: list[bytes] = []
            for one in self._source.entries(start, checkpoint.size, hashes):
                leaves.append(_parsed(one, start + len(data)))
                data.append(one)
                closed = leaves[-1].kind is Kind.MAP_HEAD
                if closed and (len(data) >= _LEAVES_AT_ONCE or start + len(data) == checkpoint.size):
                    self._require_going()
                    self._keep(start, leaves, data)
                    start += len(data)
                    leaves, data = [], []
                elif not closed and len(data) >= _MOST_WITHOUT_HEAD:
                    break
            if start != checkpoint.size:
                raise _Caught(_no_head(start + len(data)))
        except BaseException:
            self._replay = None
            raise

    def _require_going(self) -> None:
        if self._stopping.is_set():
            raise StoreError("the mirror is ending", hint="It goes on with its copy when it is started again", code="mirror_ending")

    def _keep(self, start: int, leaves: Sequence[Entry], data: Sequence[bytes]) -> None:
        """Replay and keep leaves, the last of which is a head."""
        contents = self._contents(start, len(data), {entry.content for entry in leaves if entry.kind is not Kind.MAP_HEAD})
        heads = self._replayed(leaves, data)
        documents = {**contents, **heads}
        if self._documents:
            admitted = self._judged(start, leaves, data, documents)
        else:
            admitted = [Admitted(entry, one, documents[entry.content]) for entry, one in zip(leaves, data, strict=True)]
        end = start + len(data)
        hashes = self._ahead.subtree_hashes(0, start, end)
        old, new = (Checkpoint(self.origin, size, self._ahead.root(size)) for size in (start, end))
        self._kept.take(old, new, admitted, [hashes[at : at + 32] for at in range(0, len(hashes), 32)], now=self._clock())

    def _contents(self, start: int, count: int, wanted: set[bytes]) -> dict[bytes, bytes]:
        if not self._documents:
            return dict.fromkeys(wanted, b"")
        kept = self._store.contents_of(wanted)
        return kept | self._source.documents(start, start + count, wanted - kept.keys())

    def _replayed(self, leaves: Sequence[Entry], data: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """The documents of the heads among these leaves, each recomputed."""
        found = self._store.latest_of({entry.subject for entry in leaves})
        self._history.known = {subject: (last.seq, hashlib.sha256(last.data).digest()) for subject, last in found.items()}
        heads: dict[bytes, bytes] = {}
        with self._store.snapshot() as (connection, state):
            self._items.table.connection = connection
            try:
                replay = self._replay = self._replay or self._resumed(state)
                for one in data:
                    try:
                        entry = replay.add(one)
                    except (VerificationError, FormatError) as error:
                        raise _Caught(error) from error
                    if entry.kind is Kind.MAP_HEAD and replay.head is not None:
                        heads[entry.content] = replay.head.head.encode()
            finally:
                self._items.table.release()
        return heads

    def _judged(self, start: int, leaves: Sequence[Entry], data: Sequence[bytes], contents: Mapping[bytes, bytes]) -> list[Admitted]:
        """Leaves whose authors were entitled to write them at the time of their batch, which is what its head says."""
        staged = Staged(StoredState(self._store, self._judged_logs, frozenset(), self._clock(), replayed=True))
        staged.expect({entry.subject for entry in leaves})
        admitted: list[Admitted] = []
        for position, (entry, one, time) in enumerate(zip(leaves, data, _times(leaves), strict=True), start):
            content = contents[entry.content]
            if entry.kind is Kind.MAP_HEAD:
                # The log's own, and judged by the replay.
                admitted.append(Admitted(entry, one, content))
                continue
            try:
                admitted.append(admit_replayed(entry, one, content, staged, now=time))
            except (VerificationError, FormatError) as error:
                raise _Caught(VerificationError(error.what, where=f"entry {position} {error.where}".rstrip(), code=error.code)) from error
            staged.stage(admitted[-1])
        return admitted

    def _resumed(self, state: LogState) -> Replay:
        """A replay that goes on where the database is; the items' connection is open."""
        connection = self._items.table.connection
        if connection is None:
            raise RuntimeError("the replay is resumed outside of a transaction")
        self._items.set_beyond(connection, state)
        replay = Replay(self.origin, cast("PublicKey", self.key.public_key), self._items, self._history, top_bits=0)
        replay.resume(state.size, head_at(connection, state.size), PrefixTree.over(self._items, _TOP_BITS))
        return replay

    def _sound(self, note: SignedNote, error: DidHealthError) -> NoReturn:
        place = f"{error.what} (at {error.where})" if error.where else error.what
        alarm = Alarm(error.code, place, note.encode().decode())
        self._kept.sound(alarm.encode())
        self.alarm = alarm
        raise alarm.error() from error

    # ---- files

    def _write_tiles(self, published: int, size: int) -> None:
        reached = self._files.reached(published)
        while reached < size:
            # In steps, because a step's entries are in memory together.
            step = min(size, (reached // _TILES_AT_ONCE + 1) * _TILES_AT_ONCE)
            self._files.write_tiles(self._ahead, reached, step, self._store.entry_data)
            reached = step

    def _write_files(self, note: bytes, size: int) -> None:
        if note != self._files.read(CHECKPOINT):
            self._write_tiles(size, size)
            self._files.write_checkpoint(note)

    def stop(self) -> None:
        """Take nothing more: a copy that is under way ends with what is kept, and raises ``StoreError`` (``mirror_ending``)."""
        self._stopping.set()

    def close(self) -> None:
        """Give back the database connections, when no copy is under way."""
        with self._copying:
            self._database.close()


class _Caught(Exception):
    """The log signed what is wrong: what leads to the alarm."""

    def __init__(self, error: DidHealthError) -> None:
        super().__init__(error.what)
        self.error = error


class _Items:
    """The map of what was replayed: the table of the published map, and what is beyond it, in memory."""

    def __init__(self) -> None:
        self.table, self.beyond = TableItems(), MemoryItems()

    def set_beyond(self, connection: Connection, state: LogState) -> None:
        """Hold what was taken and is not published, as the database has it."""
        self.beyond = MemoryItems()
        self.beyond.put({subject: row.value for subject, row in rows_between(connection, state.published_size, state.size).items()})

    def expect(self, ranges: Sequence[tuple[bytes, bytes]]) -> None:
        self.table.expect(ranges)

    def range(self, low: bytes, high: bytes) -> Iterable[tuple[bytes, bytes]]:
        beyond = dict(self.beyond.range(low, high))
        rows = self.table.range(low, high)
        return sorted((dict(rows) | beyond).items()) if beyond else rows

    def put(self, updates: Mapping[bytes, bytes]) -> None:
        self.beyond.put(updates)


class _History:
    """The last entry of each subject that the leaves at hand are about."""

    def __init__(self) -> None:
        self.known: dict[bytes, tuple[int, bytes]] = {}

    def get(self, subject: bytes, /) -> tuple[int, bytes] | None:
        return self.known.get(subject)

    def __setitem__(self, subject: bytes, last: tuple[int, bytes], /) -> None:
        self.known[subject] = last


def _parsed(data: bytes, position: int) -> Entry:
    try:
        return Entry.parse(data)
    except FormatError as error:
        raise _Caught(VerificationError(f"a leaf is no entry: {error.what}", where=f"entry {position}", code="entry_malformed")) from error


def _times(leaves: Sequence[Entry]) -> list[datetime]:
    """When each leaf was admitted: the time of the head that ends its batch."""
    times: list[datetime] = []
    for entry in reversed(leaves):
        times.append(datetime.fromtimestamp(entry.time, UTC) if entry.kind is Kind.MAP_HEAD else times[-1])
    return times[::-1]


def _no_head(size: int) -> VerificationError:
    return VerificationError("the log's last leaf is not a head of its map", where=f"size {size}", code="map_head_missing")
