from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from did_health.errors import FormatError, VerificationError
from did_health.health.dated_tables import DatedTable, packaged_table
from did_health.health.purposes import PURPOSES, ClaimName, PurposePolicies, TooOld, packaged_purposes
from did_health.limits import MAX_REQUEST_BYTES
from did_health.roles.request import Request
from did_health.vc.packaged import schema_file
from tests.conftest import repeatable_bytes
from tests.town import Town

NOW = datetime(2026, 12, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def table(name: str, *rows: dict[str, Any]) -> DatedTable:
    return replace(packaged_table(name), rows=tuple(MappingProxyType({"source": next(iter(packaged_table(name).sources)), **row}) for row in rows))


CLAIMS = {"purpose": "pickup", "credential": "PatientIdentityCredential", "claims": ["name"]}
LIMIT = {"purpose": "pickup", "maxAgeSeconds": 60, "tooOld": "by_hand"}


def test_every_purpose_has_a_policy_and_every_row_its_source() -> None:
    policies = packaged_purposes()
    assert set(policies.policies) == set(PURPOSES)
    for each in policies.tables:
        assert each.rows
        for row in each.rows:
            assert each.source_of(row).url.startswith("https://")


def test_the_claims_that_may_be_asked_are_claims_of_their_types() -> None:
    for policy in packaged_purposes().policies.values():
        for kind, claims in policy.claims.items():
            schema = json.loads(schema_file(f"{kind}.json"))
            assert claims <= schema["properties"]["credentialSubject"]["properties"].keys(), kind


@pytest.mark.parametrize(("schedule", "age"), [("none", DAY), ("2", HOUR), ("2N", HOUR), ("4", HOUR), ("", HOUR)])
def test_how_old_evidence_may_be_at_the_counter(schedule: str, age: timedelta) -> None:
    limit = packaged_purposes().policy("pickup").limit(schedule)
    assert (limit.max_age, limit.too_old) == (age, TooOld.BY_HAND)


def test_only_where_nothing_presses_is_there_a_wait() -> None:
    assert {name: policy.limit().too_old for name, policy in packaged_purposes().policies.items()} == {
        "pickup": "by_hand", "checkin": "by_hand", "prescriber": "by_hand", "credentialing": "wait", "licensure": "wait",
    }  # fmt: skip
    assert packaged_purposes().policy("credentialing").limit().max_age == timedelta(days=120)


def test_a_purpose_without_a_policy() -> None:
    with pytest.raises(FormatError, match="no policy"):
        packaged_purposes().policy("marketing")


def test_stale_tables_are_refused() -> None:
    policies = packaged_purposes()
    policies.require_current(date(2027, 6, 1))
    with pytest.raises(VerificationError) as stale:
        policies.require_current(date(2028, 1, 1))
    assert stale.value.code == "table_stale"
    with pytest.raises(VerificationError):
        policies.require_current(date(2027, 6, 1), timedelta(days=30))


@pytest.mark.parametrize(
    ("claims", "limits"),
    [
        ([CLAIMS], []),
        ([CLAIMS], [LIMIT, LIMIT]),
        ([CLAIMS], [{**LIMIT, "schedules": ["2"]}]),
        ([{**CLAIMS, "purpose": "marketing"}], [LIMIT]),
        ([{**CLAIMS, "claims": ["na.me"]}], [LIMIT]),
        ([{**CLAIMS, "credential": 3}], [LIMIT]),
        ([{"purpose": "pickup", "credential": "X"}], [LIMIT]),
        ([CLAIMS], [{**LIMIT, "maxAgeSeconds": 0}]),
        ([CLAIMS], [{**LIMIT, "maxAgeSeconds": 366 * 86_400 + 1}]),
        ([CLAIMS], [{**LIMIT, "maxAgeSeconds": True}]),
        ([CLAIMS], [{**LIMIT, "tooOld": "shrug"}]),
        ([CLAIMS], [LIMIT, {**LIMIT, "schedules": ["7"]}]),
    ],
)
def test_tables_that_say_nothing(claims: list[dict[str, Any]], limits: list[dict[str, Any]]) -> None:
    with pytest.raises(FormatError):
        PurposePolicies.of(table("purpose-claims", *claims), table("purpose-limits", *limits))


def test_a_request_that_asks_for_what_the_purpose_needs() -> None:
    policy = packaged_purposes().policy("pickup")
    claims = [ClaimName("PatientIdentityCredential", "name"), ClaimName("PatientIdentityCredential", "birthDate")]
    request = Request.ask(policy, [*claims, claims[0]], audience="https://pharmacy.example", random=repeatable_bytes("request"), now=NOW)
    assert (request.claims, request.types, request.purpose) == (tuple(claims), ("PatientIdentityCredential",), "pickup")
    newest = max(table.compiled_on for table in packaged_purposes().tables)
    assert request.policy_id == f"purposes/{newest}#pickup"
    assert Request.parse(request.to_json()) == request


@pytest.mark.parametrize(
    ("purpose", "claim"),
    [
        ("pickup", "PatientIdentityCredential.address"),
        ("pickup", "PhysicianLicenseCredential.name"),
        ("prescriber", "PatientIdentityCredential.name"),
        ("checkin", "PatientIdentityCredential.idDocument"),
    ],
)
def test_a_request_that_asks_for_more_is_never_made(purpose: str, claim: str) -> None:
    policy = packaged_purposes().policy(purpose)
    with pytest.raises(VerificationError) as refused:
        Request.ask(policy, [ClaimName.parse(claim, "")], audience="a", random=repeatable_bytes("x"), now=NOW)
    assert refused.value.code == "purpose_exceeded"
    assert claim in str(refused.value)


def test_a_request_that_asks_for_nothing_or_too_much() -> None:
    policy = packaged_purposes().policy("pickup")
    for claims in ([], [ClaimName("X", f"c{number}") for number in range(65)]):
        with pytest.raises(FormatError):
            Request.ask(policy, claims, audience="a", random=repeatable_bytes("x"), now=NOW)


def test_a_limit_of_the_purpose_is_taken_where_the_trust_policy_allows_more(town: Town) -> None:
    issued = town.issue()
    evidence, seen = town.evidence(issued), town.clock()
    later = seen + timedelta(hours=2)
    assert town.judge(issued, evidence=evidence, now=later).verdict == "accept"
    assert town.judge(issued, evidence=evidence, now=later, max_age=HOUR).codes == ("evidence_stale",)
    # The trust policy's own limit of a day is not widened.
    assert town.judge(issued, evidence=evidence, now=seen + timedelta(hours=25), max_age=timedelta(days=120)).verdict == "indeterminate"


def test_a_request_has_a_size() -> None:
    with pytest.raises(FormatError):
        Request.parse(b" " * MAX_REQUEST_BYTES + b"{}")
