"""``did-health serve witness`` inside the test's process; tests/end_to_end/test_serve_witness.py runs it as a process."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from did_health.cli import server_extra
from did_health.cli.exits import UsageError
from did_health.limits import MAX_REQUEST_HEAD_BYTES
from did_health.services import run as run_module
from tests.cli_runs import CLI
from tests.witness_parties import LOG, request


def options(folder: Path) -> tuple[object, ...]:
    return ("serve", "witness", "--name", "w.example", "--dir", folder)


def test_print_key_makes_a_key_once(cli: CLI, tmp_path: Path) -> None:
    vkey = cli(*options(tmp_path / "w"), "--print-key").out.strip()
    assert vkey.startswith("w.example+")
    assert cli(*options(tmp_path / "w"), "--print-key", "--json").json == {"name": "w.example", "vkey": vkey}
    assert (tmp_path / "w" / "witness.key").exists()


def test_a_key_file_of_ones_own_place(cli: CLI, tmp_path: Path) -> None:
    cli(*options(tmp_path / "w"), "--key", tmp_path / "my.key", "--print-key")
    assert (tmp_path / "my.key").exists()


def test_a_witness_that_follows_nothing_is_not_served(cli: CLI, tmp_path: Path) -> None:
    assert "--log" in cli(*options(tmp_path / "w"), code=2).err


def test_what_is_missing_is_said(cli: CLI, tmp_path: Path) -> None:
    assert "DID_HEALTH_WITNESS_DIR" in cli("serve", "witness", "--name", "w.example", code=2).err
    assert "not configured" in cli("serve", "witness", code=2).err
    assert "--listen" in cli(*options(tmp_path / "w"), "--log", LOG.vkey, "--listen", "here", code=2).err
    assert not (tmp_path / "w").exists()


def test_a_lost_memory_is_refused(cli: CLI, tmp_path: Path) -> None:
    cli(*options(tmp_path / "w"), "--print-key")
    (tmp_path / "w" / "witness.sqlite").unlink()
    assert cli(*options(tmp_path / "w"), "--print-key", "--json", code=1).json["error"]["code"] == "witness_memory_missing"


def test_without_the_server_extra_it_says_what_to_install(cli: CLI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_extra, "find_spec", lambda name: None)
    monkeypatch.setattr(server_extra.sys, "modules", {})
    with pytest.raises(UsageError, match="not installed") as caught:
        server_extra.require_server_extra()
    assert "did-health[server]" in caught.value.hint


@pytest.mark.parametrize("as_json", [True, False])
def test_it_serves_until_it_is_told_to_end(cli: CLI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    servers: list[Any] = []
    heads: list[bytes] = []
    answers: list[httpx.Response] = []
    make = run_module._Server.__init__

    def kept(self: Any, *arguments: Any) -> None:
        make(self, *arguments)
        servers.append(self)

    def ask() -> None:
        while not servers or not servers[0].started:
            time.sleep(0.01)
        host, port = servers[0].servers[0].sockets[0].getsockname()
        with socket.create_connection((host, port), timeout=5) as endless:
            endless.sendall(b"GET / HTTP/1.1\r\nX-Long: " + b"x" * MAX_REQUEST_HEAD_BYTES)
            heads.append(endless.recv(100))
        answers.append(httpx.post(f"http://{host}:{port}/w/add-checkpoint", content=request(0, 5).encode(), trust_env=False))
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(run_module._Server, "__init__", kept)
    thread = threading.Thread(target=ask)
    thread.start()
    members = f'name = "w.example"\ndir = "w"\nlogs = ["{LOG.vkey}"]\nprefix = "/w"\n'
    (tmp_path / "services.toml").write_text(f'format = "did-health/services/v1"\n[witness]\n{members}')
    ran = cli("serve", "witness", "--config", tmp_path / "services.toml", "--listen", "127.0.0.1:0", *(["--json"] if as_json else []))
    thread.join(10)
    assert heads[0].startswith(b"HTTP/1.1 400 ")
    assert answers[0].status_code == 200
    assert (tmp_path / "w" / "witness.sqlite").exists()
    if as_json:
        assert ran.json["url"].endswith("/w")
        assert ran.json["vkey"].startswith("w.example+")
    else:
        assert "http://127.0.0.1:" in ran.out
        assert "log.example" in ran.out
    events = [json.loads(line)["event"] for line in ran.err.splitlines()]
    assert events == ["started", "server", "request", "ended"]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_port_that_is_taken(cli: CLI, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        assert "cannot listen" in cli(*options(tmp_path / "w"), "--log", LOG.vkey, "--listen", place, code=1).err
