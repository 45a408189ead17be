"""``did-health federation`` inside the test's process; tests/end_to_end/test_federation.py runs it as a process."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import typer

from did_health.cli import federation as command
from did_health.errors import ConflictError, FormatError, StoreError
from did_health.services.config import Config
from did_health.services.federation import LOOPBACK, Federation, found
from did_health.services.supervision import State
from did_health.tlog.witness_policy import WitnessPolicy
from tests.cli_runs import CLI


def free_base() -> int:
    """The first of nine ports in a row that are free."""
    for base in range(20_000, 60_000, 97):
        listeners = []
        try:
            for port in range(base, base + 9):
                listeners.append(socket.create_server((LOOPBACK, port)))
        except OSError:
            continue
        else:
            return base
        finally:
            for one in listeners:
                one.close()
    raise AssertionError


def test_a_federation_is_founded_with_a_policy_that_demands_mirrors(tmp_path: Path) -> None:
    base = free_base()
    federation = found(tmp_path / "f", base_port=base)
    assert Federation.open(tmp_path / "f") == federation
    assert [member.port for member in federation.members] == list(range(base, base + 9))
    policy = WitnessPolicy.parse(federation.policy_path.read_bytes())
    assert policy.quorum == "witnesses-and-mirrors"
    assert {one.url for one in policy.witnesses} == {member.url for member in federation.members if member.kind != "ledger"}
    assert federation.trust_policy.registry_authority.endswith(":ledger-1.example:registry")
    for member in federation.members:
        data = federation.service_file(member).read_bytes()
        settings = Config.parse(data, {}, folder=federation.service_file(member).parent).sections[member.kind]
        assert (settings.listen.host, settings.listen.port) == (LOOPBACK, member.port)
    assert (tmp_path / "f" / "passphrase.txt").stat().st_mode & 0o077 == 0


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path, cli: CLI) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "mine").write_text("keep")
    with pytest.raises(ConflictError):
        found(folder)
    assert "not empty" in cli("federation", "up", "--dir", folder, code=1).err
    assert [path.name for path in folder.iterdir()] == ["mine"]


@pytest.mark.parametrize("data", [b"[]", b"{}", b'{"format":"did-health/federation/v1"}', b'{"format":"did-health/federation/v1","members":[7]}'])
def test_a_file_that_is_none_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "federation.json").write_bytes(data)
    with pytest.raises(FormatError):
        Federation.open(tmp_path)


def test_what_is_not_there_is_said(tmp_path: Path, cli: CLI) -> None:
    assert "federation up" in cli("federation", "status", "--dir", tmp_path, code=2).err
    federation = found(tmp_path / "f")
    down = cli("federation", "status", "--dir", tmp_path / "f", "--json", code=1).json
    assert {one["state"] for one in down["members"]} == {"down"}
    assert "not running" in cli("federation", "down", "--dir", tmp_path / "f", code=2).err
    federation.trust_policy_path.unlink()
    with pytest.raises(StoreError):
        _ = federation.trust_policy


def test_a_member_that_cannot_be_started_ends_all_of_them(tmp_path: Path, cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_HOPELESS_DEATHS", 1)
    federation = found(tmp_path / "f")
    with socket.create_server((LOOPBACK, federation.members[3].port)):
        err = cli("federation", "up", "--dir", tmp_path / "f", code=1).err
    assert "witness-1 cannot be started" in err
    state = json.loads((tmp_path / "f" / "state.json").read_bytes())
    assert {one["state"] for one in state["members"]} == {State.ENDED}
    assert b"cannot_listen" in federation.output(federation.members[3]).read_bytes()


class Watcher(threading.Thread):
    """Waits until the federation is up, kills one of it, and ends it when that one is back."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder, self.codes = folder, list[int]()

    def run(self) -> None:
        # The DIDs of the federation's own institutions are logged when all of them are up.
        self._wait(lambda: not list((self.folder / "registry" / "institutions").glob("*.draft.jsonl")) and all(one["state"] == "up" for one in self._members()))
        self._status()
        victim = self._members()[8]
        os.kill(victim["pid"], signal.SIGKILL)
        self._wait(lambda: self._members()[8]["restarts"] == 1 and self._members()[8]["state"] == "up")
        time.sleep(0.5)
        command.down(self.folder)

    def _members(self) -> list[Any]:
        try:
            document = json.loads((self.folder / "state.json").read_bytes())
        except FileNotFoundError:
            return [{"state": "nothing yet"}]
        return list(document["members"])

    def _status(self) -> None:
        try:
            command.status(self.folder)
            self.codes.append(0)
        except typer.Exit as ended:
            self.codes.append(ended.exit_code)

    def _wait(self, condition: Any) -> None:
        end = time.monotonic() + 60
        while not condition():
            if time.monotonic() > end:
                os.kill(os.getpid(), signal.SIGTERM)
                raise AssertionError
            time.sleep(0.1)


def test_up_status_and_down(tmp_path: Path, cli: CLI) -> None:
    watcher = Watcher(tmp_path / "f")
    watcher.start()
    told = cli("federation", "up", "--dir", tmp_path / "f")
    watcher.join(60)
    assert watcher.codes == [0]
    assert told.out.count("http://127.0.0.1:") >= 9
    assert "did-health demo --federation" in told.out
    assert "mirror-2 had died and is up again" in told.err
