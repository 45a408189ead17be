from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from did_health.cli.imports import wallet_name
from did_health.health.npi import mint_test_npi
from did_health.roles.issuer import Board
from did_health.stores.directory import Directory
from tests.cli_runs import CLI, interrupted

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


def practitioner(number: str) -> dict[str, Any]:
    identifiers = [{"type": {"coding": [{"system": CODES, "code": "MD"}]}, "value": number}]
    return {"resourceType": "Practitioner", "identifier": identifiers, "name": [{"family": "Jones", "given": ["Jo"]}], "address": [{"state": "NC"}]}


def make_board(cli: CLI) -> None:
    arguments = ("--title", "Board of Pharmacy", "--jurisdiction", "US-NC", "--resource", "PharmacyCredential", "--entity-type", "pharmacy_board")
    cli("board", "init", "nc-pharmacy", *arguments)


def make_board_of_both(cli: CLI) -> None:
    kinds = ("--resource", "PhysicianLicenseCredential", "--resource", "PharmacyCredential", "--profession", "MD")
    cli("board", "init", "nc-both", "--title", "Department of Health", "--jurisdiction", "US-NC", *kinds)


def test_pharmacies_of_a_bundle(cli: CLI) -> None:
    make_board(cli)
    bundle(pharmacy("1", mint_test_npi(1)), pharmacy("2", state="VA"), pharmacy("3", "350"), pharmacy("1"))
    assert [row["outcome"] for row in outcomes(cli, "nc-pharmacy", "--dry-run", code=1)] == ["issued", "refused", "refused", "refused"]
    assert cli("board", "list", "nc-pharmacy", "--json").json == []
    first, state, npi, twice = outcomes(cli, "nc-pharmacy", "--results", "results.csv", code=1)
    assert (first["outcome"], first["wallet"]) == ("issued", wallet_name("nc-pharmacy", "1", of_pharmacy=True))
    assert (state["column"], npi["column"]) == ("jurisdiction", "npi")
    assert "row 1" in twice["problem"]
    assert len(Path("results.csv").read_text().splitlines()) == 5
    (held,) = cli("wallet", "list", first["wallet"], "--json").json["credentials"]
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


# ---- files of both kinds


MIXED = (pharmacy("1"), practitioner("1"), pharmacy("2", "350"), practitioner("2"), pharmacy("3"))


def test_a_board_that_licenses_both_imports_both_in_their_order(cli: CLI) -> None:
    make_board_of_both(cli)
    bundle(*MIXED)
    rows = outcomes(cli, "nc-both", "--batch", "2", code=1)
    assert [(row["row"], row["outcome"]) for row in rows] == [(1, "issued"), (2, "issued"), (3, "refused"), (4, "issued"), (5, "issued")]
    # The pharmacy and the physician have the same number, and not the same wallet.
    kinds = [[one["type"] for one in cli("wallet", "list", row["wallet"], "--json").json["credentials"]] for row in rows if "wallet" in row]
    assert kinds == [["PharmacyCredential"], ["PhysicianLicenseCredential"], ["PhysicianLicenseCredential"], ["PharmacyCredential"]]
    assert [row["outcome"] for row in outcomes(cli, "nc-both", code=1)] == ["unchanged", "unchanged", "refused", "unchanged", "unchanged"]
    assert len(cli("board", "list", "nc-both", "--json").json) == 4


def test_a_board_that_licenses_one_kind_passes_the_other_over_and_says_so(cli: CLI) -> None:
    make_board(cli)
    bundle(*MIXED)
    ran = cli("board", "import", "nc-medical", "bundle.json", "--wallets", "--json")
    assert [(row["row"], row["outcome"]) for row in ran.json["rows"]] == [(2, "issued"), (4, "issued")]
    assert "Organizations of bundle.json are passed over" in ran.err
    ran = cli("board", "import", "nc-pharmacy", "bundle.json", "--wallets", "--json", code=1)
    assert [(row["row"], row["outcome"]) for row in ran.json["rows"]] == [(1, "issued"), (3, "refused"), (5, "issued")]
    assert "Practitioners of bundle.json are passed over" in ran.err


@pytest.mark.parametrize(("board", "issued"), [("nc-pharmacy", [1, 3]), ("nc-medical", [2]), ("nc-both", [1, 2, 3])])
def test_standard_input_is_read_as_a_file_is(cli: CLI, monkeypatch: pytest.MonkeyPatch, board: str, issued: list[int]) -> None:
    make_board(cli)
    make_board_of_both(cli)
    code = {"coding": [{"system": "http://nucc.org/provider-taxonomy", "code": "207Q00000X"}]}
    role = {"resourceType": "PractitionerRole", "practitioner": {"reference": "Practitioner/p"}, "specialty": [code]}
    lines = (pharmacy("1"), practitioner("1") | {"id": "p"}, pharmacy("3"), role)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\n".join(map(json.dumps, lines)).encode())))
    rows = cli("board", "import", board, "-", "--wallets", "--json").json["rows"]
    assert [row["row"] for row in rows if row["outcome"] == "issued"] == issued
    for row in rows:
        if row["row"] == 2:
            shown = json.loads(cli("board", "list", board, "--credential", row["credential"]).out)["credential"]
            assert shown["credentialSubject"]["taxonomy"] == ["207Q00000X"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--mint-test-npi",), "--mint-test-npi is for physicians"),
        (("--issued-on", "2020-01-01", "--profession", "MD"), "--issued-on, --profession are for physicians"),
    ],
)
def test_options_of_physicians_are_refused_where_there_are_none(cli: CLI, options: tuple[str, ...], words: str) -> None:
    make_board(cli)
    make_board_of_both(cli)
    bundle(pharmacy("1"))
    for board in ("nc-pharmacy", "nc-both"):
        ran = cli("board", "import", board, "bundle.json", "--wallets", *options, code=2)
        assert words in ran.err
        assert "Leave it out" in ran.err
        assert cli("board", "list", board, "--json").json == []
    bundle(pharmacy("1"), practitioner("1"))
    assert [row["outcome"] for row in outcomes(cli, "nc-both", *options)] == ["issued", "issued"]
    assert "are passed over" in cli("board", "import", "nc-pharmacy", "bundle.json", "--wallets", *options, code=2).err


# ---- holders, interruptions


def test_pharmacies_with_holders_of_their_own(cli: CLI) -> None:
    make_board_of_both(cli)
    did = cli("wallet", "list", "brown", "--json").json["did"]
    Path("holders.json").write_text(json.dumps({"1": did, "2": did}))
    bundle(pharmacy("1"), pharmacy("3"), practitioner("1"), practitioner("2"))
    arguments = ("board", "import", "nc-both", "bundle.json", "--holders", "holders.json", "--json")
    rows = cli(*arguments, code=1).json["rows"]
    assert [row["outcome"] for row in rows] == ["issued", "refused", "refused", "issued"]
    assert (rows[1]["column"], rows[2]["column"]) == ("holder", "holder")
    assert "names one DID" in rows[2]["problem"]
    assert {one["holder"] for one in cli("board", "list", "nc-both", "--json").json} == {did}
    # Who has a permit already needs no holder any more: the same file says the same.
    assert [row["outcome"] for row in cli(*arguments, code=1).json["rows"]] == ["unchanged", "refused", "refused", "unchanged"]


@pytest.mark.parametrize("point", ["issue_many", "save_wallet"])
def test_an_interrupted_import_of_pharmacies_goes_on_without_doubles(cli: CLI, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    make_board(cli)
    bundle(*(pharmacy(str(number)) for number in range(1, 6)))
    owner = Board if point == "issue_many" else Directory
    with interrupted(monkeypatch, owner, point, at_call=2):
        cli("board", "import", "nc-pharmacy", "bundle.json", "--wallets", "--batch", "2", code=130)
    ran = cli("board", "import", "nc-pharmacy", "bundle.json", "--wallets", "--batch", "2", "--json").json
    assert (ran["issued"], ran["unchanged"]) == (3, 2)
    for row in ran["rows"]:
        (held,) = cli("wallet", "list", row["wallet"], "--json").json["credentials"]
        assert held["id"] == row["credential"]
    assert {row["outcome"] for row in outcomes(cli, "nc-pharmacy")} == {"unchanged"}
    assert len(cli("board", "list", "nc-pharmacy", "--json").json) == 5
