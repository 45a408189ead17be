"""Keeping the map of ``prefix_map``: its items stay in sorted storage, and only the tree's top is kept, in memory.

The top is every node of the first ``top_bits`` levels, hash and count of keys, in heap order: node 1 is the root, node n has the
children 2n and 2n + 1, and the last level's nodes are the *buckets*. Below a bucket nothing is stored: what is there is read from
the items by one range scan and hashed again. At 10^6 keys and 16 bits a bucket has 15 keys and the top takes 5 MB.

Keys that are digests fill buckets evenly. Who searches for keys of one bucket makes only that bucket slower, in proportion.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from typing import Final, Protocol

from did_health.errors import ConflictError
from did_health.limits import MAX_MAP_TOP_BITS
from did_health.tlog.lines import HASH_BYTES
from did_health.tlog.prefix_map import (
    EMPTY_MAP_ROOT,
    KEY_BITS,
    MapLeaf,
    MapProof,
    climb,
    map_leaf_hash,
    map_node_hash,
    require_item,
    subtree_hash,
)

ROOT: Final = 1
LOWEST_KEY: Final = bytes(HASH_BYTES)
HIGHEST_KEY: Final = b"\xff" * HASH_BYTES


class SortedItems(Protocol):
    """Where the map's items are: a table with the key as its primary key, or memory. ``PrefixTree`` only reads it.

    Whoever writes does so before or after ``PrefixTree.commit``, and serves no proofs in between; a proof from items that are not
    the tree's is refused. Durability is the writer's affair: the tree can be rebuilt from the items at any time.
    """

    def range(self, low: bytes, high: bytes) -> Iterable[tuple[bytes, bytes]]:
        """All (key, value) with ``low`` ≤ key ≤ ``high`` (both inclusive, 32 bytes each), in ascending order of their keys."""
        ...

    def expect(self, ranges: Sequence[tuple[bytes, bytes]]) -> None:
        """These ranges, which do not overlap, will be asked for, each once: a database may read them all at once."""
        ...


class MemoryItems:
    """Sorted items in memory: for tests, small maps and replays. Not safe to write while it is read."""

    __slots__ = ("_keys", "_values")

    def __init__(self) -> None:
        self._keys: list[bytes] = []
        self._values: dict[bytes, bytes] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def expect(self, ranges: Sequence[tuple[bytes, bytes]]) -> None:
        """Nothing is gained by it in memory."""

    def put(self, updates: Mapping[bytes, bytes]) -> None:
        """Set the values of these keys. Raises ``ValueError``, with nothing written, unless all have 32 bytes."""
        for key, value in updates.items():
            require_item(key, value)
        new = [key for key in updates if key not in self._values]
        if new:
            self._keys += new
            self._keys.sort()  # two sorted runs at most: a merge, and not one insertion for each key
        self._values.update(updates)

    def range(self, low: bytes, high: bytes) -> Iterable[tuple[bytes, bytes]]:
        keys = self._keys[bisect_left(self._keys, low) : bisect_right(self._keys, high)]
        return [(key, self._values[key]) for key in keys]


@dataclass(frozen=True, slots=True)
class MapUpdate:
    """What a batch of updates makes of the map with root ``before``: its new root and count, for the head to be signed.

    ``nodes`` are the nodes of the tree's top that change: heap index to (hash, count of keys).
    """

    before: bytes
    root: bytes
    count: int
    nodes: Mapping[int, tuple[bytes, int]]


class PrefixTree:
    """The map over ``items``: root, count and proofs, brought up to date batch by batch.

    Proofs may be made from many threads, but not while ``commit``, ``apply`` or ``rebuild`` runs; one writer at a time.
    """

    __slots__ = ("_bits", "_counts", "_hashes", "_items")

    def __init__(self, items: SortedItems, top_bits: int = 16) -> None:
        """A tree whose top is empty: right for items without any; ``over`` is for others. Raises ``ValueError`` for too wide a top."""
        if not 0 <= top_bits <= MAX_MAP_TOP_BITS:
            raise ValueError(f"the top of the tree has 0 to {MAX_MAP_TOP_BITS} bits, not {top_bits}")
        self._items = items
        self._bits = top_bits
        self._clear()

    @classmethod
    def over(cls, items: SortedItems, top_bits: int = 16) -> PrefixTree:
        """The tree of what ``items`` has: how a ledger starts. A few microseconds a key."""
        tree = cls(items, top_bits)
        tree.rebuild()
        return tree

    @property
    def root(self) -> bytes:
        """The map's root, 32 bytes."""
        return self._hash(ROOT)

    @property
    def top_bits(self) -> int:
        """How many levels of the tree are kept."""
        return self._bits

    @property
    def count(self) -> int:
        """The number of keys."""
        return self._counts[ROOT]

    def prepare(self, updates: Mapping[bytes, bytes]) -> MapUpdate:
        """The map with these values set, computed and not yet taken over; only the buckets of these keys are read.

        The items may have the updates already, or not yet. Raises ``ValueError`` unless keys and values have 32 bytes.
        """
        buckets: dict[int, dict[bytes, bytes]] = {}
        for key, value in updates.items():
            require_item(key, value)
            buckets.setdefault(self._bucket(key), {})[key] = value
        nodes: dict[int, tuple[bytes, int]] = {}
        self._items.expect([self._range(bucket, self._bits) for bucket in sorted(buckets)])
        for bucket, changes in buckets.items():
            rows = sorted((dict(self._rows(bucket, self._bits)) | changes).items())
            nodes[bucket] = (subtree_hash(rows, self._bits), len(rows))
        level = set(buckets)
        hashes, counts = self._hashes, self._counts
        # As ``_parent``, without a call for each of some ten nodes that every key changes.
        for _ in range(self._bits):
            level = {node >> 1 for node in level}
            for node in level:
                right = 2 * node + 1
                at = HASH_BYTES * right
                one, ones = nodes.get(right - 1) or (hashes[at - HASH_BYTES : at], counts[right - 1])
                other, others = nodes.get(right) or (hashes[at : at + HASH_BYTES], counts[right])
                if ones + others > 1:
                    nodes[node] = sha256(b"\3" + one + other).digest(), ones + others
                else:
                    nodes[node] = bytes(one if ones else other), ones + others
        root, count = nodes.get(ROOT) or self._node(ROOT)
        return MapUpdate(self.root, root, count, nodes)

    def commit(self, update: MapUpdate) -> None:
        """Take over what ``prepare`` computed. Raises ``ConflictError`` if the map has changed since."""
        if update.before != self.root:
            raise ConflictError("the map has changed since this update was prepared", hint="Prepare it again")
        hashes, counts = self._hashes, self._counts
        for node, (value, count) in update.nodes.items():
            hashes[HASH_BYTES * node : HASH_BYTES * (node + 1)] = value
            counts[node] = count

    def apply(self, updates: Mapping[bytes, bytes]) -> None:
        """Prepare and commit in one step: for whoever replays entries that are settled already. Raises as ``prepare`` does."""
        self.commit(self.prepare(updates))

    def rebuild(self) -> None:
        """Compute everything again from the items, in one scan."""
        self._clear()
        for bucket, group in groupby(self._items.range(LOWEST_KEY, HIGHEST_KEY), key=lambda row: self._bucket(row[0])):
            rows = list(group)
            self._set(bucket, subtree_hash(rows, self._bits), len(rows))
        for node in range((1 << self._bits) - 1, 0, -1):
            if self._counts[2 * node] or self._counts[2 * node + 1]:
                self._set(node, *_parent(self._node(2 * node), self._node(2 * node + 1)))

    def prove(self, key: bytes) -> MapProof:
        """The proof of what the map has for ``key``: its value, or that it has none.

        Raises ``ValueError`` unless the key has 32 bytes, ``ConflictError`` if the items are not those the tree was made from.
        """
        require_item(key, EMPTY_MAP_ROOT)
        number = int.from_bytes(key, "big")
        siblings: list[bytes] = []
        node, top = ROOT, 0
        while top < self._bits and self._counts[node] > 1:
            top += 1
            node = 2 * node + (number >> KEY_BITS - top & 1)
            siblings.append(self._hash(node ^ 1))
        rows = self._rows(node, top) if self._counts[node] else []
        depth = top
        while len(rows) > 1:
            depth += 1
            # The lowest key on the right side of the split.
            middle = bisect_left(rows, ((number >> KEY_BITS - depth | 1) << KEY_BITS - depth).to_bytes(HASH_BYTES, "big"), key=lambda row: row[0])
            left, right = rows[:middle], rows[middle:]
            rows, others = (right, left) if number >> KEY_BITS - depth & 1 else (left, right)
            siblings.append(subtree_hash(others, depth))
        siblings.reverse()
        terminal = MapLeaf(*rows[0]) if rows else None
        zeros = sum(1 << level for level, sibling in enumerate(siblings) if sibling == EMPTY_MAP_ROOT)
        present = tuple([sibling for sibling in siblings if sibling != EMPTY_MAP_ROOT])
        end = map_leaf_hash(terminal.key, terminal.value) if terminal else EMPTY_MAP_ROOT
        if climb(end, number >> KEY_BITS - depth, depth - top, zeros, present) != self._hash(node):
            raise _foreign_items()
        return MapProof(depth, zeros, present, terminal.value if terminal and terminal.key == key else terminal)

    def _clear(self) -> None:
        self._hashes = bytearray(HASH_BYTES * (2 << self._bits))
        self._counts = array("Q", bytes(8 * (2 << self._bits)))

    def _bucket(self, key: bytes) -> int:
        """The heap index of a key's bucket."""
        return (1 << self._bits) + (int.from_bytes(key[:4], "big") >> 32 - self._bits)

    def _rows(self, node: int, depth: int) -> list[tuple[bytes, bytes]]:
        """The items below the node with this heap index at this depth."""
        return list(self._items.range(*self._range(node, depth)))

    @staticmethod
    def _range(node: int, depth: int) -> tuple[bytes, bytes]:
        """The lowest and the highest key that can be there."""
        below = KEY_BITS - depth
        first = node - (1 << depth) << below
        return first.to_bytes(HASH_BYTES, "big"), (first + (1 << below) - 1).to_bytes(HASH_BYTES, "big")

    def _hash(self, node: int) -> bytes:
        return bytes(self._hashes[HASH_BYTES * node : HASH_BYTES * (node + 1)])

    def _node(self, node: int) -> tuple[bytes, int]:
        return self._hash(node), self._counts[node]

    def _set(self, node: int, value: bytes, count: int) -> None:
        self._hashes[HASH_BYTES * node : HASH_BYTES * (node + 1)] = value
        self._counts[node] = count


def _parent(left: tuple[bytes, int], right: tuple[bytes, int]) -> tuple[bytes, int]:
    count = left[1] + right[1]
    if count > 1:
        return map_node_hash(left[0], right[0]), count
    # A single key is not split: its leaf rises. Without keys both sides are zeros.
    return (left if left[1] else right)[0], count


def _foreign_items() -> ConflictError:
    return ConflictError("the map's items are not those its tree was made from", hint="Rebuild the tree")
