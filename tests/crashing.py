"""A writer of a ledger that is killed: by itself at a chosen moment of the write cycle, or by whoever started it. Run in a process of its own.

What it got acknowledged, and every tree that it showed a witness or published, it writes down line by line where its killer can read it.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from did_health.ledger.log import LoggedEntry
from did_health.ledger.witness import Witness
from did_health.stores import embedded, ledger_map
from did_health.stores.embedded import EmbeddedLedger
from did_health.stores.ledger_store import LedgerStore
from did_health.stores.tile_files import TileFiles
from did_health.stores.witness_store import SQLWitnessStore
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.note import Signature, SignedNote
from did_health.tlog.witness_protocol import AddCheckpoint
from tests.any_log import revocation
from tests.ledger_parties import PASSPHRASE, Clock

# Where the write cycle can be cut: after each of these (which is before the next), after every statement that changes the log's
# database, before every commit.
STEPS: tuple[tuple[Any, str], ...] = (
    (embedded, "ask"),
    (embedded, "plan"),
    (LedgerStore, "append"),
    (TileFiles, "write_tiles"),
    (Path, "replace"),
    (SQLWitnessStore, "swap"),
    (ledger_map, "apply_entries"),
    (LedgerStore, "mark_published"),
    (TileFiles, "write_checkpoint"),
)


@dataclass(frozen=True)
class Job:
    """What to write: ``batches`` batches (0: until killed) of two revocations from ``first`` on, into the ledger of ``folder``.

    ``fatal`` is the moment at which to die: its number counted from the opening of the ledger (``while_opening``) or from the
    first batch, or its name; ``None`` writes down every moment instead.
    """

    folder: Path
    database_url: str | None
    journal: Path
    first: int
    batches: int = 1
    fatal: int | str | None = None
    while_opening: bool = False


def opened(folder: Path, database_url: str | None) -> EmbeddedLedger:
    """The ledger, made good by the opening if it has to be."""
    return EmbeddedLedger.open(folder, clock=Clock(), random=os.urandom, passphrase=PASSPHRASE, database_url=database_url)


class Journal:
    """Lines that are in the file, whole, when ``write`` returns."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(self, *words: object) -> None:
        os.write(self._descriptor, (" ".join(map(str, words)) + "\n").encode())

    def tree(self, note: SignedNote) -> None:
        checkpoint = Checkpoint.parse(note.text)
        self.write("tree", checkpoint.size, checkpoint.root.hex())

    def acknowledged(self, logged: LoggedEntry) -> None:
        self.write("acknowledged", logged.index, hashlib.sha256(logged.entry).hexdigest(), logged.parsed.subject.hex())


class Moments:
    """Counts the moments that pass, once armed, and ends the process in the fatal one."""

    def __init__(self, fatal: int | str | None, journal: Journal) -> None:
        self._fatal, self._journal, self._passed = fatal, journal, itertools.count()
        self.armed = False

    def reach(self, name: str) -> None:
        if self.armed:
            if self._fatal in (next(self._passed), name):
                os.kill(os.getpid(), signal.SIGKILL)
            if self._fatal is None:
                self._journal.write("moment", name)

    def around(self, owner: Any, step: str) -> None:
        work = getattr(owner, step)

        @functools.wraps(work)
        def watched(*arguments: Any, **options: Any) -> Any:
            result = work(*arguments, **options)
            self.reach(f"after-{step}")
            return result

        setattr(owner, step, watched)

    def within_transactions(self) -> None:
        def changed(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
            if statement.startswith(("INSERT", "UPDATE", "DELETE")) and not _name(connection).startswith("witness"):
                self.reach(f"within-{_name(connection)}-{statement.partition(' ')[0].lower()}")

        def commits(connection: Connection) -> None:
            self.reach(f"within-{_name(connection)}-before-commit")

        event.listen(Engine, "after_cursor_execute", changed)
        event.listen(Engine, "commit", commits)


def _name(connection: Connection) -> str:
    return Path(connection.engine.url.database or "").stem


def write(job: Job) -> None:
    """The process."""
    journal = Journal(job.journal)
    moments = Moments(job.fatal, journal)
    for owner, step in STEPS:
        moments.around(owner, step)
    moments.within_transactions()
    _note_what_leaves(journal)
    moments.armed = job.while_opening
    ledger = opened(job.folder, job.database_url)
    moments.armed = not job.while_opening
    moments.reach("opened")
    for batch in range(job.batches) if job.batches else itertools.count():
        number = job.first + 2 * batch
        for logged in ledger.submit([revocation(number), revocation(number + 1)]):
            journal.acknowledged(logged)
    moments.armed = False
    ledger.close()


def _note_what_leaves(journal: Journal) -> None:
    cosign: Callable[..., Signature] = Witness.add_checkpoint
    publish: Callable[..., None] = TileFiles.write_checkpoint

    def seen(self: Witness, request: AddCheckpoint, *, now: datetime) -> Signature:
        journal.tree(request.note)
        return cosign(self, request, now=now)

    def published(self: TileFiles, note: bytes) -> None:
        journal.tree(SignedNote.parse(note))
        publish(self, note)

    Witness.add_checkpoint = seen  # type: ignore[method-assign]
    TileFiles.write_checkpoint = published  # type: ignore[method-assign]
