from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from did_health.health.assurance import Assurance
from did_health.health.patient_identity import PatientIdentity
from did_health.health.person_name import PersonName
from did_health.stores.clock import system_clock
from did_health.stores.directory import open_directory
from tests.cli_runs import AUDIENCE, CLI
from tests.ledger_parties import PASSPHRASE
from tests.ledger_service import ledger_service

UNTIL = "2099-01-31"
BOTH = ("PickupDelegationCredential", "PatientIdentityCredential")


def did_of(cli: CLI, wallet: str) -> str:
    return str(cli("wallet", "list", wallet, "--json").json["did"])


def delegate(cli: CLI, *more: object, output: str = "delegation.json", relationship: str = "friend", until: str = UNTIL, code: int = 0) -> Any:
    arguments = ("--to", did_of(cli, "brown"), "--relationship", relationship, "--until", until, "-o", output)
    return cli("wallet", "delegate", "adams", *arguments, *more, "--json", code=code).json


def give_identity(cli: CLI) -> None:
    with open_directory(cli.town, PASSPHRASE) as town:
        csp = town.create_board("csp", title="Identity provider", jurisdiction="US", resources=["PatientIdentityCredential"], entity_type="csp")
        today = datetime.now(UTC).date()
        assurance = Assurance("NIST 800-63A-4", "IAL2", today, "in person")
        until = datetime.now(UTC) + timedelta(days=700)
        identity = PatientIdentity(name=PersonName("Adams", "Ann"), birth_date=date(1980, 1, 1), assurance=assurance, valid_until=until)
        for name in ("adams", "brown"):
            wallet = town.wallet(name)
            wallet.add(csp.issue(identity, to=wallet.did))
            town.save_wallet(name, wallet)


def test_a_friend_shows_a_delegation_until_it_is_taken_back(cli: CLI) -> None:
    give_identity(cli)
    granted = delegate(cli, "--identity", "adams.json")
    assert {Path(name).stat().st_mode & 0o777 for name in ("delegation.json", "adams.json")} == {0o600}
    cli("wallet", "add", "brown", "delegation.json")
    cli("wallet", "add", "brown", "adams.json")
    ids = [row["id"] for row in cli("wallet", "list", "brown", "--json").json["credentials"]]
    shown = cli.shown(*ids, wallet="brown")
    before = cli.verify(shown, "--schedule", "4", "--json", code=1).json
    assert before["codes"] == ["delegation_scope_exceeded"]
    listed = cli("wallet", "grants", "adams", "--json").json["grants"]
    assert [(row["id"], row["state"], row["relationship"]) for row in listed] == [(granted["id"], "in force", "friend")]
    assert "in force" in cli("wallet", "grants", "adams").out
    assert "Revoked" in cli("wallet", "revoke", "adams", granted["id"]).out
    assert "revoked" in cli.verify(shown, "--schedule", "4", "--json", code=1).json["codes"]
    assert cli("wallet", "revoke", "adams", granted["id"], "--json").json["before"] is True
    assert "already" in cli("wallet", "revoke", "adams", granted["id"]).out
    assert cli("wallet", "grants", "adams", "--json").json["grants"][0]["state"] == "revoked"


def test_what_is_delegated_stands_in_the_credential(cli: CLI) -> None:
    hashed = "u" + "A" * 43
    delegate(
        cli, "--pharmacy", "did:web:a.example", "--pharmacy", "did:web:b.example", "--scope", "rx_hash", "--prescription", hashed, "--uses", "3",
        "--on-behalf-of", "Adams, Tim, 2018-05-01", relationship="guardian",
    )  # fmt: skip
    credential = json.loads(Path("delegation.json").read_text())["credential"]
    assert credential["credentialSubject"] == {
        "id": did_of(cli, "brown"),
        "relationship": "guardian",
        "pharmacies": ["did:web:a.example", "did:web:b.example"],
        "scope": "rx_hash",
        "prescriptions": [hashed],
        "maxUses": 3,
        "onBehalfOf": {"name": {"family": "Adams", "given": "Tim"}, "birthDate": "2018-05-01"},
    }
    assert credential["validUntil"] == "2099-02-01T10:59:59Z"


def test_the_output_says_what_to_do_next(cli: CLI) -> None:
    out = cli("wallet", "delegate", "adams", "--to", did_of(cli, "brown"), "--relationship", "friend", "--until", UNTIL, "-o", "d.json").out
    assert "did-health wallet revoke adams urn:uuid:" in out
    assert "d.json" in out


def test_a_delegation_ends_with_its_last_day_and_says_by_which_clocks(cli: CLI) -> None:
    arguments = ("--to", did_of(cli, "brown"), "--relationship", "friend", "--until", UNTIL, "-o", "d.json")
    ran = cli("wallet", "delegate", "adams", *arguments, "--state", "US-NC")
    assert "by the clocks of North Carolina (UTC-05:00 to UTC-04:00): until 2099-02-01T04:59:59Z" in " ".join(ran.err.split())
    assert json.loads(Path("d.json").read_text())["credential"]["validUntil"] == "2099-02-01T04:59:59Z"
    assert "--state" in cli("wallet", "delegate", "adams", *arguments, "--state", "NC", code=2).err


@pytest.mark.parametrize(
    ("changes", "more", "words"),
    [
        ({"relationship": "neighbour"}, (), "relationship"),
        ({"until": "tomorrow"}, (), "no time"),
        ({"until": "2020-01-01"}, (), "before it begins"),
        ({}, ("--scope", "everything"), "scope"),
        ({}, ("--uses", "0"), "uses"),
        ({}, ("--prescription", "x"), "hash"),
        ({}, ("--pharmacy", "pharmacy"), "DID"),
        ({}, ("--on-behalf-of", "Tim"), "names no patient"),
        ({}, ("--on-behalf-of", "Adams, Tim, young"), "no date"),
        ({}, ("--identity", "adams.json"), "no identity credential"),
    ],
)
def test_a_delegation_that_there_cannot_be_is_not_made(cli: CLI, changes: dict[str, str], more: tuple[str, ...], words: str) -> None:
    error = delegate(cli, *more, **changes, code=2)["error"]
    assert words in error["what"] + error.get("hint", "")
    assert not Path("delegation.json").exists()
    assert cli("wallet", "grants", "adams", "--json").json["grants"] == []


def test_nobody_delegates_to_what_is_no_holder(cli: CLI) -> None:
    for did in ("did:key:zNonsense", did_of(cli, "adams")):
        arguments = ("--to", did, "--relationship", "friend", "--until", UNTIL, "-o", "d.json")
        assert cli("wallet", "delegate", "adams", *arguments, code=2).err
    assert "granted nothing" in cli("wallet", "grants", "adams").out


def test_without_a_ledger_it_is_not_known_whether_a_grant_was_taken_back(cli: CLI) -> None:
    delegate(cli)
    (cli.town / "ledger.sqlite").rename("away.sqlite")
    [row] = cli("wallet", "grants", "adams", "--json").json["grants"]
    assert row["state"].startswith("not revoked as far as this wallet can tell")


def test_only_what_was_granted_can_be_revoked(cli: CLI) -> None:
    assert "wallet grants adams" in cli("wallet", "revoke", "adams", "urn:uuid:1", code=2).err


def test_an_ended_grant_is_said_to_have_ended(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    delegate(cli)
    monkeypatch.setattr("did_health.cli.session.now", lambda: datetime(2100, 1, 1, tzinfo=UTC))
    [row] = cli("wallet", "grants", "adams", "--json").json["grants"]
    assert row["state"] == "ended"


def test_a_grant_is_taken_back_on_a_ledger_behind_a_url(cli: CLI, tmp_path: Path) -> None:
    granted = delegate(cli)
    with ledger_service(tmp_path / "elsewhere", clock=system_clock) as service:
        Path("policy.txt").write_text(service.ledger.policy_text)
        ledger = ("--ledger", service.base, "--policy", "policy.txt", "--allow-host", service.base.removeprefix("http://"))
        assert cli("wallet", "grants", "adams", *ledger, "--json").json["grants"][0]["state"] == "in force"
        assert cli("wallet", "revoke", "adams", granted["id"], *ledger, "--json").json == {
            "wallet": "adams", "id": granted["id"], "revoked": True, "before": False,
        }  # fmt: skip
        assert cli("wallet", "grants", "adams", *ledger, "--json").json["grants"][0]["state"] == "revoked"
    # The directory's own ledger was not told.
    assert cli("wallet", "grants", "adams", "--json").json["grants"][0]["state"] == "in force"
    assert "--ledger" in cli("wallet", "revoke", "adams", granted["id"], "--policy", "policy.txt", code=2).err


def test_a_presentation_needs_its_delegation(cli: CLI) -> None:
    delegate(cli)
    arguments = ("--audience", AUDIENCE, "--nonce", "n")
    assert "holds no such credential" in cli("wallet", "present", "brown", *BOTH, *arguments, code=2).err
