"""``serve ledger`` on PostgreSQL: one process leads, one stands by, front ends only read; the leader is killed under load."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from did_health.errors import StoreError, TransportError
from did_health.ledger.entry import revocation_subject
from did_health.net.exchange import HTTPExchange
from did_health.net.followed_log import FollowedLog
from did_health.net.persistent_ledger import PersistentLedger
from did_health.net.remote_ledger import RemoteLedger
from did_health.stores.clock import system_clock
from did_health.stores.front_end import FrontEnd
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.merkle import Tree
from did_health.tlog.note import SignedNote
from did_health.tlog.tiles import Tile
from did_health.tlog.witness_policy import WitnessPolicy
from tests.any_log import revocation
from tests.service_process import ServiceProcess, killed_at_the_end
from tests.serving import HOST

NEW = ("--name", "ledger.example", "--url", f"http://{HOST}/log")


class Process(ServiceProcess):
    """A ledger's process on the database at ``url``."""

    def __init__(self, url: str, *arguments: object) -> None:
        super().__init__("ledger", *arguments, "--listen", f"{HOST}:0", DID_HEALTH_LEDGER_DATABASE=url)
        self.address = f"http://{self.told['listens']}"

    @property
    def policy(self) -> WitnessPolicy:
        return WitnessPolicy.parse(self.told["policy"])

    def remote(self) -> RemoteLedger:
        return RemoteLedger(f"{self.address}/log", self.policy, allow_hosts=[HOST])

    def leads(self) -> bool:
        return "did_health_ledger_leading 1.0" in httpx.get(f"{self.address}/metrics", trust_env=False).text


@pytest.fixture
def processes() -> Iterator[list[Process]]:
    started: list[Process] = []
    with killed_at_the_end(started):
        yield started


class Seen:
    """Every tree that anybody was shown, and every entry that was acknowledged."""

    def __init__(self) -> None:
        self.trees: dict[int, set[bytes]] = {}
        self.acknowledged: list[int] = []
        self.errors: list[Exception] = []

    def note(self, note: SignedNote) -> None:
        checkpoint = Checkpoint.parse(note.text)
        self.trees.setdefault(checkpoint.size, set()).add(checkpoint.root)


def write(writers: list[RemoteLedger], seen: Seen, ending: threading.Event, first: int) -> None:
    """Submit one entry after another, each to whoever takes it."""
    ledgers = [PersistentLedger(one, patience_seconds=0) for one in writers]
    for number in itertools.count(first):
        for ledger in itertools.cycle(ledgers):
            if ending.is_set():
                return
            try:
                (logged,) = ledger.submit([revocation(number)])
            except (StoreError, TransportError) as error:
                if error.code in ("ledger_rolled_back", "ledger_forked"):
                    seen.errors.append(error)
                    return
                time.sleep(0.01)
                continue
            seen.note(logged.proof.checkpoint)
            seen.acknowledged.append(number)
            break


def read(front_ends: list[RemoteLedger], seen: Seen, ending: threading.Event) -> None:
    """At one front end after the other, as behind a load balancer: what was acknowledged is there, and no state is older than one seen before."""
    largest = 0
    for ledger in itertools.cycle(front_ends):
        if ending.is_set():
            return
        if not seen.acknowledged:
            continue
        try:
            newest = seen.acknowledged[-1]
            assert ledger.latest(revocation_subject(revocation(newest).content)) is not None, newest
            note = SignedNote.parse(httpx.get(f"{ledger.url}/checkpoint", trust_env=False).content)
            seen.note(note)
            size = Checkpoint.parse(note.text).size
            assert size >= largest
            largest = size
        except (AssertionError, StoreError, TransportError) as error:
            seen.errors.append(error)
            return


def test_who_stands_by_takes_over_and_front_ends_never_go_back(url: str, tmp_path: Path, processes: list[Process]) -> None:
    leader = Process(url, "--dir", tmp_path / "one", *NEW)
    processes.append(leader)
    # Another machine has the same keys, and here the same witnesses; tiles of its own.
    shutil.copytree(tmp_path / "one", tmp_path / "two", ignore=shutil.ignore_patterns("published", "witnesses"))
    (tmp_path / "two" / "witnesses").symlink_to(tmp_path / "one" / "witnesses")
    stand_by = Process(url, "--dir", tmp_path / "two")
    front_ends = [Process(url, "--dir", tmp_path / f"front-{number}", "--read-only") for number in (1, 2)]
    processes += [stand_by, *front_ends]
    assert leader.leads()
    assert not stand_by.leads()
    for process, code in ((stand_by, "ledger_standby"), (front_ends[0], "ledger_read_only")):
        with closing(process.remote()) as remote, pytest.raises(StoreError) as refused:
            remote.submit([revocation(0)])
        assert refused.value.code == code

    seen, ending = Seen(), threading.Event()
    writers = [[leader.remote(), stand_by.remote()] for _ in range(3)]
    readers = [front.remote() for front in front_ends]
    threads = [threading.Thread(target=write, args=(remotes, seen, ending, 100_000 * number)) for number, remotes in enumerate(writers)]
    threads.append(threading.Thread(target=read, args=(readers, seen, ending)))
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(seen.acknowledged) >= 20)
        os.kill(leader.process.pid, signal.SIGKILL)
        before = len(seen.acknowledged)
        wait_until(lambda: len(seen.acknowledged) >= before + 20)
    finally:
        ending.set()
        for thread in threads:
            thread.join()
    assert stand_by.leads()
    assert not seen.errors
    assert {size for size, roots in seen.trees.items() if len(roots) > 1} == set()

    # Nothing that was acknowledged is lost, at whoever reads.
    for remote in (stand_by.remote(), front_ends[1].remote()):
        for number in seen.acknowledged:
            assert remote.latest(revocation_subject(revocation(number).content)) is not None
        remote.close()
    # A front end without files serves every tile, and they give the root of every checkpoint that anybody saw.
    exchange = HTTPExchange([HOST])
    log = FollowedLog(f"{front_ends[0].address}/log", exchange)
    size = max(seen.trees)
    hashes = list(log.leaf_hashes(0, size))
    tree = Tree.from_leaf_hashes(hashes)
    for one, (root,) in seen.trees.items():
        assert tree.root(one) == root
    assert len(list(log.entries(0, size, hashes))) == size
    beyond = Tile(0, size // 256, size % 256 + 1) if size % 256 < 255 else Tile(0, size // 256 + 1, 1)
    assert httpx.get(f"{front_ends[0].address}/log/{beyond.path}", trust_env=False).status_code == 404
    assert not (tmp_path / "front-1" / "published").exists()
    exchange.close()
    # The one that was killed stands by when it is started again.
    processes.append(again := Process(url, "--dir", tmp_path / "one"))
    assert not again.leads()
    for remotes in (*writers, readers):
        for remote in remotes:
            remote.close()


def wait_until(condition: Any) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_front_end_of_nothing_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError) as refused:
        FrontEnd.open(tmp_path, clock=system_clock, database_url=url)
    assert refused.value.code == "store_missing"
