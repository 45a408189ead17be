from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli_runs import AUDIENCE, CLI


def test_init_and_list(cli: CLI) -> None:
    made = cli("wallet", "init", "clark", "--json").json
    assert made["did"].startswith("did:key:z6Mk")
    assert Path(made["file"]).stat().st_mode & 0o777 == 0o600
    assert [one["name"] for one in cli("wallet", "list", "--json").json] == ["adams", "brown", "clark"]
    assert cli("wallet", "list").out.split() == ["adams", "brown", "clark"]
    assert "no credentials yet" in cli("wallet", "list", "clark").out
    assert "already" in cli("wallet", "init", "clark", code=2).err
    assert "sealed" in cli("wallet", "init", "davis", "--algorithm", "P-384").out


def test_wallets_need_no_ledger(cli: CLI) -> None:
    cli("wallet", "init", "me", "--dir", "elsewhere")
    assert cli("wallet", "list", "me", "--dir", "elsewhere", "--json").json["credentials"] == []
    assert "There are no wallets" in cli("wallet", "list", "--dir", "nowhere").out


def test_add_and_list(cli: CLI) -> None:
    added = cli("wallet", "add", "brown", "brown.json", "--json").json
    assert added["credentials"] == 1
    (row,) = cli("wallet", "list", "brown", "--json").json["credentials"]
    assert row["id"] == added["id"]
    assert row["type"] == "PhysicianLicenseCredential"
    text = cli("wallet", "list", "brown").out
    assert added["id"] in text
    assert "Brown" not in text
    assert "one of 1" in cli("wallet", "add", "brown", "brown.json").out


def test_somebody_elses_credential(cli: CLI) -> None:
    assert "somebody else" in cli("wallet", "add", "adams", "brown.json", code=2).err


def test_a_credential_without_an_id(cli: CLI) -> None:
    issued = json.loads(Path("brown.json").read_bytes())
    del issued["credential"]["id"]
    Path("brown.json").write_text(json.dumps(issued))
    assert "no id" in cli("wallet", "add", "brown", "brown.json", code=2).err


@pytest.mark.parametrize(("content", "words"), [(b"", "empty"), (b"\x00\xff garbage", "JSON"), (b"{}", "issuance receipt"), (b'{"a":1,"a":2}', "duplicate")])
def test_garbage_is_not_added(cli: CLI, content: bytes, words: str) -> None:
    Path("x.json").write_bytes(content)
    ran = cli("wallet", "add", "brown", "x.json", code=2)
    assert words in ran.err
    assert "x.json" in ran.err


def test_present(cli: CLI) -> None:
    shown = json.loads(cli.shown().read_bytes())
    assert shown["proof"]["domain"] == AUDIENCE
    printed = cli("wallet", "present", "adams", "PhysicianLicenseCredential", "--audience", AUDIENCE, "--nonce", "n2")
    assert printed.json["proof"]["challenge"] == "n2"
    told = cli("wallet", "present", "adams", "PhysicianLicenseCredential", "--audience", AUDIENCE, "--nonce", "n2", "-o", "s.json", "--json").json
    assert told["file"] == "s.json"
    assert "no such credential" in cli("wallet", "present", "adams", "Other", "--audience", AUDIENCE, "--nonce", "n", code=2).err
    assert "nonce" in cli("wallet", "present", "adams", "PhysicianLicenseCredential", "--audience", AUDIENCE, "--nonce", "", code=2).err


def test_present_as_a_token(cli: CLI) -> None:
    cli("wallet", "present", "adams", "PhysicianLicenseCredential", "--audience", AUDIENCE, "--nonce", "token", "--jwt", "-o", "shown.jwt")
    assert Path("shown.jwt").read_bytes().count(b".") == 2
    assert "A C C E P T" in cli("verify", "shown.jwt", "--audience", AUDIENCE, "--nonce", "token").out
    assert "wrong_nonce" in cli("verify", "shown.jwt", "--audience", AUDIENCE, "--nonce", "other", code=1).out


@pytest.mark.parametrize("name", ["../adams", "no body", "", "A"])
def test_names_that_are_no_names(cli: CLI, name: str) -> None:
    cli("wallet", "list", name, code=2) if name else None
    assert "short word" in cli("wallet", "init", name, code=2).err


def test_wrong_passphrase_is_told_and_not_shown(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DID_HEALTH_PASSPHRASE", "quite another secret")
    ran = cli("wallet", "list", "adams", code=2)
    assert "does not open" in ran.err
    assert "adams.wallet" in ran.err
    assert "quite another secret" not in ran.err + ran.out
    assert cli("wallet", "list", "adams", "--json", code=2).json["error"]["code"] == "wrong_passphrase"


def test_passphrase_from_a_file(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DID_HEALTH_PASSPHRASE")
    Path("secret").write_text("correct horse battery\n")
    assert cli("wallet", "list", "adams", "--passphrase-file", "secret", "--json").json["name"] == "adams"
    assert "no passphrase was given" in cli("wallet", "list", "adams", code=2).err
    Path("secret").write_text("short\n")
    assert "fewer than" in cli("wallet", "list", "adams", "--passphrase-file", "secret", code=2).err
    assert "missing" in cli("wallet", "list", "adams", "--passphrase-file", "nothing", code=2).err


def test_missing_wallet(cli: CLI) -> None:
    ran = cli("wallet", "list", "nobody", code=2)
    assert "adams, brown" in ran.err
    assert "none" in cli("wallet", "list", "nobody", "--dir", "nowhere", code=2).err


def test_a_wallet_that_everybody_may_read(cli: CLI) -> None:
    (cli.town / "wallets" / "adams.wallet").chmod(0o644)
    assert "chmod 600" in cli("wallet", "list", "adams", code=1).err


def test_output_that_cannot_be_written(cli: CLI) -> None:
    Path("folder").mkdir()
    ran = cli("wallet", "present", "adams", "PhysicianLicenseCredential", "--audience", AUDIENCE, "--nonce", "n", "-o", "folder", code=2)
    assert "directory" in ran.err
