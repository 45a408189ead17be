"""``did-health serve vc-api`` as a process of its own, asked as docs/vc-api.md says, and ended politely."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY

pytest.importorskip("pyld", reason="JSON-LD needs the extra rdf")
PROGRAM = (sys.executable, "-c", "from did_health.cli.main import run; run()", "serve", "vc-api", "--json", "--listen", "127.0.0.1:0")


@pytest.fixture
def process() -> Iterator[tuple[subprocess.Popen[bytes], Any]]:
    running = subprocess.Popen(PROGRAM, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stdout is not None
    told = b""
    while not told.endswith(b"\n}\n"):
        line = running.stdout.readline()
        assert line, running.communicate()[1].decode()
        told += line
    yield running, json.loads(told)
    running.kill()
    running.communicate()


def test_the_pages_commands_run_as_written(process: tuple[subprocess.Popen[bytes], Any], tmp_path: Path) -> None:
    running, told = process
    for program in ("bash", "curl", "python3"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program}")
    blocks = re.findall(r"```sh\n(.*?)```", (REPOSITORY / "docs" / "vc-api.md").read_text(), re.DOTALL)
    script = next(block for block in blocks if "curl" in block).replace("http://127.0.0.1:8108", told["urls"][0])
    ran = subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, capture_output=True, timeout=60, check=True)
    assert ran.stdout.startswith(b'{"verified":true'), ran.stdout
    assert json.loads((tmp_path / "issued.json").read_bytes())["verifiableCredential"]["proof"]["cryptosuite"] == "eddsa-rdfc-2022"
    running.send_signal(signal.SIGTERM)
    log = running.communicate(timeout=20)[1]
    assert running.returncode == 0
    assert [json.loads(line)["event"] for line in log.decode().splitlines()] == ["started", "request", "request", "request", "ended"]
