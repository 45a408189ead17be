"""The counter from the command line: what is asked, decided, logged and received, with the status of each."""

from __future__ import annotations

import csv
import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from tests.cli_runs import AUDIENCE, CLI, at_work, documents
from tests.pharmacy_parties import IDENTITY
from tests.pharmacy_runs import CLAIMS, build_pharmacy_town, check, shown


@pytest.fixture(scope="module")
def pharmacy_town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pharmacy")
    build_pharmacy_town(path)
    return path


@pytest.fixture
def cli(pharmacy_town: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CLI:
    return at_work(pharmacy_town, tmp_path, capsys, monkeypatch)


def test_a_request_asks_for_what_a_pickup_needs(cli: CLI) -> None:
    request = cli("pickup", "ask", "--audience", AUDIENCE).json
    assert request["claims"] == [f"{IDENTITY}.name", f"{IDENTITY}.birthDate"]
    assert "PickupDelegationCredential.scope" in cli("pickup", "ask", "--audience", AUDIENCE, "--who", "agent").json["claims"]
    told = cli("pickup", "ask", "--audience", AUDIENCE, "-o", "r.json", "--json").json
    assert told["nonce"] == json.loads(Path("r.json").read_bytes())["nonce"]
    assert cli("pickup", "ask", "--audience", "x", "--purpose", "checkin", "--claim", f"{IDENTITY}.phone").json["purpose"] == "checkin"


def test_a_request_that_asks_for_more_is_refused(cli: CLI) -> None:
    assert "minimum" not in (ran := cli("pickup", "ask", "--audience", AUDIENCE, "--claim", f"{IDENTITY}.address", code=1)).out
    assert "does not need" in ran.err
    assert "164.502" in ran.err
    cli("pickup", "ask", "--audience", AUDIENCE, "--purpose", "checkin", code=2)
    cli("pickup", "ask", "--audience", AUDIENCE, "--purpose", "marketing", "--claim", f"{IDENTITY}.name", code=2)
    cli("pickup", "ask", "--audience", AUDIENCE, "--claim", "name", code=2)
    cli("pickup", "ask", "--audience", AUDIENCE, "--who", "neighbour", code=2)


def test_a_patient_picks_up_and_sees_who_looked(cli: CLI) -> None:
    shown(cli)
    ran = check(cli, "--schedule", "none", "--receipts", "receipts", "--bags", "2")
    assert "H A N D   O V E R" in ran.out
    assert "✓ are the patient's" in ran.out
    assert "Bags" in ran.out
    assert not [claim for claim in CLAIMS if claim in ran.out + ran.err]
    (receipt,) = Path("receipts").iterdir()
    assert receipt.stat().st_mode & 0o777 == 0o600
    assert cli("verifier-log", "publish", "main-street", "--json").json == {"published": 1}
    identifier = json.loads(receipt.read_bytes())["credential"]["id"]
    early = cli("wallet", "receive", "patient", receipt, "--json").json
    assert early["id"] == identifier
    assert "signed, not on the ledger" in cli("wallet", "activity", "patient", "--check").out
    assert cli("verifier-log", "receipt", "main-street", identifier, "-o", "logged.json", "--json").json["logged"]
    assert "with the proof" in cli("verifier-log", "receipt", "main-street", identifier, "-o", "logged.json").err
    assert "1 receipts" in cli("wallet", "receive", "patient", "logged.json").out
    listed = cli("wallet", "activity", "patient", "--check", "--csv", "a.csv", "--fhir", "a.json")
    assert "Activity log" in listed.out
    assert "signed, on the ledger" in listed.out
    assert "no accounting of disclosures" in " ".join(listed.err.split())
    (row,) = csv.DictReader(Path("a.csv").read_text().splitlines())
    assert (row["purpose"], row["verdict"]) == ("pickup", "accept")
    bundle = Bundle.model_validate_json(Path("a.json").read_bytes())
    assert bundle.entry[0].resource.get_resource_type() == "AuditEvent"
    for data in (Path("a.csv").read_bytes(), Path("a.json").read_bytes(), *documents(cli.town)):
        assert not [claim for claim in CLAIMS if claim.encode() in data]
    assert "not checked" in cli("wallet", "activity", "patient").out
    assert cli("wallet", "activity", "patient", "--json").json["activity"][0]["purpose"] == "pickup"


def test_a_replay_is_refused_by_the_next_command_too(cli: CLI) -> None:
    shown(cli)
    check(cli, "--schedule", "none")
    ran = check(cli, "--schedule", "none", "--json", code=1)
    assert ran.json["codes"][0] == "nonce_replayed"


def test_another_birth_date(cli: CLI) -> None:
    shown(cli)
    Path("patient.json").write_text('{"family": "Qqfamily", "given": "Zyxwvutsk", "birthDate": "1980-01-02"}')
    ran = check(cli, "--schedule", "none", code=1)
    assert "D O   N O T   R E L Y" in ran.out
    assert "birth_date_mismatch" in ran.out
    assert "1980" not in ran.out + ran.err


def test_a_daughter_picks_up_with_the_fields_for_the_pdmp(cli: CLI) -> None:
    shown(cli, "daughter", "agent")
    Path("document.json").write_text('{"type": "DriversLicense", "jurisdiction": "US-NC", "number": "000123"}')
    ran = check(
        cli, "--who", "agent", "--schedule", "2", "--air", "air.json", "--id-document", "document.json", "--pharmacist", "Pharm, Pat", "--receipts", "r"
    )
    assert "Photo document required" in ran.out
    assert "supplementary. [N.C. Gen. Stat. § 90-106.1" in " ".join(ran.out.replace("│", " ").split())
    assert "0 of 1 before" in ran.out
    assert len(list(Path("r").iterdir())) == 2
    air = json.loads(Path("air.json").read_bytes())
    assert air == {
        "AIR03": "NC", "AIR04": "06", "AIR05": "000123", "AIR06": "04", "AIR07": "Qqfamily", "AIR08": "Qqdaughter", "AIR09": "Pharm", "AIR10": "Pat",
        "AIR11": "02",
    }  # fmt: skip
    assert Path("air.json").stat().st_mode & 0o777 == 0o600
    shown(cli, "daughter", "agent")
    assert "delegation_used_up" in check(cli, "--who", "agent", "--schedule", "2", code=1).out


def test_a_pharmacys_own_codes_and_a_pharmacist_without_a_given_name(cli: CLI) -> None:
    rows = [{"field": field, "code": code, "meaning": "other", "source": "s"} for field, code in (("AIR04", "A"), ("AIR06", "B"), ("AIR11", "C"))]
    table = {"table": "t", "compiledOn": str(datetime.now(UTC).date()), "sources": {"s": {"title": "Ours", "url": "https://pharmacy.example/"}}, "rows": rows}
    Path("codes.json").write_text(json.dumps(table))
    check(cli, "--schedule", "none", "--air", "air.json", "--air-codes", "codes.json", answered=False, code=3)
    assert json.loads(Path("air.json").read_bytes()) == {"AIR06": "B", "AIR11": "C"}
    check(cli, "--air", "air.json", "--pharmacist", "Pharm", answered=False, code=2)
    logged = len(cli("verifier-log", "show", "main-street", "--json").json)
    Path("codes.json").write_text(json.dumps(table | {"compiledOn": "2020-01-01"}))
    assert check(cli, "--air", "stale.json", "--air-codes", "codes.json", "--json", answered=False, code=3).json["error"]["code"] == "table_stale"
    assert not Path("stale.json").exists()
    # Nothing was written down for it.
    assert len(cli("verifier-log", "show", "main-street", "--json").json) == logged


def test_without_a_phone(cli: CLI) -> None:
    ran = check(cli, "--who", "agent", "--schedule", "2", answered=False, code=3)
    assert "B Y   H A N D" in ran.out
    assert "- ask for them" in ran.out
    assert "without a delegation" in ran.out
    assert "Photo document required" in ran.out
    overridden = check(cli, "--override-by", "R. Ph.", "--override-reason", "person_known", answered=False, code=3)
    assert "continued by the pharmacist's judgement" in overridden.out
    row = cli("verifier-log", "show", "main-street", "--json").json[-1]
    assert row["override"] == {"by": "R. Ph.", "reason": "person_known"}
    assert "whether US-NC has a rule is not known" in check(cli, "--schedule", "none", answered=False, code=3).out


def test_a_state_that_is_not_in_the_table_is_told_to_be_unknown(cli: CLI) -> None:
    ran = check(cli, "--schedule", "2", "--jurisdiction", "US-CA", answered=False, code=3)
    assert "whether US-CA has a rule is not known" in ran.out
    assert "Whether California obliges you to see a photo document here is not known: ask for one" in " ".join(ran.out.split())
    found = check(cli, "--schedule", "2", "--jurisdiction", "US-CA", "--json", answered=False, code=3).json
    assert (found["identificationKnown"], found["identification"]) == (False, [])
    assert any("California" in step for step in found["byHand"])


def test_what_sources_dispute_is_asked_for_and_said(cli: CLI) -> None:
    found = check(cli, "--schedule", "2", "--jurisdiction", "US-ME", "--json", answered=False, code=3).json
    assert found["identificationKnown"]
    assert [rule["when"] for rule in found["identification"]] == ["discretion", "unknown_person"]
    assert found["identification"][1]["asOf"] == "2013-01-01"
    assert all(rule["disputedBy"] for rule in found["identification"])
    told = " ".join(check(cli, "--schedule", "2", "--jurisdiction", "US-ME", answered=False, code=3).out.replace("│", " ").split())
    assert "Others say otherwise" in told
    assert "Identification required of whoever you do not know. A credential" in told


def test_without_a_network_and_again_when_there_is_one(cli: CLI) -> None:
    assert "Nothing waits" in cli("pickup", "recheck", "main-street").out
    shown(cli)
    Path("nothing.json").write_text('{"format": "did-health/evidence/v1", "items": {}}')
    ran = check(cli, "--schedule", "2", "--evidence", "nothing.json", "--json", code=3).json
    assert (ran["recheck"], ran["mayHandOver"], ran["nameAndBirthDateAgree"]) == (True, False, True)
    (again,) = cli("pickup", "recheck", "main-street", "--json").json
    assert again["verdict"] == "accept"
    shown(cli)
    check(cli, "--schedule", "2", "--evidence", "nothing.json", code=3)
    assert "accept" in cli("pickup", "recheck", "main-street").out


def test_an_option_that_means_nothing_is_named_and_not_the_patients_file(cli: CLI) -> None:
    for option, value in (("--schedule", "7"), ("--jurisdiction", "Narnia")):
        assert f"Where: {option}\n" in cli("pickup", "check", "main-street", "--patient", "patient.json", option, value, code=2).err


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "main-street"),
        ("check", "main-street", "shown.json", "--patient", "patient.json"),
        ("check", "main-street", "--patient", "patient.json", "--override-by", "x"),
        ("check", "main-street", "--patient", "none.json"),
        ("check", "main-street", "--patient", "patient.json", "--schedule", "7"),
        ("check", "main-street", "--patient", "patient.json", "--who", "neighbour"),
    ],
)
def test_what_cannot_be_checked(cli: CLI, arguments: tuple[str, ...]) -> None:
    cli("pickup", *arguments, code=2)


def test_the_log_shows_what_was_deleted(cli: CLI) -> None:
    check(cli, "--schedule", "none", answered=False, code=3)
    assert "Vouched for by the ledger" in (ran := cli("verifier-log", "check", "main-street")).out
    assert "none yet" in ran.out
    check(cli, "--schedule", "none", answered=False, code=3)
    assert "0 receipts" in cli("verifier-log", "publish", "main-street").out
    whole: dict[str, Any] = cli("verifier-log", "check", "main-street", "--json").json
    assert (whole["whole"], whole["rows"], whole["coveredRow"]) == (True, 2, 1)
    assert "2 rows" in cli("verifier-log", "show", "main-street").out
    connection = sqlite3.connect(cli.town / "verifiers" / "main-street.sqlite")
    connection.execute("DELETE FROM verifier_log WHERE position = 0")
    connection.commit()
    connection.close()
    ran = cli("verifier-log", "check", "main-street", code=1)
    assert "Something was changed, or has gone" in ran.out
    assert "row_missing" in ran.out


def test_a_row_that_was_cut_off_is_missed_by_who_has_its_receipt(cli: CLI) -> None:
    shown(cli)
    check(cli, "--schedule", "none", "--receipts", "receipts")
    (receipt,) = Path("receipts").iterdir()
    assert "nothing has gone" in cli("verifier-log", "check", "main-street", "--held", receipt).out
    connection = sqlite3.connect(cli.town / "verifiers" / "main-street.sqlite")
    connection.execute("DELETE FROM verifier_log")
    connection.commit()
    connection.close()
    assert "nothing has gone" in cli("verifier-log", "check", "main-street").out
    found: dict[str, Any] = cli("verifier-log", "check", "main-street", "--held", receipt, "--json", code=1).json
    assert [one["code"] for one in found["findings"]] == ["row_missing"]
    forged = json.loads(receipt.read_text())
    forged["credential"]["credentialSubject"]["verdict"] = "refuse"
    Path("forged.json").write_text(json.dumps(forged))
    assert "proves nothing about this log" in cli("verifier-log", "check", "main-street", "--held", "forged.json", code=2).err
    assert "proves nothing about this log" in cli("verifier-log", "check", "registry", "--held", receipt, code=2).err


def test_receipts_of_nobody_and_for_somebody_else(cli: CLI) -> None:
    cli("verifier-log", "receipt", "main-street", "urn:uuid:none", code=2)
    assert "Nobody has given a receipt" in cli("wallet", "activity", "patient").out
    shown(cli)
    identifier = check(cli, "--schedule", "none", "--json").json["receipts"][0]
    printed = cli("verifier-log", "receipt", "main-street", identifier).out
    Path("receipt.json").write_text(printed)
    assert "somebody else" in cli("wallet", "receive", "daughter", "receipt.json", code=2).err
    forged = json.loads(printed)
    forged["credential"]["credentialSubject"]["verdict"] = "refuse"
    Path("receipt.json").write_text(json.dumps(forged))
    cli("wallet", "receive", "patient", "receipt.json")
    assert "FORGED" in cli("wallet", "activity", "patient", "--check", code=1).out
    assert cli("wallet", "activity", "patient", "--check", "--json", code=1).json["activity"][0]["receiptVerdict"] == "refuse"
    cli("wallet", "receive", "patient", "request.json", code=2)


def test_receipts_outlive_the_key_that_signed_them(cli: CLI) -> None:
    shown(cli)
    identifier = check(cli, "--schedule", "none", "--receipts", "receipts", "--json").json["receipts"][0]
    cli("wallet", "receive", "patient", next(Path("receipts").iterdir()))
    cli("did", "rotate", "main-street")
    # The copy of the counter has no proof that it was logged before.
    told = cli("wallet", "activity", "patient", "--check", "--json").json["activity"][0]
    assert (told["receiptVerdict"], told["receiptCodes"]) == ("indeterminate", ["key_retired"])
    assert "by a key replaced since" in " ".join(cli("wallet", "activity", "patient", "--check").out.replace("│", " ").split())
    Path("receipt.json").write_text(cli("verifier-log", "receipt", "main-street", identifier).out)
    cli("wallet", "receive", "patient", "receipt.json")
    assert cli("wallet", "activity", "patient", "--check", "--json").json["activity"][0]["receiptVerdict"] == "accept"
    assert "0 receipts" in cli("verifier-log", "publish", "main-street").out


def test_a_key_is_replaced_though_receipts_cannot_be_logged(cli: CLI) -> None:
    check(cli, "--schedule", "none", answered=False, code=3)
    (cli.town / "verifiers" / "main-street.sqlite").write_bytes(b"no database")
    ran = cli("did", "rotate", "main-street")
    assert "could not be logged" in " ".join(ran.err.split())
    assert "Signs with" in ran.out


def test_receipts_cannot_be_checked_without_a_ledger(cli: CLI) -> None:
    cli("wallet", "init", "me", "--dir", "elsewhere")
    cli("wallet", "activity", "me", "--dir", "elsewhere", "--check", code=2)


def test_any_verification_can_give_receipts(cli: CLI) -> None:
    shown(cli)
    nonce = json.loads(Path("request.json").read_bytes())["nonce"]
    arguments = ("shown.json", "--audience", AUDIENCE, "--nonce", nonce, "--receipt-by", "main-street", "--receipts", "given")
    assert "what the verification was for" in cli("verify", *arguments, code=2).err
    assert "Row 0 of main-street" in cli("verify", *arguments, "--purpose", "checkin").err
    (receipt,) = Path("given").iterdir()
    cli("wallet", "receive", "patient", receipt)
    assert cli("wallet", "activity", "patient", "--json").json["activity"][0]["purpose"] == "checkin"


def test_what_is_written_freely_of_an_override_is_no_part_of_a_receipt(cli: CLI) -> None:
    shown(cli)
    nonce = json.loads(Path("request.json").read_bytes())["nonce"]
    arguments = ("shown.json", "--audience", "https://other.example", "--nonce", nonce, "--receipt-by", "main-street", "--purpose", "checkin")
    decided = (*arguments, "--override-by", "P. Rivera", "--override-reason")
    refused = cli("verify", *decided, "Ann Adams said so herself", code=2).err
    assert "person_known" in refused
    assert "Adams" not in refused
    assert "Row 0 of main-street" in cli("verify", *decided, "person_known", code=1).err


def test_a_purpose_with_a_policy_asks_for_fresh_evidence(cli: CLI) -> None:
    shown(cli)
    nonce = json.loads(Path("request.json").read_bytes())["nonce"]
    arguments = ("shown.json", "--audience", AUDIENCE, "--nonce", nonce, "--purpose", "pickup")
    cli("verify", *arguments, "--save-evidence", "evidence.json")
    at = f"{datetime.now(UTC) + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
    offline = ("--evidence", "evidence.json", "--at", at, "--waive", "presentation", "--waive", "holder_binding", "--json")
    assert cli("verify", *arguments, "--schedule", "none", *offline).json["verdict"] == "accept"
    assert "evidence_stale" in cli("verify", *arguments, "--schedule", "2", *offline, code=3).json["codes"]


def test_a_purpose_whose_policy_is_too_old_is_no_purpose_to_go_by(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    shown(cli)
    request = json.loads(Path("request.json").read_bytes())
    monkeypatch.setattr("did_health.health.dated_tables.DatedTable.is_stale", lambda *_: True)
    arguments = ("shown.json", "--audience", AUDIENCE, "--nonce", request["nonce"], "--json")
    assert cli("verify", *arguments, "--purpose", "pickup", code=3).json["error"]["code"] == "table_stale"
    # Without a purpose no table decides anything.
    assert cli("verify", *arguments).json["verdict"] == "accept"


def test_requests_and_receipts_are_explained(cli: CLI) -> None:
    shown(cli)
    assert cli("inspect", "request.json", "--json").json["kind"] == "request"
    identifier = check(cli, "--schedule", "none", "--json").json["receipts"][0]
    cli("verifier-log", "receipt", "main-street", identifier, "-o", "receipt.json")
    found = cli("inspect", "receipt.json", "--json").json
    assert (found["kind"], found.get("parts")) == ("verification-receipt", None)
    cli("verifier-log", "publish", "main-street")
    cli("verifier-log", "receipt", "main-street", identifier, "-o", "receipt.json")
    found = cli("inspect", "receipt.json", "--json").json
    assert [part["kind"] for part in found["parts"]] == ["receipt-proof"]
    assert f"{IDENTITY}.birthDate" in str(found)
    assert not [claim for claim in CLAIMS if claim in str(found)]
    document = json.loads(Path("receipt.json").read_bytes())
    Path("proof.json").write_text(json.dumps(document["receiptProof"]))
    assert "cannot deny" in cli("inspect", "proof.json").out
    Path("proof.json").write_text(json.dumps({**document["receiptProof"], "ledgerProof": "\ud800"}))
    cli("inspect", "proof.json", code=2)
    document["credential"]["credentialSubject"]["purpose"] = "marketing"
    Path("receipt.json").write_text(json.dumps(document))
    cli("inspect", "receipt.json", code=2)
