"""VerificationResult and AuditEvent, as a FHIR library reads them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from did_health.errors import FormatError
from did_health.health.fhir import AuditEvent, PrimarySource, VerificationResult, activity_bundle
from did_health.health.fhir.writing import URI_SYSTEM, logical, url_of
from did_health.health.purposes import ClaimName
from did_health.health.verification_receipt import ReceiptOverride, VerificationReceipt
from tests.fhir_models import checked

AT = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
URL = url_of("VerificationResult", "row 1")
RESULT = VerificationResult(
    target=logical(URI_SYSTEM, "did:key:z6Mk", kind="Practitioner", display="row 1"),
    verdict="accept",
    at=AT,
    sources=(PrimarySource("did:web:board.example", "Board", "lic-board", AT), PrimarySource("did:web:registry.example")),
    validator="did:web:hospital.example",
)


def code(concept: dict[str, Any]) -> str:
    return str(concept["coding"][0]["code"])


@pytest.mark.parametrize(
    ("verdict", "first", "again", "source"),
    [
        ("accept", "validated", "validated", "successful"),
        ("conditional", "in-process", "in-process", "successful"),
        ("refuse", "val-fail", "reval-fail", "failed"),
        ("indeterminate", "in-process", "req-revalid", "unknown"),
    ],
)
def test_a_verdict_is_a_status_and_never_merged_with_another(verdict: str, first: str, again: str, source: str) -> None:
    for need, status in (("initial", first), ("periodic", again)):
        document: dict[str, Any] = replace(RESULT, verdict=verdict, need=need).to_json(URL)
        checked(document)
        assert (document["status"], code(document["need"])) == (status, need)
        assert document["extension"][0] == {"url": "https://did-health.example/fhir/StructureDefinition/verdict", "valueCode": verdict}
        assert [code(one["validationStatus"]) for one in document["primarySource"]] == [source, source]


def test_a_monthly_row_says_when_it_is_looked_at_again_and_what_it_rests_on() -> None:
    document: dict[str, Any] = replace(
        RESULT,
        verdict="refuse",
        need="periodic",
        every_days=30,
        next_on=date(2026, 12, 22),
        reasons=(("revoked", "the credential is revoked"), ("expired", "it has ended")),
        rests_on=(("checkpoint", {"origin": "ledger.example", "size": "42"}), ("status-list", {"digest": "sha-256 00ff"})),
        validator_name="Hospital",
    ).to_json(URL)
    model = checked(document)
    assert (document["id"], model.nextScheduled) == (URL.removeprefix("urn:uuid:"), date(2026, 12, 22))
    assert document["frequency"] == {"repeat": {"frequency": 1, "period": 30, "periodUnit": "d"}}
    names = [one["url"].rpartition("/")[2] for one in document["extension"]]
    assert names == ["verdict", "reason", "reason", "checkpoint", "status-list"]
    assert [part["valueString"] for one in document["extension"][1:] for part in one["extension"]] == [
        "revoked", "the credential is revoked", "expired", "it has ended", "ledger.example", "42", "sha-256 00ff",
    ]  # fmt: skip
    assert code(document["failureAction"]) == "fatal"
    first, second = document["primarySource"]
    assert (code(first["type"][0]), first["validationDate"], first["who"]["display"]) == ("lic-board", "2026-11-22T10:30:00Z", "Board")
    assert "validationDate" not in second
    assert document["validator"][0]["organization"]["display"] == "Hospital"


def test_a_row_about_nobody_has_no_target() -> None:
    document = replace(RESULT, target=None, sources=(), verdict="indeterminate").to_json(URL)
    checked(document)
    assert {"target", "primarySource", "validator"} & document.keys() == {"validator"}


@pytest.mark.parametrize("change", [{"verdict": "fine"}, {"need": "often"}, {"at": datetime(2026, 1, 1)}])  # noqa: DTZ001
def test_a_result_that_there_is_not_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        replace(RESULT, **change)


EVENT = AuditEvent(
    receipt="urn:uuid:5d2b1f5e-4f0c-4a93-9a55-2f1a0e9b8f11",
    verifier="did:web:pharmacy.example",
    verifier_name="Corner Pharmacy",
    holder="did:key:z6Mk",
    at=AT,
    purpose="pickup",
    claims=("name", "birthDate"),
    verdict="accept",
)


@pytest.mark.parametrize(
    ("purpose", "reason"), [("pickup", "TREAT"), ("checkin", "TREAT"), ("prescriber", "TREAT"), ("credentialing", "HOPERAT"), ("licensure", "HOPERAT")]
)
def test_a_disclosure_says_who_looked_at_whom_and_what_for(purpose: str, reason: str) -> None:
    document: dict[str, Any] = replace(EVENT, purpose=purpose).to_json(URL)
    checked(document)
    assert (document["recorded"], document["outcome"], document["action"]) == ("2026-11-22T10:30:00Z", "0", "R")
    [stated] = document["purposeOfEvent"]
    assert (code(stated), stated["text"]) == (reason, purpose)
    [agent] = document["agent"]
    assert agent["requestor"] is True
    assert (agent["who"]["identifier"]["value"], agent["who"]["display"]) == ("did:web:pharmacy.example", "Corner Pharmacy")
    person, receipt = document["entity"]
    assert person["what"]["identifier"]["value"] == "did:key:z6Mk"
    assert receipt["what"]["identifier"]["value"] == EVENT.receipt
    assert [one["valueString"] for one in receipt["detail"]] == ["name", "birthDate"]


def test_a_refusal_and_another_purpose_are_said() -> None:
    document: dict[str, Any] = replace(EVENT, purpose="survey", verdict="refuse", claims=()).to_json(URL)
    checked(document)
    assert (document["outcome"], document["outcomeDesc"], document["purposeOfEvent"]) == ("4", "verdict: refuse", [{"text": "survey"}])
    assert "detail" not in document["entity"][1]


@pytest.mark.parametrize("change", [{"receipt": "x y"}, {"at": datetime(2026, 1, 1)}, {"purpose": ""}])  # noqa: DTZ001
def test_a_disclosure_that_there_is_not_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        replace(EVENT, **change)


RECEIPT = VerificationReceipt(
    receipt_id=EVENT.receipt,
    verifier=EVENT.verifier,
    purpose="pickup",
    at=AT,
    claims_requested=(ClaimName("PatientIdentityCredential", "name"),),
    claims_disclosed=(ClaimName("PatientIdentityCredential", "name"),),
    policy_id="sha-256 00",
    verdict="refuse",
)


def test_an_activity_log_is_a_bundle_of_events() -> None:
    other = replace(RECEIPT, receipt_id="urn:uuid:2", override=ReceiptOverride("Ph. Green", "known to us"))
    bundle: dict[str, Any] = activity_bundle([(RECEIPT, "did:key:z6Mk"), (other, "did:key:z6Mk")])
    checked(bundle)
    first, second = (entry["resource"] for entry in bundle["entry"])
    for event in (first, second):
        checked(event)
        assert event["entity"][0]["what"]["identifier"]["value"] == "did:key:z6Mk"
        assert [one["valueString"] for one in event["entity"][1]["detail"]] == [str(RECEIPT.claims_disclosed[0])]
    assert (first["outcome"], first["outcomeDesc"]) == ("4", "verdict: refuse")
    assert (second["outcome"], second["outcomeDesc"]) == ("0", "verdict: refuse, overridden by a person")
    assert len({entry["fullUrl"] for entry in bundle["entry"]}) == 2


def test_an_empty_activity_log_is_an_empty_bundle() -> None:
    bundle = activity_bundle([])
    checked(bundle)
    assert bundle == {"resourceType": "Bundle", "type": "collection"}
