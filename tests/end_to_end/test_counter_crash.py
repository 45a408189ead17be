"""A counter that is killed while it writes, and several counters of one pharmacy at once: everything of a pickup is kept, or nothing."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select

from did_health.errors import ConflictError
from did_health.health.act import Act
from did_health.health.person_name import PersonName
from did_health.roles.evidence import Evidence
from did_health.roles.institution import Institution
from did_health.roles.pickup import Collector, Pickup, PickupDesk, Visit
from did_health.roles.receipts import ReceiptBook
from did_health.roles.verifier import Verifier
from did_health.stores.counter_store import SQLCounterMemory
from did_health.stores.database import Database
from did_health.stores.tables import delegation_uses, rechecks, verification_receipts, verifier_log
from did_health.stores.verifier_records import SQLVerifierRecords
from tests.pharmacy_parties import Pharmacy, identity_provider
from tests.town import AUDIENCE, Town

# A process of its own that begins with what was decided here; it opens the database itself.
FORK = multiprocessing.get_context("fork")
CONFLICT = 7


@dataclass
class Counters:
    """A pharmacy's counters, each with its own connection to ``path``, a patient and an agent."""

    pharmacy: Pharmacy
    visit: Visit

    def desk(self, path: Path, evidence: Evidence | None = None) -> PickupDesk:
        """A counter; with ``evidence`` its verifier has that and nothing else."""
        town, ours = self.pharmacy.town, self.pharmacy.institution
        # The town's randomness repeats itself in every process that is forked.
        institution = Institution(ours.log, ours.keys, ours.ledger, ours.clock, os.urandom)
        database = Database.open(path)
        memory = SQLCounterMemory(database)
        verifier = town.verifier if evidence is None else Verifier(town.directory.policy, clock=town.clock, gather=lambda _: evidence)
        return PickupDesk(verifier, ReceiptBook(institution, SQLVerifierRecords(database)), memory, memory)

    def decided(self, path: Path, agent: Any, evidence: Evidence | None = None) -> Pickup:
        desk = self.desk(path)
        request = desk.ask(Collector.AGENT, audience=AUDIENCE)
        shown = agent.present(agent.credentials, audience=AUDIENCE, nonce=request.nonce)
        return desk.decide(self.visit, shown, request=request, evidence=evidence)


@pytest.fixture(scope="module")
def counters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counters]:
    town = Town(Path(tmp_path_factory.mktemp("counters")), seed="counters")
    pharmacy = Pharmacy(town, identity_provider(town))
    act = Act("pickup", "2", "US-NC", pharmacy=pharmacy.institution.did)
    yield Counters(pharmacy, Visit(PersonName("Qqfamily", "Zyxwvutsk"), date(1980, 1, 1), act, Collector.AGENT))
    pharmacy.close()
    town.close()


def counted(path: Path) -> tuple[int, ...]:
    """Rows of the log, receipts, uses of delegations, and what waits."""
    database = Database.open(path)
    try:
        with database.read() as connection:
            tables = (verifier_log, verification_receipts, delegation_uses, rechecks)
            return tuple(int(connection.execute(select(func.count()).select_from(table)).scalar_one()) for table in tables)
    finally:
        database.close()


def copied(database: Path, to: Path) -> None:
    """SQLite is not to be carried through a fork: what a process of its own opens is opened by none before."""
    with closing(sqlite3.connect(database)) as opened:
        opened.execute("VACUUM INTO ?", (str(to),))


def ended(work: Callable[[], object]) -> int:
    """How a process of its own that does ``work`` ends."""
    process = FORK.Process(target=work)
    process.start()
    process.join(180)
    assert process.exitcode is not None
    return process.exitcode


def killed_at(moment: int, work: Callable[[], object]) -> Callable[[], None]:
    """``work``, in a process that is killed after its statement number ``moment`` that changes something, or right before it commits."""

    def run() -> None:
        passed = itertools.count()

        def reach() -> None:
            if next(passed) == moment:
                os.kill(os.getpid(), signal.SIGKILL)

        def changed(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if statement.startswith(("INSERT", "UPDATE", "DELETE")):
                reach()

        event.listen(Engine, "after_cursor_execute", changed)
        event.listen(Engine, "commit", lambda _: reach())
        work()
        os._exit(0)

    return run


def test_a_pickup_is_written_down_whole_or_not_at_all(counters: Counters, tmp_path: Path) -> None:
    pharmacy = counters.pharmacy
    patient, agent = pharmacy.patient(), pharmacy.patient()
    pharmacy.delegation(patient, agent, relationship="friend")
    pickup = counters.decided(tmp_path / "none.sqlite", agent, Evidence()).continued(by="R. Ph.", reason="no_network")
    assert pickup.is_to_be_rechecked
    kills = 0
    for moment in itertools.count():
        path = tmp_path / f"{moment}.sqlite"
        code = ended(killed_at(moment, lambda path=path: counters.desk(path).complete(pickup)))  # type: ignore[misc]
        if code == 0:
            assert counted(path) == (1, 2, 1, 1)
            break
        assert code == -signal.SIGKILL
        assert counted(path) == (0, 0, 0, 0)
        counters.desk(path).complete(pickup)
        assert counted(path) == (1, 2, 1, 1)
        kills += 1
    # The tables themselves; a use, a row, the receipts, what waits, the commit.
    assert kills == 8


def test_what_is_checked_again_has_one_row_however_often_it_is_begun(counters: Counters, tmp_path: Path) -> None:
    pharmacy = counters.pharmacy
    wallet = pharmacy.patient()
    evidence = counters.decided(tmp_path / "none.sqlite", wallet).report.evidence
    counters.desk(tmp_path / "before.sqlite").complete(counters.decided(tmp_path / "none.sqlite", wallet, Evidence()))
    for moment in itertools.count():
        path = tmp_path / f"{moment}.sqlite"
        copied(tmp_path / "before.sqlite", path)
        code = ended(killed_at(moment, lambda path=path: counters.desk(path, evidence).recheck()))  # type: ignore[misc]
        if code == 0:
            break
        assert code == -signal.SIGKILL
        assert counted(path) == (1, 1, 0, 1)
        (again,) = counters.desk(path, evidence).recheck()
        assert (again.report.verdict, again.row) == ("accept", 1), again.report.codes
        assert counted(path) == (2, 1, 0, 0)
        first, second = SQLVerifierRecords(Database.open(path)).rows(pharmacy.institution.did)
        assert second.document["recheckOf"] == first.document["id"] == again.waiting.id
    assert moment == 3
    assert counted(path) == (2, 1, 0, 0)
    assert counters.desk(path, evidence).recheck() == []


def test_counters_of_one_pharmacy_in_several_processes_never_use_a_delegation_too_often(counters: Counters, tmp_path: Path) -> None:
    pharmacy, path = counters.pharmacy, tmp_path / "shared.sqlite"
    patient, agent = pharmacy.patient(), pharmacy.patient()
    pharmacy.delegation(patient, agent, relationship="friend", max_uses=2)
    decided = [counters.decided(tmp_path / "none.sqlite", agent) for _ in range(4)]
    assert [(pickup.verdict, pickup.delegated.used if pickup.delegated else -1) for pickup in decided] == [("accept", 0)] * 4
    together = FORK.Barrier(len(decided))

    def complete(pickup: Pickup) -> None:
        desk = counters.desk(path)
        together.wait(120)
        try:
            desk.complete(pickup)
        except ConflictError as error:
            os._exit(CONFLICT if error.code == "delegation_used_up" else 1)
        os._exit(0)

    processes = [FORK.Process(target=complete, args=(pickup,)) for pickup in decided]
    for process in processes:
        process.start()
    for process in processes:
        process.join(180)
    assert sorted(process.exitcode or 0 for process in processes) == [0, 0, CONFLICT, CONFLICT]
    # Two receipts each: the patient's and the agent's.
    assert counted(path) == (2, 4, 2, 0)
    third = counters.decided(path, agent)
    assert (third.verdict, third.report.codes) == ("refuse", ("delegation_used_up",))


def test_two_processes_that_check_again_at_once_write_one_row(counters: Counters, tmp_path: Path) -> None:
    path, wallet = tmp_path / "shared.sqlite", counters.pharmacy.patient()
    before = tmp_path / "before.sqlite"
    evidence = counters.decided(before, wallet).report.evidence
    for _ in range(3):
        counters.desk(before).complete(counters.decided(before, wallet, Evidence()))
    copied(before, path)
    together = FORK.Barrier(2)

    def again() -> None:
        desk = counters.desk(path, evidence)
        together.wait(120)
        desk.recheck()
        os._exit(0)

    processes = [FORK.Process(target=again) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(180)
    assert [process.exitcode for process in processes] == [0, 0]
    assert counted(path) == (6, 3, 0, 0)
