"""The map whose proofs say "latest": a collapsed binary prefix tree over 32-byte keys and values (LEDGER §3), and its proofs.

A leaf is ``H(02 ‖ key ‖ value)``, a parent ``H(03 ‖ left ‖ right)``, an absent child 32 zero bytes. The tree of a set of keys is unique:
no keys are zeros, one key is its leaf, more are split on their next bit, most significant first. So a subtree of two or more keys is
split even where one side stays empty, and one of a single key never is. Every map of 32-byte keys and values has a root; nothing
else (order, history, removed layers) has a part in it. ``map_root`` is that definition as code, to compare other ways with.

A proof travels as deterministic CBOR, ``[depth, zeros, siblings, terminal]``:

- ``depth``: the number of splits between the root and the place where the key's path ends, 0 to 256;
- ``zeros``: which siblings are absent, a big-endian number in ⌈depth / 8⌉ bytes; bit 0 is the deepest split's, bit depth − 1 the root's;
- ``siblings``: the hashes of the others side by side, the deepest first, in one byte string;
- ``terminal``: what is at that place: the key's value (32 bytes), the ``[key, value]`` of another leaf, or null for nothing. The
  latter two prove that the map does not have the key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from did_health.encoding import cbor
from did_health.errors import FormatError, VerificationError
from did_health.limits import MAX_MAP_PROOF_BYTES
from did_health.tlog.lines import HASH_BYTES

MAP_FUNCTION: Final = "did-health/map/v1"
"""The name of this function from maps to roots. Another function gets another name: logs and mirrors must agree on every root."""
KEY_BITS: Final = 8 * HASH_BYTES
EMPTY_MAP_ROOT: Final = bytes(HASH_BYTES)
"""The root of the map without keys, and of every absent child."""


def map_leaf_hash(key: bytes, value: bytes) -> bytes:
    """The hash of a key with its value, 32 bytes each: ``H(02 ‖ key ‖ value)``."""
    return sha256(b"\2" + key + value).digest()


def map_node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a split: ``H(03 ‖ left ‖ right)``."""
    return sha256(b"\3" + left + right).digest()


def map_root(items: Mapping[bytes, bytes]) -> bytes:
    """The root of the map ``items``, as the definition has it and slowly. Raises ``ValueError`` unless keys and values have 32 bytes."""
    for key, value in items.items():
        require_item(key, value)
    return _defined_root(items, 0)


def _defined_root(items: Mapping[bytes, bytes], depth: int) -> bytes:
    if not items:
        return EMPTY_MAP_ROOT
    if len(items) == 1:
        return map_leaf_hash(*next(iter(items.items())))
    sides: tuple[dict[bytes, bytes], dict[bytes, bytes]] = ({}, {})
    for key, value in items.items():
        sides[int.from_bytes(key, "big") >> (KEY_BITS - 1 - depth) & 1][key] = value
    return map_node_hash(_defined_root(sides[0], depth + 1), _defined_root(sides[1], depth + 1))


def require_item(key: bytes, value: bytes) -> None:
    """Raises ``ValueError`` unless both have 32 bytes: a caller's mistake, since subjects and digests do."""
    if len(key) != HASH_BYTES or len(value) != HASH_BYTES:
        raise ValueError(f"keys and values of the map have {HASH_BYTES} bytes")


def subtree_hash(rows: Sequence[tuple[bytes, bytes]], depth: int) -> bytes:
    """The hash at ``depth`` of the subtree of ``rows`` (key, value), which are sorted, distinct and share their first ``depth`` bits.

    One pass: neighbours part where their keys first differ, and what lies between two such places has an absent side at every level.
    """
    if not rows:
        return EMPTY_MAP_ROOT
    numbers = [int.from_bytes(key, "big") for key, _ in rows]
    waiting: list[tuple[int, bytes]] = []  # left sides, each with the depth of the split that its right side will complete
    last = len(rows) - 1
    node = b""
    for index, (key, value) in enumerate(rows):
        node, number = sha256(b"\2" + key + value).digest(), numbers[index]
        at = 0  # a leaf stands wherever it is wanted; a split stands at its own depth and has to be raised
        parts = KEY_BITS - (number ^ numbers[index + 1]).bit_length() if index < last else depth - 1
        while waiting and waiting[-1][0] > parts:
            split, left = waiting.pop()
            if at > split + 1:
                node = _raised(node, number, at, split + 1)
            node, at = sha256(b"\3" + left + node).digest(), split
        if at > parts + 1:
            node = _raised(node, number, at, parts + 1)
        waiting.append((parts, node))
    return node


def _raised(node: bytes, number: int, at: int, to: int) -> bytes:
    """The hash at depth ``to`` of a subtree with nothing but the split ``node`` at depth ``at``, on the path of the key ``number``."""
    levels = at - to
    return climb(node, number >> KEY_BITS - at, levels, (1 << levels) - 1, ())


def climb(node: bytes, path: int, levels: int, zeros: int, siblings: Iterable[bytes]) -> bytes:
    """The hash ``levels`` above ``node``. The lowest bits of ``path`` and ``zeros`` are those of the deepest split, as in ``MapProof``."""
    present = iter(siblings)
    for _ in range(levels):
        sibling = EMPTY_MAP_ROOT if zeros & 1 else next(present)
        node = sha256(b"\3" + sibling + node if path & 1 else b"\3" + node + sibling).digest()
        path >>= 1
        zeros >>= 1
    return node


@dataclass(frozen=True, slots=True)
class MapLeaf:
    """A key of the map with its value, 32 bytes each."""

    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class MapProof:
    """Unverified: what the map has for one key. ``verify`` says for which key and root it is a proof.

    ``zeros`` has bit i set when the sibling i levels above the deepest is absent; ``siblings`` are the others, the deepest first;
    ``terminal`` is the key's value, another leaf, or None for nothing.
    """

    depth: int
    zeros: int
    siblings: tuple[bytes, ...]
    terminal: bytes | MapLeaf | None

    @classmethod
    def parse(cls, data: bytes) -> MapProof:
        """Read a proof in the form that the module's text gives. Raises ``FormatError``, also for what no map's proof can be."""
        members = cbor.loads(data, what="map proof", max_bytes=MAX_MAP_PROOF_BYTES)
        if type(members) is not list or len(members) != 4:
            raise FormatError("the map proof is not an array of four items")
        depth, zeros, siblings, terminal = members
        if type(depth) is not int or type(zeros) is not bytes or type(siblings) is not bytes:
            raise FormatError("the map proof does not begin with an integer and two byte strings")
        if not 0 <= depth <= KEY_BITS or len(zeros) != _bitmap_bytes(depth) or len(siblings) % HASH_BYTES:
            raise FormatError("the map proof's depth, bitmap and hashes do not have the lengths they must have")
        hashes = tuple([siblings[at : at + HASH_BYTES] for at in range(0, len(siblings), HASH_BYTES)])
        proof = cls(depth, int.from_bytes(zeros, "big"), hashes, _parse_terminal(terminal))
        if fault := proof._fault():
            raise FormatError(f"the map proof {fault}")
        return proof

    def encode(self) -> bytes:
        """The proof's one encoding (deterministic CBOR)."""
        terminal = [self.terminal.key, self.terminal.value] if isinstance(self.terminal, MapLeaf) else self.terminal
        return cbor.dumps([self.depth, self.zeros.to_bytes(_bitmap_bytes(self.depth), "big"), b"".join(self.siblings), terminal])

    def verify(self, key: bytes, root: bytes) -> bytes | None:
        """The value of ``key`` in the map with ``root``, or None when this proves that the map does not have the key.

        Raises ``VerificationError`` (``map_proof_invalid``) unless it proves one of the two. All that a proof alone can show of the
        canonical form is checked. That an absent child's sibling has two keys or more shows only in the whole map: it is why mirrors
        recompute roots.
        """
        if len(key) != HASH_BYTES:
            raise _invalid(f"is for a key that does not have {HASH_BYTES} bytes")
        if fault := self._fault():
            raise _invalid(fault)
        number, terminal = int.from_bytes(key, "big"), self.terminal
        value = None
        if terminal is None:
            node = EMPTY_MAP_ROOT
        elif isinstance(terminal, MapLeaf):
            # Were it elsewhere, or the key's own, it would say nothing about the key's absence.
            if terminal.key == key or (number ^ int.from_bytes(terminal.key, "big")) >> KEY_BITS - self.depth:
                raise _invalid("ends in a leaf that is not another one on the key's path")
            node = map_leaf_hash(terminal.key, terminal.value)
        else:
            value = terminal
            node = map_leaf_hash(key, value)
        if climb(node, number >> KEY_BITS - self.depth, self.depth, self.zeros, self.siblings) != root:
            raise _invalid("does not lead from the key to the map's root")
        return value

    def _fault(self) -> str:
        """What makes this no proof in any canonical map, whatever its key and root; empty if nothing does."""
        depth, zeros, terminal = self.depth, self.zeros, self.terminal
        if not 0 <= depth <= KEY_BITS:
            return f"has a depth that is not one of 0 to {KEY_BITS}"
        if not 0 <= zeros < 1 << depth:
            return "marks absent siblings beyond its depth"
        if zeros & 1:
            # A place without a sibling holds all the keys of the subtree above it: none or one would not have been split.
            return "has a split that separates nothing"
        if len(self.siblings) != depth - zeros.bit_count():
            return "does not have one hash for each sibling that it says is there"
        for sibling in self.siblings:
            if len(sibling) != HASH_BYTES or sibling == EMPTY_MAP_ROOT:
                return f"has a sibling that is not a hash of {HASH_BYTES} bytes, or is zeros and not marked as absent"
        if terminal is None:
            # A key's last bit separates two keys or is not split on: beside nothing there would be one key only.
            return "ends in nothing below the last bit of a key" if depth == KEY_BITS else ""
        parts = (terminal.key, terminal.value) if isinstance(terminal, MapLeaf) else (terminal,)
        if any(len(part) != HASH_BYTES for part in parts):
            return f"ends in a key or value that does not have {HASH_BYTES} bytes"
        return ""


def _bitmap_bytes(depth: int) -> int:
    return (depth + 7) // 8


def _parse_terminal(terminal: cbor.CBOR) -> bytes | MapLeaf | None:
    if terminal is None or type(terminal) is bytes:
        return terminal
    if type(terminal) is list and len(terminal) == 2 and all(type(part) is bytes for part in terminal):
        return MapLeaf(*terminal)
    raise FormatError("the map proof ends in neither a value nor a leaf nor null")


def _invalid(fault: str) -> VerificationError:
    return VerificationError(f"the map proof {fault}", code="map_proof_invalid")
