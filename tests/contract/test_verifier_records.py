"""What every store of a verifier's records promises."""

from __future__ import annotations

import threading
from datetime import timedelta
from itertools import pairwise

import pytest

from did_health.encoding import strict_json
from did_health.errors import ConflictError
from did_health.health.act import Act
from did_health.roles.counter_memory import Recheck
from did_health.roles.receipts import digest_of
from did_health.roles.verifier_log import NO_ROW, KeptReceipt, LogRow, chained
from did_health.stores.counter_store import SQLCounterMemory, SQLUsedNonces
from did_health.stores.database import Database
from did_health.stores.verifier_records import SQLVerifierRecords
from tests.contract.test_stores import NOW

PHARMACY, OTHER = "did:webvh:Qm:pharmacy.example", "did:webvh:Qn:other.example"


def receipt(number: int) -> KeptReceipt:
    document = strict_json.dumps({"number": number})
    return KeptReceipt(f"urn:uuid:{number}", digest_of(document), document)


def head(row: LogRow) -> bytes:
    return row.digest


@pytest.fixture
def records(database: Database) -> SQLVerifierRecords:
    return SQLVerifierRecords(database)


@pytest.fixture
def memory(database: Database) -> SQLCounterMemory:
    return SQLCounterMemory(database)


def test_rows_continue_each_other_and_verifiers_have_their_own(records: SQLVerifierRecords) -> None:
    assert records.last(PHARMACY) is None
    first, second = records.append(PHARMACY, b"a", []), records.append(PHARMACY, b"b", [receipt(1)])
    foreign = records.append(OTHER, b"c", [])
    assert (first.position, first.previous, first.digest) == (0, NO_ROW, chained(0, NO_ROW, b"a"))
    assert (second.position, second.previous) == (1, first.digest)
    assert foreign.previous == NO_ROW
    assert list(records.rows(PHARMACY)) == [first, second]
    assert records.last(PHARMACY) == second
    assert records.receipt(PHARMACY, "urn:uuid:1") == receipt(1)
    assert records.receipt(OTHER, "urn:uuid:1") is None
    assert records.receipt_digests(PHARMACY) == {receipt(1).digest}


def test_a_row_with_a_receipt_that_is_kept_already_is_not_added(records: SQLVerifierRecords) -> None:
    records.append(PHARMACY, b"a", [receipt(1)])
    with pytest.raises(ConflictError):
        records.append(PHARMACY, b"b", [receipt(2), receipt(1)])
    assert [row.content for row in records.rows(PHARMACY)] == [b"a"]
    assert records.receipt(PHARMACY, "urn:uuid:2") is None


def test_many_rows_are_read_in_pages(records: SQLVerifierRecords) -> None:
    for number in range(505):
        records.append(PHARMACY, b"%d" % number, [])
    assert [row.content for row in records.rows(PHARMACY)] == [b"%d" % number for number in range(505)]


def test_writers_at_once_make_one_chain(records: SQLVerifierRecords) -> None:
    refused: list[ConflictError] = []

    def write(name: int) -> None:
        for number in range(10):
            try:
                records.append(PHARMACY, b"%d-%d" % (name, number), [])
            except ConflictError as error:
                refused.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = list(records.rows(PHARMACY))
    assert [row.position for row in rows] == list(range(30 - len(refused)))
    assert all(row.previous == before.digest for before, row in pairwise(rows))


def test_a_batch_is_fixed_until_it_is_logged(records: SQLVerifierRecords) -> None:
    assert records.open_batch(PHARMACY, head, 10) is None
    records.append(PHARMACY, b"a", [receipt(1), receipt(2), receipt(3)])
    batch = records.open_batch(PHARMACY, head, 2)
    assert batch is not None
    assert (batch.number, batch.head, batch.members[:2]) == (0, 0, (receipt(1).digest, receipt(2).digest))
    assert len(batch.members) == 3
    records.append(PHARMACY, b"b", [receipt(4)])
    assert records.open_batch(PHARMACY, head, 2) == batch
    records.finish_batch(PHARMACY, 0, "proof")
    kept = records.receipt(PHARMACY, "urn:uuid:2")
    assert kept is not None
    assert (kept.batch, kept.place) == (0, 1)
    second = records.open_batch(PHARMACY, head, 10)
    assert second is not None
    assert (second.number, second.head, len(second.members)) == (1, 1, 3)
    records.finish_batch(PHARMACY, 1, "proof")
    assert records.open_batch(PHARMACY, head, 10) is None
    assert [(one.number, one.ledger_proof) for one in records.batches(PHARMACY)] == [(0, "proof"), (1, "proof")]
    with pytest.raises(ConflictError):
        records.finish_batch(PHARMACY, 1, "another")


def test_a_row_without_receipts_makes_a_batch_too(records: SQLVerifierRecords) -> None:
    row = records.append(PHARMACY, b"a", [])
    batch = records.open_batch(PHARMACY, head, 10)
    assert batch is not None
    assert batch.members == (row.digest,)


def test_a_receipt_that_cannot_be_read_has_no_digest(records: SQLVerifierRecords) -> None:
    records.append(PHARMACY, b"a", [KeptReceipt("urn:uuid:9", bytes(32), b"{garbage")])
    assert records.receipt_digests(PHARMACY) == frozenset()


def test_uses_are_counted_once_each_and_up_to_the_limit(memory: SQLCounterMemory) -> None:
    assert memory.count("urn:uuid:d") == 0
    assert memory.use("urn:uuid:d", use="n1", at_most=2, now=NOW)
    assert memory.use("urn:uuid:d", use="n1", at_most=2, now=NOW)
    assert memory.count("urn:uuid:d") == 1
    assert memory.use("urn:uuid:d", use="n2", at_most=2, now=NOW)
    assert not memory.use("urn:uuid:d", use="n3", at_most=2, now=NOW)
    assert memory.use("urn:uuid:d", use="n2", at_most=2, now=NOW)
    assert memory.count("urn:uuid:d") == 2
    assert memory.count("urn:uuid:other") == 0


def test_counters_at_once_never_use_a_delegation_too_often(memory: SQLCounterMemory) -> None:
    granted: list[bool] = []

    def use(name: int) -> None:
        for number in range(5):
            try:
                granted.append(memory.use("urn:uuid:d", use=f"{name}-{number}", at_most=4, now=NOW))
            except ConflictError:
                granted.append(False)

    threads = [threading.Thread(target=use, args=(name,)) for name in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert granted.count(True) == memory.count("urn:uuid:d") <= 4


def test_what_is_to_be_checked_again_waits_in_its_order(memory: SQLCounterMemory) -> None:
    act = Act("pickup", schedule="2", jurisdiction="US-NC")
    late, early = Recheck("b", NOW + timedelta(hours=1), act, b"{}"), Recheck("a", NOW, act, b"{}")
    for one in (late, early, early):
        memory.queue(PHARMACY, one)
    memory.queue(OTHER, Recheck("c", NOW, act, b"{}"))
    assert memory.waiting(PHARMACY) == [early, late]
    assert memory.waiting(PHARMACY, limit=1) == [early]
    assert memory.waiting(PHARMACY, after=early) == [late]
    assert memory.waiting(PHARMACY, after=late) == []
    assert memory.done("a")
    assert not memory.done("a")
    assert memory.waiting(PHARMACY) == [late]


def test_what_waits_is_read_in_pages(memory: SQLCounterMemory) -> None:
    act = Act("pickup")
    queued = [Recheck(f"{number:03}", NOW + timedelta(minutes=number // 3), act, b"{}") for number in range(10)]
    for one in reversed(queued):
        memory.queue(PHARMACY, one)
    read, after = [], None
    while page := memory.waiting(PHARMACY, after=after, limit=3):
        read += page
        after = page[-1]
    assert read == queued


def test_a_row_a_use_and_what_waits_are_kept_together_or_not_at_all(records: SQLVerifierRecords, memory: SQLCounterMemory) -> None:
    def write(number: int) -> None:
        memory.use("urn:uuid:d", use=f"n{number}", at_most=9, now=NOW)
        row = records.append(PHARMACY, b"row", [receipt(number)])
        memory.queue(PHARMACY, Recheck(f"r{number}", NOW, Act("pickup"), b"{}"))
        # What was written in the block is seen in the block.
        assert (records.last(PHARMACY), memory.count("urn:uuid:d")) == (row, row.position + 1)

    def kept() -> tuple[int, int, int]:
        return len(list(records.rows(PHARMACY))), memory.count("urn:uuid:d"), len(memory.waiting(PHARMACY))

    def write_all(*numbers: int) -> None:
        with records.together(), records.together():
            for number in numbers:
                write(number)

    write_all(0)
    assert kept() == (1, 1, 1)
    with pytest.raises(ConflictError):
        # The receipt is kept already: with its row goes all that came before.
        write_all(2, 0)
    assert kept() == (1, 1, 1)
    with records.together():
        write(3)
        with records.together():
            write(4)
    assert kept() == (3, 3, 3)


def test_another_thread_is_not_in_the_block(records: SQLVerifierRecords) -> None:
    def write() -> None:
        records.append(OTHER, b"row", [])

    def fail() -> None:
        with records.together():
            records.append(PHARMACY, b"row", [])
            other.start()
            raise KeyError

    other = threading.Thread(target=write)
    with pytest.raises(KeyError):
        fail()
    other.join()
    assert records.last(PHARMACY) is None
    assert records.last(OTHER) is not None


def test_a_nonce_is_answered_once_and_forgotten_after_a_week(database: Database) -> None:
    nonces = SQLUsedNonces(database)
    assert nonces.use("n", NOW)
    assert not nonces.use("n", NOW + timedelta(days=6))
    assert nonces.use("other", NOW)
    assert nonces.use("n", NOW + timedelta(days=8))
