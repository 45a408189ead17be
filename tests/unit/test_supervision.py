"""Children that are started, watched, started again with growing pauses, and ended: real processes, small ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from did_health.errors import StoreError
from did_health.services import supervision
from did_health.services.supervision import State, Supervisor, Task

SLEEP = "import sys; print('begun', flush=True); sys.stdin.read()"
STUBBORN = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('begun', flush=True); time.sleep(60)"


def task(tmp_path: Path, code: str, name: str = "one", answers: Callable[[], bool] | None = None) -> Task:
    output = tmp_path / f"{name}.log"
    return Task(name, [sys.executable, "-c", code], {}, output, answers or (lambda: output.exists() and b"begun" in output.read_bytes()))


def eventually(supervisor: Supervisor, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        supervisor.look()
        time.sleep(0.02)


@pytest.fixture
def started() -> Iterator[list[Supervisor]]:
    supervisors: list[Supervisor] = []
    yield supervisors
    for one in supervisors:
        one.stop()


def test_a_child_that_was_killed_is_started_again(tmp_path: Path, started: list[Supervisor]) -> None:
    seen: list[list[State]] = []
    supervisor = Supervisor([task(tmp_path, SLEEP), task(tmp_path, SLEEP, "two")], lambda children: seen.append([child.state for child in children]))
    started.append(supervisor)
    supervisor.start()
    assert not supervisor.all_up
    eventually(supervisor, lambda: supervisor.all_up)
    first, other = supervisor.children
    pid, untouched = first.pid, other.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually(supervisor, lambda: first.restarts == 1 and supervisor.all_up)
    assert first.pid != pid
    assert (other.pid, other.restarts) == (untouched, 0)
    assert [State.WAITING, State.UP] in seen
    supervisor.stop()
    assert seen[-1] == [State.ENDED, State.ENDED]
    assert (first.pid, other.pid) == (None, None)


def test_pauses_grow_while_a_child_keeps_dying(tmp_path: Path, started: list[Supervisor], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "FIRST_PAUSE_SECONDS", 0.05)
    supervisor = Supervisor([task(tmp_path, "raise SystemExit(1)")], lambda _children: None)
    started.append(supervisor)
    supervisor.start()
    (child,) = supervisor.children
    begun = time.monotonic()
    eventually(supervisor, lambda: child.deaths_in_a_row == 4)
    # 0.05 + 0.1 + 0.2 seconds of pauses lie between four deaths.
    assert time.monotonic() - begun >= 0.35
    assert child.restarts == 3


def test_whoever_lived_well_is_started_again_at_once(tmp_path: Path, started: list[Supervisor], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "_LIVED_WELL_SECONDS", 0.0)
    monkeypatch.setattr(supervision, "FIRST_PAUSE_SECONDS", 60.0)
    supervisor = Supervisor([task(tmp_path, "raise SystemExit(1)")], lambda _children: None)
    started.append(supervisor)
    supervisor.start()
    (child,) = supervisor.children
    eventually(supervisor, lambda: child.restarts >= 2)
    assert child.deaths_in_a_row == 1


def test_whoever_does_not_end_is_made_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "END_SECONDS", 0.3)
    supervisor = Supervisor([task(tmp_path, STUBBORN)], lambda _children: None)
    supervisor.start()
    eventually(supervisor, lambda: supervisor.all_up)
    supervisor.stop()
    assert supervisor.children[0].state is State.ENDED


def test_a_child_that_waits_for_its_turn_is_ended_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "FIRST_PAUSE_SECONDS", 60.0)
    supervisor = Supervisor([task(tmp_path, "raise SystemExit(1)")], lambda _children: None)
    supervisor.start()
    eventually(supervisor, lambda: supervisor.children[0].state is State.WAITING)
    supervisor.stop()
    assert supervisor.children[0].state is State.ENDED


def test_output_that_cannot_be_written_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    supervisor = Supervisor([Task("one", ["true"], {}, tmp_path / "file" / "log", lambda: True)], lambda _children: None)
    with pytest.raises(StoreError):
        supervisor.start()


def test_a_supervised_command_ends_when_nobody_holds_its_input(tmp_path: Path) -> None:
    witness = ["serve", "witness", "--name", "w.example", "--dir", tmp_path / "w", "--listen", "127.0.0.1:0", "--json", "--log"]
    vkey = "log.example+c78c9f24+AYMgpRl32MOMqKSSfGcN9YIeRJdhlF4V6e+yahUJ0jDq"
    process = subprocess.Popen(
        [sys.executable, "-m", "did_health.cli.supervised", *witness, vkey], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "DID_HEALTH_PASSPHRASE": "correct horse battery"},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == b"{\n", process.communicate()[1]
    process.stdin.close()
    process.stdin = None
    _, log = process.communicate(timeout=30)
    assert process.returncode == 0
    assert b'"ended"' in log
