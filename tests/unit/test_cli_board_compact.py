"""Story 2 at the command line: a letter, a licence under the compact, discipline by the principal state, and its end."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from did_health.health.letter_of_qualification import CHECKS
from tests.cli_runs import CLI

LICENSE, LETTER = "PhysicianLicenseCredential", "LetterOfQualificationCredential"


def board(cli: CLI, name: str, state: str, compact: str = "IMLC:spl") -> str:
    more = ("--profession", "MD", "--resource", LICENSE, "--resource", LETTER, "--compact", compact)
    return str(cli("board", "init", name, "--title", name, "--jurisdiction", state, *more, "--json").json["did"])


def issue(cli: CLI, name: str, kind: str, subject: dict[str, Any], days: int) -> str:
    until = f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
    Path("claims.json").write_text(json.dumps({"type": kind, "validUntil": until, "credentialSubject": subject}))
    identifier = str(cli("board", "issue", name, "claims.json", "--wallet", "baker", "--json").json["id"])
    Path(f"{name}.json").write_text(cli("board", "list", name, "--credential", identifier).out)
    return identifier


def license_of(number: str, **more: object) -> dict[str, object]:
    named = {"name": {"family": "Baker", "given": "Bo"}, "profession": "MD", "npi": "1234567893", "originalIssueDate": "2015-03-01", "licenseClass": "full"}
    return named | {"licenseNumber": number} | more


def letter_of(board: str, license: str, location: str) -> dict[str, object]:  # noqa: A002  # the credential's own word
    day = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    checks = {name: {"outcome": "pass", "checkedOn": day} for name in CHECKS}
    spl = {"board": board, "license": license, "location": location}
    return {"compact": "IMLC", "spl": spl, "splBasis": "residence", "decision": "qualified", "issuedOn": day, "checks": checks}


def told(cli: CLI, name: str, code: int = 0) -> dict[str, Any]:
    """The verdict on what a board issued last."""
    report: dict[str, Any] = cli("verify", f"{name}.json", "--waive", "holder_binding", "--json", code=code).json
    return report


def test_a_letter_a_licence_in_another_state_and_a_suspension(cli: CLI) -> None:
    cli("wallet", "init", "baker")
    virginia = board(cli, "va", "US-VA")
    board(cli, "me", "US-ME", "IMLC:issue_only")
    principal = issue(cli, "va", LICENSE, license_of("0101-7"), 900)
    cli("board", "publish", "va")
    location = f"https://ledger.example/va/licenses/{principal.removeprefix('urn:uuid:')}.json"
    issue(cli, "va", LETTER, letter_of(virginia, principal, location), 300)
    assert told(cli, "va")["verdict"] == "accept"
    compact = {"name": "IMLC", "splLicense": principal, "location": location}
    issue(cli, "me", LICENSE, license_of("me-1", licenseClass="compact_expedited", compact=compact), 900)
    assert told(cli, "me")["verdict"] == "accept"

    cli("board", "suspend", "va", "0101-7", "--reason", "an investigation", "--order", "2026-17")
    refused = told(cli, "me", code=1)
    (cited, *_) = [check for check in refused["checks"] if check["code"] == "principal_suspended"]
    assert f"US-VA ({principal})" in cited["sentence"]
    assert told(cli, "va", code=1)["codes"] == ["principal_suspended", "principal_license_suspended"]
    assert [one["state"] for one in cli("board", "cascade", "me", "--json").json] == ["compact_derived"]
    cli("board", "reinstate", "va", "0101-7", "--reason", "vacated")
    assert told(cli, "va")["verdict"] == "accept"
    # The principal state's reinstatement does not lift the others.
    assert "license_compact_derived" in told(cli, "me", code=1)["codes"]
    cli("board", "reinstate", "me", "me-1", "--reason", "Virginia has reinstated")
    assert told(cli, "me")["verdict"] == "accept"


def test_a_letter_of_a_board_that_only_issues_is_refused(cli: CLI) -> None:
    cli("wallet", "init", "baker")
    maine = board(cli, "me", "US-ME", "IMLC:issue_only")
    principal = issue(cli, "me", LICENSE, license_of("7"), 900)
    cli("board", "publish", "me")
    issue(cli, "me", LETTER, letter_of(maine, principal, f"https://ledger.example/me/licenses/{principal.removeprefix('urn:uuid:')}.json"), 300)
    assert told(cli, "me", code=1)["codes"] == ["not_a_principal_state"]


@pytest.mark.parametrize("compact", ["IMLC", "IMLC:king", ":spl", ""])
def test_a_part_in_no_compact_is_refused(cli: CLI, compact: str) -> None:
    ran = cli("board", "init", "va", "--title", "Virginia", "--jurisdiction", "US-VA", "--profession", "MD", "--compact", compact, code=2)
    assert "--compact" in ran.err
    assert "va" not in [path.stem for path in (cli.town / "institutions").iterdir()]


def test_a_board_that_is_no_principal_state_any_more(cli: CLI) -> None:
    cli("wallet", "init", "baker")
    virginia = board(cli, "va", "US-VA")
    principal = issue(cli, "va", LICENSE, license_of("7"), 900)
    Path("license.json").write_bytes(Path("va.json").read_bytes())
    cli("board", "publish", "va")
    issue(cli, "va", LETTER, letter_of(virginia, principal, f"https://ledger.example/va/licenses/{principal.removeprefix('urn:uuid:')}.json"), 300)
    assert told(cli, "va")["verdict"] == "accept"
    assert "IMLC: issue_only" in cli("board", "accredit", "va", "--compact", "IMLC:issue_only").out
    assert told(cli, "va", code=1)["codes"] == ["not_a_principal_state"]
    assert told(cli, "license")["verdict"] == "accept"


def test_what_a_board_may_issue_is_renewed_changed_and_ended(cli: CLI) -> None:
    shown = cli.shown()
    renewed = cli("board", "accredit", "nc-medical", "--until", "2099-12-31", "--json").json
    assert [(one["resource"], one["professions"], one["validUntil"]) for one in renewed] == [(LICENSE, ["MD", "DO"], "2100-01-01T04:59:59Z")]
    assert cli.verify(shown, "--json").json["verdict"] == "accept"
    cli("board", "accredit", "nc-medical", "--profession", "DO")
    assert "wrong_profession" in cli.verify(shown, "--json", code=1).json["codes"]
    cli("board", "accredit", "nc-medical", "--profession", "MD", "--profession", "DO")
    assert cli.verify(shown, "--json").json["verdict"] == "accept"
    ended = f"{datetime.now(UTC) + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"
    assert cli("board", "accredit", "nc-medical", "--until", ended, "--json").json[0]["professions"] == ["MD", "DO"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nc-medical",), "nothing is to be changed"),
        (("nc-medical", "--compact", "IMLC"), "--compact"),
        (("nc-medical", "--until", "never"), "--until"),
        (("nc-medical", "--until", "1999-01-01"), "validUntil"),
        (("nc-medical", "--profession", "MD", "--profession", "MD"), "named twice"),
        (("nowhere", "--until", "2099-01-01"), "nowhere"),
    ],
)
def test_an_accreditation_that_there_cannot_be(cli: CLI, arguments: tuple[str, ...], words: str) -> None:
    assert words in cli("board", "accredit", *arguments, code=2).err


def test_who_may_issue_nothing_is_not_accredited_anew(cli: CLI) -> None:
    cli("did", "create", "hospital", "--title", "Mercy Hospital", "--jurisdiction", "US-NC")
    assert "issue nothing" in cli("board", "accredit", "hospital", "--until", "2099-01-01", code=2).err
