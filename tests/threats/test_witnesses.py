"""A log that shows two histories, with the help of some of its witnesses: how many bad ones a quorum stands, and from where on it does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from did_health.errors import VerificationError
from did_health.keys import Signer, generate
from did_health.ledger.witness import Witness, collect
from did_health.stores.database import Database
from did_health.stores.witness_store import SQLWitnessStore
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.cosignature import cosign, cosigner_key
from did_health.tlog.merkle import Tree, leaf_hash
from did_health.tlog.note import NoteSigner, SignedNote, sign_note
from did_health.tlog.witness_policy import PolicyGroup, PolicyLog, PolicyWitness, WitnessPolicy
from tests.conftest import repeatable_bytes
from tests.ledger_parties import START

NOW = int(START.timestamp())
LOG = NoteSigner("log.example", generate(repeatable_bytes("log")))
VIEWS = tuple(Tree.from_leaf_hashes([leaf_hash(text), leaf_hash(b"the same")]) for text in (b"for the board", b"for the pharmacy"))


def key_of(number: int) -> Signer:
    return generate(repeatable_bytes(f"witness {number}"))


def policy_of(n: int, k: int) -> WitnessPolicy:
    names = tuple(f"w{number}" for number in range(n))
    witnesses = tuple(PolicyWitness(name, cosigner_key(name, key_of(number).public_key)) for number, name in enumerate(names))
    return WitnessPolicy((PolicyLog(LOG.key),), witnesses, (PolicyGroup("quorum-of-all", k, names),), "quorum-of-all")


def believed(policy: WitnessPolicy, note: SignedNote) -> bool:
    try:
        policy.check(note, now=NOW)
    except VerificationError as refusal:
        if refusal.code != "quorum_not_met":
            raise
        return False
    return True


def split_views(n: int, bad: int) -> Iterator[list[SignedNote]]:
    """Both views, for every way to show honest witnesses the one or the other first; the bad ones cosign both."""
    for first in range(n - bad + 1):
        honest = [
            Witness(f"w{number}", key_of(number), SQLWitnessStore(Database.open("sqlite://")), {LOG.name: [LOG.key]}) for number in range(bad, n)
        ]
        notes = [sign_note(Checkpoint(LOG.name, tree.size, tree.root()).encode(), [LOG]) for tree in VIEWS]
        for note, tree, group in zip(notes, VIEWS, (honest[:first], honest[first:]), strict=True):
            assert collect(note, tree, group, now=START).failures == {}
        # Everybody is asked for both, as a quorum needs them.
        cosigned = [collect(note, tree, honest, now=START).note for note, tree in zip(notes, VIEWS, strict=True)]
        yield [note.with_signatures([cosign(note, f"w{number}", key_of(number), NOW) for number in range(bad)]) for note in cosigned]


# n witnesses, and the quorum that LEDGER, section 4, asks for: 1 + ⌊2n/3⌋.
@pytest.mark.parametrize(("n", "k"), [(4, 3), (5, 4), (7, 5), (10, 7)])
def test_fewer_than_a_third_of_bad_witnesses_do_not_get_two_histories_believed(n: int, k: int) -> None:
    policy = policy_of(n, k)
    for notes in split_views(n, (n - 1) // 3):
        assert [believed(policy, note) for note in notes].count(True) <= 1


def test_too_many_bad_witnesses_do() -> None:
    assert any(all(believed(policy_of(4, 3), note) for note in notes) for notes in split_views(4, 2))


def test_a_majority_is_too_small_a_quorum() -> None:
    assert any(all(believed(policy_of(5, 3), note) for note in notes) for notes in split_views(5, 1))


def test_one_key_under_two_names_is_one_witness() -> None:
    key = key_of(0)
    names = ("w0", "w0-again")
    witnesses = tuple(PolicyWitness(name, cosigner_key(name, key.public_key)) for name in names)
    note = sign_note(Checkpoint(LOG.name, 2, VIEWS[0].root()).encode(), [LOG])
    note = note.with_signatures([cosign(note, name, key, NOW) for name in names])
    for k, outcome in ((1, True), (2, False)):
        assert believed(WitnessPolicy((PolicyLog(LOG.key),), witnesses, (PolicyGroup("quorum-of-all", k, names),), "quorum-of-all"), note) is outcome


def test_a_cosignature_of_the_future_makes_nothing_fresh() -> None:
    note = sign_note(Checkpoint(LOG.name, 2, VIEWS[0].root()).encode(), [LOG])
    note = note.with_signatures([cosign(note, f"w{number}", key_of(number), NOW + (3600 if number else 0)) for number in range(4)])
    assert not believed(policy_of(4, 3), note)
