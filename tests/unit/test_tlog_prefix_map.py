from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from did_health.encoding import cbor
from did_health.errors import ConflictError, FormatError, VerificationError
from did_health.limits import MAX_MAP_PROOF_BYTES, MAX_MAP_TOP_BITS
from did_health.tlog.prefix_map import EMPTY_MAP_ROOT, MapLeaf, MapProof, climb, map_leaf_hash, map_node_hash, map_root, subtree_hash
from did_health.tlog.prefix_map_tree import HIGHEST_KEY, LOWEST_KEY, MapUpdate, MemoryItems, PrefixTree, SortedItems

ZEROS = bytes(32)
VALUE = b"v" * 32


def digest(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


def key(bits: str) -> bytes:
    """The key that begins with these bits and goes on with zeros."""
    return int(bits.ljust(256, "0"), 2).to_bytes(32, "big")


def items_of(content: Mapping[bytes, bytes]) -> MemoryItems:
    items = MemoryItems()
    items.put(content)
    return items


def tree_of(content: Mapping[bytes, bytes], top_bits: int = 3) -> PrefixTree:
    return PrefixTree.over(items_of(content), top_bits)


DIGESTS = {digest(number): digest(-number) for number in range(1, 120)}
TWINS = {key("1" * 255 + "0"): VALUE, key("1" * 256): digest(1)}
"""Two keys that differ in their last bit only."""
MAPS: dict[str, Mapping[bytes, bytes]] = {
    "empty": {},
    "one key": {digest(1): VALUE},
    "ends of the key space": {LOWEST_KEY: VALUE, HIGHEST_KEY: VALUE},
    "twins": TWINS,
    "twins beside others": TWINS | {key("1" * 200): VALUE, key("01"): VALUE, key("0101"): VALUE},
    "one side empty for long": {key("0" * 100 + bits): VALUE for bits in ("00", "01", "1", "11")},
    "zero values": {digest(number): ZEROS for number in range(5)},
    "digests": DIGESTS,
}
every_map = pytest.mark.parametrize("content", MAPS.values(), ids=MAPS.keys())


def check_sorted_items(make: Callable[[Mapping[bytes, bytes]], SortedItems]) -> None:
    """What every implementation of ``SortedItems`` has to do; ``make`` gives one that has these items."""
    assert list(make({}).range(LOWEST_KEY, HIGHEST_KEY)) == []
    rows = sorted(DIGESTS.items())
    items = make(dict(reversed(rows)))
    assert list(items.range(LOWEST_KEY, HIGHEST_KEY)) == rows
    assert list(items.range(rows[3][0], rows[7][0])) == rows[3:8]
    assert list(items.range(rows[3][0], rows[3][0])) == rows[3:4]
    between = rows[3][0][:-1] + bytes([rows[3][0][-1] ^ 1])
    assert list(items.range(between, between)) == []
    assert all(type(part) is bytes for row in items.range(LOWEST_KEY, HIGHEST_KEY) for part in row)


def test_items_in_memory_are_sorted_items() -> None:
    check_sorted_items(items_of)


def test_items_in_memory_grow_and_change() -> None:
    items = items_of({digest(1): VALUE})
    items.put({digest(1): ZEROS, digest(2): VALUE})
    assert len(items) == 2
    assert dict(items.range(LOWEST_KEY, HIGHEST_KEY)) == {digest(1): ZEROS, digest(2): VALUE}
    with pytest.raises(ValueError, match="32 bytes"):
        items.put({digest(3): VALUE, b"short": VALUE})
    assert len(items) == 2


# the definition


def test_hashes_have_their_domain_prefixes() -> None:
    assert map_leaf_hash(digest(1), VALUE) == hashlib.sha256(b"\2" + digest(1) + VALUE).digest()
    assert map_node_hash(digest(1), digest(2)) == hashlib.sha256(b"\3" + digest(1) + digest(2)).digest()


def test_small_maps_have_the_roots_of_the_definition() -> None:
    left, right, far_right = key("00"), key("10"), key("11")
    a, b, c = (map_leaf_hash(each, VALUE) for each in (left, right, far_right))
    assert map_root({}) == EMPTY_MAP_ROOT == ZEROS
    assert map_root({left: VALUE}) == a
    assert map_root({left: VALUE, right: VALUE}) == map_node_hash(a, b)
    assert map_root({far_right: VALUE, left: VALUE, right: VALUE}) == map_node_hash(a, map_node_hash(b, c))
    assert map_root({far_right: VALUE, right: VALUE}) == map_node_hash(ZEROS, map_node_hash(b, c))


def test_two_keys_that_differ_in_the_last_bit_are_split_there() -> None:
    node = map_node_hash(*(map_leaf_hash(each, value) for each, value in sorted(TWINS.items())))
    for _ in range(255):
        node = map_node_hash(ZEROS, node)
    assert map_root(TWINS) == node


@every_map
def test_hashing_in_one_pass_is_the_definition(content: Mapping[bytes, bytes]) -> None:
    assert subtree_hash(sorted(content.items()), 0) == map_root(content)


@pytest.mark.parametrize("bad", [{b"short": VALUE}, {digest(1): b"short"}, {digest(1) + b"x": VALUE}])
def test_items_of_other_lengths_are_the_callers_mistake(bad: dict[bytes, bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        map_root(bad)
    with pytest.raises(ValueError, match="32 bytes"):
        tree_of({}).apply(bad)
    with pytest.raises(ValueError, match="32 bytes"):
        tree_of({}).prove(b"short")


# the tree


@every_map
@pytest.mark.parametrize("top_bits", [0, 1, 3, 8])
def test_trees_have_the_roots_of_the_definition_and_prove_them(content: Mapping[bytes, bytes], top_bits: int) -> None:
    tree = tree_of(content, top_bits)
    assert (tree.root, tree.count) == (map_root(content), len(content))
    near = [each[:-1] + bytes([each[-1] ^ 1]) for each in content]
    for each in [*content, *near, LOWEST_KEY, HIGHEST_KEY, digest(1000), digest(1001)]:
        proof = tree.prove(each)
        assert proof.verify(each, tree.root) == content.get(each)
        assert MapProof.parse(proof.encode()) == proof


@pytest.mark.parametrize("top_bits", [0, 2, 6])
def test_batches_lead_where_the_whole_leads(top_bits: int) -> None:
    items = MemoryItems()
    tree, content = PrefixTree(items, top_bits), dict[bytes, bytes]()
    for batch in (DIGESTS, {}, TWINS, dict.fromkeys(DIGESTS, VALUE), TWINS):
        content |= batch
        update = tree.prepare(batch)
        assert (update.before, update.root, update.count) == (tree.root, map_root(content), len(content))
        items.put(batch)
        assert tree.prepare(batch) == update  # whether or not the items have it already
        tree.commit(update)
        assert (tree.root, tree.count) == (update.root, update.count)
        tree.rebuild()
        assert (tree.root, tree.count) == (update.root, update.count)


def test_preparing_changes_nothing() -> None:
    tree = tree_of(DIGESTS)
    before = tree.root
    tree.prepare(TWINS)
    assert (tree.root, tree.count) == (before, len(DIGESTS))
    assert tree.prove(next(iter(TWINS))).verify(next(iter(TWINS)), before) is None


def test_only_the_buckets_of_the_updates_are_read() -> None:
    asked = []

    class Watched(MemoryItems):
        def range(self, low: bytes, high: bytes) -> list[tuple[bytes, bytes]]:
            asked.append((low[0], high[0]))
            return list(super().range(low, high))

    items = Watched()
    items.put(DIGESTS)
    tree = PrefixTree.over(items, 4)
    asked.clear()
    tree.prepare({key("0011"): VALUE, key("00111"): VALUE, key("1"): VALUE})
    assert sorted(asked) == [(0x30, 0x3F), (0x80, 0x8F)]


def test_an_update_prepared_on_another_map_is_refused() -> None:
    tree = tree_of(DIGESTS)
    first, second = tree.prepare({digest(1): VALUE}), tree.prepare({digest(2): VALUE})
    tree.commit(first)
    with pytest.raises(ConflictError, match="changed"):
        tree.commit(second)
    assert tree.root == first.root


@pytest.mark.parametrize("change", [{digest(1): VALUE}, dict.fromkeys(TWINS, VALUE), dict.fromkeys(DIGESTS, ZEROS)], ids=["a value", "more keys", "all values"])
def test_items_that_are_not_the_trees_give_no_proof(change: Mapping[bytes, bytes]) -> None:
    items = items_of(DIGESTS)
    tree = PrefixTree.over(items, 2)
    items.put(change)
    with pytest.raises(ConflictError, match="Rebuild"):
        tree.prove(next(iter(change)))
    tree.rebuild()
    assert tree.prove(next(iter(change))).verify(next(iter(change)), tree.root) == next(iter(change.values()))


def test_items_that_have_lost_rows_give_no_proof() -> None:
    class Emptied(MemoryItems):
        def range(self, low: bytes, high: bytes) -> list[tuple[bytes, bytes]]:
            return []

    tree = PrefixTree(Emptied(), 2)
    tree.commit(MapUpdate(ZEROS, digest(1), 1, {1: (digest(1), 1)}))
    with pytest.raises(ConflictError):
        tree.prove(digest(1))


def test_the_top_of_a_tree_is_bounded() -> None:
    for bits in (-1, MAX_MAP_TOP_BITS + 1):
        with pytest.raises(ValueError, match="top"):
            PrefixTree(MemoryItems(), bits)


# proofs


CONTENT = {key("000"): VALUE, key("0010"): digest(1), key("0011"): digest(2), key("1"): digest(3)}
TREE = tree_of(CONTENT)
ROOT = TREE.root


def test_a_proof_has_the_documented_shape() -> None:
    # The root splits 0 from 1, its left side 00 from nothing, then 000 from 001, then 0010 from 0011.
    a, b, c, d = (map_leaf_hash(*item) for item in sorted(CONTENT.items()))
    assert map_node_hash(map_node_hash(map_node_hash(a, map_node_hash(b, c)), ZEROS), d) == ROOT
    assert TREE.prove(key("0010")).encode() == cbor.dumps([4, b"\4", c + a + d, digest(1)])
    assert TREE.prove(key("00101")).encode() == cbor.dumps([4, b"\4", c + a + d, [key("0010"), digest(1)]])
    inner = map_node_hash(a, map_node_hash(b, c))
    assert TREE.prove(key("01")).encode() == cbor.dumps([2, b"\0", inner + d, None])
    assert tree_of({}).prove(key("1")).encode() == cbor.dumps([0, b"", b"", None])
    assert tree_of({digest(1): VALUE}).prove(digest(1)).encode() == cbor.dumps([0, b"", b"", VALUE])


def refuse(proof: MapProof, of: bytes, root: bytes) -> None:
    with pytest.raises(VerificationError) as caught:
        proof.verify(of, root)
    assert caught.value.code == "map_proof_invalid"


def test_a_proof_is_for_its_key_and_root_only() -> None:
    for each in [*CONTENT, key("01"), key("00101")]:
        proof = TREE.prove(each)
        refuse(proof, each, digest(1))
        refuse(proof, each, ZEROS)
        refuse(proof, each[:31], ROOT)
        refuse(proof, each + b"\0", ROOT)
        for other in CONTENT.keys() - {each}:
            refuse(proof, other, ROOT)


def test_a_present_key_is_not_proved_absent() -> None:
    here = key("0010")
    proof = TREE.prove(here)
    refuse(replace(proof, terminal=MapLeaf(here, digest(1))), here, ROOT)
    refuse(replace(proof, terminal=None), here, ROOT)
    # Another key's leaf, where it is: it leads to the root, but is not on this key's path.
    elsewhere = replace(TREE.prove(key("1")), terminal=MapLeaf(key("1"), digest(3)))
    assert elsewhere.verify(key("11"), ROOT) is None
    refuse(elsewhere, here, ROOT)
    refuse(TREE.prove(key("00101")), here, ROOT)


def test_changed_values_and_siblings_are_refused() -> None:
    here = key("0010")
    proof = TREE.prove(here)
    refuse(replace(proof, terminal=digest(9)), here, ROOT)
    for place in range(len(proof.siblings)):
        refuse(replace(proof, siblings=(*proof.siblings[:place], digest(9), *proof.siblings[place + 1 :])), here, ROOT)
    refuse(replace(proof, zeros=0b10), here, ROOT)


def chain(leaf: bytes, path: str, siblings: list[bytes]) -> bytes:
    """The root over ``leaf`` at the end of ``path``, whose siblings are given from the deepest; canonical or not."""
    for bit, sibling in zip(reversed(path), siblings, strict=True):
        leaf = map_node_hash(sibling, leaf) if bit == "1" else map_node_hash(leaf, sibling)
    return leaf


HERE = key("01")
LEAF = map_leaf_hash(HERE, VALUE)
NONCANONICAL: dict[str, tuple[MapProof, bytes]] = {
    "single-leaf-below-a-split": (MapProof(1, 1, (), VALUE), chain(LEAF, "0", [ZEROS])),
    "single-leaf-below-two-splits": (MapProof(2, 0b01, (digest(1),), VALUE), chain(LEAF, "01", [ZEROS, digest(1)])),
    "foreign-leaf-below-a-needless-split": (
        MapProof(1, 1, (), MapLeaf(key("011"), VALUE)),
        chain(map_leaf_hash(key("011"), VALUE), "0", [ZEROS]),
    ),
    "split-of-nothing": (MapProof(1, 1, (), None), chain(ZEROS, "0", [ZEROS])),
    "nothing-below-the-last-bit": (MapProof(256, 0, (digest(1),) * 256, None), chain(ZEROS, f"{int.from_bytes(HERE, 'big'):0256b}", [digest(1)] * 256)),
    "absent-sibling-spelt-out": (MapProof(2, 0, (digest(1), ZEROS), VALUE), chain(LEAF, "01", [digest(1), ZEROS])),
    "deeper-than-a-key": (MapProof(257, 0, (digest(1),) * 257, VALUE), chain(LEAF, f"0{int.from_bytes(HERE, 'big'):0256b}", [digest(1)] * 257)),
    "sibling-of-33-bytes": (MapProof(1, 0, (digest(1) + b"x",), VALUE), chain(LEAF, "0", [digest(1) + b"x"])),
    "sibling-of-no-bytes": (MapProof(1, 0, (b"",), VALUE), chain(LEAF, "0", [b""])),
    "value-of-31-bytes": (MapProof(0, 0, (), VALUE[:31]), map_leaf_hash(HERE, VALUE[:31])),
    "foreign-key-of-33-bytes": (MapProof(0, 0, (), MapLeaf(HERE + b"v", VALUE[:31])), map_leaf_hash(HERE, VALUE)),
    "own-leaf-as-another": (MapProof(0, 0, (), MapLeaf(HERE, VALUE)), LEAF),
    "foreign-leaf-off-the-path": (MapProof(1, 0, (digest(1),), MapLeaf(key("1"), VALUE)), chain(map_leaf_hash(key("1"), VALUE), "0", [digest(1)])),
    "sibling-left-over": (MapProof(0, 0, (digest(1),), VALUE), LEAF),
    "sibling-missing": (MapProof(1, 0, (), VALUE), chain(LEAF, "0", [ZEROS])),
    "zeros-beyond-the-depth": (MapProof(0, 1, (), VALUE), LEAF),
    "negative-zeros": (MapProof(0, -1, (), VALUE), LEAF),
    "negative-depth": (MapProof(-1, 0, (), VALUE), LEAF),
}


@pytest.mark.parametrize(("proof", "root"), NONCANONICAL.values(), ids=NONCANONICAL.keys())
def test_proofs_of_no_canonical_map_are_refused(proof: MapProof, root: bytes) -> None:
    refuse(proof, HERE, root)


CANNOT_BE_HASHED = {"deeper-than-a-key", "sibling-missing", "negative-depth"}


@pytest.mark.parametrize("fault", sorted(NONCANONICAL.keys() - CANNOT_BE_HASHED))
def test_their_hashes_alone_would_lead_to_the_root(fault: str) -> None:
    proof, root = NONCANONICAL[fault]
    terminal = MapLeaf(HERE, proof.terminal) if isinstance(proof.terminal, bytes) else proof.terminal
    end = map_leaf_hash(terminal.key, terminal.value) if terminal else ZEROS
    assert climb(end, int.from_bytes(HERE, "big") >> 256 - proof.depth, proof.depth, proof.zeros, proof.siblings) == root


def test_the_longest_proof_there_can_be_is_read() -> None:
    path = f"{int.from_bytes(HERE, 'big'):0256b}"
    longest = MapProof(256, 0, tuple(digest(level) for level in range(256)), VALUE)
    assert MapProof.parse(longest.encode()) == longest
    assert longest.verify(HERE, chain(LEAF, path, list(longest.siblings))) == VALUE
    assert len(longest.encode()) <= MAX_MAP_PROOF_BYTES


LONG = cbor.dumps(bytes(MAX_MAP_PROOF_BYTES - 2))
MALFORMED = {
    "nothing": b"",
    "not-cbor": b"\xff",
    "a-map": cbor.dumps({}),
    "three-items": cbor.dumps([0, b"", b""]),
    "five-items": cbor.dumps([0, b"", b"", None, None]),
    "depth-as-text": cbor.dumps(["0", b"", b"", None]),
    "depth-as-boolean": cbor.dumps([False, b"", b"", None]),
    "negative-depth": cbor.dumps([-1, b"", b"", None]),
    "depth-257": cbor.dumps([257, bytes(33), digest(1) * 257, VALUE]),
    "huge-depth": cbor.dumps([1 << 63, b"", b"", None]),
    "bitmap-as-integer": cbor.dumps([0, 0, b"", None]),
    "bitmap-too-short": cbor.dumps([1, b"", digest(1), VALUE]),
    "bitmap-too-long": cbor.dumps([1, b"\0\0", digest(1), VALUE]),
    "bitmap-beyond-the-depth": cbor.dumps([1, b"\2", b"", VALUE]),
    "siblings-as-array": cbor.dumps([1, b"\0", [digest(1)], VALUE]),
    "half-a-sibling": cbor.dumps([1, b"\0", digest(1)[:16], VALUE]),
    "sibling-missing": cbor.dumps([2, b"\0", digest(1), VALUE]),
    "sibling-left-over": cbor.dumps([1, b"\0", digest(1) * 2, VALUE]),
    "zero-sibling": cbor.dumps([1, b"\0", ZEROS, VALUE]),
    "needless-split": cbor.dumps([1, b"\1", b"", VALUE]),
    "value-too-short": cbor.dumps([0, b"", b"", VALUE[:31]]),
    "value-as-text": cbor.dumps([0, b"", b"", "v" * 32]),
    "leaf-of-one": cbor.dumps([0, b"", b"", [VALUE]]),
    "leaf-of-integers": cbor.dumps([0, b"", b"", [1, 2]]),
    "leaf-key-too-short": cbor.dumps([0, b"", b"", [b"k", VALUE]]),
    "nothing-below-the-last-bit": cbor.dumps([256, bytes(32), digest(1) * 256, None]),
    "long-form-of-the-depth": b"\x84\x18\x00\x40\x40\xf6",
    "something-behind": cbor.dumps([0, b"", b"", None]) + b"\0",
    "too-long": LONG,
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_proofs_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        MapProof.parse(data)


def test_the_limit_of_a_proofs_length_is_named() -> None:
    assert len(LONG) > MAX_MAP_PROOF_BYTES
    with pytest.raises(FormatError, match=str(MAX_MAP_PROOF_BYTES)):
        MapProof.parse(LONG)
