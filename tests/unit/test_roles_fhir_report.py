"""A report as a FHIR Bundle: only what may be read, with the result beside it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from did_health.errors import VerificationError
from did_health.health.restrictions import Restriction
from did_health.roles.fhir_report import fhir_bundle
from tests.cli_runs import CLI
from tests.fhir_models import checked
from tests.town import AUDIENCE, Town


def resources(bundle: Any) -> dict[str, Any]:
    checked(bundle)
    for entry in bundle["entry"]:
        checked(entry["resource"])
    return {entry["resource"]["resourceType"]: entry["resource"] for entry in bundle["entry"]}


def test_an_accepted_licence_comes_with_its_result(town: Town) -> None:
    report = town.show(town.issue())
    bundle, unsaid = fhir_bundle(report, validator=AUDIENCE)
    found = resources(bundle)
    assert found.keys() == {"Organization", "Practitioner", "VerificationResult"}
    result = found["VerificationResult"]
    assert result["status"] == "validated"
    assert result["target"] == [{"reference": f"urn:uuid:{found['Practitioner']['id']}", "type": "Practitioner"}]
    assert result["validator"][0]["organization"]["identifier"]["value"] == AUDIENCE
    assert result["primarySource"][0]["who"]["identifier"]["value"] == town.board.institution.did
    assert unsaid == ("PhysicianLicenseCredential.validUntil",)


def test_what_may_not_be_read_is_not_written(town: Town) -> None:
    issued = town.issue(restrictions=(Restriction("no_schedule_2", "No Schedule II drugs", date(2020, 1, 1)),))
    report = town.show(issued, purpose="prescribe", schedule="4")
    with pytest.raises(VerificationError):
        fhir_bundle(report)
    bundle, unsaid = fhir_bundle(report.overridden(by="Dr. Head", reason="seen by the committee"))
    result = resources(bundle)["VerificationResult"]
    verdict, reason = result["extension"][:2]
    assert (result["status"], verdict["valueCode"]) == ("in-process", "conditional")
    assert reason["extension"][0] == {"url": "code", "valueString": "license_restricted"}
    assert "validator" not in result
    assert "PhysicianLicenseCredential.restrictions" in unsaid


def test_verify_writes_it_if_the_verdict_allows(cli: CLI) -> None:
    shown = cli.shown()
    ran = cli.verify(shown, "--fhir", "verified.json")
    assert "FHIR has no place for: PhysicianLicenseCredential.validUntil" in ran.err
    assert Path("verified.json").stat().st_mode & 0o777 == 0o600
    found = resources(json.loads(Path("verified.json").read_text()))
    assert found["Practitioner"]["qualification"][0]["identifier"][0]["value"] == "12345"
    cli("board", "suspend", "nc-medical", "12345", "--reason", "an order")
    ran = cli.verify(shown, "--fhir", "refused.json", code=1)
    assert "refused.json was not written" in ran.err
    assert not Path("refused.json").exists()
    cli.verify(shown, "--fhir", "refused.json", "--override-by", "Head", "--override-reason", "history", code=1)
    assert resources(json.loads(Path("refused.json").read_text()))["VerificationResult"]["status"] == "val-fail"
