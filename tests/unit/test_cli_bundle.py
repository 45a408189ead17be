"""Bundles for a shift at the command line, from their making to the counter that has no network."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from did_health.cli import session
from tests.cli_runs import CLI


def did_of(cli: CLI, name: str) -> str:
    return str(json.loads((cli.town / "institutions" / f"{name}.json").read_bytes())["did"])


def made(cli: CLI, *more: object, code: int = 0) -> Any:
    return cli("bundle", "make", "--for", "pharmacy", "--board", "nc-medical", "-o", "shift.json", "--json", *more, code=code).json


def test_a_signed_bundle_serves_a_counter_without_directory_or_network(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    shown, registry = cli.shown(), did_of(cli, "registry")
    written = made(cli, "--by", "registry")
    assert (written["signedBy"], written["whole"], written["good"], written["file"]) == (registry, True, True, "shift.json")
    assert written["acceptedUntil"]["default"] > written["asOf"]
    (cli.town / "trust-policy.toml").rename("policy.toml")
    cli.town.rename("elsewhere")
    monkeypatch.delenv("DID_HEALTH_PASSPHRASE")
    offline = ("--evidence", "shift.json", "--policy", "policy.toml")
    report = cli.verify(shown, *offline, "--signed-by", registry, "--json").json
    assert report["verdict"] == "accept"
    assert report["evidence"]["signedBy"] == registry
    assert 0 <= report["evidence"]["ageSeconds"] < 3_600
    shown_to_people = cli.verify(shown, *offline).out
    assert "a shift bundle for a pharmacy, made" in shown_to_people
    assert " ago)" in shown_to_people
    assert cli("bundle", "check", "shift.json", "--policy", "policy.toml", "--json").json["signedBy"] == registry


def test_an_unsigned_bundle_says_so(cli: CLI) -> None:
    assert made(cli)["signedBy"] is None
    assert "nobody: what it proves is proved by the ledger's witnesses" in cli("bundle", "check", "shift.json").out
    assert cli.verify(cli.shown(), "--evidence", "shift.json", "--json").json["verdict"] == "accept"
    refused = cli.verify(cli.shown(), "--evidence", "shift.json", "--signed-by", "registry", "--json", code=3)
    assert refused.json["error"]["code"] == "bundle_not_signed"
    assert "nobody has signed" in cli("bundle", "check", "shift.json", "--signed-by", "registry", code=1).err


def test_a_bundle_is_explained(cli: CLI) -> None:
    made(cli, "--by", "nc-medical")
    ran = cli("bundle", "check", "shift.json", "--signed-by", "nc-medical")
    for words in ("pharmacy", "its registry record", "that it has no registry record", "its newest version", "/status/1/suspension", "Accepted until"):
        assert words in ran.out, words
    assert "NOT" not in ran.out
    found = cli("bundle", "check", "shift.json", "--json").json
    lists = [one["what"] for one in found["findings"] if "/status/" in one["what"]]
    assert [url.rpartition("/")[2] for url in lists] == ["revocation", "suspension", "message"]
    assert found["types"] == ["PhysicianLicenseCredential", "PatientIdentityCredential", "PharmacyCredential"]


def test_a_bundle_of_another_signer_or_with_a_changed_word_is_not_used(cli: CLI) -> None:
    made(cli, "--by", "nc-medical")
    shown = cli.shown()
    ran = cli.verify(shown, "--evidence", "shift.json", "--signed-by", "registry", "--json", code=3)
    assert ran.json["error"]["code"] == "bundle_of_another_signer"
    document = json.loads(Path("shift.json").read_bytes())
    document["madeAt"] = "2031-01-01T00:00:00Z"
    Path("shift.json").write_text(json.dumps(document))
    assert cli.verify(shown, "--evidence", "shift.json", "--json", code=3).json["error"]["code"] == "bundle_signature_invalid"
    assert "signature" in cli("bundle", "check", "shift.json", code=1).err


def test_what_was_suspended_since_is_not_known_offline_and_the_age_is_shown(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = cli.shown()
    made(cli)
    later = session.now() + timedelta(hours=25)
    assert "evidence_stale" in cli.verify(shown, "--evidence", "shift.json", "--at", later.strftime("%Y-%m-%dT%H:%M:%SZ"), "--json", code=3).json["codes"]
    old = cli("bundle", "check", "shift.json", "--at", later.strftime("%Y-%m-%dT%H:%M:%SZ"), code=3)
    assert "25 h ago" in old.out
    assert "(over)" in old.out


def test_what_cannot_be_had_is_told(cli: CLI) -> None:
    ran = made(cli, "--board", did_of(cli, "nc-medical").replace("nc-medical", "elsewhere"), "--board", "did:web:board.example", code=3)
    assert not ran["whole"]
    assert not ran["good"]
    unproved = {one["code"] for one in ran["findings"] if not one["proved"]}
    assert "did_not_on_ledger" in unproved
    assert "NOT: " in cli("bundle", "check", "shift.json", code=3).out


def test_over_https_nothing_is_had_where_there_is_nothing(cli: CLI) -> None:
    ran = made(cli, "--policy", cli.town / "trust-policy.toml", code=3)
    assert ran["acceptedUntil"] == {}
    assert made(cli, "--policy", cli.town / "trust-policy.toml", "--by", "registry", code=1)["error"]["code"] == "bundle_signature_invalid"


def test_another_policy_is_noticed(cli: CLI) -> None:
    made(cli)
    text = (cli.town / "trust-policy.toml").read_text().replace("default = 86400", "default = 86399")
    Path("other.toml").write_text(text)
    assert "another trust policy" in cli("bundle", "check", "shift.json", "--policy", "other.toml").out
    Path("same.toml").write_text("# a comment\n" + (cli.town / "trust-policy.toml").read_text())
    assert cli("bundle", "check", "shift.json", "--policy", "same.toml", "--json").json["samePolicy"] is True
    Path("empty.toml").write_text('format = "did-health/trust-policy/v1"\n')
    assert cli("bundle", "check", "shift.json", "--policy", "empty.toml", "--json", code=3).json["samePolicy"] is False


def test_bundles_and_pins_are_explained_without_being_verified(cli: CLI) -> None:
    made(cli, "--by", "registry")
    ran = cli("inspect", "shift.json").out
    for words in ("A shift bundle for a pharmacy", did_of(cli, "registry"), did_of(cli, "nc-medical"), "PharmacyCredential", "bundle check"):
        assert words in ran, words
    assert "Nothing of this was verified" in ran
    cli.verify(cli.shown())
    pins = cli("inspect", cli.town / "pins.json").out
    assert "1 ledger" in pins
    assert "ledger.example" in pins
    Path("x.json").write_text('{"format": "did-health/pins/v1", "pins": {"x": 5}}')
    assert "malformed" in cli("inspect", "x.json", code=2).err


def test_usage(cli: CLI) -> None:
    cli.verify(cli.shown(), "--save-evidence", "ev.json")
    assert "inspect" in cli("bundle", "check", "ev.json", code=2).err
    assert "signed by nobody" in cli.verify(cli.shown(), "--evidence", "ev.json", "--signed-by", "registry", code=2).err
    assert "only a shift bundle" in cli.verify(cli.shown(), "--signed-by", "registry", code=2).err
    assert "There are: nc-medical, registry" in cli("bundle", "make", "--board", "nobody", "-o", "x", code=2).err
    assert "There are: pharmacy" in cli("bundle", "make", "--for", "bakery", "--board", "nc-medical", "-o", "x", code=2).err
    assert "at most" in cli("bundle", "make", *[part for n in range(65) for part in ("--board", f"did:web:b{n}.example")], "-o", "x", code=2).err
    assert "Give a DID" in cli("bundle", "make", "--board", "nobody", "--dir", "nowhere", "-o", "x", code=2).err
    Path("x.json").write_text("{}")
    assert "x.json" in cli("bundle", "check", "x.json", code=2).err


# ---- pins


def test_what_one_run_has_seen_the_next_remembers(cli: CLI) -> None:
    shown = cli.shown()
    pins = cli.town / "pins.json"
    cli.verify(shown)
    first = json.loads(pins.read_bytes())["pins"]["ledger.example"]
    cli.verify(shown)
    assert json.loads(pins.read_bytes())["pins"]["ledger.example"] == first
    first["root"] = "A" * 43 + "="
    pins.write_text(json.dumps({"format": "did-health/pins/v1", "pins": {"ledger.example": first}}))
    assert cli.verify(shown, "--json", code=3).json["codes"] == ["ledger_split_view"]
    cli.verify(shown, "--pins", "own.json")
    assert json.loads(Path("own.json").read_bytes())["pins"]["ledger.example"]["size"] == first["size"]
    pins.write_text("{}")
    assert "pins" in cli.verify(shown, code=3).err


def test_a_ledger_restored_from_an_older_copy_is_noticed(cli: CLI) -> None:
    shown = cli.shown()
    pins = cli.town / "pins.json"
    cli.verify(shown)
    seen = json.loads(pins.read_bytes())
    seen["pins"]["ledger.example"]["size"] += 1
    seen["pins"]["ledger.example"]["seenAt"] = "2020-01-01T00:00:00Z"
    pins.write_text(json.dumps(seen))
    assert cli.verify(shown, "--json", code=3).json["codes"] == ["ledger_rolled_back"]
    Path("own.json").mkdir()
    cli.verify(shown, "--pins", "own.json", code=3)


def test_a_question_about_another_time_is_not_remembered(cli: CLI) -> None:
    made(cli)
    (cli.town / "pins.json").unlink(missing_ok=True)
    shown = cli.shown()
    cli.verify(shown, "--evidence", "shift.json", "--at", "2040-01-01", code=1)
    assert not (cli.town / "pins.json").exists()
    cli.verify(shown, "--evidence", "shift.json")
    assert (cli.town / "pins.json").exists()


def test_a_disk_that_is_full_ends_no_verification(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    from did_health.errors import StoreError
    from did_health.stores import files

    def full(*_: object, **__: object) -> None:
        raise StoreError("there is no room to write", code="store_full")

    shown = cli.shown()
    cli.verify(shown, "--save-evidence", "ev.json", "--pins", "own.json")
    monkeypatch.setattr(files, "write_atomically", full)
    ran = cli.verify(shown, "--evidence", "ev.json", "--pins", "new.json", "--json")
    assert ran.json["verdict"] == "accept"
    assert "could not be remembered" in ran.err
