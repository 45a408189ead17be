from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from did_health.health.npi import mint_test_npi
from tests.cli_runs import CLI

CODES = "http://terminology.hl7.org/CodeSystem/v2-0203"


def pharmacy(number: str, npi: str = "", state: str = "NC", name: str = "Corner Pharmacy") -> dict[str, Any]:
    identifiers: list[dict[str, Any]] = [{"type": {"coding": [{"system": CODES, "code": "SL"}]}, "value": number}]
    identifiers += [{"system": "http://hl7.org/fhir/sid/us-npi", "value": npi}] if npi else []
    return {"resourceType": "Organization", "name": name, "identifier": identifiers, "type": [{"text": "pharmacy"}], "address": [{"state": state}]}


def bundle(*resources: dict[str, Any]) -> str:
    Path("bundle.json").write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}))
    return "bundle.json"


def outcomes(cli: CLI, board: str, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = cli("board", "import", board, "bundle.json", "--wallets", "--json", *arguments, code=code).json["rows"]
    return rows


def make_board(cli: CLI) -> None:
    arguments = ("--title", "Board of Pharmacy", "--jurisdiction", "US-NC", "--resource", "PharmacyCredential", "--entity-type", "pharmacy_board")
    cli("board", "init", "nc-pharmacy", *arguments)


def test_pharmacies_of_a_bundle(cli: CLI) -> None:
    make_board(cli)
    bundle(pharmacy("1", mint_test_npi(1)), pharmacy("2", state="VA"), pharmacy("3", "350"), pharmacy("1"))
    assert [row["outcome"] for row in outcomes(cli, "nc-pharmacy", "--dry-run", code=1)] == ["issued", "refused", "refused", "refused"]
    assert cli("board", "list", "nc-pharmacy", "--json").json == []
    first, state, npi, twice = outcomes(cli, "nc-pharmacy", "--results", "results.csv", code=1)
    assert (first["outcome"], first["wallet"]) == ("issued", "nc-pharmacy-1")
    assert (state["column"], npi["column"]) == ("jurisdiction", "npi")
    assert "row 1" in twice["problem"]
    assert len(Path("results.csv").read_text().splitlines()) == 5
    (held,) = cli("wallet", "list", "nc-pharmacy-1", "--json").json["credentials"]
    assert held["id"] == first["credential"]
    # The end of validity is not in the file, and is another one at each run: it stays what was issued.
    bundle(pharmacy("1", mint_test_npi(1)))
    assert [row["outcome"] for row in outcomes(cli, "nc-pharmacy", "--valid-until", "2028-11-01T00:00:00Z")] == ["unchanged"]
    bundle(pharmacy("1", mint_test_npi(1), name="New Name Pharmacy"))
    assert [row["outcome"] for row in outcomes(cli, "nc-pharmacy")] == ["changed"]
    bundle(pharmacy("1", mint_test_npi(2)))
    (other,) = outcomes(cli, "nc-pharmacy", code=1)
    assert "somebody" in other["problem"]
    bundle(pharmacy("1", name="Third Name"))
    assert [row["outcome"] for row in outcomes(cli, "nc-pharmacy", code=1)] == ["refused"]


def test_a_board_refuses_what_it_is_not_accredited_for(cli: CLI) -> None:
    bundle(pharmacy("1"))
    (row,) = outcomes(cli, "nc-medical", code=1)
    assert (row["outcome"], row["column"]) == ("refused", "resourceType")
    assert "PharmacyCredential" in row["hint"]
    make_board(cli)
    name = [{"family": "Jones", "given": ["Jo"]}]
    bundle({"resourceType": "Practitioner", "id": "p", "name": name, "address": [{"state": "NC"}]})
    (row,) = outcomes(cli, "nc-pharmacy", code=1)
    assert (row["outcome"], row["hint"]) == ("refused", "It licenses: no physicians")
