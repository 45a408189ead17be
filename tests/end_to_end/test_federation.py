"""A federation as real processes: founded, used by the demo while some of them are killed, killed whole, ended, and started again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from did_health.cli.demo.journal import Meter
from did_health.cli.demo.run import run_demo
from did_health.health import sample
from did_health.ledger.entry import Kind, did_subject
from did_health.roles.evidence import Need
from did_health.services.federation import LOOPBACK, Federation
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.note import SignedNote
from did_health.tlog.witness_policy import WitnessPolicy
from did_health.trust.trqp.query import Query, QueryKind
from tests.registry_parties import LICENSE, UNKNOWN, post
from tests.service_process import ServiceProcess, killed_at_the_end

PROGRAM = (sys.executable, "-c", "from did_health.cli.main import run; run()", "federation")
PATIENCE = 60.0


class Up:
    """``did-health federation up`` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen([*PROGRAM, "up", "--dir", folder, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self.process.stdout is not None
        told = b""
        while b"\n}" not in told:
            line = self.process.stdout.readline()
            assert line, self.process.communicate()[1].decode()
            told += line
        self.told: dict[str, Any] = json.loads(told)

    @property
    def members(self) -> dict[str, dict[str, Any]]:
        state = json.loads((self.folder / "state.json").read_bytes())
        return {one["name"]: one for one in state["members"]}

    def kill(self, *names: str) -> None:
        """kill -9, and wait until it was noticed and mended."""
        before = self.members
        for name in names:
            os.kill(before[name]["pid"], signal.SIGKILL)
        self._killed = {name: before[name]["pid"] for name in names}

    def mended(self) -> bool:
        members = self.members
        return all(one["state"] == "up" for one in members.values()) and all(members[name]["pid"] != pid for name, pid in self._killed.items())

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode


def eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def is_open(url: str) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, urlsplit(url).port or 0), timeout=5):
        return True
    return False


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    up = Up(tmp_path_factory.mktemp("federation") / "f")
    yield up
    if up.process.poll() is None:
        up.end()


class Killer:
    """A meter that kills at given points of the demo: after so many updates of a step."""

    def __init__(self, up: Up, plan: dict[tuple[str, int], tuple[str, ...]]) -> None:
        self.up, self.plan, self.step, self.updates = up, plan, "", 0

    def show(self, step: str) -> Meter:
        self.step, self.updates = step, 0
        return self

    def update(self, done: int, total: int) -> None:
        self.updates += 1
        names = self.plan.pop((self.step, self.updates), ())
        if names:
            self.up.kill(*names)


def few(data: bytes, number: int) -> bytes:
    return b"\n".join(data.splitlines()[:number])


def sizes(up: Up) -> list[int]:
    """How long each ledger is, by what it has published; the policy is satisfied with all of it."""
    found = []
    policy = WitnessPolicy.parse(Path(up.told["policy"]).read_bytes())
    ledgers = Federation.open(up.folder).remote_ledgers()
    for ledger in ledgers.values():
        note = SignedNote.parse(ledger.fetch(Need(f"{ledger.url}/checkpoint")) or b"")
        cosigners = {one.witness for one in policy.check(note).cosigners}
        assert len([name for name in cosigners if name.startswith("witness")]) >= 3
        assert [name for name in cosigners if name.startswith("mirror")]
        found.append(Checkpoint.parse(note.text).size)
        ledger.close()
    return found


def test_it_tells_who_runs_and_what_clients_need(up: Up) -> None:
    assert [one["name"] for one in up.told["members"]] == [
        "ledger-1", "ledger-2", "ledger-3", "witness-1", "witness-2", "witness-3", "witness-4", "mirror-1", "mirror-2",
    ]  # fmt: skip
    assert {one["state"] for one in up.told["members"]} == {"up"}
    assert {urlsplit(one["url"]).hostname for one in up.told["members"]} == {LOOPBACK}
    policy = WitnessPolicy.parse(Path(up.told["policy"]).read_bytes())
    assert {group.name: (group.threshold, len(group.members)) for group in policy.groups} == {
        "witnesses": (3, 4), "mirrors": (1, 2), "witnesses-and-mirrors": (2, 2),
    }  # fmt: skip
    assert {log.url for log in policy.logs} == {one["url"] for one in up.told["members"][:3]}
    assert Federation.open(up.folder).trust_policy.ledger == policy


def test_the_demo_is_right_while_processes_of_every_kind_are_killed(up: Up, tmp_path: Path) -> None:
    killer = Killer(up, {
        ("found and accredit institutions", 2): ("ledger-2", "witness-4"),
        ("issue and log credentials", 1): ("mirror-2",),
        ("verify at the pharmacy", 1): ("ledger-1", "witness-1", "mirror-1"),
        ("suspend, reinstate, revoke", 1): ("ledger-1",),
    })  # fmt: skip
    summary = run_demo(
        tmp_path / "demo", practitioners=few(sample.practitioners(), 4), patients=few(sample.patients(), 3), federation=Federation.open(up.folder),
        show=killer.show,
    )  # fmt: skip
    assert not killer.plan
    for done in summary.journal.verifications:
        assert done.as_it_must_be, done.to_json()
    assert len(summary.ledgers) == 3
    hosts = {one["did"].split(":")[3] for one in summary.institutions}
    assert hosts == {"ledger-1.example", "ledger-2.example", "ledger-3.example"}
    eventually(up.mended)
    assert up.members["ledger-1"]["restarts"] == 2
    assert up.members["witness-2"]["restarts"] == 0


def test_whoever_is_killed_comes_back_with_all_data(up: Up) -> None:
    before = sizes(up)
    up.kill(*up.members)
    eventually(up.mended)
    assert sizes(up) == before
    ledgers = Federation.open(up.folder).remote_ledgers()
    with Federation.open(up.folder).registry(ledgers) as registry:
        authority = registry.institution("registry")
        authority.submit(authority.entry(Kind.SCHEMA, f"{authority.did} urn:after", b'{"$id":"urn:after"}'))
    for ledger in ledgers.values():
        ledger.close()
    assert sizes(up)[0] > before[0]


def test_a_trust_registry_answers_from_all_its_ledgers(up: Up) -> None:
    """A yes from the ledger that has the record, a no with the proof of each of them; one that is killed is read from a mirror."""
    federation = Federation.open(up.folder)
    ledgers = federation.remote_ledgers()
    with federation.registry(ledgers) as office:
        board = office.create_board("asked-about", title="A Board", jurisdiction="US-VA", professions=["MD"], place="ledger-2.example").institution.did
    for ledger in ledgers.values():
        ledger.close()
    authority = federation.trust_policy.registry_authority
    asked = {"authority": authority, "action": "issue", "resource": LICENSE}
    licensed, unheard = (Query.asking(QueryKind.AUTHORIZATION, entity=entity, **asked) for entity in (board, UNKNOWN))
    started: list[ServiceProcess] = []
    with killed_at_the_end(started):
        framed = ("--governance-framework", "https://framework.example", "--listen", f"{LOOPBACK}:0")
        started.append(ServiceProcess("registry", "--policy", federation.trust_policy_path, "--allow-host", LOOPBACK, *framed))
        (url,) = started[0].told["urls"]
        answers = [post(url, query).json() for query in (licensed, unheard)]
        assert [answer["authorized"] for answer in answers] == [True, False]
        origins = [{one["origin"] for one in answer["did_health"]["checkpoints"]} for answer in answers]
        assert origins == [{"ledger-1.example", "ledger-2.example", "ledger-3.example"}] * 2
        up.kill("ledger-1")
        eventually(lambda: says_yes(post(url, licensed)))
        eventually(up.mended)
        assert started[0].end(signal.SIGTERM)[0] == 0


def says_yes(answer: httpx.Response) -> bool:
    """Never no, though nothing as long as the mirrors have not all caught up with what was seen of the log."""
    if answer.status_code == 503:
        return False
    assert answer.json()["authorized"] is True
    return True


def status(folder: Path) -> tuple[int, dict[str, Any]]:
    done = subprocess.run([*PROGRAM, "status", "--dir", folder, "--json"], capture_output=True, check=False, timeout=PATIENCE)
    return done.returncode, json.loads(done.stdout)


def test_it_ends_with_its_own_children_and_starts_again_with_the_same_data(up: Up) -> None:
    before, urls = sizes(up), [one["url"] for one in up.told["members"]]
    again = subprocess.run([*PROGRAM, "up", "--dir", up.folder], capture_output=True, check=False, timeout=PATIENCE)
    assert again.returncode == 2
    assert b"running already" in again.stderr
    assert status(up.folder)[0] == 0
    # Killed without a word, it takes its children with it.
    assert up.end(signal.SIGKILL) == -signal.SIGKILL
    eventually(lambda: not any(is_open(url) for url in urls))
    code, told = status(up.folder)
    assert (code, {one["state"] for one in told["members"]}) == (1, {"down"})
    second = Up(up.folder)
    try:
        assert [one["url"] for one in second.told["members"]] == urls
        assert sizes(second) == before
        ledgers = Federation.open(up.folder).remote_ledgers()
        with Federation.open(up.folder).registry(ledgers) as registry:
            did = registry.institution("registry").did
            assert ledgers["ledger-1.example"].latest(did_subject(did)) is not None
        for ledger in ledgers.values():
            ledger.close()
        ended = subprocess.run([*PROGRAM, "down", "--dir", up.folder], capture_output=True, check=False, timeout=PATIENCE)
        assert ended.returncode == 0, ended.stderr
        assert second.process.wait(PATIENCE) == 0
        assert not any(is_open(url) for url in urls)
    finally:
        if second.process.poll() is None:
            second.process.kill()
        second.process.communicate()
