"""Runs of rosters: on threads, processes and clusters, broken off, killed, and gone on with."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from did_health.errors import ConflictError, EdgeError, StoreError
from did_health.net import roster_workers
from did_health.net.roster_lookup import RosterLookup
from did_health.net.roster_workers import dask_cluster, processes, usable_cores
from did_health.net.rosters import RosterOrder, verify_roster
from did_health.stores.license_files import LicenseFiles
from tests.roster_parties import NAME, CredentialingOffice, failing
from tests.town import Town

# ---- executors


def test_processes_and_threads_say_what_one_thread_says(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(*(town.issue() for _ in range(7))), f"{NAME},,NOBODYS,NC,")
    office.verify("inline", chunk_rows=3)
    with processes(2) as pool:
        office.verify("processes", executor=pool, workers=2, chunk_rows=3)
    with ThreadPoolExecutor(2) as threads:
        office.verify("threads", executor=threads, workers=2, chunk_rows=3)
    inline = (office.folder / "inline" / "rows.ndjson").read_bytes()
    assert inline.count(b"\n") == 8
    assert (office.folder / "processes" / "rows.ndjson").read_bytes() == inline
    assert (office.folder / "threads" / "rows.ndjson").read_bytes() == inline


@pytest.fixture
def dask_scheduler() -> Iterator[str]:
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None, silence_logs=50) as cluster:
        yield cluster.scheduler_address


def test_a_dask_cluster_says_what_one_thread_says(office: CredentialingOffice, town: Town, dask_scheduler: str) -> None:
    office.write(*office.collect(*(town.issue() for _ in range(7))))
    office.verify("inline", chunk_rows=2)
    with dask_cluster(dask_scheduler) as (executor, threads):
        assert threads == 2
        office.verify("dask", executor=executor, workers=threads, chunk_rows=2)
    assert (office.folder / "dask" / "rows.ndjson").read_bytes() == (office.folder / "inline" / "rows.ndjson").read_bytes()


def test_dask_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(StoreError, match="not installed"), dask_cluster("tcp://127.0.0.1:1"):
        pass


def test_a_worker_ends_with_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(roster_workers.os, "_exit", lambda _status: ended.set())
    monkeypatch.setattr(roster_workers.gc, "freeze", lambda: None)
    # The tests' own process has no parent that spawned it.
    roster_workers._end_with_parent()
    assert not ended.is_set()
    here, there = multiprocessing.Pipe()

    class Parent:
        sentinel = here

    monkeypatch.setattr(multiprocessing, "parent_process", Parent)
    roster_workers._end_with_parent()
    there.close()
    assert ended.wait(10)


def test_a_scheduler_that_is_not_there() -> None:
    with pytest.raises(EdgeError, match="does not answer"), dask_cluster("tls:/nonsense"):
        pass


def test_there_is_a_core() -> None:
    assert usable_cores() >= 1


# ---- crashes


def test_a_run_that_was_broken_off_goes_on_where_it_was(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(*(town.issue() for _ in range(6))))
    with pytest.raises(KeyboardInterrupt):
        office.verify(chunk_rows=2, progress=failing(after=2))
    assert not (office.folder / "report").exists()
    judged = sorted((office.folder / "report.partial" / "judged").iterdir())
    assert len(judged) == 2
    times = [path.stat().st_mtime_ns for path in judged]
    town.ticking(30)
    steps: list[str] = []
    office.verify(chunk_rows=2, progress=lambda what, count: steps.extend([what] * count))
    assert steps.count("Verifying") == 2
    assert "Looking up" not in steps
    assert [row["row"] for row in office.results()] == [2, 3, 4, 5, 6, 7]
    assert not (office.folder / "report.partial").exists()
    assert times


def crash(folder: Path, town_folder: Path, rows: int) -> None:
    """The process that is killed: it judges slowly, two rows at a time."""
    from did_health import embedded_verifier, open_directory
    from tests.ledger_parties import CHEAP, PASSPHRASE

    def slowly(what: str, _count: int) -> None:
        if what == "Verifying":
            time.sleep(0.2)

    with open_directory(town_folder, PASSPHRASE, cost=CHEAP) as directory:
        index = LicenseFiles([folder / "licenses"], folder / "index.sqlite")
        order = RosterOrder(folder / "roster.csv", folder / "report", chunk_rows=2, workers=2)
        with processes(2) as pool:
            verifier = embedded_verifier(directory)
            verify_roster(order, verifier, RosterLookup(folder, (index,)), clock=directory.clock, executor=pool, progress=slowly)


def test_killed_in_the_middle_nothing_is_lost_and_nothing_is_double(tmp_path: Path) -> None:
    from did_health import embedded_verifier, open_directory
    from tests.cli_runs import license_of
    from tests.ledger_parties import CHEAP, PASSPHRASE

    folder, town_folder = tmp_path / "office", tmp_path / "town"
    (folder / "licenses").mkdir(parents=True)
    with open_directory(town_folder, PASSPHRASE, create=True, cost=CHEAP) as directory:
        board = directory.create_board("nc-medical", title="North Carolina Medical Board", jurisdiction="US-NC", professions=["MD"])
        wallet = directory.create_wallet("ann")
        issued = board.issue_many([(license_of("Adams", str(number)), wallet.did) for number in range(30)])
        (folder / "licenses" / "all.ndjson").write_bytes(b"".join([one.to_json() + b"\n" for one in issued]))
        (folder / "roster.csv").write_text("family,given,license_number,state\n" + "".join(f"Adams,Ann,{number},NC\n" for number in range(30)))
    process = multiprocessing.get_context("spawn").Process(target=crash, args=(folder, town_folder, 30))
    process.start()
    judged = folder / "report.partial" / "judged"
    deadline = time.monotonic() + 60
    while len(list(judged.glob("*.ndjson")) if judged.is_dir() else []) < 3:
        assert time.monotonic() < deadline
        assert process.is_alive()
        time.sleep(0.02)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    assert not (folder / "report").exists()
    kept = {path.name: path.stat().st_mtime_ns for path in judged.glob("*.ndjson")}
    with open_directory(town_folder, PASSPHRASE, cost=CHEAP) as directory:
        index = LicenseFiles([folder / "licenses"], folder / "index.sqlite")
        order = RosterOrder(folder / "roster.csv", folder / "report", chunk_rows=2)
        steps: list[str] = []
        verify_roster(
            order, embedded_verifier(directory), RosterLookup(folder, (index,)), clock=directory.clock,
            progress=lambda what, count: steps.extend([what] * count),
        )  # fmt: skip
        index.close()
    assert steps.count("Verifying") == 30 - 2 * len(kept)
    rows = [json.loads(line) for line in (folder / "report" / "rows.ndjson").read_text().splitlines()]
    assert [row["licenseNumber"] for row in rows] == [str(number) for number in range(30)]
    assert {row["verdict"] for row in rows} == {"accept"}


def test_a_worker_that_dies_ends_the_run_which_goes_on_later(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(*(town.issue() for _ in range(4))))
    with processes(1) as pool:
        pool.submit(os._exit, 1)
        with pytest.raises(EdgeError) as caught:
            office.verify(executor=pool, workers=1, chunk_rows=1)
    assert caught.value.code == "worker_lost"
    office.verify(chunk_rows=1)
    assert len(office.results()) == 4


def test_a_run_of_another_roster_does_not_go_on(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(*(town.issue() for _ in range(2))))
    with pytest.raises(KeyboardInterrupt):
        office.verify(chunk_rows=1, progress=failing(after=1))
    office.write(f"{NAME},,NOBODYS,NC,")
    with pytest.raises(ConflictError) as caught:
        office.verify(chunk_rows=1)
    assert caught.value.code == "run_of_another_roster"


def test_a_place_that_is_taken_is_left_alone(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(town.issue()))
    (office.folder / "report").mkdir()
    office.verify()
    with pytest.raises(ConflictError) as caught:
        office.verify()
    assert caught.value.code == "file_exists"
