from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from did_health.cli.output import clean
from tests.cli_runs import AUDIENCE, CLI


def test_accept(cli: CLI) -> None:
    ran = cli.verify(cli.shown())
    assert "A C C E P T" in ran.out
    assert "holder binding" in ran.out
    assert "Adams" not in ran.out


def test_json_is_the_report_without_claims(cli: CLI) -> None:
    report = cli.verify(cli.shown(), "--json").json
    assert report["verdict"] == "accept"
    assert report["holder"].startswith("did:key:")
    assert {check["outcome"] for check in report["checks"]} == {"pass"}
    assert "credentials" not in report
    assert "Adams" not in json.dumps(report)


def test_claims_on_accept(cli: CLI) -> None:
    shown = cli.shown()
    assert "Adams" in cli.verify(shown, "--show-claims").out
    assert "A C C E P T" not in cli.verify(shown, "--show-claims", "--json").out
    (claims,) = cli.verify(shown, "--show-claims", "--json").json["credentials"]
    assert claims["credentialSubject"]["licenseNumber"] == "12345"


def test_refuse_shows_no_claims_unless_overridden(cli: CLI) -> None:
    shown = cli.shown()
    cli("board", "suspend", "nc-medical", "12345", "--reason", "order")
    refused = cli.verify(shown, "--show-claims", code=1)
    assert "R E F U S E" in refused.out
    assert "suspended" in refused.out
    assert "Adams" not in refused.out
    assert "--override-by" in refused.out
    assert "credentials" not in cli.verify(shown, "--show-claims", "--json", code=1).json
    decided = cli.verify(shown, "--show-claims", "--override-by", "Dr. Who", "--override-reason", "emergency", code=1)
    assert "Adams" in decided.out
    assert "Dr. Who: emergency" in decided.out
    assert cli.verify(shown, "--override-by", "Dr. Who", "--override-reason", "emergency", "--json", code=1).json["override"]["by"] == "Dr. Who"
    assert "override" in cli.verify(shown, "--override-by", "Dr. Who", code=2).err


def test_indeterminate_without_audience_and_nonce(cli: CLI) -> None:
    ran = cli("verify", cli.shown(), code=3)
    assert "I N D E T E R M I N A T E" in ran.out
    assert "challenge_missing" in ran.out


def test_conditional_with_a_restriction(cli: CLI) -> None:
    claims = {
        "validUntil": "2030-01-01T00:00:00Z",
        "credentialSubject": {
            "name": {"family": "Clark", "given": "Cy"}, "profession": "MD", "licenseNumber": "77", "licenseClass": "full", "originalIssueDate": "2010-01-01",
            "restrictions": [{"code": "no_schedule_2", "text": "No schedule II", "from": "2020-01-01"}],
        },
    }
    Path("claims.json").write_text(json.dumps(claims))
    cli("board", "issue", "nc-medical", "claims.json", "--wallet", "brown")
    ran = cli.verify(cli.shown(wallet="brown"), code=4)
    assert "C O N D I T I O N A L" in ran.out
    assert "! condition" in ran.out
    act = ("--purpose", "prescribe", "--schedule")
    assert "act_restricted" in cli.verify(cli.shown(wallet="brown"), *act, "2", code=1).out
    assert cli.verify(cli.shown(wallet="brown"), *act, "4", "--json", code=4).json["codes"] == ["license_restricted"]
    assert cli.verify(cli.shown(wallet="brown"), *act, "4", "--jurisdiction", "US-VA", "--json", code=1).json["codes"][0] == "license_of_another_state"
    assert "schedule" in cli.verify(cli.shown(wallet="brown"), *act, "II", code=2).err


def test_waived_checks_are_shown(cli: CLI) -> None:
    ran = cli("verify", "brown.json", "--waive", "holder_binding")
    assert "waived" in ran.out
    assert "some were waived" in ran.out
    assert "holder_binding" in cli("verify", "brown.json", "--waive", "everything", code=2).err
    assert "cannot be left out" in cli("verify", "brown.json", "--waive", "data_model", code=2).err


def test_two_credentials_are_told_apart(cli: CLI) -> None:
    claims: dict[str, Any] = {
        "type": ["VerifiableCredential", "PhysicianLicenseCredential"], "validUntil": "2030-01-01T00:00:00Z", "validFrom": "2020-01-01T00:00:00Z",
        "credentialSubject": {
            "name": {"family": "Adams", "given": "Ann"}, "profession": "DO", "taxonomy": ["207Q00000X"],
            "licenseNumber": "78", "licenseClass": "full", "originalIssueDate": "2010-01-01",
        },
    }
    Path("claims.json").write_text(json.dumps(claims))
    second = cli("board", "issue", "nc-medical", "claims.json", "--wallet", "adams", "--json").json["id"]
    first = cli("wallet", "list", "adams", "--json").json["credentials"][0]["id"]
    ran = cli.verify(cli.shown(first, second), "--show-claims")
    assert "taxonomy[0]" in ran.out
    assert "proof #1" in ran.out
    assert "proof #2" in ran.out


def test_evidence_is_saved_and_used_again(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = cli.shown()
    at = cli.verify(shown, "--save-evidence", "ev.json", "--json").json["verifiedAt"]
    cli("board", "revoke", "nc-medical", "12345", "--reason", "order")
    cli.verify(shown, code=1)
    monkeypatch.delenv("DID_HEALTH_PASSPHRASE")
    assert cli.verify(shown, "--evidence", "ev.json", "--at", at, "--json").json["verdict"] == "accept"
    assert cli.verify(shown, "--evidence", "ev.json", "--policy", cli.town / "trust-policy.toml", "--json").json["verdict"] == "accept"
    # Evidence gets old: after some years the newest state is unknown, and the dates have passed.
    assert cli.verify(shown, "--evidence", "ev.json", "--at", "2040-01-01", "--json", code=1).json["verdict"] == "refuse"


def test_without_a_network_nothing_is_concluded(cli: CLI) -> None:
    shown = cli.shown()
    ran = cli.verify(shown, "--policy", cli.town / "trust-policy.toml", "--allow-host", "localhost", "--json", code=3)
    assert ran.json["verdict"] == "indeterminate"
    assert ran.json["notHad"]
    assert all(url.startswith("https://ledger.example/") and why for url, why in ran.json["notHad"].items())

    told = cli.verify(shown, "--policy", cli.town / "trust-policy.toml", code=3)
    assert told.err.count("Not had: https://ledger.example/") == 5
    assert f"and {len(ran.json['notHad']) - 5} more" in told.err


def test_an_empty_policy_refuses(cli: CLI) -> None:
    Path("empty.toml").write_text('format = "did-health/trust-policy/v1"\n')
    assert cli.verify(cli.shown(), "--policy", "empty.toml", "--json", code=1).json["codes"] == ["policy_empty"]


@pytest.mark.parametrize(("content", "words"), [
    (b"", "empty"), (b"\xff\x00garbage", "JSON"), (b"[1]", "object"), (b"{}", "neither"), (b"[" * 500 + b"]" * 500, "nested"),
])
def test_garbage(cli: CLI, content: bytes, words: str) -> None:
    Path("x.json").write_bytes(content)
    ran = cli("verify", "x.json", code=2)
    assert words in ran.err
    assert "x.json" in ran.err


@pytest.mark.parametrize("option", ["--policy", "--evidence"])
def test_garbage_in_options(cli: CLI, option: str) -> None:
    Path("x.json").write_bytes(b"\xff")
    assert "x.json" in cli.verify(cli.shown(), option, "x.json", code=2).err
    assert "no such file" in cli.verify(cli.shown(), option, "missing", code=2).err


def test_places_that_are_no_files(cli: CLI) -> None:
    assert "directory" in cli("verify", ".", code=2).err
    assert "no such file" in cli("verify", "missing.json", code=2).err
    Path("huge.json").write_bytes(b" " * (2 << 20))
    assert "larger" in cli("verify", "huge.json", code=2).err
    assert "board init" in cli("verify", "brown.json", "--dir", "nowhere", code=2).err
    assert "--at" in cli("verify", "brown.json", "--at", "soon", code=2).err


def test_a_failing_store_is_no_refusal(cli: CLI) -> None:
    (cli.town / "keys" / "log.key").chmod(0o644)
    ran = cli("verify", "brown.json", code=3)
    assert "chmod 600" in ran.err


def test_an_unreadable_file_is_no_refusal(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    assert "permissions" in cli("verify", "brown.json", code=3).err


def test_wrong_passphrase_is_no_refusal(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DID_HEALTH_PASSPHRASE", "quite another secret")
    assert "another secret" not in cli("verify", "brown.json", code=2).err


def test_standard_input(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path("brown.json").read_bytes())))
    assert cli("verify", "-", "--waive", "holder_binding", "--json").json["verdict"] == "accept"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b" " * (2 << 20))))
    assert "standard input" in cli("verify", "-", code=2).err


def test_a_stranger_cannot_paint_the_terminal(cli: CLI) -> None:
    assert clean("a\x1b[2Jb\u202ec\n") == "a\ufffd[2Jb\ufffdc\n"
    document = json.loads(Path("brown.json").read_bytes())["credential"]
    document["issuer"] = "did:web:x\x1b[31m"
    Path("x.json").write_text(json.dumps(document))
    ran = cli("verify", "x.json", "--audience", AUDIENCE, code=1)
    assert "\x1b" not in ran.out + ran.err
