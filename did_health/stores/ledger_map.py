"""The map of a log in its database: the newest entry of every subject as published, and the tree over it that makes the proofs.

The table follows the checkpoint: the transaction that marks one published brings the map up to it (``apply_entries``). Only the top of the
tree is kept, in memory; it follows what this process and others publish, and is made anew when it grows too narrow or does not
give the root of the log's last head.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection, TextClause, bindparam, delete, select, text

from did_health.errors import StoreError
from did_health.ledger.entry import Entry, Kind
from did_health.ledger.latest import NewestEntry
from did_health.ledger.map_head import EMPTY_MAP, LoggedHead, MapHead, map_value
from did_health.stores.tables import contents, entries, map_items
from did_health.tlog.prefix_map_tree import HIGHEST_KEY, LOWEST_KEY, MapUpdate, PrefixTree

_CHUNK: Final = 10_000
_RANGES_PER_QUERY: Final = 4_096
_ROWS_AT_ONCE: Final = 1_000
_HIGHER_THAN_ANY: Final = b"\xff" * 33
_LEAST_BITS: Final = 4
_MOST_BITS: Final = 18
# A bucket is read and hashed again for each of its keys that changes, so it should be small; a wider top costs memory, 80 bytes a bucket.
_KEYS_PER_BUCKET: Final = 4

_RANGE: Final = (
    select(map_items.c.subject, map_items.c.value)
    .where(map_items.c.subject.between(bindparam("low"), bindparam("high")))
    .order_by(map_items.c.subject)
)
_NEWEST: Final = (
    select(entries.c.position, entries.c.data)
    .join(map_items, map_items.c.position == entries.c.position)
    .where(map_items.c.subject == bindparam("subject"))
)
# The same words in SQLite and PostgreSQL.
_PUT: Final = text(
    "INSERT INTO map_items (subject, value, position) VALUES (:subject, :value, :position) "
    "ON CONFLICT (subject) DO UPDATE SET value = excluded.value, position = excluded.position"
)


@dataclass(frozen=True, slots=True)
class MapRow:
    """A subject's newest entry: its position among the leaves, and what the map has for the subject."""

    position: int
    value: bytes


def rows_between(connection: Connection, start: int, end: int) -> dict[bytes, MapRow]:
    """What the leaves from ``start`` to ``end`` (exclusive) make of the map, by subject."""
    query = (
        select(entries.c.position, entries.c.subject, entries.c.seq, entries.c.data, entries.c.content)
        .where(entries.c.position >= start, entries.c.position < end, entries.c.kind != str(Kind.MAP_HEAD))
        .order_by(entries.c.position)
    )
    return {
        row.subject: MapRow(row.position, map_value(row.seq, row.position, hashlib.sha256(row.data).digest(), row.content))
        for row in connection.execute(query)
    }


def apply_entries(connection: Connection, start: int, end: int) -> None:
    """Bring the table from the first ``start`` leaves to the first ``end``."""
    for chunk in range(start, end, _CHUNK):
        rows = rows_between(connection, chunk, min(chunk + _CHUNK, end))
        if rows:
            # In the order of the keys, so that every page is visited once.
            connection.execute(_PUT, [{"subject": subject, "value": row.value, "position": row.position} for subject, row in sorted(rows.items())])


def restore(connection: Connection, size: int) -> None:
    """Make the table anew from the first ``size`` leaves."""
    connection.execute(delete(map_items))
    apply_entries(connection, 0, size)


def newest_of(connection: Connection, subject: bytes) -> NewestEntry | None:
    """The newest published entry of a subject."""
    row = connection.execute(_NEWEST, {"subject": subject}).one_or_none()
    return None if row is None else NewestEntry(row[0], row[1])


def head_at(connection: Connection, size: int) -> LoggedHead | None:
    """The map head that ends the log of ``size`` leaves; ``None`` for the empty log.

    Raises ``StoreError``: ``store_corrupt`` if the last entry is not there, ``store_older`` if it is no head, because the log has no map.
    """
    if not size:
        return None
    query = select(entries.c.data, contents.c.data).join(contents, entries.c.content == contents.c.digest).where(entries.c.position == size - 1)
    row = connection.execute(query).one_or_none()
    if row is None:
        hint = "Recover the log from a mirror"
        raise StoreError("the database lacks the map head of its log", where=f"entry {size - 1}", hint=hint, code="store_corrupt")
    entry = Entry.parse(row[0])
    if entry.kind is not Kind.MAP_HEAD:
        hint = "Begin a new log; nobody can prove what is newest on this one"
        raise StoreError("the log does not end with a map head: it was begun before logs had maps", where=f"entry {size - 1}", hint=hint, code="store_older")
    return LoggedHead(entry, MapHead.parse(row[1]))


class TableItems:
    """The table as sorted items, read through the connection of the moment."""

    __slots__ = ("_expected", "connection")

    def __init__(self) -> None:
        self.connection: Connection | None = None
        self._expected: dict[bytes, list[tuple[bytes, bytes]]] = {}

    def expect(self, ranges: Sequence[tuple[bytes, bytes]]) -> None:
        self._expected = {low: [] for low, _ in ranges}
        for start in range(0, len(ranges), _RANGES_PER_QUERY):
            for low, subject, value in self._connection.execute(*_ranges_query(ranges[start : start + _RANGES_PER_QUERY])):
                self._expected[low].append((subject, value))

    def release(self) -> None:
        self.connection, self._expected = None, {}

    @property
    def _connection(self) -> Connection:
        if self.connection is None:
            raise RuntimeError("the map is read outside of a transaction")
        return self.connection

    def range(self, low: bytes, high: bytes) -> Iterable[tuple[bytes, bytes]]:
        expected = self._expected.pop(low, None)
        if expected is not None:
            return expected
        wanted = {"low": low, "high": high}
        if (low, high) == (LOWEST_KEY, HIGHEST_KEY):
            # All there is: never at once in memory.
            rows = self._connection.execute(_RANGE, wanted, execution_options={"yield_per": _ROWS_AT_ONCE})
            return ((subject, value) for subject, value in rows)
        return [(subject, value) for subject, value in self._connection.execute(_RANGE, wanted)]


def _ranges_query(ranges: Sequence[tuple[bytes, bytes]]) -> tuple[TextClause, dict[str, bytes]]:
    """All rows of many ranges in one query, each with the lower end of its range."""
    count = 1 << (len(ranges) - 1).bit_length()
    keys = [key for pair in ranges for key in pair] + [_HIGHER_THAN_ANY, b""] * (count - len(ranges))
    return _text_of_ranges(count), {f"k{number}": key for number, key in enumerate(keys)}


@lru_cache
def _text_of_ranges(count: int) -> TextClause:
    """A query with so many ranges. Few numbers are used, those left over for ranges of nothing: SQLAlchemy keeps what it makes of each text."""
    wanted = ", ".join([f"(:k{2 * number}, :k{2 * number + 1})" for number in range(count)])
    return text(
        f"WITH wanted(low, high) AS (VALUES {wanted}) "  # noqa: S608  # names of parameters only
        "SELECT low, subject, value FROM wanted CROSS JOIN map_items WHERE subject BETWEEN low AND high ORDER BY subject"
    )


class LedgerMap:
    """The tree over the published map. For one thread at a time; ``reading`` is the way to it."""

    def __init__(self) -> None:
        self._items = TableItems()
        self._tree: PrefixTree | None = None
        self._size = 0
        self._prepared: tuple[int, MapUpdate] | None = None

    def remember(self, size: int, update: MapUpdate) -> None:
        """``update`` is what the map becomes when the checkpoint of ``size`` is published."""
        self._prepared = size, update

    @contextmanager
    def reading(self, connection: Connection, size: int) -> Iterator[PrefixTree]:
        """The tree of the map as it is with ``size`` leaves published, which is what ``connection`` sees; usable within the block.

        Raises ``StoreError`` (``map_damaged``) if the table is not the map that the log's head at this size says.
        """
        self._items.connection = connection
        try:
            yield self._followed(connection, size)
        finally:
            self._items.release()

    def _followed(self, connection: Connection, size: int) -> PrefixTree:
        tree = self._tree
        if tree is not None and self._size == size:
            return tree
        logged = head_at(connection, size)
        head = logged.head if logged else EMPTY_MAP
        bits = max(_LEAST_BITS, min(_MOST_BITS, (head.count // _KEYS_PER_BUCKET).bit_length()))
        if tree is not None and self._size < size and bits <= tree.top_bits:
            self._advance(tree, connection, size)
        if tree is None or not _is_of(tree, head):
            tree = PrefixTree.over(self._items, bits + 1)
        if not _is_of(tree, head):
            self._tree = None
            raise StoreError("the map in the database is not the one that the log's head says", hint="It can be made anew from the entries", code="map_damaged")
        self._tree, self._size, self._prepared = tree, size, None
        return tree

    def _advance(self, tree: PrefixTree, connection: Connection, size: int) -> None:
        if self._prepared is not None and self._prepared[0] == size and self._prepared[1].before == tree.root:
            tree.commit(self._prepared[1])
        else:
            tree.apply({subject: row.value for subject, row in rows_between(connection, self._size, size).items()})


def _is_of(tree: PrefixTree, head: MapHead) -> bool:
    return (tree.root, tree.count) == (head.root, head.count)
