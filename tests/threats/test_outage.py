"""Witnesses are down, late, or without their memory: nothing is signed below a quorum, and a witness remembers before it cosigns."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

import pytest

from did_health.errors import ConflictError, StoreError
from did_health.keys import generate
from did_health.ledger.entry import revocation_subject
from did_health.ledger.witness import Witness, ask, collect, require_no_rollback
from did_health.stores.database import Database
from did_health.stores.embedded import EmbeddedLedger
from did_health.stores.ledger_store import LedgerStore
from did_health.stores.witness_store import SQLWitnessStore
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.cosignature import cosigner_key
from did_health.tlog.merkle import Tree, leaf_hash
from did_health.tlog.note import NoteSigner, SignedNote, sign_note
from did_health.tlog.witness_policy import WitnessPolicy, verify_proof
from did_health.tlog.witness_protocol import AddCheckpoint, WitnessRefusal, WitnessState
from tests.any_log import handle, revocation
from tests.conftest import repeatable_bytes
from tests.ledger_parties import START, Clock, reopened, size_published

# ---- witnesses


def break_memory(folder: Path, *numbers: int) -> None:
    """Take witnesses out of service: what they saw last can be neither read nor written."""
    for number in numbers:
        connection = sqlite3.connect(folder / "witnesses" / f"witness-{number}.sqlite", isolation_level=None)
        connection.execute("DROP TABLE witness_states")
        connection.close()


def test_one_witness_of_four_may_be_down(folder: Path, ledger: EmbeddedLedger) -> None:
    break_memory(folder, 2)
    (logged,) = ledger.submit([revocation(1)])
    verified = verify_proof(logged.proof, logged.entry, WitnessPolicy.parse(ledger.policy_text))
    assert [cosigner.witness for cosigner in verified.cosigners] == ["witness-1", "witness-3", "witness-4"]


def test_below_the_quorum_nothing_is_signed_and_the_old_checkpoint_stays(folder: Path, ledger: EmbeddedLedger, clock: Clock) -> None:
    ledger.submit([revocation(1)])
    break_memory(folder, 2, 3)
    for attempt in (lambda: ledger.submit([revocation(2)]), ledger.heartbeat):
        with pytest.raises(StoreError) as refused:
            attempt()
        assert refused.value.code == "quorum_not_met"
        assert "nothing was written" in str(refused.value)
    assert size_published(ledger) == 2
    assert LedgerStore(Database.open(folder / "ledger.sqlite")).state().size == 2
    ledger.close()
    # Reading goes on without them.
    again = reopened(folder, clock)
    assert again.latest(revocation_subject(handle(1))) is not None
    again.close()


def test_what_was_stored_when_the_witnesses_went_down_is_published_when_they_are_back(
    folder: Path, ledger: EmbeddedLedger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.submit([revocation(1)])

    def down(self: Witness, request: AddCheckpoint, *, now: datetime) -> None:
        raise StoreError("out of service")

    with monkeypatch.context() as outage:
        outage.setattr(Witness, "add_checkpoint", down)
        with pytest.raises(StoreError) as refused:
            ledger.submit([revocation(2)])
        assert refused.value.code == "quorum_not_met"
        assert "is kept" in str(refused.value)
        ledger.close()
        ledger = reopened(folder, clock)
        assert size_published(ledger) == 2
        assert ledger.latest(revocation_subject(handle(2))) is None
    ledger.submit([revocation(3)])
    assert size_published(ledger) == 6
    assert ledger.latest(revocation_subject(handle(2))) is not None
    ledger.close()


def test_a_witness_whose_memory_is_gone_is_not_opened(folder: Path, ledger: EmbeddedLedger, clock: Clock) -> None:
    ledger.close()
    (folder / "witnesses" / "witness-1.sqlite").unlink()
    with pytest.raises(StoreError) as refused:
        reopened(folder, clock)
    assert refused.value.code == "store_missing"


def witness_and_log() -> tuple[Witness, NoteSigner, Tree, SQLWitnessStore]:
    log = NoteSigner("log.example", generate(repeatable_bytes("log")))
    store = SQLWitnessStore(Database.open("sqlite://"))
    witness = Witness("w.example", generate(repeatable_bytes("witness")), store, {"log.example": [log.key]})
    return witness, log, Tree.from_leaf_hashes([leaf_hash(bytes([number])) for number in range(5)]), store


def signed(log: NoteSigner, tree: Tree, size: int) -> SignedNote:
    return sign_note(Checkpoint("log.example", size, tree.root(size)).encode(), [log])


def test_a_witness_remembers_before_it_cosigns_and_never_sees_a_fork(clock: Clock) -> None:
    witness, log, tree, store = witness_and_log()
    assert collect(signed(log, tree, 3), tree, [witness], now=START).failures == {}
    assert store.read("log.example") == WitnessState(3, tree.root(3))
    other = Tree.from_leaf_hashes([leaf_hash(bytes([9 + number])) for number in range(5)])
    for size in (3, 5):
        refusal = collect(signed(log, other, size), other, [witness], now=START).failures["w.example"]
        assert isinstance(refusal, WitnessRefusal)
        assert refusal.status in (409, 422)
    older = collect(signed(log, tree, 2), tree, [witness], now=START)
    assert older.failures["w.example"].code == "checkpoint_superseded"
    assert older.note.signatures == signed(log, tree, 2).signatures
    with pytest.raises(StoreError) as forked:
        require_no_rollback(other, {"w.example": store.read("log.example")})
    assert forked.value.code == "ledger_forked"


def test_a_witness_that_lost_a_race_gives_no_cosignature() -> None:
    witness, log, tree, store = witness_and_log()

    class Overtaken:
        def read(self, origin: str) -> WitnessState:
            state = store.read(origin)
            store.swap(origin, state, WitnessState(4, tree.root(4)))
            return state

        def swap(self, origin: str, old: WitnessState, new: WitnessState) -> None:
            store.swap(origin, old, new)

    overtaken = Witness("w.example", generate(repeatable_bytes("witness")), Overtaken(), {"log.example": [log.key]})
    with pytest.raises(ConflictError):
        overtaken.add_checkpoint(AddCheckpoint(0, (), signed(log, tree, 3)), now=START)
    assert store.read("log.example").size == 4
    assert witness.latest("log.example").size == 4


def test_a_witness_that_cannot_be_asked_counts_as_absent() -> None:
    witness, _, _, _ = witness_and_log()

    class Down:
        key = cosigner_key("down.example", generate(repeatable_bytes("down")).public_key)

        def latest(self, origin: str) -> WitnessState:
            raise StoreError("no answer")

        def add_checkpoint(self, request: AddCheckpoint, *, now: datetime) -> None:
            raise StoreError("no answer")

    assert ask([witness, Down()], "log.example", needed=1) == {"w.example": WitnessState()}
    with pytest.raises(StoreError) as refused:
        ask([witness, Down()], "log.example", needed=2)
    assert refused.value.code == "quorum_not_met"
