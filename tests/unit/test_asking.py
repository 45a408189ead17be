"""Asking witnesses at once: one deadline, enough is enough, and what comes late, wrong, twice or never does no harm."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from datetime import datetime

import pytest

from did_health.errors import ConflictError, StoreError, TransportError
from did_health.keys import generate
from did_health.ledger.witness import Witness, ask, collect
from did_health.stores.asking import AtOnce
from did_health.stores.database import Database
from did_health.stores.witness_store import SQLWitnessStore
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.cosignature import cosigner_key, verified_cosignatures
from did_health.tlog.note import Signature, SignedNote, VerifierKey, sign_note
from did_health.tlog.witness_protocol import AddCheckpoint, WitnessRefusal, WitnessState
from tests.conftest import repeatable_bytes
from tests.witness_parties import LOG, NOW, ORIGIN, TREE

DEADLINE = 1.0


class Slow:
    """A real witness behind something that may delay, drop, double or spoil what is asked of it."""

    def __init__(self, name: str) -> None:
        self._witness = Witness(name, generate(repeatable_bytes(name)), SQLWitnessStore(Database.open("sqlite://")), {ORIGIN: [LOG.key]})
        self.key = self._witness.key
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[AddCheckpoint, Signature], Signature] = lambda _request, signature: signature
        self.asked = 0

    def latest(self, origin: str) -> WitnessState:
        self.before()
        return self._witness.latest(origin)

    def add_checkpoint(self, request: AddCheckpoint, *, now: datetime) -> Signature:
        self.asked += 1
        self.before()
        return self.after(request, self._witness.add_checkpoint(request, now=now))


def note(size: int) -> SignedNote:
    return sign_note(Checkpoint(ORIGIN, size, TREE.root(size)).encode(), [LOG])


@pytest.fixture
def witnesses() -> list[Slow]:
    return [Slow(f"w{number}.example") for number in range(4)]


@pytest.fixture
def asking() -> Iterator[AtOnce]:
    asking = AtOnce(DEADLINE)
    yield asking
    asking.close()


def three(keys: Collection[VerifierKey]) -> bool:
    return len(keys) >= 3


def cosigners(note: SignedNote, witnesses: list[Slow]) -> set[str]:
    return {key.name for key in verified_cosignatures(note, [one.key for one in witnesses])}


def test_everybody_who_answers_quickly_cosigns(witnesses: list[Slow], asking: AtOnce) -> None:
    found = collect(note(9), TREE, witnesses, now=NOW, asking=asking, enough=three)
    assert found.failures == {}
    assert len(cosigners(found.note, witnesses)) == 4


def test_they_are_asked_at_once_and_not_one_after_another(witnesses: list[Slow], asking: AtOnce) -> None:
    together = threading.Barrier(4, timeout=5)
    for one in witnesses:
        one.before = together.wait  # type: ignore[assignment]
    assert len(ask(witnesses, ORIGIN, needed=4, asking=asking)) == 4


def test_one_that_hangs_costs_a_moment_and_not_the_deadline(witnesses: list[Slow], asking: AtOnce) -> None:
    free = threading.Event()
    witnesses[2].before = lambda: free.wait(20) and None
    begun = time.monotonic()
    try:
        for size in (9, 12, 20):
            found = collect(note(size), TREE, witnesses, now=NOW, asking=asking, enough=three)
            assert cosigners(found.note, witnesses) == {"w0.example", "w1.example", "w3.example"}
            assert found.failures["w2.example"].code == "timeout"
        assert time.monotonic() - begun < 3 * DEADLINE
    finally:
        free.set()


def test_too_few_in_time_is_no_quorum(witnesses: list[Slow], asking: AtOnce) -> None:
    free = threading.Event()
    for one in witnesses[:2]:
        one.before = lambda: free.wait(20) and None
    try:
        with pytest.raises(StoreError) as refused:
            ask(witnesses, ORIGIN, needed=3, asking=asking)
    finally:
        free.set()
    assert refused.value.code == "quorum_not_met"


def test_an_answer_that_comes_late_is_not_used_for_the_next_checkpoint(witnesses: list[Slow], asking: AtOnce) -> None:
    late = witnesses[0]
    free, begun = threading.Event(), threading.Event()

    def wait_once() -> None:
        if late.asked == 1:
            begun.set()
            free.wait(20)

    late.before = wait_once
    first = collect(note(9), TREE, witnesses, now=NOW, asking=asking, enough=three)
    assert begun.is_set()
    assert cosigners(first.note, witnesses) == {"w1.example", "w2.example", "w3.example"}
    free.set()
    second = collect(note(20), TREE, witnesses, now=NOW, asking=asking, enough=lambda keys: len(keys) == 4)
    assert cosigners(second.note, witnesses) == {one.key.name for one in witnesses}
    assert late._witness.latest(ORIGIN) == WitnessState(20, TREE.root(20))


def test_one_that_was_asked_by_another_process_in_between_is_asked_again_from_where_it_is(witnesses: list[Slow], asking: AtOnce) -> None:
    overtaken = witnesses[1]

    def other_process() -> None:
        if overtaken.asked == 1:
            overtaken._witness.add_checkpoint(AddCheckpoint(0, (), note(12)), now=NOW)

    overtaken.before = other_process
    found = collect(note(20), TREE, witnesses, now=NOW, asking=asking)
    assert found.failures == {}
    assert overtaken.asked == 2


def test_one_that_lost_its_own_race_is_asked_anew_and_given_up_in_the_end(witnesses: list[Slow]) -> None:
    def conflict() -> None:
        if witnesses[0].asked:
            raise ConflictError("another request moved the memory")

    witnesses[0].before = conflict
    found = collect(note(9), TREE, witnesses, now=NOW)
    assert isinstance(found.failures["w0.example"], ConflictError)
    assert witnesses[0].asked == 1


@pytest.mark.parametrize("body", ["garbage", "9\n"], ids=["no-size", "the-size-that-was-proved-from"])
def test_a_conflict_that_leads_nowhere_is_not_followed(witnesses: list[Slow], body: str) -> None:
    collect(note(9), TREE, witnesses, now=NOW)
    asked = witnesses[0].asked

    def refuse(_request: AddCheckpoint, _signature: Signature) -> Signature:
        raise WitnessRefusal(409, "no", body=body)

    witnesses[0].after = refuse
    found = collect(note(9), TREE, witnesses, now=NOW)
    assert list(found.failures) == ["w0.example"]
    assert witnesses[0].asked == asked + 1


def test_one_that_is_ahead_is_told_apart(witnesses: list[Slow], asking: AtOnce) -> None:
    collect(note(20), TREE, witnesses[:1], now=NOW)
    found = collect(note(9), TREE, witnesses, now=NOW, asking=asking)
    assert {name: why.code for name, why in found.failures.items()} == {"w0.example": "checkpoint_superseded"}


def test_a_network_that_fails_is_a_failure_of_that_witness_alone(witnesses: list[Slow], asking: AtOnce) -> None:
    def broken() -> None:
        raise TransportError("no connection", code="no_connection")

    witnesses[3].before = broken
    found = collect(note(9), TREE, witnesses, now=NOW, asking=asking)
    assert {name: why.code for name, why in found.failures.items()} == {"w3.example": "no_connection"}
    assert len(cosigners(found.note, witnesses)) == 3


def test_a_mistake_of_the_program_is_not_hidden(asking: AtOnce) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asking({cosigner_key("w", generate(repeatable_bytes("w")).public_key): broken}, lambda _keys: False)


def test_a_closed_one_may_be_used_again(witnesses: list[Slow], asking: AtOnce) -> None:
    asking.close()
    assert len(ask(witnesses, ORIGIN, needed=4, asking=asking)) == 4
