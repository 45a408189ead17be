from __future__ import annotations

import csv
import io
import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from did_health.cli import progress
from did_health.cli.imports import wallet_name
from did_health.health.fhir.licensed import practitioner as fhir_practitioner
from did_health.health.issuer_details import Issuer
from did_health.health.npi import mint_test_npi
from did_health.health.person_name import PersonName
from did_health.health.physician_license import PhysicianLicense
from did_health.roles.issuer import Board
from did_health.stores.directory import Directory
from tests.cli_runs import CLI, interrupted

LATER = datetime(2030, 1, 1, 23, 59, 59, tzinfo=UTC)


def practitioner(number: str, npi: str = "", family: str = "Jones", state: str = "NC") -> dict[str, Any]:
    license_type = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MD"}]}
    identifiers = [{"type": license_type, "value": number}] if number else []
    identifiers += [{"system": "http://hl7.org/fhir/sid/us-npi", "value": npi}] if npi else []
    return {
        "resourceType": "Practitioner", "id": f"p{number}", "identifier": identifiers, "name": [{"family": family, "given": ["Jo"]}],
        "address": [{"state": state}],
    }


def write(*rows: dict[str, Any]) -> str:
    Path("rows.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return "rows.ndjson"


def test_every_row_has_a_result(cli: CLI) -> None:
    file = write(
        practitioner("1", mint_test_npi(1)), practitioner("2", "350"), practitioner("1"), practitioner("3", state="VA"), practitioner("12345"), practitioner("")
    )
    ran = cli("board", "import", "nc-medical", file, "--wallets", "--json", code=1)
    assert {name: ran.json[name] for name in ("issued", "unchanged", "changed", "refused")} == {"issued": 2, "unchanged": 0, "changed": 0, "refused": 4}
    first, second, third, fourth, fifth, last = ran.json["rows"]
    assert first["outcome"] == "issued"
    assert first["wallet"] == "nc-medical-1"
    assert "identifier" in second["column"]
    assert "row 1" in third["problem"]
    assert "US-VA" in fourth["problem"]
    assert "somebody" in fifth["problem"]
    assert last["notes"] == ["qualification.identifier: there is no licence number; one was made from the resource's id"]
    assert "Jones" not in ran.out
    assert "350" not in ran.out
    assert cli.verify(cli.shown(wallet="nc-medical-1"), "--json").json["verdict"] == "accept"


def test_again_nothing_changes(cli: CLI) -> None:
    file = write(practitioner("1"), practitioner("2", "350"))
    text = cli("board", "import", "nc-medical", file, "--wallets", "--mint-test-npi").out
    assert "2 issued, 0 changed, 0 unchanged, 0 refused" in text
    assert "test NPI" in text
    again = cli("board", "import", "nc-medical", file, "--wallets", "--mint-test-npi").out
    assert "0 issued, 0 changed, 2 unchanged, 0 refused" in again
    assert len(cli("board", "list", "nc-medical", "--json").json) == 4


def test_holders_by_number(cli: CLI) -> None:
    did = cli("wallet", "list", "brown", "--json").json["did"]
    Path("holders.json").write_text(json.dumps({"1": did}))
    ran = cli("board", "import", "nc-medical", write(practitioner("1"), practitioner("2")), "--holders", "holders.json", "--json", code=1)
    assert [row["outcome"] for row in ran.json["rows"]] == ["issued", "refused"]
    assert "wallet" not in ran.json["rows"][0]
    assert cli("board", "list", "nc-medical", "--number", "1", "--json").json[0]["holder"] == did
    Path("holders.json").write_text('{"1": "did:key:zbad"}')
    assert "holders.json 1" in cli("board", "import", "nc-medical", "rows.ndjson", "--holders", "holders.json", code=2).err
    Path("holders.json").write_text('{"1": "somebody"}')
    assert "holders.json" in cli("board", "import", "nc-medical", "rows.ndjson", "--holders", "holders.json", code=2).err


@pytest.mark.parametrize("point", ["issue_many", "save_wallet"])
def test_killed_half_way(cli: CLI, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    file = write(*(practitioner(str(number)) for number in range(1, 6)))
    owner = Board if point == "issue_many" else Directory
    with interrupted(monkeypatch, owner, point, at_call=2):
        cli("board", "import", "nc-medical", file, "--wallets", "--batch", "2", code=130)
    rows = cli("board", "import", "nc-medical", file, "--wallets", "--batch", "2", "--json").json
    assert (rows["issued"], rows["unchanged"]) == (3, 2)
    for row in rows["rows"]:
        (held,) = cli("wallet", "list", row["wallet"], "--json").json["credentials"]
        assert held["id"] == row["credential"]
    assert cli("board", "import", "nc-medical", file, "--wallets", "--json").json["unchanged"] == 5


def test_a_wallet_that_is_gone_is_not_made_anew(cli: CLI) -> None:
    file = write(practitioner("1"))
    cli("board", "import", "nc-medical", file, "--wallets")
    (cli.town / "wallets" / "nc-medical-1.wallet").unlink()
    assert cli("board", "import", "nc-medical", file, "--wallets", "--json").json["unchanged"] == 1
    assert "nc-medical-1" not in cli("wallet", "list").out.split()


def test_other_credential_types_are_no_licences(cli: CLI) -> None:
    arguments = ("--title", "Identity", "--jurisdiction", "US", "--resource", "PatientIdentityCredential", "--entity-type", "csp")
    cli("board", "init", "identity", *arguments)
    did = cli("wallet", "list", "brown", "--json").json["did"]
    Path("claims.json").write_text(json.dumps({
        "type": "PatientIdentityCredential", "validUntil": "2027-06-01T00:00:00Z",
        "credentialSubject": {
            "name": {"family": "Pat", "given": "P"}, "birthDate": "1980-01-01",
            "assurance": {"framework": "NIST SP 800-63-4", "level": "IAL2", "proofedOn": "2026-01-01", "method": "remote_unattended"},
        },
    }))
    assert cli("board", "issue", "identity", "claims.json", "--to", did, "--json").json["credential"]["type"][1] == "PatientIdentityCredential"
    # The licences are of a state, and this institution is not that state's board.
    assert cli("board", "import", "identity", write(practitioner("1")), "--wallets", "--json", code=1).json["refused"] == 1


@pytest.mark.parametrize(("content", "words"), [(b"", "no Practitioner"), (b"\xff\xfe", "JSON"), (b'{"resourceType":"Patient"}', "no Practitioner")])
def test_garbage(cli: CLI, content: bytes, words: str) -> None:
    Path("x").write_bytes(content)
    ran = cli("board", "import", "nc-medical", "x", "--wallets", code=1 if words == "JSON" else 2)
    assert words in ran.err + ran.out


@pytest.mark.parametrize(("arguments", "words"), [
    (("rows.ndjson",), "needs a holder"),
    (("rows.ndjson", "--wallets", "--holders", "x"), "needs a holder"),
    (("missing.ndjson", "--wallets"), "no such file"),
    ((".", "--wallets"), "directory"),
    (("rows.ndjson", "--wallets", "--valid-until", "never"), "--valid-until"),
    (("rows.ndjson", "--wallets", "--issued-on", "never"), "--issued-on"),
    (("rows.ndjson", "--wallets", "--profession", "RN"), "profession"),
])
def test_import_refuses(cli: CLI, arguments: tuple[str, ...], words: str) -> None:
    write(practitioner("1"))
    assert words in cli("board", "import", "nc-medical", *arguments, code=2).err


def test_a_file_that_breaks_off(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    write(practitioner("1"))

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("did_health.roles.license_import.LicenseImport.__init__", lambda self, *_, **__: monkeypatch.setattr(Path, "open", refused))
    assert "permissions" in cli("board", "import", "nc-medical", "rows.ndjson", "--wallets", code=1).err


def test_standard_input(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(practitioner("1")).encode())))
    assert cli("board", "import", "nc-medical", "-", "--wallets", "--json").json["issued"] == 1


def test_several_licences_of_one_practitioner(cli: CLI) -> None:
    """What is written for a person with several licences is read again as as many rows; another state's are that state's."""
    held = [
        (
            PhysicianLicense(
                name=PersonName("Jones", "Jo"), profession="MD", license_number=number, original_issue_date=date(2010, 1, day), valid_until=LATER
            ),
            Issuer("did:web:x.example", "B", state),
        )
        for day, (number, state) in enumerate((("7", "US-SC"), ("7", "US-NC"), ("8", "US-NC")), start=1)
    ]
    file = write(practitioner("1"), fhir_practitioner("did:key:z6Mk", held).resource, practitioner("8"))
    rows = cli("board", "import", "nc-medical", file, "--wallets", "--json", code=1).json["rows"]
    assert [(row["row"], row["outcome"], row.get("number")) for row in rows] == [
        (1, "issued", "1"), (2, "refused", "7"), (2, "issued", "7"), (2, "issued", "8"), (3, "refused", "8"),
    ]  # fmt: skip
    assert rows[1]["column"] == "jurisdiction"
    assert "stands in row 2" in rows[4]["problem"]
    assert rows[2]["credential"] != rows[3]["credential"]
    shown = [json.loads(cli("board", "list", "nc-medical", "--credential", row["credential"]).out)["credential"]["credentialSubject"] for row in rows[2:4]]
    assert [(one["licenseNumber"], one["originalIssueDate"]) for one in shown] == [("7", "2010-01-02"), ("8", "2010-01-03")]
    again = cli("board", "import", "nc-medical", file, "--wallets", "--json", code=1).json
    assert (again["unchanged"], again["refused"], again["issued"], again["changed"]) == (3, 2, 0, 0)


def test_an_npi_of_fhir_is_not_minted_for_a_csv(cli: CLI) -> None:
    Path("rows.csv").write_text("family,given,license_number\nJones,Jo,1\n")
    assert "only the NPIs of FHIR" in cli("board", "import", "nc-medical", "rows.csv", "--wallets", "--mint-test-npi", code=2).err


def test_wallet_names() -> None:
    assert wallet_name("nc", "12345") == "nc-12345"
    assert wallet_name("nc", "A-1") != wallet_name("nc", "a-1") != wallet_name("nc", "A/1")
    assert len(wallet_name("b" * 60, "12345")) <= 63
    assert wallet_name("nc", "日本").startswith("nc-")
    assert wallet_name("nc", "12345", of_pharmacy=True) not in (wallet_name("nc", "12345"), wallet_name("nc", "12346", of_pharmacy=True))




# ---- CSV


HEADER = "family,given,license_number,npi,holder"


def test_csv_with_its_own_holders(cli: CLI) -> None:
    did = cli("wallet", "list", "brown", "--json").json["did"]
    Path("rows.csv").write_text(f"{HEADER}\nJones,Jo,1,{mint_test_npi(1)},{did}\nSmith,Sy,2,350,{did}\nClark,Cy,3,,\n")
    rehearsed = cli("board", "import", "nc-medical", "rows.csv", "--dry-run", "--json", code=1).json
    assert (rehearsed["dryRun"], rehearsed["issued"], rehearsed["refused"]) == (True, 1, 2)
    assert len(cli("board", "list", "nc-medical", "--json").json) == 2
    ran = cli("board", "import", "nc-medical", "rows.csv", "--results", "results.csv", code=1)
    assert "1 issued, 0 changed, 0 unchanged, 2 refused" in ran.out
    with Path("results.csv").open(newline="") as file:
        first, second, third = csv.DictReader(file)
    assert (first["row"], first["outcome"], first["number"]) == ("2", "issued", "1")
    assert first["credential"].startswith("urn:uuid:")
    assert (second["outcome"], second["column"]) == ("refused", "npi")
    assert second["hint"]
    assert third["column"] == "holder"
    again = cli("board", "import", "nc-medical", "rows.csv", "--json", code=1).json
    assert (again["issued"], again["unchanged"], again["refused"]) == (0, 1, 2)
    Path("rows.csv").write_text(f"{HEADER}\nJones-Smith,Jo,1,,\n")
    assert cli("board", "import", "nc-medical", "rows.csv", "--json").json["changed"] == 1
    assert len(cli("board", "list", "nc-medical", "--number", "1", "--json").json) == 2


def test_described_columns(cli: CLI) -> None:
    Path("columns.toml").write_text('format = "did-health/import-columns/v1"\n[columns]\nlicense_number = "=NO"\n')
    Path("rows.txt").write_text("=NO,family,given\n=1+1,Jones,Jo\n")
    cli("board", "import", "nc-medical", "rows.txt", "--columns", "columns.toml", "--wallets", "--results", "results.csv")
    # What a spreadsheet would compute is text in the results.
    assert "'=1+1" in Path("results.csv").read_text()
    Path("columns.toml").write_text("format = 7")
    assert "columns.toml" in cli("board", "import", "nc-medical", "rows.txt", "--columns", "columns.toml", "--wallets", code=2).err


@pytest.mark.parametrize("first", [b"\xff\xfe\x00garbage\n", b'"family,given\n', b"family,given\n"])
def test_a_first_line_that_names_no_columns_is_told_with_file_and_row(cli: CLI, first: bytes) -> None:
    Path("rows.csv").write_bytes(first)
    assert "Where: rows.csv row 1" in cli("board", "import", "nc-medical", "rows.csv", "--wallets", code=2).err


def test_a_csv_without_rows(cli: CLI) -> None:
    Path("rows.csv").write_text(HEADER)
    assert "no line" in cli("board", "import", "nc-medical", "rows.csv", "--results", "results.csv", code=2).err
    # Nothing half-written is left.
    assert [path.name for path in Path().iterdir() if "results" in path.name or path.name.endswith(".tmp")] == []
    assert "none/results.csv" in cli("board", "import", "nc-medical", "rows.csv", "--results", "none/results.csv", code=1).err


def test_more_rows_than_are_shown(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("did_health.cli.imports_output.MAX_SHOWN", 2)
    Path("rows.csv").write_text(f"{HEADER}\n" + "".join(f"Jones,Jo,{number},,\n" for number in range(1, 5)))
    found = cli("board", "import", "nc-medical", "rows.csv", "--json", code=1).json
    assert (found["refused"], found["rowsLeftOut"], len(found["rows"])) == (4, 2, 2)
    assert "2 more rows" in cli("board", "import", "nc-medical", "rows.csv", code=1).out


def test_bars_where_a_person_looks(cli: CLI, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(write(practitioner("1")))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress.importing(file, quiet=False) as advance:
        advance(progress.READING, file.stat().st_size // 2)
        advance("Wallets ready", 3)
    with progress.importing(Path("-"), quiet=False) as advance:
        advance(progress.READING, 5)
    shown = capsys.readouterr().err
    assert "Wallets ready" in shown
    assert "50 %" in shown or "49 %" in shown
