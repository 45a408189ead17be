"""Trees of any shape: what is proved verifies, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.errors import VerificationError
from did_health.tlog.merkle import ProvenLeaves, Tree, leaf_hash, verify_consistency, verify_inclusion
from did_health.tlog.tiles import parse_tile, tile_content, tiles_for

quick = settings(max_examples=150, deadline=None)
LEAVES = [leaf_hash(b"%d" % number) for number in range(3_000)]
TREE = Tree.from_leaf_hashes(LEAVES)
hashes = st.binary(min_size=32, max_size=32)
sizes = st.integers(1, len(LEAVES))


@quick
@given(size=sizes, choice=st.data())
def test_inclusion(size: int, choice: st.DataObject) -> None:
    index = choice.draw(st.integers(0, size - 1))
    proof, root = TREE.inclusion_proof(index, size), TREE.root(size)
    verify_inclusion(LEAVES[index], index, size, proof, root)
    other = choice.draw(st.integers(0, len(LEAVES)).filter(lambda value: value != index))
    with pytest.raises(VerificationError):
        verify_inclusion(LEAVES[index], other, size, proof, root)
    if proof:
        place = choice.draw(st.integers(0, len(proof) - 1))
        changed = (*proof[:place], choice.draw(hashes.filter(lambda value: value != proof[place])), *proof[place + 1 :])
        with pytest.raises(VerificationError):
            verify_inclusion(LEAVES[index], index, size, changed, root)
        with pytest.raises(VerificationError):
            verify_inclusion(LEAVES[index], index, size, proof[:place] + proof[place + 1 :], root)


@quick
@given(size=sizes, choice=st.data())
def test_leaves_of_one_tree_are_proved_as_each_alone(size: int, choice: st.DataObject) -> None:
    root = TREE.root(size)
    leaves = ProvenLeaves(size, root)
    # Neighbours share their paths; the same leaf comes again, too.
    for index in choice.draw(st.lists(st.integers(0, min(size - 1, 40)) | st.integers(0, size - 1), max_size=20)):
        path = b"".join(TREE.inclusion_proof(index, size))
        place = choice.draw(st.integers(0, len(path)))
        kind = choice.draw(st.sampled_from(["as it is", "bit", "cut", "longer", "leaf", "index", "root's"]))
        other = choice.draw(st.integers(-1, size))
        leaf, at, given_path = LEAVES[index], index, path
        if kind == "bit" and path:
            given_path = path[: place - 1] + bytes([path[place - 1] ^ 1]) + path[place:] if place else bytes([path[0] ^ 1]) + path[1:]
        elif kind == "cut":
            given_path = path[:place]
        elif kind == "longer":
            given_path = path + path[:32]
        elif kind == "leaf":
            leaf = LEAVES[other]
        elif kind == "index":
            at = other
        elif kind == "root's":
            leaf = root
        hashes_of = tuple(given_path[start : start + 32] for start in range(0, len(given_path), 32))

        def refused(work: Callable[[], None]) -> bool:
            try:
                work()
            except VerificationError:
                return True
            return False

        expected = refused(lambda: verify_inclusion(leaf, at, size, hashes_of, root))  # noqa: B023
        assert refused(lambda: leaves.verify(leaf, at, given_path)) is expected  # noqa: B023


@quick
@given(ends=st.lists(sizes, min_size=2, max_size=2).map(sorted), choice=st.data())
def test_consistency(ends: list[int], choice: st.DataObject) -> None:
    old, new = ends
    proof = TREE.consistency_proof(old, new)
    verify_consistency(old, TREE.root(old), new, TREE.root(new), proof)
    other = choice.draw(hashes)
    with pytest.raises(VerificationError):
        verify_consistency(old, other, new, TREE.root(new), proof)
    with pytest.raises(VerificationError):
        verify_consistency(old, TREE.root(old), new, other, proof)
    with pytest.raises(VerificationError):
        verify_consistency(old, TREE.root(old), new, TREE.root(new), (*proof, other))


@quick
@given(
    leaf=st.binary(max_size=40), index=st.integers(-5, 1 << 65), size=st.integers(-5, 1 << 65), proof=st.lists(st.binary(max_size=40), max_size=70), root=hashes
)
def test_random_proofs_are_refused(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> None:
    with pytest.raises(VerificationError):
        verify_inclusion(leaf, index, size, proof, root)
    with pytest.raises(VerificationError):
        verify_consistency(index, leaf, size, root, [*proof, root])


@quick
@given(batches=st.lists(st.integers(0, 200), max_size=8))
def test_a_tree_grows_in_batches_as_it_does_at_once(batches: list[int]) -> None:
    tree, size = Tree(), 0
    for batch in batches:
        tree.extend(LEAVES[size : size + batch])
        size += batch
        assert (tree.size, tree.root()) == (size, TREE.root(size))


@settings(max_examples=40, deadline=None)
@given(growth=st.lists(st.integers(0, 700), max_size=4))
def test_published_tiles_rebuild_the_tree(growth: list[int]) -> None:
    published: dict[str, bytes] = {}
    size = 0
    for step in growth:
        for tile in tiles_for(size, size + step):
            assert published.setdefault(tile.path, tile_content(TREE, tile)) == tile_content(TREE, tile)
        size += step
    leaves = [value for tile in tiles_for(0, size) if tile.level == 0 for value in parse_tile(published[tile.path], tile.width)]
    assert Tree.from_leaf_hashes(leaves).root() == TREE.root(size)
