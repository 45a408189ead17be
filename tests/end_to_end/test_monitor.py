"""``did-health monitor`` as a process of its own, beside a ledger process and a receiver of its notices: killed, restarted, and ended politely."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from did_health.ledger.entry import Kind
from did_health.net.remote_ledger import RemoteLedger
from did_health.roles.institution import Institution
from did_health.stores.clock import system_clock
from tests.end_to_end.test_serve_ledger import Process, free_port, remote_to
from tests.ledger_parties import PASSPHRASE
from tests.serving import HOST, serving
from tests.unit.test_monitoring import Receiver

PROGRAM = (sys.executable, "-c", "from did_health.cli.main import run; run()", "monitor")


class Ledger:
    """A ledger process that can be ended and started again at the same place, and a board that writes to it."""

    def __init__(self, folder: Path) -> None:
        self.url = f"http://{HOST}:{free_port()}"
        self._options = ["ledger", "--dir", folder / "ledger", "--name", "ledger.example", "--url", self.url, "--listen", self.url.removeprefix("http://")]
        self.start()
        self.policy = folder / "policy.txt"
        self.policy.write_text(self.process.told["policy"])
        self.remote: RemoteLedger = remote_to(self.process.told)
        self.board = Institution.create("board.example", self.remote, clock=system_clock, random=os.urandom)
        self.key = self.board.keys.update.public_key.multikey

    def start(self) -> None:
        self.process = Process(*self._options)

    def log_list(self, text: str) -> None:
        url = "https://board.example/status/1/revocation"
        content = json.dumps({"id": url, "issuer": self.board.did, "note": text}).encode()
        self.board.submit(self.board.entry(Kind.STATUS_LIST, url, content))

    def close(self) -> None:
        self.remote.close()
        if self.process.process.poll() is None:
            self.process.end(signal.SIGTERM)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    one = Ledger(tmp_path)
    yield one
    one.close()


def arguments(ledger: Ledger, *more: object) -> list[str]:
    folder = ledger.policy.parent / "monitor"
    given = ["--dir", folder, "--policy", ledger.policy, "--did", ledger.board.did, "--author", ledger.key, "--allow-host", HOST, *more]
    return [*PROGRAM, *map(str, given)]


def once(ledger: Ledger, *more: object, code: int = 0) -> list[dict[str, Any]]:
    done = subprocess.run(arguments(ledger, "--once", "--json", *more), capture_output=True, check=False, timeout=60)
    assert done.returncode == code, done.stdout.decode() + done.stderr.decode()
    assert b"Traceback" not in done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_once_for_cron_with_a_ledger_that_goes_down(ledger: Ledger) -> None:
    mine = ("--author", ledger.board.verification_method)
    assert once(ledger, *mine) == []
    ledger.log_list("by the board itself")
    assert once(ledger, *mine) == []
    # What nobody told it is mine is somebody else's.
    ledger.board.rotate(lambda _keys: None)
    found = once(ledger, *mine, code=1)
    assert [(one["code"], one["event"], one["details"]["kind"]) for one in found] == [("foreign_entry", "alarm", "did")]
    assert once(ledger, *mine) == []
    ledger.process.end(signal.SIGTERM)
    assert [one["code"] for one in once(ledger, *mine, code=3)] == ["log_unreachable"]
    assert [one["code"] for one in once(ledger, *mine, "--head-seconds", 1, "--witness-seconds", 3600, code=1)] == ["head_stale"]
    ledger.start()
    assert [(one["code"], one["event"]) for one in once(ledger, *mine)] == [("log_unreachable", "ended"), ("head_stale", "ended")]


def test_it_follows_is_killed_goes_on_and_ends_politely(ledger: Ledger) -> None:
    receiver = Receiver()
    with serving(receiver) as url:
        environment = {**os.environ, "DID_HEALTH_MONITOR_WEBHOOK": f"{url}/secret-token"}

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                arguments(ledger, "--interval-seconds", 1, "--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
            )  # fmt: skip

        monitor = start()
        try:
            ledger.log_list("one")
            until(lambda: len(receiver.bodies) == 1)
            assert receiver.bodies[0]["code"] == "foreign_entry"
            monitor.kill()
            out, _ = monitor.communicate(timeout=20)
            assert json.loads(out.splitlines()[0]) == receiver.bodies[0]
            # Nobody looks, and it is found out nevertheless.
            ledger.log_list("two")
            monitor = start()
            until(lambda: len(receiver.bodies) == 2)
            assert receiver.bodies[1]["details"]["index"] > receiver.bodies[0]["details"]["index"]
            monitor.send_signal(signal.SIGTERM)
            out, log = monitor.communicate(timeout=20)
            assert monitor.returncode == 0, log.decode()
            assert [json.loads(line)["id"] for line in out.splitlines()] == [receiver.bodies[1]["id"]]
            lines = [json.loads(line) for line in log.splitlines()]
            assert (lines[0]["event"], lines[-1]["event"]) == ("started", "ended")
            assert b"secret-token" not in log + out
        finally:
            if monitor.poll() is None:
                monitor.kill()
                monitor.communicate()
    assert PASSPHRASE not in json.dumps(receiver.bodies)


def until(true: Any) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)
