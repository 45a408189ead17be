"""A ledger's writer may be killed (SIGKILL) at any moment: nothing acknowledged is lost, and no second tree of one size is ever signed.

On both stores, at every step of the write cycle, at every step of making good what the last crash left, and at random.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from did_health.cli.published import PublishedLog
from did_health.ledger.entry import Entry
from did_health.ledger.latest import LatestBundle
from did_health.stores import ledger_map
from did_health.stores.database import Database
from did_health.stores.embedded import EmbeddedLedger
from did_health.stores.ledger_place import ledger_place
from did_health.stores.ledger_store import LedgerStore
from did_health.stores.tables import contents, map_items
from did_health.stores.witness_store import SQLWitnessStore
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.merkle import Tree, leaf_hash
from did_health.tlog.note import SignedNote
from did_health.tlog.witness_policy import WitnessPolicy, verify_proof
from tests.any_log import revocation
from tests.crashing import STEPS, Job, opened, write
from tests.ledger_parties import Clock, new_ledger

ORIGIN = "ledger.example"
# A process for each crash, from one that has imported everything.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["pytest", "sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql", "psycopg", "tests.crashing"])
PATIENCE = 30
RANDOM_CRASHES = 5


class Scene:
    """A ledger, what its killed writers got acknowledged, and every tree of it that anybody saw."""

    def __init__(self, folder: Path, database_url: str | None) -> None:
        self.folder, self.database_url = folder, database_url
        options = {} if database_url is None else {"database_url": database_url}
        new_ledger(folder, Clock(), **options).close()
        self.store = Database.open(ledger_place(folder, database_url))
        self.witnesses = [Database.open(path) for path in sorted((folder / "witnesses").glob("*.sqlite"))]
        self.journal = folder / "journal"
        self.seen: set[tuple[int, bytes]] = set()
        self.acknowledged: dict[int, tuple[str, bytes]] = {}
        self._number, self._read = 0, 0

    def close(self) -> None:
        for database in (self.store, *self.witnesses):
            database.close()

    # ---- crashing

    def rehearse(self, **options: object) -> list[str]:
        """The names of the moments that a writer passes."""
        assert self._finished(self._start(**options)) == 0
        return [words[1] for words in self._look() if words[0] == "moment"]

    def kill(self, **options: object) -> None:
        """Let a writer come to its fatal moment."""
        assert self._finished(self._start(**options)) == -signal.SIGKILL
        self._look()

    def kill_after(self, seconds: float) -> None:
        """Kill a writer that writes as fast as it can."""
        before = self.journal.stat().st_size
        process = self._start(batches=0, fatal="never")
        end = time.monotonic() + PATIENCE
        while self.journal.stat().st_size == before:
            assert process.is_alive()
            assert time.monotonic() < end
            time.sleep(0.002)
        time.sleep(seconds)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        assert self._finished(process) == -signal.SIGKILL
        self._number += 10_000
        self._look()

    def _start(self, **options: object) -> multiprocessing.process.BaseProcess:
        job = Job(self.folder, self.database_url, self.journal, self._next(), **options)  # type: ignore[arg-type]
        process = PROCESSES.Process(target=write, args=(job,), daemon=True)
        process.start()
        return process

    def _finished(self, process: multiprocessing.process.BaseProcess) -> int | None:
        process.join(PATIENCE)
        return process.exitcode

    def _next(self) -> int:
        self._number += 2
        return self._number

    # ---- looking

    def _look(self) -> list[list[str]]:
        """What the writers wrote down since the last time, what the witnesses remember, and what is stored and published."""
        with self.journal.open() as journal:
            journal.seek(self._read)
            lines = [line.split() for line in journal]
            self._read = journal.seek(0, os.SEEK_END)
        for word, *rest in lines:
            if word == "acknowledged":
                self.acknowledged[int(rest[0])] = rest[1], bytes.fromhex(rest[2])
            elif word == "tree":
                self.seen.add((int(rest[0]), bytes.fromhex(rest[1])))
        for database in self.witnesses:
            state = SQLWitnessStore(database).read(ORIGIN)
            self.seen.add((state.size, state.root))
        with LedgerStore(self.store).snapshot() as (connection, state):
            replayed = {subject: (row.value, row.position) for subject, row in ledger_map.rows_between(connection, 0, state.published_size).items()}
            assert {row.subject: (row.value, row.position) for row in connection.execute(map_items.select())} == replayed
        published = self.folder / "published" / "checkpoint"
        for note in (state.pending, state.published, published.read_bytes() if published.exists() else None):
            if note is not None:
                checkpoint = Checkpoint.parse(SignedNote.parse(note).text)
                self.seen.add((checkpoint.size, checkpoint.root))
        return lines

    def require_whole(self, *, proving: int = 3) -> None:
        """Start again, and check all promises; proofs of the ``proving`` newest acknowledged entries, and of one that is not there."""
        ledger = opened(self.folder, self.database_url)
        try:
            self._look()
            policy = WitnessPolicy.parse(ledger.policy_text)
            subjects = [subject for _, (_, subject) in sorted(self.acknowledged.items())[-proving:]]
            for subject in subjects:
                require_proofs(ledger, subject, policy)
            # It goes on, with other entries than those that were cut off.
            (logged,) = ledger.submit([revocation(self._next())])
            self.acknowledged[logged.index] = hashlib.sha256(logged.entry).hexdigest(), logged.parsed.subject
            self._look()
            self._require_history()
            for subject in (*subjects[-1:], logged.parsed.subject):
                require_proofs(ledger, subject, policy)
            absent = ledger.bundle(bytes(32))
            assert absent is not None
            assert absent.verify(bytes(32), policy).entry is None
        finally:
            ledger.close()

    def _require_history(self) -> None:
        log = PublishedLog(self.folder)
        key = WitnessPolicy.parse(LedgerStore(self.store).settings()["policy"]).logs[0].key.public_key
        # The tree, the tiles and the map of every head, recomputed from the published bundles.
        leaves = list(log.entries())
        with self.store.read() as connection:
            documents = {row.digest: row.data for row in connection.execute(contents.select())}
        log.check(key, documents.get)
        assert {Entry.parse(leaf).content for leaf in leaves} <= documents.keys()
        for index, (digest, _) in self.acknowledged.items():
            assert hashlib.sha256(leaves[index]).hexdigest() == digest
        tree = Tree.from_leaf_hashes(map(leaf_hash, leaves))
        # One history: whatever was signed and seen is a beginning of it, so there were no two trees of one size.
        for size, root in self.seen:
            assert size <= tree.size
            assert tree.root(size) == root


def require_proofs(ledger: EmbeddedLedger, subject: bytes, policy: WitnessPolicy) -> None:
    logged, bundle = ledger.latest(subject), ledger.bundle(subject)
    assert logged is not None
    assert bundle is not None
    verify_proof(logged.proof, logged.entry, policy)
    assert LatestBundle.parse(bundle.encode()).verify(subject, policy).entry == logged.parsed


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    url = server.url() if server else None
    scene = Scene(tmp_path / "ledger", url)
    yield scene
    scene.close()
    if server:
        server.drop(url)


def test_a_writer_killed_at_any_step_of_a_batch_loses_nothing_and_forks_nothing(scene: Scene) -> None:
    moments = scene.rehearse()
    assert {f"after-{step}" for _, step in STEPS} <= set(moments)
    for moment in range(len(moments)):
        scene.kill(fatal=moment)
        scene.require_whole()
    scene.require_whole(proving=len(scene.acknowledged))


def test_a_writer_killed_at_any_step_of_making_good_a_crash_loses_nothing_and_forks_nothing(scene: Scene) -> None:
    scene.kill(fatal="after-append")
    moments = scene.rehearse(while_opening=True)
    assert {f"after-{step}" for _, step in STEPS[3:]} <= set(moments)
    for moment, name in enumerate(moments):
        if not name.startswith("within"):
            scene.kill(fatal="after-append")
            scene.kill(fatal=moment, while_opening=True)
            scene.require_whole()


def test_a_writer_killed_at_random_loses_nothing_and_forks_nothing(scene: Scene) -> None:
    scene.rehearse()
    chance = random.Random(3)
    for _ in range(RANDOM_CRASHES):
        scene.kill_after(chance.uniform(0, 0.2))
        scene.require_whole()
    assert len(scene.acknowledged) > RANDOM_CRASHES
