"""Maps of any keys: every way to the root leads to the same one, and a proof says what the map has and nothing else."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.errors import FormatError, VerificationError
from did_health.tlog.prefix_map import MapLeaf, MapProof, map_root, subtree_hash
from did_health.tlog.prefix_map_tree import MemoryItems, PrefixTree

quick = settings(max_examples=150, deadline=None)
hashes = st.binary(min_size=32, max_size=32)
near_keys = st.tuples(st.sampled_from([b"\0", b"\x5a", b"\xff"]), st.integers(0, 31), st.integers(0, 255)).map(
    lambda parts: parts[0] * parts[1] + bytes([parts[2]]) + parts[0] * (31 - parts[1])
)
"""Keys that share long beginnings with others."""
keys = hashes | near_keys
maps = st.dictionaries(keys, hashes, max_size=40)
proofs = st.builds(
    MapProof,
    depth=st.integers(-2, 300),
    zeros=st.integers(-2, 1 << 20),
    siblings=st.lists(hashes | st.binary(max_size=33), max_size=6).map(tuple),
    terminal=st.none() | st.binary(max_size=33) | hashes | st.builds(MapLeaf, key=keys, value=hashes),
)


@quick
@given(content=maps, batches=st.lists(maps, max_size=4), top_bits=st.integers(0, 10), strangers=st.lists(keys, max_size=5))
def test_a_tree_is_the_definition_and_proves_it(content: dict[bytes, bytes], batches: list[dict[bytes, bytes]], top_bits: int, strangers: list[bytes]) -> None:
    items = MemoryItems()
    items.put(content)
    tree = PrefixTree.over(items, top_bits)
    for batch in batches:
        content = content | batch
        tree.apply(batch)
        items.put(batch)
    assert (tree.root, tree.count) == (map_root(content), len(content))
    assert subtree_hash(sorted(content.items()), 0) == tree.root
    for key in [*content, *strangers]:
        proof = tree.prove(key)
        assert proof.verify(key, tree.root) == content.get(key)
        assert MapProof.parse(proof.encode()) == proof


@quick
@given(content=st.dictionaries(keys, hashes, min_size=1, max_size=20), choice=st.data())
def test_what_is_proved_of_a_key_is_true_whatever_the_proof(content: dict[bytes, bytes], choice: st.DataObject) -> None:
    items = MemoryItems()
    items.put(content)
    tree = PrefixTree.over(items, 4)
    shown, asked = (choice.draw(st.sampled_from(sorted(content)) | keys) for _ in range(2))
    proof = tree.prove(shown)
    changed = choice.draw(
        st.sampled_from(
            [
                proof,
                replace(proof, terminal=None),
                replace(proof, terminal=choice.draw(hashes)),
                replace(proof, terminal=MapLeaf(shown, content.get(shown, shown))),
                replace(proof, depth=proof.depth - 1, siblings=proof.siblings[1:], zeros=proof.zeros >> 1),
                replace(proof, depth=proof.depth + 1, siblings=(choice.draw(hashes), *proof.siblings), zeros=proof.zeros << 1),
                replace(proof, depth=proof.depth + 1, zeros=proof.zeros << 1 | 1),
                replace(proof, zeros=proof.zeros ^ 1 << choice.draw(st.integers(0, 255))),
            ]
        )
    )
    try:
        said = changed.verify(asked, tree.root)
    except VerificationError as error:
        assert error.code == "map_proof_invalid"  # noqa: PT017 - most changes are refused, some change nothing
    else:
        assert said == content.get(asked)
        assert changed.encode() == tree.prove(asked).encode()


@quick
@given(proof=proofs, key=st.binary(max_size=40) | keys, root=hashes)
def test_made_up_proofs_are_refused(proof: MapProof, key: bytes, root: bytes) -> None:
    try:
        proof.verify(key, root)
    except VerificationError as error:
        assert error.code == "map_proof_invalid"  # noqa: PT017 - see below
    else:
        # The only proof one can make up: that a map of nothing has nothing.
        assert (proof.depth, proof.terminal, root) == (0, None, bytes(32))


@quick
@given(data=st.binary(max_size=120), content=maps, key=keys, cut=st.integers(0, 200))
def test_garbage_is_a_format_error(data: bytes, content: dict[bytes, bytes], key: bytes, cut: int) -> None:
    encoded = PrefixTree(MemoryItems(), 2).prove(key).encode() if not content else MapProof(1, 0, (next(iter(content)),), key).encode()
    for candidate in (data, encoded[:cut] + data, encoded[:cut] + data + encoded[cut:]):
        try:
            proof = MapProof.parse(candidate)
        except FormatError:
            continue
        assert proof.encode() == candidate
