"""``did-health serve witness`` as a process of its own: ended politely, killed, and started again on the same folder."""

from __future__ import annotations

import json
import random
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from did_health.tlog.cosignature import verified_cosignatures
from did_health.tlog.note import VerifierKey
from did_health.tlog.witness_protocol import AddCheckpoint, parse_cosignatures
from tests.ledger_parties import PASSPHRASE
from tests.service_process import ServiceProcess, killed_at_the_end
from tests.witness_parties import LOG, OTHER, TREE, request


class Process(ServiceProcess):
    """A witness process on a free port of the loopback."""

    def __init__(self, folder: Path) -> None:
        super().__init__("witness", "--name", "w.example", "--dir", folder, "--log", LOG.vkey, "--listen", "127.0.0.1:0")
        self.key = VerifierKey.parse(self.told["vkey"])

    def post(self, asked: AddCheckpoint) -> httpx.Response:
        return httpx.post(f"{self.told['url']}/add-checkpoint", content=asked.encode(), trust_env=False, timeout=10)


@pytest.fixture
def processes() -> Iterator[list[Process]]:
    started: list[Process] = []
    with killed_at_the_end(started):
        yield started


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_polite_end(tmp_path: Path, processes: list[Process], number: signal.Signals) -> None:
    processes.append(witness := Process(tmp_path / "w"))
    answer = witness.post(request(0, 5))
    assert verified_cosignatures(request(0, 5).note.with_signatures(parse_cosignatures(answer.content)), [witness.key])
    status, log = witness.end(number)
    assert status == 0
    assert [line["event"] for line in log] == ["started", "request", "ended"]
    assert PASSPHRASE not in json.dumps(log)


def test_killed_at_any_moment_it_still_refuses_what_it_must(tmp_path: Path, processes: list[Process]) -> None:
    """Whatever was answered is remembered, so after each kill a second history of it is refused."""
    moments = random.Random(7)
    cosigned = 0
    for _ in range(3):
        processes.append(witness := Process(tmp_path / "w"))
        if cosigned:
            answer = witness.post(request(0, cosigned, OTHER))
            # What was answered is remembered; one more may be, whose answer the kill swallowed.
            assert (answer.status_code, int(answer.content) - cosigned in (0, 1)) == (409, True)
            cosigned = int(answer.content)
            assert witness.post(request(cosigned, cosigned, OTHER)).status_code == 409
            assert witness.post(request(cosigned, cosigned + 1, OTHER)).status_code == 422
        killer = threading.Timer(moments.uniform(0.02, 0.2), witness.process.kill)
        killer.start()
        asked = cosigned
        try:
            while asked < TREE.size - 1:
                answer = witness.post(request(asked, asked + 1))
                if answer.status_code == 409:
                    # Its very first answer was lost.
                    assert (asked, answer.content) == (0, b"1\n")
                    asked = cosigned = 1
                    continue
                assert answer.status_code == 200
                asked += 1
                cosigned = asked
        except httpx.TransportError:
            pass
        killer.join()
        witness.process.communicate()
        assert witness.process.returncode == -signal.SIGKILL
    processes.append(witness := Process(tmp_path / "w"))
    answer = witness.post(request(0, 40))
    if answer.status_code == 200:
        # On a slow machine every kill may come before the first answer.
        assert cosigned == 0
        assert witness.post(request(40, 40, OTHER)).status_code == 409
        return
    recorded = int(answer.content)
    assert recorded in (cosigned, cosigned + 1)
    assert witness.post(request(recorded, 40, OTHER)).status_code == 422
    assert witness.post(request(recorded, 40)).status_code == 200
    assert len({one.told["vkey"] for one in processes}) == 1
