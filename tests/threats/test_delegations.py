"""Delegations that nobody made, and identities that somebody copied."""

from __future__ import annotations

from datetime import timedelta

import pytest

from did_health.health.pickup_delegation import PickupDelegation
from did_health.roles.issuer import Board, Issued
from did_health.roles.report import CheckName
from tests.healthcare_parties import PICKUP, Household
from tests.town import Town


@pytest.fixture(scope="module")
def town(own_town: Town) -> Town:
    return own_town


def test_a_copied_identity_serves_nobody_without_the_patients_signature(town: Town, csp: Board) -> None:
    house = Household(town, csp)
    own = house.delegation(house.thief, house.accomplice)
    report = town.show(own, house.identity, wallet=house.accomplice, **PICKUP)
    assert (report.verdict, "not_the_holder" in report.codes) == ("refuse", True)
    # In the patient's name, but signed by the thief.
    document = {name: value for name, value in own.credential.items() if name != "proof"} | {"issuer": house.patient.did}
    method = f"{house.thief.did}#{house.thief.did.removeprefix('did:key:')}"
    forged = Issued(town.signed(document, signer=house.thief._signer, method=method), None)
    assert "wrong_controller" in town.show(forged, house.identity, wallet=house.accomplice, **PICKUP).codes
    # A true delegation to the thief is not one to the accomplice, though the thief hands it on.
    true = house.delegation(house.patient, house.thief)
    report = town.show(true, own, house.identity, wallet=house.accomplice, **PICKUP)
    assert [check.code for check in report.reasons].count("not_the_holder") == 2


def test_a_delegation_by_somebody_whose_identity_was_revoked_is_refused(town: Town, csp: Board) -> None:
    house = Household(town, csp)
    delegation = house.delegation(house.patient, house.accomplice)
    assert town.show(delegation, house.identity, wallet=house.accomplice, **PICKUP).verdict == "accept"
    csp.revoke(house.identity, reason="the phone was stolen")
    assert town.show(delegation, house.identity, wallet=house.accomplice, **PICKUP).codes == ("revoked", "status_message")


@pytest.mark.parametrize("types", [["PickupDelegationCredential", "PatientIdentityCredential"], ["PhysicianLicenseCredential", "PickupDelegationCredential"]])
def test_a_persons_own_word_is_no_word_of_an_institution(town: Town, csp: Board, types: list[str]) -> None:
    house = Household(town, csp)
    document = {name: value for name, value in house.delegation(house.thief, house.accomplice).credential.items() if name != "proof"}
    for order in (["VerifiableCredential", *types], [*types, "VerifiableCredential"]):
        method = f"{house.thief.did}#{house.thief.did.removeprefix('did:key:')}"
        made = Issued(town.signed(document | {"type": order}, signer=house.thief._signer, method=method), None)
        report = town.show(made, wallet=house.accomplice, **PICKUP)
        assert report.check(CheckName.RECEIPT).code == "not_logged"
        assert report.check(CheckName.ENTITLEMENT).outcome != "pass"


def test_a_delegation_that_cannot_be_taken_back_says_so(town: Town, csp: Board) -> None:
    house = Household(town, csp)
    granted = house.delegation(house.patient, house.accomplice).credential
    document = {name: value for name, value in granted.items() if name not in ("proof", "credentialStatus")}
    method = f"{house.patient.did}#{house.patient.did.removeprefix('did:key:')}"
    made = Issued(town.signed(document, signer=house.patient._signer, method=method), None)
    report = town.show(made, house.identity, wallet=house.accomplice, **PICKUP)
    assert (report.verdict, report.codes) == ("conditional", ("delegation_not_revocable",))


def test_a_retired_key_delegates_nothing(town: Town) -> None:
    facility = town.directory.create_board("facility", title="A Facility", jurisdiction="US-NC", professions=["MD"])
    stolen, method = facility.institution.keys.assertion, facility.institution.verification_method
    town.ticking(1)
    facility.institution.rotate(lambda _: None)
    claims = PickupDelegation(relationship="facility", valid_until=town.clock() + timedelta(days=30))
    granted = town.wallet.delegate(claims, to=town.stranger.did, random=town.random).credential
    document = {name: value for name, value in granted.items() if name != "proof"} | {"issuer": facility.did}
    made = Issued(town.signed(document, signer=stolen, method=method), None)
    report = town.show(made, wallet=town.stranger, **PICKUP)
    assert report.check(CheckName.RECEIPT).code == "key_retired"
    assert report.verdict == "refuse"
