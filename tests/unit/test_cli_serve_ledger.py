"""``did-health serve ledger`` inside the test's process; tests/end_to_end/test_serve_ledger.py runs it as a process."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from did_health.errors import FormatError
from did_health.services.config import Config
from did_health.services.run import _Server
from did_health.tlog.witness_policy import WitnessPolicy
from tests.cli_runs import CLI

NEW = ("--name", "ledger.example", "--url", "https://ledger.example/log")
WITNESS = "w1.example+cf7d4f0b+BMhTrQ8M0rYZrqks7sT9VqJNZJnVhM55JX5Fz9gTm2Cn"


def options(folder: Path) -> tuple[object, ...]:
    return ("serve", "ledger", "--dir", folder)


def test_it_is_made_once_with_witnesses_of_its_own(cli: CLI, tmp_path: Path) -> None:
    made = cli(*options(tmp_path / "l"), *NEW, "--print-key", "--json").json
    policy = WitnessPolicy.parse(made["policy"])
    assert (len(policy.witnesses), policy.groups[0].threshold, policy.logs[0].url) == (4, 3, "https://ledger.example/log")
    assert cli(*options(tmp_path / "l"), "--print-key").out.strip() == made["vkey"]
    assert "another" in cli(*options(tmp_path / "l"), "--name", "other.example", "--print-key", code=2).err
    assert "another" in cli(*options(tmp_path / "l"), "--url", "https://other.example", "--print-key", code=2).err


def test_what_is_missing_or_wrong_is_said(cli: CLI, tmp_path: Path) -> None:
    assert cli(*options(tmp_path / "l"), "--print-key", "--json", code=2).json["error"]["code"] == "store_missing"
    assert "--quorum" in cli(*options(tmp_path / "l"), *NEW, "--quorum", "5", "--print-key", code=2).err
    assert "not configured" in cli("serve", "ledger", code=2).err
    assert not (tmp_path / "l" / "ledger.sqlite").exists()


def test_mirrors_are_demanded_beside_the_witnesses(cli: CLI, tmp_path: Path) -> None:
    keys = [cli("serve", "mirror", "--name", f"m{number}.example", "--dir", tmp_path / f"m{number}", "--print-key").out.strip() for number in (1, 2, 3)]
    places = [part for number, key in enumerate(keys, 1) for part in ("--mirror", f"{key}@https://m{number}.example")]
    made = cli(*options(tmp_path / "l"), *NEW, *places, "--print-key", "--json").json
    policy = WitnessPolicy.parse(made["policy"])
    assert {group.name: (group.threshold, len(group.members)) for group in policy.groups} == {
        "witnesses": (3, 4), "mirrors": (2, 3), "witnesses-and-mirrors": (2, 2),
    }  # fmt: skip
    assert [str(one.key) for one in policy.witnesses[4:]] == keys
    assert "--mirror-quorum" in cli(*options(tmp_path / "other"), *NEW, *places, "--mirror-quorum", "4", "--print-key", code=2).err


def test_authorities_are_taken_from_then_on(cli: CLI, tmp_path: Path) -> None:
    from did_health.stores.embedded import EmbeddedLedger
    from tests.ledger_parties import PASSPHRASE, Clock

    for _ in range(2):
        cli(*options(tmp_path / "l"), *NEW, "--registry-authority", "did:webvh:x:registry.example", "--print-key")
    ledger = EmbeddedLedger.open(tmp_path / "l", clock=Clock(), random=os.urandom, passphrase=PASSPHRASE)
    assert ledger.registry_authorities == {"did:webvh:x:registry.example"}
    ledger.close()


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("read_only", [False, True])
def test_it_serves_until_it_is_told_to_end(cli: CLI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_json: bool, read_only: bool) -> None:
    cli(*options(tmp_path / "l"), *NEW, "--print-key")
    servers: list[Any] = []
    answers: list[httpx.Response] = []
    make = _Server.__init__

    def kept(self: Any, *arguments: Any) -> None:
        make(self, *arguments)
        servers.append(self)

    def ask() -> None:
        while not servers or not servers[0].started:
            time.sleep(0.01)
        host, port = servers[0].servers[0].sockets[0].getsockname()
        answers.append(httpx.get(f"http://{host}:{port}/readyz", trust_env=False))
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(_Server, "__init__", kept)
    asking = threading.Thread(target=ask)
    asking.start()
    more = [*(["--json"] if as_json else []), *(["--read-only"] if read_only else [])]
    ran = cli(*options(tmp_path / "l"), *NEW, "--listen", "127.0.0.1:0", *more)
    asking.join()
    assert answers[0].json() == {"status": "ready"}
    assert (ran.json["name"] if as_json else ran.out).startswith("ledger.example") or "ledger.example" in ran.out


def ledger_settings(**variables: str) -> Any:
    return Config.parse(b"", {f"DID_HEALTH_LEDGER_{name.upper()}": value for name, value in {"dir": "l", **variables}.items()}, folder=Path()).ledger


def test_settings() -> None:
    found = ledger_settings(witnesses=f"{WITNESS}@https://w1.example/", url="https://ledger.example/log/", database="postgresql://u:secret@db/l")
    assert [str(one) for one in found.witnesses] == [f"{WITNESS}@https://w1.example"]
    assert found.url == "https://ledger.example/log"
    assert "secret" not in repr(found)


@pytest.mark.parametrize("variables", [
    {"witnesses": WITNESS}, {"witnesses": f"{WITNESS}@ftp://w1.example"}, {"witnesses": "x@https://w1.example"},
    {"witnesses": "log.example+f8b01728+AchTrQ8M0rYZrqks7sT9VqJNZJnVhM55JX5Fz9gTm2Cn@https://w1.example"},
    {"url": "ledger.example"}, {"url": "https://"}, {"url": "https://u@ledger.example"},
    {"url": "https://ledger.example/?x"}, {"url": "https://ledger.example//x"}, {"quorum": "0"}, {"heartbeat_seconds": "x"}, {"name": "a b"},
])  # fmt: skip
def test_settings_that_are_none(variables: dict[str, str]) -> None:
    with pytest.raises(FormatError):
        ledger_settings(**variables)
