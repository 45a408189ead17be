"""Registrations to prescribe, and delegations to pick up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from did_health.errors import FormatError
from did_health.health.act import Act
from did_health.health.issuer_details import Issuer
from did_health.health.person_name import PersonName
from did_health.health.pickup_delegation import Minor, PickupDelegation
from did_health.health.prescriber_registration import PrescriberRegistration
from did_health.limits import MAX_DELEGATION_USES

UNTIL = datetime(2027, 12, 31, tzinfo=UTC)
REGISTRATION = PrescriberRegistration(dea_number="AP5836727", schedules=("2", "4"), state="US-NC", valid_until=UNTIL)
DELEGATION = PickupDelegation(relationship="friend", valid_until=UNTIL)
HASH = "uEiBDxM8a1tP3mZ6cW1yTqQk0cWc0n0uYqf8v9b3yJ0yq3w"
AGENCY = Issuer("did:web:agency.example", "Agency of Testing", "US")


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"dea_number": "AP5836728"}, "/deaNumber"),
        ({"schedules": ()}, "/schedules"),
        ({"schedules": ("2", "2")}, "/schedules"),
        ({"schedules": ("II",)}, "/schedules/0"),
        ({"state": "US"}, "/state"),
        ({"valid_until": date(2027, 1, 1)}, "/validUntil"),
    ],
)
def test_a_registration_with_a_fault_is_refused_by_its_member(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(FormatError) as caught:
        replace(REGISTRATION, **changes)
    assert caught.value.where == where


def test_a_registration_is_issued_for_the_country_or_for_the_state() -> None:
    assert REGISTRATION.number == "AP5836727"
    for issuer in (AGENCY, replace(AGENCY, jurisdiction="US-NC")):
        subject = REGISTRATION.to_subject("did:key:z6Mk", issuer)
        assert PrescriberRegistration.from_subject(subject, valid_until=UNTIL) == REGISTRATION
    with pytest.raises(FormatError) as caught:
        REGISTRATION.to_subject("did:key:z6Mk", replace(AGENCY, jurisdiction="US-VA"))
    assert caught.value.where == "/state"


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"relationship": "neighbour"}, "/relationship"),
        ({"pharmacies": ("a pharmacy",)}, "/pharmacies/0"),
        ({"scope": "some"}, "/scope"),
        ({"scope": "rx_hash"}, "/prescriptions"),
        ({"prescriptions": (HASH,)}, "/prescriptions"),
        ({"scope": "rx_hash", "prescriptions": ("rx 7",)}, "/prescriptions/0"),
        ({"max_uses": 0}, "/maxUses"),
        ({"max_uses": True}, "/maxUses"),
        ({"max_uses": MAX_DELEGATION_USES + 1}, "/maxUses"),
        ({"on_behalf_of": "a child"}, "/onBehalfOf"),
        ({"valid_from": UNTIL}, "/validUntil"),
    ],
)
def test_a_delegation_with_a_fault_is_refused_by_its_member(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(FormatError) as caught:
        replace(DELEGATION, **changes)
    assert caught.value.where == where


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ("a child", "/onBehalfOf"),
        ({}, "/onBehalfOf/birthDate"),
        ({"birthDate": "2015-01-01"}, "/onBehalfOf/name"),
        ({"birthDate": "soon"}, "/onBehalfOf/birthDate"),
    ],
)
def test_a_minor_with_a_fault_is_refused_by_its_member(value: Any, where: str) -> None:
    with pytest.raises(FormatError) as caught:
        PickupDelegation.from_subject(DELEGATION.to_subject("did:key:z6Mk") | {"onBehalfOf": value}, valid_until=UNTIL)
    assert caught.value.where == where


def test_a_delegation_is_read_as_it_was_written() -> None:
    whole = replace(
        DELEGATION,
        pharmacies=("did:web:pharmacy.example",),
        scope="rx_hash",
        prescriptions=(HASH,),
        on_behalf_of=Minor(PersonName("Brown", "Bea"), date(2015, 1, 2)),
    )
    for one in (DELEGATION, whole):
        assert PickupDelegation.from_subject(one.to_subject("did:key:z6Mk"), valid_until=UNTIL) == one
    assert whole.number == ""


@pytest.mark.parametrize(
    ("scope", "act", "covered"),
    [
        ("all", Act("pickup", "2"), True),
        ("all", Act("pickup"), True),
        ("non_controlled", Act("pickup", "none"), True),
        ("non_controlled", Act("pickup", "2"), False),
        ("non_controlled", Act("pickup"), None),
        ("rx_hash", Act("pickup", prescription=HASH), True),
        ("rx_hash", Act("pickup", prescription="uOther"), False),
        ("rx_hash", Act("pickup", "2"), None),
    ],
)
def test_a_delegation_covers_what_its_scope_says(scope: str, act: Act, covered: bool | None) -> None:
    delegation = replace(DELEGATION, scope=scope, prescriptions=(HASH,) if scope == "rx_hash" else ())
    assert delegation.covers(act) is covered


def test_an_act_names_its_pharmacy_by_did() -> None:
    with pytest.raises(FormatError) as caught:
        Act("pickup", pharmacy="the corner")
    assert caught.value.where == "pharmacy"
    with pytest.raises(FormatError):
        Act("pickup", prescription=" ")
    assert not Act("pickup", "none").is_controlled
