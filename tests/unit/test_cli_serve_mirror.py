"""``did-health serve mirror`` inside the test's process; tests/end_to_end/test_serve_mirror.py runs it as a process."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from did_health.services import run as run_module
from tests.cli_runs import CLI
from tests.mirror_parties import Files, batch, new_log
from tests.serving import HOST, serving


def options(folder: Path) -> tuple[object, ...]:
    return ("serve", "mirror", "--name", "m.example", "--dir", folder)


def test_print_key_makes_a_key_once_before_there_is_a_log(cli: CLI, tmp_path: Path) -> None:
    vkey = cli(*options(tmp_path / "m"), "--print-key").out.strip()
    assert vkey.startswith("m.example+")
    assert cli(*options(tmp_path / "m"), "--print-key", "--json").json == {"name": "m.example", "vkey": vkey}


def test_what_is_missing_is_said(cli: CLI, tmp_path: Path) -> None:
    assert "--log" in cli(*options(tmp_path / "m"), code=2).err
    assert "mirror.url" in cli(*options(tmp_path / "m"), "--log", new_log().signer.vkey, code=2).err
    one, other = (f"{new_log(name).signer.vkey}@https://ledgers.example" for name in ("a.example", "b.example"))
    assert "same path" in cli(*options(tmp_path / "m"), "--log", one, "--log", other, code=2).err
    assert "each needs its URL" in cli(*options(tmp_path / "m"), "--log", one, "--log", new_log().signer.vkey, code=2).err
    assert "one log and several" in cli(*options(tmp_path / "m"), "--log", one, "--url", "https://ledgers.example", code=2).err
    assert "<verifier key>@<URL>" in cli(*options(tmp_path / "m"), "--log", "@https://ledgers.example", code=2).err
    assert "--poll-seconds" in cli(*options(tmp_path / "m"), "--poll-seconds", "0", code=2).err


@pytest.mark.parametrize("as_json", [True, False])
def test_it_serves_until_it_is_told_to_end(cli: CLI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    servers: list[Any] = []
    answers: list[httpx.Response] = []
    make = run_module._Server.__init__
    log, files = new_log(), Files()
    batch(log, 1, 2)
    files.lay(log)

    def kept(self: Any, *arguments: Any) -> None:
        make(self, *arguments)
        servers.append(self)

    def ask() -> None:
        while not servers or not servers[0].started:
            time.sleep(0.01)
        host, port = servers[0].servers[0].sockets[0].getsockname()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            answers.append(httpx.get(f"http://{host}:{port}/checkpoint", trust_env=False))
            if answers[-1].status_code == 200:
                break
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(run_module._Server, "__init__", kept)
    thread = threading.Thread(target=ask)
    thread.start()
    with serving(files) as source:
        members = f'name = "m.example"\ndir = "m"\nlog = "{log.signer.vkey}"\nurl = "https://log.example"\nsource = "{source}"\nallow_hosts = ["{HOST}"]\n'
        (tmp_path / "services.toml").write_text(f'format = "did-health/services/v1"\n[mirror]\n{members}')
        ran = cli("serve", "mirror", "--config", tmp_path / "services.toml", "--listen", "127.0.0.1:0", *(["--json"] if as_json else []))
    thread.join(10)
    assert answers[-1].content == files.files["/checkpoint"]
    if as_json:
        assert ran.json["vkey"].startswith("m.example+")
        assert ran.json["url"].startswith("http://127.0.0.1:")
    else:
        assert "log.example at https://log.example" in ran.out
