"""The guides for patients, pharmacists, credentialing offices and developers, tried as written."""

from __future__ import annotations

import io
import json
import re
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from did_health.cli.serve_board import opened_directory
from did_health.health.assurance import Assurance
from did_health.health.patient_identity import PatientIdentity
from did_health.health.person_name import PersonName
from did_health.services.board_app import board_app
from did_health.services.json_log import JSONLog
from did_health.services.metrics import Metrics
from did_health.services.rate_limit import RateLimit
from did_health.services.sections.board import BoardSettings
from did_health.stores.directory import open_directory
from tests import guides
from tests.cli_runs import AUDIENCE, CLI
from tests.ledger_parties import PASSPHRASE
from tests.serving import serving


def issue_identity(cli: CLI, wallet: str, to_file: str = "") -> None:
    """What the identity provider does."""
    with open_directory(cli.town, PASSPHRASE) as town:
        if not (cli.town / "institutions" / "csp.json").exists():
            town.create_board("csp", title="Identity provider", jurisdiction="US", resources=["PatientIdentityCredential"], entity_type="csp")
        holder = town.wallet(wallet)
        identity = PatientIdentity(
            name=PersonName("Adams", "Ann"),
            birth_date=date(1980, 1, 1),
            assurance=Assurance("NIST 800-63A-4", "IAL2", datetime.now(UTC).date(), "in person"),
            valid_until=datetime.now(UTC) + timedelta(days=700),
        )
        issued = town.board("csp").issue(identity, to=holder.did)
        if to_file:
            Path(to_file).write_bytes(issued.to_json())
        else:
            holder.add(issued)
            town.save_wallet(wallet, holder)


def look(cli: CLI) -> None:
    """What a pharmacy does that checks ann and gives her a receipt."""
    cli("did", "create", "main-street", "--title", "Main Street Pharmacy", "--jurisdiction", "US-NC")
    cli("pickup", "ask", "--audience", AUDIENCE, "-o", "request.json")
    nonce = json.loads(Path("request.json").read_bytes())["nonce"]
    cli("wallet", "present", "ann", "PatientIdentityCredential", "--audience", AUDIENCE, "--nonce", nonce, "-o", "looked.json")
    Path("record.json").write_text('{"family": "Adams", "given": "Ann", "birthDate": "1980-01-01"}')
    answered = ("looked.json", "--request", "request.json", "--patient", "record.json", "--schedule", "none", "--jurisdiction", "US-NC")
    cli("pickup", "check", "main-street", *answered, "--receipts", "for-ann")
    (receipt,) = Path("for-ann").iterdir()
    receipt.rename("receipt.json")


def test_the_guide_for_patients(cli: CLI) -> None:
    def bea() -> str:
        cli("wallet", "init", "bea")
        return str(cli("wallet", "list", "bea", "--json").json["did"])

    seen: list[Any] = []
    guides.run_guide(
        cli,
        "patient",
        before={
            "did-health wallet add ann identity.json": lambda: issue_identity(cli, "ann", "identity.json"),
            "did-health wallet receive ann receipt.json": lambda: look(cli),
            "did-health wallet grants ann": lambda: seen.append(
                cli.verify(Path("bea.json"), "--purpose", "pickup", "--schedule", "none", "--json", nonce="n-1T7").json["verdict"]
            ),
            "did-health wallet rekey old ann-2": lambda: cli.verify(Path("shown.json"), nonce="n-0S6"),
        },
        variables={"BEA": bea, "GRANT": lambda: cli("wallet", "grants", "ann", "--json").json["grants"][0]["id"]},
    )
    assert seen == ["accept"]
    assert "revoked" in cli.verify(Path("bea.json"), "--purpose", "pickup", "--schedule", "none", "--json", nonce="n-1T7", code=1).json["codes"]
    assert "revoked" in cli.verify(Path("shown.json"), "--json", nonce="n-0S6", code=1).json["codes"]
    cli.verify(Path("new.json"), nonce="n-2U8")
    (event,) = json.loads(Path("activity.json").read_bytes())["entry"]
    assert event["resource"]["purposeOfEvent"][0]["text"] == "pickup"
    assert "1980" not in Path("activity.csv").read_text() + Path("activity.json").read_text()
    assert AUDIENCE in (guides.GUIDES / "patient.md").read_text()


def test_the_guide_for_developers(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("developer").mkdir()
    monkeypatch.chdir("developer")
    found: dict[str, Any] = {}

    def present() -> None:
        arguments = ("--audience", "https://hospital.example", "--nonce", "n-0S6", "-o", "shown.json")
        cli("wallet", "present", "adams", "PhysicianLicenseCredential", *arguments)

    page = guides.blocks(guides.GUIDES / "developer.md")
    # What is verified over HTTP has to be asked before the page closes its directory.
    code = [block for block in page if block.language == "python"]
    assert len(code) == 7
    for block in code[:2]:
        block.execute(found)
    with serving(found["app"]) as url:
        asked = httpx.get(f"{url}/challenge", trust_env=False).json()
        shown = found["wallet"].present(["PhysicianLicenseCredential"], **asked)
        place = f"{url}/check?nonce={asked['nonce']}"
        assert httpx.post(place, content=shown, trust_env=False).json() == {"verdict": "accept", "reasons": []}
        assert httpx.post(place, content=shown, trust_env=False).status_code == 400
        asked = httpx.get(f"{url}/challenge", trust_env=False).json()
        refused = httpx.post(f"{url}/check?nonce={asked['nonce']}", content=b"garbage", trust_env=False)
        assert (refused.status_code, refused.json()["error"]) == (400, "malformed")
    for block in code[2:]:
        block.execute(found)
    for block in page:
        if block.language == "sh":
            present()
            for line in guides.commands(block.text):
                cli(*line.split()[1:])


def test_the_guide_for_pharmacists(cli: CLI) -> None:
    Path("patient.json").write_text('{"family": "Adams", "given": "Ann", "birthDate": "1980-01-01"}')
    Path("document.json").write_text('{"type": "DriversLicense", "jurisdiction": "US-NC", "number": "000123"}')
    for name in ("ann", "bea"):
        cli("wallet", "init", name)
        issue_identity(cli, name)
    identity = {name: cli("wallet", "list", name, "--json").json["credentials"][0]["id"] for name in ("ann", "bea")}
    did = cli("wallet", "list", "bea", "--json").json["did"]

    def nonce() -> str:
        return str(json.loads(Path("request.json").read_bytes())["nonce"])

    def delegate() -> None:
        granted = ("--relationship", "caregiver", "--scope", "all", "--until", f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}")
        cli("wallet", "delegate", "ann", "--to", did, *granted, "-o", "delegation.json", "--identity", "ann.json")
        for file in ("delegation.json", "ann.json"):
            cli("wallet", "add", "bea", file)

    Path("note.txt").write_text("has been coming for years\n")
    until = (datetime.now(UTC) + timedelta(days=90)).date().isoformat()
    named = ("--family", "Clark", "--given", "Cy", "--license-number", "77", "--issued-on", "2010-01-01", "--valid-until", until, "--npi", "1234567893")
    cli("board", "issue", "nc-medical", *named, "--wallet", "brown")
    with ExitStack() as stack:

        def board() -> str:
            """The directory of the board, which is served at an address that has to be allowed here."""
            directory, _ = stack.enter_context(opened_directory(BoardSettings("nc-medical", cli.town)))
            log, limit = JSONLog("board", io.StringIO()), RateLimit(600)
            app = board_app(directory, ready=lambda: None, log=log, limit=limit, metrics=Metrics("board"))
            return f"{stack.enter_context(serving(app))} --allow-host 127.0.0.1"

        variables = {"BOARD": board, "NONCE": nonce, "BEA": lambda: identity["bea"], "ANN": lambda: identity["ann"]}
        before = {"did-health pickup ask --audience https://pharmacy.example --who agent": delegate}
        guides.run_guide(cli, "pharmacist", before=before, variables=variables)
    air = json.loads(Path("air.json").read_bytes())
    assert (air["AIR05"], air["AIR06"], air["AIR09"]) == ("000123", "04", "Rivera")
    assert len(list(Path("receipts").iterdir())) == 1
    rows = cli("verifier-log", "show", "main-street", "--json").json
    assert [row["verdict"] for row in rows] == ["accept", "refuse", "accept", "indeterminate", "indeterminate"]


def test_the_guide_for_credentialing_offices(cli: CLI) -> None:
    page = (guides.GUIDES / "credentialing-office.md").read_text()
    Path("roster.csv").write_text(page.split("\n```\n")[2] + "\n")
    Path("licences").mkdir()
    identifier = cli("board", "list", "nc-medical", "--number", "12345", "--json").json[0]["id"]
    Path("licences/adams.json").write_text(cli("board", "list", "nc-medical", "--credential", identifier).out)
    guides.run_guide(cli, "credentialing-office", before={}, variables={})
    rows = [json.loads(line) for line in Path("reports/2026-11/rows.ndjson").read_text().splitlines()]
    assert [row["verdict"] for row in rows] == ["accept", "indeterminate"]
    assert Path("kept.json").is_file()


@pytest.mark.parametrize("page", sorted(guides.GUIDES.glob("*.md")), ids=lambda page: page.stem)
def test_a_guide_is_one_page(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# For ")
    assert len(text.splitlines()) < 200
    assert not re.search(r"```(?!sh|python|json|toml|$)", text, re.MULTILINE)
