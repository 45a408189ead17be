from __future__ import annotations

import hashlib

import pytest

from did_health.errors import VerificationError
from did_health.tlog.merkle import EMPTY_ROOT, Tree, leaf_hash, node_hash, verify_consistency, verify_inclusion

LEAVES = [leaf_hash(b"entry %d" % number) for number in range(70)]
TREE = Tree.from_leaf_hashes(LEAVES)


def recursive_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 §2.1 writes it, to compare with."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(recursive_root(leaves[:split]), recursive_root(leaves[split:]))


def test_hashes_have_their_domain_prefixes() -> None:
    assert leaf_hash(b"x") == hashlib.sha256(b"\0x").digest()
    assert node_hash(b"l", b"r") == hashlib.sha256(b"\1lr").digest()


def test_roots_of_every_size_are_those_of_the_recursive_definition() -> None:
    for size in range(len(LEAVES) + 1):
        assert TREE.root(size) == recursive_root(LEAVES[:size])


def test_every_inclusion_proof_verifies_and_proves_one_place_only() -> None:
    for size in range(1, len(LEAVES) + 1):
        root = TREE.root(size)
        for index in range(size):
            proof = TREE.inclusion_proof(index, size)
            verify_inclusion(LEAVES[index], index, size, proof, root)
            for wrong in {index + 1, index - 1, index ^ 2} - {index}:
                with pytest.raises(VerificationError, match="inclusion"):
                    verify_inclusion(LEAVES[index], wrong, size, proof, root)


def test_every_consistency_proof_verifies_and_connects_two_roots_only() -> None:
    for new in range(1, len(LEAVES) + 1):
        for old in range(1, new + 1):
            proof = TREE.consistency_proof(old, new)
            verify_consistency(old, TREE.root(old), new, TREE.root(new), proof)
            for old_root, new_root in ((LEAVES[-1], TREE.root(new)), (TREE.root(old), LEAVES[-1])):
                if (old_root, new_root) != (TREE.root(old), TREE.root(new)):
                    with pytest.raises(VerificationError, match="consistency"):
                        verify_consistency(old, old_root, new, new_root, proof)


def test_appending_extending_and_rebuilding_give_the_same_tree() -> None:
    one_by_one, in_pieces = Tree(), Tree()
    for leaf in LEAVES:
        one_by_one.append(leaf)
    for start in range(0, len(LEAVES), 7):
        in_pieces.extend(LEAVES[start : start + 7])
    for tree in (one_by_one, in_pieces):
        assert tree.size == len(LEAVES)
        assert [tree.root(size) for size in range(71)] == [TREE.root(size) for size in range(71)]
        assert tree.consistency_proof(33) == TREE.consistency_proof(33, 70)


def test_extending_by_a_hash_of_a_wrong_length_changes_nothing() -> None:
    tree = Tree.from_leaf_hashes(LEAVES[:5])
    with pytest.raises(ValueError, match="32 bytes"):
        tree.extend([LEAVES[5], b"short"])
    assert (tree.size, tree.root()) == (5, TREE.root(5))


def test_a_batch_can_be_forgotten_again() -> None:
    for size in range(len(LEAVES) + 1):
        tree = Tree.from_leaf_hashes(LEAVES)
        tree.truncate(size)
        assert (tree.size, tree.root()) == (size, TREE.root(size))
        tree.extend(LEAVES[size:])
        assert tree.root() == TREE.root()
    with pytest.raises(ValueError, match="70 leaves"):
        TREE.truncate(71)


def test_the_empty_tree() -> None:
    tree = Tree()
    assert (tree.size, tree.root(), tree.consistency_proof(0)) == (0, EMPTY_ROOT, ())
    with pytest.raises(ValueError, match="no leaf 0"):
        tree.inclusion_proof(0)


def test_what_the_tree_does_not_have_is_the_callers_mistake() -> None:
    for index, size in ((70, None), (-1, None), (3, 3), (0, 71)):
        with pytest.raises(ValueError, match=r"leaf|leaves"):
            TREE.inclusion_proof(index, size)
    for old, new in ((5, 4), (-1, 4), (1, 71)):
        with pytest.raises(ValueError, match=r"order|leaves"):
            TREE.consistency_proof(old, new)
    with pytest.raises(ValueError, match="leaves"):
        TREE.root(71)


def test_subtree_hashes_are_complete_subtrees_only() -> None:
    assert TREE.subtree_hashes(0, 2, 4) == LEAVES[2] + LEAVES[3]
    assert TREE.subtree_hashes(3, 1, 2) == recursive_root(LEAVES[8:16])
    assert TREE.subtree_hashes(9, 0, 0) == b""
    for height, start, end in ((3, 0, 9), (9, 0, 1), (0, 3, 2), (0, -1, 2)):
        with pytest.raises(ValueError, match="no subtrees"):
            TREE.subtree_hashes(height, start, end)


def test_inclusion_refuses_hashes_of_a_wrong_length() -> None:
    left, right = LEAVES[:2]
    root = node_hash(left, right)
    verify_inclusion(left, 0, 2, [right], root)
    # The same bytes under another boundary hash to the same root.
    with pytest.raises(VerificationError):
        verify_inclusion(left + right[:1], 0, 2, [right[1:]], root)
    with pytest.raises(VerificationError):
        verify_inclusion(left, 0, 2, [right + b"\0"], root)
    with pytest.raises(VerificationError):
        verify_inclusion(left, 0, 2, [right, right], root)


def test_consistency_refuses_size_zero_shrinking_and_hashes_of_a_wrong_length() -> None:
    proof = TREE.consistency_proof(8, 11)
    for old, new in ((0, 11), (11, 8), (-8, 11)):
        with pytest.raises(VerificationError):
            verify_consistency(old, TREE.root(8), new, TREE.root(11), proof)
    with pytest.raises(VerificationError):
        verify_consistency(8, TREE.root(8), 11, TREE.root(11), [*proof[:-1], proof[-1][:-1]])
    with pytest.raises(VerificationError):
        verify_consistency(7, TREE.root(7), 11, TREE.root(11), [])
    with pytest.raises(VerificationError):
        verify_consistency(8, TREE.root(8), 8, TREE.root(8), [LEAVES[0]])


def test_errors_carry_stable_codes() -> None:
    with pytest.raises(VerificationError) as inclusion:
        verify_inclusion(LEAVES[0], 0, 1, [], LEAVES[1])
    with pytest.raises(VerificationError) as consistency:
        verify_consistency(1, LEAVES[0], 1, LEAVES[1], [])
    assert (inclusion.value.code, consistency.value.code) == ("inclusion_proof_invalid", "consistency_proof_invalid")
