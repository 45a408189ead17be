"""``did-health serve mirror`` as a process of its own: ended politely, and killed at any moment while it copies and cosigns."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from did_health.ledger.entry import revocation_subject
from did_health.ledger.latest import LatestBundle
from did_health.stores.database import Database
from did_health.stores.mirror_store import MirrorStore
from did_health.stores.witness_store import SQLWitnessStore
from did_health.tlog.cosignature import verified_cosignatures
from did_health.tlog.note import VerifierKey
from did_health.tlog.witness_protocol import AddCheckpoint, parse_cosignatures
from tests.any_log import AnyLog, handle
from tests.ledger_parties import PASSPHRASE
from tests.mirror_parties import Files, batch, new_log
from tests.service_process import COMMAND, ENVIRONMENT, ServiceProcess, killed_at_the_end
from tests.serving import HOST, serving

PROGRAM = (*COMMAND, "serve", "mirror", "--name", "m.example", "--json")


class Process(ServiceProcess):
    """A mirror process on a free port of the loopback."""

    def __init__(self, folder: Path, log: AnyLog, source: str) -> None:
        super().__init__(
            "mirror", "--name", "m.example", "--dir", folder, "--log", log.signer.vkey, "--url", "https://log.example", "--source", source,
            "--allow-host", HOST, "--listen", "127.0.0.1:0", "--poll-seconds", "1",
        )  # fmt: skip

    def push(self, log: AnyLog, size: int) -> httpx.Response:
        """The log, when it had ``size`` leaves, asks for a cosignature."""
        asked = replace(log, leaves=log.leaves[:size])
        answer = self._post(AddCheckpoint(0, (), asked.note()))
        if answer.status_code == 409 and (old := int(answer.content)) <= size:
            answer = self._post(AddCheckpoint(old, log.tree.consistency_proof(old, size) if old else (), asked.note()))
        return answer

    def _post(self, request: AddCheckpoint) -> httpx.Response:
        return httpx.post(f"{self.told['url']}/add-checkpoint", content=request.encode(), trust_env=False, timeout=30)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.told['url']}/{path}", trust_env=False, timeout=10)


@pytest.fixture
def processes() -> Iterator[list[Process]]:
    started: list[Process] = []
    with killed_at_the_end(started):
        yield started


def until(true: Any) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_key_before_there_is_a_log(tmp_path: Path) -> None:
    printed = [subprocess.run([*PROGRAM, "--dir", str(tmp_path / "m"), "--print-key"], capture_output=True, env=ENVIRONMENT, check=True) for _ in range(2)]
    assert printed[0].stdout == printed[1].stdout
    assert json.loads(printed[0].stdout)["vkey"].startswith("m.example+")
    refused = subprocess.run([*PROGRAM, "--dir", str(tmp_path / "m")], capture_output=True, env=ENVIRONMENT, check=False)
    assert refused.returncode == 2
    assert b"--log" in refused.stdout + refused.stderr


def test_it_follows_cosigns_and_ends_politely(tmp_path: Path, processes: list[Process]) -> None:
    log, files = new_log(), Files()
    batch(log, 1, 2)
    files.lay(log)
    with serving(files) as source:
        processes.append(mirror := Process(tmp_path / "m", log, source))
        until(lambda: mirror.get("checkpoint").status_code == 200)
        answer = mirror.push(log, 3)
        assert verified_cosignatures(log.note().with_signatures(parse_cosignatures(answer.content)), [VerifierKey.parse(mirror.told["vkey"])])
        status, lines = mirror.end(signal.SIGTERM)
    assert status == 0
    assert {"started", "followed", "ended"} <= {line["event"] for line in lines}
    assert PASSPHRASE not in json.dumps(lines)


def test_killed_at_any_moment_it_has_what_it_cosigned(tmp_path: Path, processes: list[Process]) -> None:
    """What is cosigned is kept: after every kill the copy has at least what the memory says, and goes on from there."""
    log, files, ends = new_log(), Files(), []
    for number in range(0, 90, 3):
        batch(log, number, number + 1, number + 2)
        ends.append(len(log.leaves))
        files.lay(log, numbers=100)
    moments, folder, cosigned = random.Random(11), tmp_path / "m", 0
    with serving(files) as source:
        for _ in range(4):
            processes.append(mirror := Process(folder, log, source))
            killer = threading.Timer(moments.uniform(0.02, 0.4), mirror.process.kill)
            killer.start()
            try:
                for size in [end for end in ends if end > cosigned]:
                    if mirror.push(log, size).status_code == 200:
                        cosigned = size
            except httpx.TransportError:
                pass
            killer.join()
            mirror.process.communicate()
            assert mirror.process.returncode == -signal.SIGKILL
            with closing(Database.open(folder / "mirror.sqlite")) as copy, closing(Database.open(folder / "witness.sqlite")) as memory:
                state, seen = MirrorStore(copy).state(), SQLWitnessStore(memory).read("log.example")
                assert MirrorStore(copy).entry_data(0, state.size) == log.leaves[: state.size]
                assert (state.size == 0 or state.size in ends, log.tree.root(state.size)) == (True, state.root)
                assert cosigned <= seen.size <= state.size
        processes.append(mirror := Process(folder, log, source))
        assert mirror.push(log, ends[-1]).status_code == 200
        until(lambda: mirror.get("checkpoint").content == files.files["/checkpoint"])
        for path in (f"tile/0/000.p/{ends[-1]}", f"tile/entries/000.p/{ends[-1]}"):
            assert mirror.get(path).content == files.files[f"/{path}"]
        bundle = LatestBundle.parse(mirror.get(f"latest/{revocation_subject(handle(50)).hex()}").content)
        assert bundle.newest is not None
        assert bundle.newest.entry in log.leaves
