"""``did-health serve ledger`` as a process of its own, with witnesses that are processes too: ended politely, killed, and started again."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from did_health.errors import ConflictError, TransportError
from did_health.ledger.entry import Kind, did_subject, subject_of
from did_health.ledger.log import prepare
from did_health.net.remote_ledger import RemoteLedger
from did_health.roles.evidence import Need
from did_health.roles.institution import Institution
from did_health.stores.clock import system_clock
from did_health.tlog.witness_policy import WitnessPolicy
from tests.ledger_parties import PASSPHRASE
from tests.service_process import COMMAND, ENVIRONMENT, killed_at_the_end
from tests.service_process import ServiceProcess as Process
from tests.serving import HOST

PROGRAM = (*COMMAND, "serve")


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def started() -> Iterator[list[Process]]:
    processes: list[Process] = []
    with killed_at_the_end(processes):
        yield processes


def remote_to(told: dict[str, Any]) -> RemoteLedger:
    return RemoteLedger(told["url"], WitnessPolicy.parse(told["policy"]), allow_hosts=[HOST])


def run(*arguments: object) -> dict[str, Any]:
    done = subprocess.run([*PROGRAM, *map(str, arguments), "--print-key", "--json"], capture_output=True, env=ENVIRONMENT, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_with_witnesses_behind_urls_and_a_polite_end(tmp_path: Path, started: list[Process]) -> None:
    names, ports = ["w1.example", "w2.example"], [free_port(), free_port()]
    keys = [run("witness", "--name", name, "--dir", tmp_path / name)["vkey"] for name in names]
    url = f"http://{HOST}:{free_port()}"
    places = [part for key, port in zip(keys, ports, strict=True) for part in ("--witness", f"{key}@http://{HOST}:{port}")]
    ledger = ["ledger", "--dir", tmp_path / "ledger", *places, "--allow-host", HOST]
    made = run(*ledger, "--name", "ledger.example", "--url", url)
    for name, port in zip(names, ports, strict=True):
        started.append(Process("witness", "--name", name, "--dir", tmp_path / name, "--log", made["vkey"], "--listen", f"{HOST}:{port}"))
    started.append(service := Process(*ledger, "--listen", url.removeprefix("http://")))
    assert {**service.told, "listens": None} == {**made, "listens": None}
    remote = remote_to(service.told)
    institution = Institution.create("board.example", remote, clock=system_clock, random=os.urandom)
    newest = remote.latest(did_subject(institution.did))
    assert newest is not None
    assert {one.witness for one in remote._policy.check(submitted(remote, institution, 0)).cosigners} == {"witness-1", "witness-2"}
    remote.close()
    status, log = service.end(signal.SIGTERM)
    assert status == 0
    assert [line["event"] for line in log if line["event"] in ("leading", "started", "ended")] == ["leading", "started", "ended"]
    assert PASSPHRASE not in json.dumps(log)


def submitted(remote: RemoteLedger, institution: Institution, number: int) -> Any:
    (logged,) = remote.submit([institution.entry(Kind.SCHEMA, f"{institution.did} urn:{number}", json.dumps({"$id": f"urn:{number}"}).encode())])
    return logged.proof.checkpoint


def test_killed_at_any_moment_it_loses_nothing_that_it_acknowledged(tmp_path: Path, started: list[Process]) -> None:
    moments = random.Random(11)
    url = f"http://{HOST}:{free_port()}"
    options = ["ledger", "--dir", tmp_path / "ledger", "--name", "ledger.example", "--url", url, "--listen", url.removeprefix("http://")]
    acknowledged: list[int] = []
    number = 0
    institution: Institution | None = None
    for _ in range(3):
        started.append(service := Process(*options))
        remote = remote_to(service.told)
        if institution is None:
            institution = Institution.create("board.example", remote, clock=system_clock, random=os.urandom)
        institution.ledger = remote
        killer = threading.Timer(moments.uniform(0.1, 0.5), service.process.kill)
        killer.start()
        try:
            while True:
                number += 1
                submitted(remote, institution, number)
                acknowledged.append(number)
        except TransportError:
            pass
        killer.join()
        service.process.communicate()
        assert service.process.returncode == -signal.SIGKILL
        remote.close()
    assert acknowledged
    assert institution is not None
    started.append(service := Process(*options))
    remote = remote_to(service.told)
    institution.ledger = remote
    for one in acknowledged:
        assert remote.latest(subject_of(Kind.SCHEMA, f"{institution.did} urn:{one}")) is not None
    # Hosted documents are made up for, too, and the board goes on.
    assert remote.fetch(Need(institution.log.did.log_url)) == institution.log.encode()
    submitted(remote, institution, number + 1)
    content = b'{"$id":"urn:%d"}' % acknowledged[0]
    first = prepare(
        Kind.SCHEMA, subject_of(Kind.SCHEMA, f"{institution.did} urn:{acknowledged[0]}"), content, author=institution.verification_method,
        signer=institution.keys.assertion, now=system_clock(),
    )  # fmt: skip
    with pytest.raises(ConflictError):
        remote.submit([first])
    remote.close()
