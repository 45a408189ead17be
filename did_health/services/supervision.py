"""Child processes that are started, watched and started again: with a pause that grows as long as a child keeps dying, and none but ours.

Each child's standard input is a pipe from here, and a child of ``cli.supervised`` ends when it closes: so all of them end with whoever
started them, however that ended.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from did_health.stores import files

FIRST_PAUSE_SECONDS: Final = 0.25
LONGEST_PAUSE_SECONDS: Final = 10.0
_LIVED_WELL_SECONDS: Final = 10.0
"""Whoever lived so long before it died is started again at once."""
END_SECONDS: Final = 20.0


class State(StrEnum):
    """How a child stands."""

    STARTING = "starting"
    UP = "up"
    WAITING = "waiting"
    """It died, and is started again after a pause."""
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Task:
    """A child to keep alive: its name, its command line and environment, where its output is added, and whether it ``answers`` yet."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    output: Path
    answers: Callable[[], bool]


class Child:
    """One task and its process, if it has one."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.state = State.ENDED
        self.restarts = 0
        self.deaths_in_a_row = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._begun = self._due = 0.0

    @property
    def pid(self) -> int | None:
        """The process's id, while it lives as far as is known."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start the process. Raises ``StoreError`` if its output cannot be written, ``OSError`` if the program cannot be run."""
        try:
            output = self.task.output.open("ab")
        except OSError as error:
            raise files.store_error(error, self.task.output) from error
        with output:
            # A session of its own: Ctrl-C at the terminal is for whoever supervises.
            self._process = subprocess.Popen(  # noqa: S603  # the command is the program's own
                self.task.command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=dict(self.task.environment), start_new_session=True
            )
        self.state, self._begun = State.STARTING, monotonic()

    def look(self) -> bool:
        """See how it stands, start it again if that is due; whether anything changed."""
        before = (self.state, self.pid)
        if self._process is not None and self._process.poll() is not None:
            self._bury()
        elif self.state is State.STARTING and self.task.answers():
            self.state = State.UP
        if self.state is State.WAITING and monotonic() >= self._due:
            self.restarts += 1
            self.start()
        return (self.state, self.pid) != before

    def terminate(self) -> None:
        """Ask it to end."""
        if self._process is not None:
            self._process.terminate()

    def wait(self, seconds: float) -> None:
        """Wait for its end, and make it end after ``seconds``."""
        if self._process is not None:
            try:
                self._process.wait(max(0.0, seconds))
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._let_go()
        self.state = State.ENDED

    def _bury(self) -> None:
        self._let_go()
        lived = monotonic() - self._begun
        self.deaths_in_a_row = 1 if lived >= _LIVED_WELL_SECONDS else self.deaths_in_a_row + 1
        pause = 0.0 if lived >= _LIVED_WELL_SECONDS else min(FIRST_PAUSE_SECONDS * 2 ** (self.deaths_in_a_row - 1), LONGEST_PAUSE_SECONDS)
        self.state, self._due = State.WAITING, monotonic() + pause

    def _let_go(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None


class Supervisor:
    """Keeps tasks alive, in one thread: ``start``, then ``look`` again and again, then ``stop``. ``changed`` is told of every change."""

    def __init__(self, tasks: Sequence[Task], changed: Callable[[Sequence[Child]], None]) -> None:
        self.children = tuple([Child(task) for task in tasks])
        self._changed = changed

    @property
    def all_up(self) -> bool:
        """Whether every child answers."""
        return all(child.state is State.UP for child in self.children)

    def start(self) -> None:
        """Start all of them."""
        for child in self.children:
            child.start()
        self._changed(self.children)

    def look(self) -> None:
        """See after each child once."""
        changes = [child.look() for child in self.children]
        if any(changes):
            self._changed(self.children)

    def stop(self) -> None:
        """End all of them, in the order in which they were given, which for each begins when those before it were asked."""
        for child in self.children:
            child.terminate()
            # Whoever writes finishes what it has begun while those that it asks still answer.
            sleep(0.05)
        end = monotonic() + END_SECONDS
        for child in self.children:
            child.wait(end - monotonic())
        self._changed(self.children)
