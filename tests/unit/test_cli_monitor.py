"""``did-health monitor`` in this process: what it prints, and what it refuses. As a process of its own: tests/end_to_end/test_monitor.py."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from did_health.ledger.entry import Entry, revocation_subject
from did_health.stores.clock import system_clock
from did_health.tlog.note import SignatureType, VerifierKey
from tests.any_log import AUTHOR, AnyLog, handle
from tests.cli_runs import CLI
from tests.mirror_parties import Files, batch, new_log
from tests.monitor_parties import policy_of, witnessed_log
from tests.serving import HOST, serving

SUBJECT = ("--subject", revocation_subject(handle(1)).hex())


@pytest.fixture
def log() -> AnyLog:
    log = witnessed_log(1)
    log.at = system_clock()
    return log


@pytest.fixture
def base(log: AnyLog, tmp_path: Path) -> Iterator[tuple[str, ...]]:
    files = Files()
    files.lay(log)
    with serving(files) as url:
        (tmp_path / "policy.txt").write_text(policy_of(log, url, {}).encode())
        yield "monitor", "--dir", str(tmp_path / "m"), "--policy", str(tmp_path / "policy.txt"), "--allow-host", HOST


def test_what_a_person_sees(cli: CLI, base: tuple[str, ...]) -> None:
    text = cli(*base, "--once").out
    assert "Nothing is wrong." in text
    assert "log.example" in text
    told = cli(*base, "--once", "--head-seconds", "600", "--mirror", "http://127.0.0.1:1", code=3).out
    assert "UNKNOWN" in told
    # Still so, though told before.
    assert "place_unreachable, since" in cli(*base, "--once", "--mirror", "http://127.0.0.1:1", code=3).out
    assert "ENDED" in cli(*base, "--once").out


def test_entries_of_others_and_what_is_known(cli: CLI, base: tuple[str, ...], log: AnyLog, tmp_path: Path) -> None:
    known = tmp_path / "known.txt"
    known.write_text(f"# mine\n\n{Entry.parse(log.leaves[0]).digest.hex()}\n")
    assert cli(*base, *SUBJECT, "--known", known, "--once", "--json").out == ""
    for number, more in enumerate([(), ("--author", "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")]):
        elsewhere = ("monitor", "--dir", str(tmp_path / f"m{number}"), *base[3:])
        assert json.loads(cli(*elsewhere, *SUBJECT, *more, "--once", "--json", code=1).out)["code"] == "foreign_entry"
    mine = ("monitor", "--dir", str(tmp_path / "mine"), *base[3:])
    assert cli(*mine, *SUBJECT, "--author", AUTHOR, "--once", "--json").out == ""
    known.write_text("zz\n")
    assert "known.txt line 1" in cli(*base, *SUBJECT, "--known", known, "--once", code=2).err


def test_notices_that_wait_are_counted(cli: CLI, base: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DID_HEALTH_MONITOR_WEBHOOK", "https://127.0.0.2/secret-token")
    ran = cli(*base, *SUBJECT, "--once", code=1)
    assert "1 notices wait for the webhook." in ran.out
    assert "secret-token" not in ran.out + ran.err
    assert json.loads(ran.err.splitlines()[-1])["event"] == "webhook"


def test_what_it_cannot_follow(cli: CLI, log: AnyLog, base: tuple[str, ...], tmp_path: Path) -> None:
    policy = tmp_path / "policy.txt"
    assert "monitor.policies" in cli(*base[:3], "--once", code=2).err
    assert "followed twice" in cli(*base, "--policy", policy, "--once", code=2).err
    assert "mirror" in cli(*base, "--mirror", "other.example@https://m1.example", "--once", code=2).err
    policy.write_text(f"log {log.signer.vkey}\nquorum none\n")
    assert "where the log is read" in cli(*base, "--once", code=2).err
    policy.write_text(f"log {log.signer.vkey} https://a.example\nlog {new_log('b.example').signer.vkey} https://b.example\nquorum none\n")
    assert "of which log" in cli(*base, "--mirror", "https://m1.example", "--once", code=2).err
    for option, value in (("--did", "did:key:zx"), ("--subject", "x"), ("--author", "x"), ("--interval-seconds", "0"), ("--mirror", "m1")):
        assert option.strip("-").split("-")[0] in cli(*base, option, value, "--once", code=2).err


def test_a_witness_whose_key_is_not_verified_here_is_not_asked(cli: CLI, log: AnyLog, base: tuple[str, ...], tmp_path: Path) -> None:
    key = VerifierKey("w9.example", SignatureType.ML_DSA_44_COSIGNATURE, bytes(1312))
    policy = tmp_path / "policy.txt"
    lines = policy.read_text().replace("group witnesses 3 ", f"witness w9 {key} https://w9.example\ngroup witnesses 3 w9 ")
    policy.write_text(lines)
    batch(log, 2)
    cli(*base, "--once")


def test_the_configuration_is_shown_without_the_webhook(cli: CLI, tmp_path: Path) -> None:
    file = tmp_path / "services.toml"
    file.write_text(
        'format = "did-health/services/v1"\n[monitor]\ndir = "m"\npolicies = ["p.txt"]\nmirrors = ["log.example@https://m1.example"]\n'
        f'subjects = ["did did:webvh:Qm:board.example"]\nauthors = ["{AUTHOR}"]\nwebhook = "https://hooks.example/secret-token"\n'
    )
    shown = cli("config", "show", "--file", file, "--json").json["monitor"]
    assert shown["webhook"] == {"value": "(set)", "source": "file"}
    assert shown["mirrors"]["value"] == ["log.example@https://m1.example"]
    assert shown["policies"]["value"] == [str(tmp_path / "p.txt")]
    assert shown["interval_seconds"] == {"value": 60, "source": "default"}
    assert "secret-token" not in cli("config", "show", "--file", file).out


def test_subjects_in_a_variable_are_lines(cli: CLI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DID_HEALTH_MONITOR_DIR", "m")
    monkeypatch.setenv("DID_HEALTH_MONITOR_SUBJECTS", "did did:webvh:Qm:board.example\n  registry-record a b c d\n\n")
    assert cli("config", "show", "--json").json["monitor"]["subjects"]["value"] == ["did did:webvh:Qm:board.example", "registry-record a b c d"]


def test_it_ends_when_it_is_told(cli: CLI, base: tuple[str, ...], tmp_path: Path) -> None:
    def end() -> None:
        while not (tmp_path / "m" / "monitor.json").exists():
            time.sleep(0.02)
        # To the process, as others send it, and not to this thread.
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=end, daemon=True).start()
    before = signal.getsignal(signal.SIGTERM)
    ran = cli(*base)
    assert "Following." in ran.out
    assert [json.loads(line)["event"] for line in ran.err.splitlines()] == ["started", "ended"]
    assert signal.getsignal(signal.SIGTERM) is before
