"""The installed command in processes of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli_runs import build_town
from tests.ledger_parties import PASSPHRASE

COMMAND = (sys.executable, "-c", "from did_health.cli.main import run; run()")


@pytest.fixture
def town(tmp_path: Path) -> Path:
    build_town(tmp_path)
    return tmp_path


def did_health(folder: Path, *arguments: str, code: int = 0) -> str:
    done = subprocess.run((*COMMAND, *arguments), cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "DID_HEALTH_DIR": str(folder / "town"), "DID_HEALTH_PASSPHRASE": PASSPHRASE}


def test_from_board_to_pharmacy_in_processes(tmp_path: Path) -> None:
    did_health(tmp_path, "board", "init", "nc-medical", "--title", "North Carolina Medical Board", "--jurisdiction", "US-NC", "--profession", "MD")
    did_health(tmp_path, "wallet", "init", "adams")
    did_health(
        tmp_path, "board", "issue", "nc-medical", "--family", "Adams", "--given", "Ann", "--license-number", "12345", "--issued-on", "2010-01-01",
        "--valid-until", "2090-01-01", "--wallet", "adams",
    )
    asked = ("--audience", "https://pharmacy.example", "--nonce", "ab12")
    did_health(tmp_path, "wallet", "present", "adams", "PhysicianLicenseCredential", *asked, "-o", "shown.json")
    assert "A C C E P T" in did_health(tmp_path, "verify", "shown.json", *asked)
    did_health(tmp_path, "board", "revoke", "nc-medical", "12345", "--reason", "final order")
    assert "revoked" in json.loads(did_health(tmp_path, "verify", "shown.json", *asked, "--json", code=1))["codes"]
    assert "holds together" in did_health(tmp_path, "ledger", "check")


def test_a_reader_that_stops_reading(town: Path) -> None:
    producer = subprocess.Popen((*COMMAND, "ledger", "check"), cwd=town, env=environment(town), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert producer.stdout is not None
    producer.stdout.close()
    errors = producer.stderr.read() if producer.stderr else b""
    assert producer.wait(60) == 141
    assert errors == b""
    producer.stderr.close()  # type: ignore[union-attr]


def test_an_import_that_is_killed_is_finished_by_the_next(town: Path) -> None:
    rows = [
        {"resourceType": "Practitioner", "id": f"p{number}", "name": [{"family": "Jones", "given": ["Jo"]}], "address": [{"state": "NC"}]}
        for number in range(60)
    ]
    (town / "rows.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = ("board", "import", "nc-medical", "rows.ndjson", "--wallets", "--batch", "5", "--json")
    importing = subprocess.Popen((*COMMAND, *arguments), cwd=town, env=environment(town), stdout=subprocess.DEVNULL)
    wallets = town / "town" / "wallets"
    while importing.poll() is None and len(list(wallets.glob("nc-medical-*"))) < 12:
        time.sleep(0.01)
    importing.send_signal(signal.SIGKILL)
    importing.wait(60)
    found = json.loads(did_health(town, *arguments))
    assert found["issued"] + found["unchanged"] == 60
    assert found["unchanged"] >= 5
    held = {path.stem for path in wallets.glob("nc-medical-*")}
    assert held == {row["wallet"] for row in found["rows"]}
    for row in found["rows"][:20]:
        assert row["outcome"] in ("issued", "unchanged")
        (credential,) = json.loads(did_health(town, "wallet", "list", row["wallet"], "--json"))["credentials"]
        assert credential["id"] == row["credential"]
