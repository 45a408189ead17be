"""``did-health serve resolver`` as a process of its own, asked as docs/resolver.md says, and ended politely."""

from __future__ import annotations

import json
import re
import shutil
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import REPOSITORY

LISTEN = ("--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0")
PROGRAM = (sys.executable, "-c", "from did_health.cli.main import run; run()", "serve", "resolver", "--json", *LISTEN)


@pytest.fixture
def process() -> Iterator[tuple[subprocess.Popen[bytes], list[str]]]:
    running = subprocess.Popen(PROGRAM, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stdout is not None
    told = b""
    while not told.endswith(b"\n}\n"):
        line = running.stdout.readline()
        assert line, running.communicate()[1].decode()
        told += line
    yield running, json.loads(told)["urls"]
    running.kill()
    running.communicate()


def ask(url: str) -> Any:
    certified_by_itself = ssl._create_unverified_context()
    with urllib.request.urlopen(url, context=certified_by_itself if url.startswith("https") else None, timeout=10) as response:
        return json.load(response)


def test_the_pages_commands_run_as_written(process: tuple[subprocess.Popen[bytes], list[str]]) -> None:
    running, urls = process
    for program in ("bash", "curl"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program}")
    blocks = re.findall(r"```sh\n(.*?)```", (REPOSITORY / "docs" / "resolver.md").read_text(), re.DOTALL)
    script = next(block for block in blocks if "curl" in block).replace("http://127.0.0.1:8109/identifiers/", urls[0])
    ran = subprocess.run(["bash", "-e", "-c", script], capture_output=True, timeout=60, check=True)
    result, end = json.JSONDecoder().raw_decode(ran.stdout.decode())
    did = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
    document, more = json.JSONDecoder().raw_decode(ran.stdout.decode()[end:])
    part = json.loads(ran.stdout.decode()[end + more :])
    assert document == result["didDocument"] == ask(f"{urls[1]}{did}")["didDocument"]
    assert part["content"]["id"] == f"{did}#{did.removeprefix('did:key:')}"
    running.send_signal(signal.SIGTERM)
    log = running.communicate(timeout=20)[1]
    assert running.returncode == 0
    events = [json.loads(line) for line in log.decode().splitlines()]
    assert [event["event"] for event in events] == ["started", "request", "request", "request", "request", "ended"]
    assert did not in log.decode()
