"""A log's database: its entries, their documents, and the checkpoint row that every change compares and swaps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, and_, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from did_health.errors import ConflictError, StoreError
from did_health.ledger.admission import Admitted
from did_health.ledger.sequencer import Batch
from did_health.stores import ledger_map
from did_health.stores.database import Database
from did_health.stores.tables import checkpoint, contents, documents, entries, settings
from did_health.tlog.merkle import EMPTY_ROOT

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR: Final = timedelta(hours=1)
_MICROSECOND: Final = timedelta(microseconds=1)
# SQLite takes at most 32,766 variables in one statement.
_PER_QUERY: Final = 10_000
_HOSTED: Final = "hosted-through"


@dataclass(frozen=True, slots=True)
class LogState:
    """The checkpoint row: the newest tree ever signed, the note still to be published, and the published one with its cosignatures."""

    size: int
    root: bytes
    pending: bytes | None
    published_size: int
    published: bytes | None


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One entry: its position among the leaves, its number within its subject, its bytes and its document's hash."""

    position: int
    seq: int
    data: bytes
    content: bytes


class LedgerStore:
    """One log in one database. Every method is one transaction, durable when it returns; safe for several threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # ---- settings

    def initialise(self, values: Mapping[str, str]) -> None:
        """Begin an empty log. Raises ``ConflictError`` (``ledger_exists``) if the database holds one."""
        with self._database.write() as connection:
            try:
                connection.execute(insert(checkpoint).values(id=1, size=0, root=EMPTY_ROOT, published_size=0))
                connection.execute(insert(settings), [{"name": name, "value": value} for name, value in values.items()])
            except IntegrityError as error:
                raise ConflictError("the database holds a ledger already", where=self._database.where, code="ledger_exists") from error

    def settings(self) -> dict[str, str]:
        """What ``initialise`` and ``set`` stored."""
        with self._database.read() as connection:
            return {row.name: row.value for row in connection.execute(select(settings))}

    def set(self, name: str, old: str, new: str) -> None:
        """Replace a setting; raises ``ConflictError`` if it is not ``old`` any more."""
        with self._database.write() as connection:
            swapped = connection.execute(update(settings).where(settings.c.name == name, settings.c.value == old).values(value=new))
            if swapped.rowcount != 1:
                raise ConflictError("another process changed the ledger's settings first", where=name, hint="Try again")

    # ---- the checkpoint row

    def state(self) -> LogState:
        """The checkpoint row."""
        with self._database.read() as connection:
            return self._state(connection)

    def _state(self, connection: Connection) -> LogState:
        row = connection.execute(select(checkpoint)).one_or_none()
        if row is None:
            raise StoreError("the database holds no ledger", where=self._database.where, hint="Create one first", code="store_missing")
        return LogState(row.size, row.root, row.pending, row.published_size, row.published)

    def append(self, batch: Batch, *, now: datetime) -> None:
        """Store a batch and its signed checkpoint as pending, in one transaction.

        Raises ``ConflictError``, writing nothing, unless the newest signed tree is ``batch.old`` and none is pending; ``StoreError`` as ``add_entries``.
        """
        rows = entry_rows(batch.old.size, batch.leaves, batch.leaf_hashes, now=now)
        with self._database.write() as connection:
            swapped = connection.execute(
                update(checkpoint)
                .where(checkpoint.c.size == batch.old.size, checkpoint.c.root == batch.old.root, checkpoint.c.pending.is_(None))
                .values(size=batch.new.size, root=batch.new.root, pending=batch.note.encode())
            )
            if swapped.rowcount != 1:
                raise write_conflict()
            add_contents(connection, {one.entry.content: one.content for one in batch.leaves})
            add_entries(connection, rows)
            for one in batch.entries:
                if one.witness_proofs is not None:
                    _replace(connection, _approvals_of(one.entry.subject), "", one.witness_proofs)

    def mark_published(self, pending: bytes, published: bytes) -> None:
        """The pending note is out, ``published`` is what it became; the map follows. Does nothing if another process said so already."""
        with self._database.write() as connection:
            state = self._state(connection)
            if state.pending != pending:
                return
            connection.execute(update(checkpoint).values(pending=None, published=published, published_size=state.size))
            ledger_map.apply_entries(connection, state.published_size, state.size)

    def refresh_published(self, old: bytes, new: bytes) -> None:
        """Replace the cosignatures of the published note; raises ``ConflictError`` if it is not ``old`` any more."""
        with self._database.write() as connection:
            swapped = connection.execute(update(checkpoint).where(checkpoint.c.published == old).values(published=new))
            if swapped.rowcount != 1:
                raise write_conflict()

    @contextmanager
    def published_locked(self) -> Iterator[bytes | None]:
        """The published note, while no other process can change it."""
        with self._database.write() as connection:
            yield self._state(connection).published

    # ---- the map

    @contextmanager
    def snapshot(self) -> Iterator[tuple[Connection, LogState]]:
        """One consistent state of everything that is published: a connection that sees it, and the checkpoint row."""
        with self._database.read() as connection:
            yield connection, self._state(connection)

    def restore_map(self) -> None:
        """Make the map's table anew from the published entries."""
        with self._database.write() as connection:
            ledger_map.restore(connection, self._state(connection).published_size)

    # ---- entries

    def leaf_hashes(self, start: int, end: int | None = None) -> Iterator[Sequence[bytes]]:
        """The hashes of the leaves from ``start`` on (to ``end``, exclusive), in order, in parts: all of a long log are never in memory as so
        many objects.
        """
        query = select(entries.c.leaf_hash).where(entries.c.position >= start).order_by(entries.c.position)
        if end is not None:
            query = query.where(entries.c.position < end)
        with self._database.read() as connection:
            yield from connection.execute(query, execution_options={"yield_per": _PER_QUERY}).scalars().partitions()

    def entry_data(self, start: int, end: int) -> list[bytes]:
        """The bytes of the entries from ``start`` to ``end`` (exclusive)."""
        with self._database.read() as connection:
            query = select(entries.c.data).where(entries.c.position >= start, entries.c.position < end).order_by(entries.c.position)
            return list(connection.execute(query).scalars())

    def latest(self, subject: bytes, *, below: int | None = None) -> StoredEntry | None:
        """The subject's last entry (of those at positions under ``below``)."""
        query = select(entries.c.position, entries.c.seq, entries.c.data, entries.c.content).where(entries.c.subject == subject)
        if below is not None:
            query = query.where(entries.c.position < below)
        with self._database.read() as connection:
            row = connection.execute(query.order_by(entries.c.seq.desc()).limit(1)).one_or_none()
        return None if row is None else StoredEntry(*row)

    def numbered(self, subject: bytes, seq: int) -> StoredEntry | None:
        """The subject's entry of this number, published or not."""
        query = select(entries.c.position, entries.c.seq, entries.c.data, entries.c.content).where(entries.c.subject == subject, entries.c.seq == seq)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else StoredEntry(*row)

    def subjects_between(self, kinds: Sequence[str], start: int, end: int) -> list[tuple[str, bytes]]:
        """Kind and subject of the entries of these kinds from ``start`` to ``end`` (exclusive), each once, in the order of their first entry there."""
        query = (
            select(entries.c.kind, entries.c.subject, func.min(entries.c.position))
            .where(entries.c.position >= start, entries.c.position < end, entries.c.kind.in_(kinds))
            .group_by(entries.c.kind, entries.c.subject)
            .order_by(func.min(entries.c.position))
        )
        with self._database.read() as connection:
            return [(row[0], row[1]) for row in connection.execute(query)]

    def latest_of(self, subjects: Collection[bytes]) -> dict[bytes, StoredEntry]:
        """The last entries of many subjects at once; those that have none are left out."""
        found: dict[bytes, StoredEntry] = {}
        with self._database.read() as connection:
            for chunk in _chunks(list(subjects)):
                last = (
                    select(entries.c.subject, func.max(entries.c.seq).label("seq"))
                    .where(entries.c.subject.in_(chunk))
                    .group_by(entries.c.subject)
                    .subquery()
                )
                query = select(entries.c.subject, entries.c.position, entries.c.seq, entries.c.data, entries.c.content).join(
                    last, and_(entries.c.subject == last.c.subject, entries.c.seq == last.c.seq)
                )
                found.update({row[0]: StoredEntry(*row[1:]) for row in connection.execute(query)})
        return found

    def subject_contents(self, subject: bytes, from_seq: int) -> list[bytes]:
        """The documents of a subject's entries from ``from_seq`` on, in order."""
        query = (
            select(contents.c.data)
            .join(entries, entries.c.content == contents.c.digest)
            .where(entries.c.subject == subject, entries.c.seq >= from_seq)
            .order_by(entries.c.seq)
        )
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def entries_within_hour(self, author: str, *, now: datetime) -> int:
        """How many entries of an author were admitted in the hour before ``now``."""
        since = (now - _HOUR - _EPOCH) // _MICROSECOND
        with self._database.read() as connection:
            query = select(func.count()).select_from(entries).where(entries.c.author == author, entries.c.admitted > since)
            return connection.execute(query).scalar_one()

    # ---- documents

    def content(self, digest: bytes) -> bytes | None:
        """A document by its SHA-256."""
        with self._database.read() as connection:
            return connection.execute(select(contents.c.data).where(contents.c.digest == digest)).scalar_one_or_none()

    def documents_between(self, start: int, end: int, *, max_bytes: int) -> list[bytes] | None:
        """The documents of the entries from ``start`` to ``end`` (exclusive), in order; ``None`` if there are fewer entries, or more bytes."""
        wanted = contents.join(entries, entries.c.content == contents.c.digest)
        within = and_(entries.c.position >= start, entries.c.position < end)
        with self._database.read() as connection:
            number, length = connection.execute(select(func.count(), func.sum(func.length(contents.c.data))).select_from(wanted).where(within)).one()
            if number != end - start or length > max_bytes:
                return None
            return list(connection.execute(select(contents.c.data).select_from(wanted).where(within).order_by(entries.c.position)).scalars())

    def contents_of(self, digests: Collection[bytes]) -> dict[bytes, bytes]:
        """Those of many documents that are kept, by their SHA-256."""
        found: dict[bytes, bytes] = {}
        with self._database.read() as connection:
            for chunk in _chunks(list(digests)):
                rows = connection.execute(select(contents.c.digest, contents.c.data).where(contents.c.digest.in_(chunk)))
                found.update([(row.digest, row.data) for row in rows])
        return found

    def publish(self, url: str, host: str, data: bytes) -> None:
        """Keep ``data`` as what is found at ``url``, in the place of what was there."""
        self.publish_all({url: (host, data)})

    def publish_all(self, published: Mapping[str, tuple[str, bytes]]) -> None:
        """As ``publish``, documents by their URLs, each with its host: all or none."""
        with self._database.write() as connection:
            for url, (host, data) in published.items():
                _replace(connection, url, host, data)

    def host(self, hosted: Mapping[str, tuple[str, bytes | None]], through: int) -> None:
        """Keep documents, by URL each with its host, that follow from the entries below ``through``; ``None`` takes one away."""
        with self._database.write() as connection:
            for url, (host, data) in hosted.items():
                connection.execute(delete(documents).where(documents.c.url == url))
                if data is not None:
                    connection.execute(insert(documents).values(url=url, host=host, data=data))
            connection.execute(delete(settings).where(settings.c.name == _HOSTED))
            connection.execute(insert(settings).values(name=_HOSTED, value=str(through)))

    def hosted_through(self) -> int:
        """The ``through`` of the last ``host``; 0 before the first."""
        with self._database.read() as connection:
            return int(connection.execute(select(settings.c.value).where(settings.c.name == _HOSTED)).scalar_one_or_none() or 0)

    def document(self, url: str) -> bytes | None:
        """What was published at ``url``."""
        with self._database.read() as connection:
            return connection.execute(select(documents.c.data).where(documents.c.url == url)).scalar_one_or_none()

    def approvals(self, subject: bytes) -> bytes | None:
        """The ``did-witness.json`` that came with the last line of this DID that brought one."""
        return self.document(_approvals_of(subject))

    def serves(self, host: str) -> bool:
        """Whether anything was published under this host."""
        if not host:
            # Approvals that wait to be hosted are of none.
            return False
        with self._database.read() as connection:
            return connection.execute(select(documents.c.url).where(documents.c.host == host).limit(1)).first() is not None


def _approvals_of(subject: bytes) -> str:
    # By the DID and not by its place, for which another DID may have been logged first.
    return f"approvals:{subject.hex()}"


def _replace(connection: Connection, url: str, host: str, data: bytes) -> None:
    replaced = connection.execute(update(documents).where(documents.c.url == url).values(data=data))
    if not replaced.rowcount:
        connection.execute(insert(documents).values(url=url, host=host, data=data))


def entry_rows(start: int, leaves: Sequence[Admitted], leaf_hashes: Sequence[bytes], *, now: datetime) -> list[dict[str, object]]:
    """The rows of leaves that are kept at the positions from ``start`` on, admitted at ``now``."""
    admitted = (now - _EPOCH) // _MICROSECOND
    return [
        {
            "position": position,
            "leaf_hash": leaf_hash,
            "kind": str(one.entry.kind),
            "subject": one.entry.subject,
            "seq": one.entry.seq,
            "content": one.entry.content,
            "author": one.author,
            "admitted": admitted,
            "data": one.data,
        }
        for position, (one, leaf_hash) in enumerate(zip(leaves, leaf_hashes, strict=True), start)
    ]


def add_contents(connection: Connection, new: Mapping[bytes, bytes]) -> None:
    """Keep documents, by their SHA-256; those that are kept already stay."""
    missing = set(new) - _present(connection, list(new))
    if missing:
        # In the order of the keys, so that every page is visited once.
        connection.execute(insert(contents), [{"digest": digest, "data": new[digest]} for digest in sorted(missing)])


def add_entries(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Append entries, in a transaction that has compared and swapped the checkpoint row.

    So nobody else was there before: raises ``StoreError`` (``store_corrupt``) if there is an entry at one of the positions, or of one of
    the subjects and numbers, which the checkpoint row says is not there.
    """
    try:
        connection.execute(insert(entries), rows)
    except IntegrityError as error:
        hint = "Nothing was written; recover the log from a mirror"
        raise StoreError("the database has entries that its checkpoint does not count", where=_where(rows), hint=hint, code="store_corrupt") from error


def _where(rows: Sequence[Mapping[str, object]]) -> str:
    return f"entries {rows[0]['position']} to {rows[-1]['position']}"


def _present(connection: Connection, digests: Sequence[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    for chunk in _chunks(digests):
        found.update(connection.execute(select(contents.c.digest).where(contents.c.digest.in_(chunk))).scalars())
    return found


def _chunks(items: Sequence[bytes]) -> Iterable[Sequence[bytes]]:
    return (items[start : start + _PER_QUERY] for start in range(0, len(items), _PER_QUERY))


def write_conflict() -> ConflictError:
    """The error of a writer that came second."""
    return ConflictError("another writer changed the ledger first; nothing was written", hint="Read the latest entries again and retry", code="ledger_conflict")
