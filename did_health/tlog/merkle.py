"""Merkle trees of RFC 6962 §2.1 with SHA-256: growing one, proving inclusion and consistency, verifying proofs.

Sizes count leaves, indexes start at 0, heights start at 0 for leaves. The verification algorithms are those of RFC 9162 §2.1.3.2
and §2.1.4.2, written over the whole path at once: a leaf's path has an *inner* part, as long as index and last index differ, where
the index's bits say on which side the sibling stands, and a *border* part along the tree's right edge, where siblings stand left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from did_health.errors import VerificationError
from did_health.tlog.lines import HASH_BYTES

_REMEMBERED_FROM: Final = 3 * HASH_BYTES
EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of the tree without leaves (RFC 6962 §2.1)."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf's data: ``H(00 ‖ data)`` (RFC 6962 §2.1)."""
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: ``H(01 ‖ left ‖ right)`` (RFC 6962 §2.1)."""
    return sha256(b"\1" + left + right).digest()


class Tree:
    """An append-only tree in memory: about 64 bytes a leaf, about two hashes an append, O(log n) for every root and proof.

    Of every height it keeps the hashes of all complete subtrees, side by side in one ``bytearray``; those never change again.
    Not safe for concurrent writers.
    """

    __slots__ = ("_levels",)

    def __init__(self) -> None:
        self._levels: list[bytearray] = [bytearray()]

    @classmethod
    def from_leaf_hashes(cls, leaf_hashes: Iterable[bytes]) -> Tree:
        """The tree of all ``leaf_hashes``, first leaf first; how a log restarts from its database."""
        tree = cls()
        tree.extend(leaf_hashes)
        return tree

    @property
    def size(self) -> int:
        """The number of leaves."""
        return len(self._levels[0]) // HASH_BYTES

    def append(self, leaf_hash: bytes) -> None:
        """Add one leaf by its hash (32 bytes, see ``leaf_hash``). Raises ``ValueError`` for another length."""
        self.extend((leaf_hash,))

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Add leaves by their hashes, in this order; all of them or, after a ``ValueError`` for a hash of a wrong length, none."""
        hashes = list(leaf_hashes)
        if any(len(value) != HASH_BYTES for value in hashes):
            raise ValueError(f"a leaf hash has {HASH_BYTES} bytes")
        level = self._levels[0]
        level += b"".join(hashes)
        height = 0
        while len(level) >= 2 * HASH_BYTES:
            height += 1
            if height == len(self._levels):
                self._levels.append(bytearray())
            parents = self._levels[height]
            missing = range(2 * len(parents), len(level) - 2 * HASH_BYTES + 1, 2 * HASH_BYTES)
            if not missing:
                break
            parents += b"".join([sha256(b"\1" + level[at : at + 2 * HASH_BYTES]).digest() for at in missing])
            level = parents

    def truncate(self, size: int) -> None:
        """Forget the leaves from ``size`` on: only for a batch that was never signed. Raises ``ValueError`` beyond the tree's size."""
        self._bounded(size)
        for height, level in enumerate(self._levels):
            del level[(size >> height) * HASH_BYTES :]

    def subtree_hashes(self, height: int, start: int, end: int) -> bytes:
        """The hashes of the complete subtrees ``start`` to ``end`` (exclusive) of 2^``height`` leaves, side by side: a tile's content.

        Raises ``ValueError`` if the tree does not have all of them.
        """
        level = self._levels[height] if height < len(self._levels) else b""
        if not 0 <= start <= end <= len(level) // HASH_BYTES:
            raise ValueError(f"the tree of size {self.size} has no subtrees {start} to {end} at height {height}")
        return bytes(level[start * HASH_BYTES : end * HASH_BYTES])

    def root(self, size: int | None = None) -> bytes:
        """The root of the first ``size`` leaves (by default of all). Raises ``ValueError`` beyond the tree's size."""
        size = self._bounded(size)
        return self._right_edge(size, size.bit_length()) if size else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """The path of leaf ``index`` in the tree of the first ``size`` leaves, the leaf's sibling first (RFC 6962 §2.1.1).

        Raises ``ValueError`` if there is no such leaf or size.
        """
        size = self._bounded(size)
        if not 0 <= index < size:
            raise ValueError(f"the tree of size {size} has no leaf {index}")
        return self._path(0, index, size)

    def consistency_proof(self, old: int, new: int | None = None) -> tuple[bytes, ...]:
        """The proof that the first ``old`` of the first ``new`` leaves are unchanged (RFC 6962 §2.1.2).

        Empty for ``old`` = 0 and ``old`` = ``new``. Raises ``ValueError`` unless 0 ≤ ``old`` ≤ ``new`` ≤ the tree's size.
        """
        new = self._bounded(new)
        if not 0 <= old <= new:
            raise ValueError(f"sizes {old} and {new} are not in order")
        if old in (0, new):
            return ()
        # The old tree's last complete subtree is a node of both trees: its path leads to both roots. A verifier already has that
        # node when it is the whole old tree.
        height = _trailing_zeros(old)
        index = (old >> height) - 1
        path = self._path(height, index, new)
        return path if index == 0 else (self._subtree(height, index), *path)

    def _path(self, height: int, index: int, size: int) -> tuple[bytes, ...]:
        path = []
        levels = self._levels
        last = (size - 1) >> height
        while last:
            sibling = index ^ 1
            if sibling < size >> height:
                path.append(bytes(levels[height][sibling * HASH_BYTES : (sibling + 1) * HASH_BYTES]))
            elif sibling == last:  # the incomplete subtree at the right edge
                path.append(self._right_edge(size, height))
            height, index, last = height + 1, index >> 1, last >> 1
        return tuple(path)

    def _right_edge(self, size: int, height: int) -> bytes:
        """The root of the incomplete subtree below ``height`` at the right edge of a tree of ``size``; not asked for an empty one."""
        edge = b""
        for level in range(height):
            if size >> level & 1:
                subtree = self._subtree(level, (size >> level) - 1)
                edge = node_hash(subtree, edge) if edge else subtree
        return edge

    def _subtree(self, height: int, index: int) -> bytes:
        return bytes(self._levels[height][index * HASH_BYTES : (index + 1) * HASH_BYTES])

    def _bounded(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise ValueError(f"the tree has {self.size} leaves, not {size}")
        return size


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Verify that the leaf with ``leaf_hash`` is number ``index`` in the tree of ``size`` leaves with ``root`` (RFC 9162 §2.1.3.2).

    Raises ``VerificationError`` (``inclusion_proof_invalid``).
    """
    if not 0 <= index < size or len(leaf_hash) != HASH_BYTES:
        raise _bad_inclusion()
    inner = (index ^ (size - 1)).bit_length()
    if len(proof) != inner + (index >> inner).bit_count():
        raise _bad_inclusion()
    node, sides = leaf_hash, index | -1 << inner  # left siblings only along the border: all further bits are ones
    for sibling in proof:
        # Lengths are checked because a longer "sibling" could hide another node's boundary.
        if len(sibling) != HASH_BYTES:
            raise _bad_inclusion()
        node = sha256(b"\1" + sibling + node if sides & 1 else b"\1" + node + sibling).digest()
        sides >>= 1
    if node != root:
        raise _bad_inclusion()


class ProvenLeaves:
    """As ``verify_inclusion``, for many leaves of one tree: a path is walked only as far as a node that an earlier path has proved.

    It remembers the nodes that were met from the third height on, each with the path that goes on from there: a quarter as many as leaves. Safe for
    several threads: at worst a path is walked to its end.
    """

    __slots__ = ("_height", "_known", "_root", "_size")

    def __init__(self, size: int, root: bytes) -> None:
        self._size, self._root = size, root
        self._height = (size - 1).bit_length()
        # Nodes are numbered as in a heap: the root is 1, and the children of n are 2n and 2n + 1.
        self._known: dict[int, tuple[bytes, bytes]] = {}

    def verify(self, leaf_hash: bytes, index: int, path: bytes) -> None:
        """Verify that the leaf with ``leaf_hash`` is number ``index``; ``path`` is its inclusion proof, all hashes in a row.

        Raises ``VerificationError`` (``inclusion_proof_invalid``).
        """
        if not 0 <= index < self._size or len(leaf_hash) != HASH_BYTES:
            raise _bad_inclusion()
        inner = (index ^ (self._size - 1)).bit_length()
        if len(path) != HASH_BYTES * (inner + (index >> inner).bit_count()):
            raise _bad_inclusion()
        node, sides, number = leaf_hash, index | -1 << inner, index + (1 << self._height)
        known, met, place = self._known, [], 0
        while place < len(path):
            # Beyond the inner part a node's number says no more at which height it stands.
            if _REMEMBERED_FROM <= place < inner * HASH_BYTES:
                if (before := known.get(number)) is not None:
                    if before != (node, path[place:]):
                        raise _bad_inclusion()
                    break
                met.append((number, (node, path[place:])))
            sibling = path[place : place + HASH_BYTES]
            node = sha256(b"\1" + sibling + node if sides & 1 else b"\1" + node + sibling).digest()
            place += HASH_BYTES
            sides >>= 1
            number >>= 1
        else:
            if node != self._root:
                raise _bad_inclusion()
        if met:
            known.update(met)


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Verify that the tree with ``new_root`` extends the one with ``old_root`` (RFC 9162 §2.1.4.2).

    A proof from size 0 proves nothing and is refused: whoever starts from an empty tree has nothing to compare.
    Raises ``VerificationError`` (``consistency_proof_invalid``).
    """
    if not 0 < old_size <= new_size:
        raise _bad_consistency()
    if old_size == new_size:
        if proof or old_root != new_root:
            raise _bad_consistency()
        return
    height = _trailing_zeros(old_size)
    index = (old_size >> height) - 1
    if index == 0:
        seed, path = old_root, proof
    elif proof:
        seed, path = proof[0], proof[1:]
    else:
        raise _bad_consistency()
    inner = (index ^ (new_size - 1 >> height)).bit_length()
    if len(path) != inner + (index >> inner).bit_count() or any(len(value) != HASH_BYTES for value in (seed, *path)):
        raise _bad_consistency()
    old_node = new_node = seed
    sides = index | -1 << inner
    for sibling in path:
        if sides & 1:
            old_node, new_node = node_hash(sibling, old_node), node_hash(sibling, new_node)
        else:  # a right sibling was not there in the old tree
            new_node = node_hash(new_node, sibling)
        sides >>= 1
    if old_node != old_root or new_node != new_root:
        raise _bad_consistency()


def _trailing_zeros(number: int) -> int:
    return (number & -number).bit_length() - 1


def _bad_inclusion() -> VerificationError:
    return VerificationError("the inclusion proof does not lead from the entry to the log's root", code="inclusion_proof_invalid")


def _bad_consistency() -> VerificationError:
    return VerificationError("the consistency proof does not connect the two roots of the log", code="consistency_proof_invalid")
