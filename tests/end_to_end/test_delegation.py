"""A patient lets somebody pick up, and takes it back without a server; a prescriber's registration is judged by state and schedule."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from did_health.errors import ConflictError, FormatError, VerificationError
from did_health.health.person_name import PersonName
from did_health.health.pickup_delegation import Minor, PickupDelegation
from did_health.health.prescriber_registration import PrescriberRegistration
from did_health.keys.sealed import open_sealed
from did_health.roles.holder import Wallet, wallet_sealing_key
from did_health.roles.issuer import Board, Issued
from did_health.roles.report import CheckName, Report
from tests.ledger_parties import CHEAP, PASSPHRASE
from tests.town import Town

PHARMACY = "did:web:pharmacy.example"
PICKUP = {"purpose": "pickup", "schedule": "none", "pharmacy": PHARMACY}


class Family:
    """A patient and the agent who picks up, both with identities; each test has its own."""

    def __init__(self, town: Town, csp: Board) -> None:
        self.town, self.csp = town, csp
        self.patient, self.agent = (Wallet.create(clock=town.clock, random=town.random) for _ in range(2))
        for wallet in (self.patient, self.agent):
            wallet.add(csp.issue(town.identity(), to=wallet.did))

    def delegate(self, *, identified: bool = True, **changes: Any) -> Issued:
        delegation = PickupDelegation(**{"relationship": "friend", "valid_until": self.town.clock() + timedelta(days=30), **changes})
        issued = self.patient.delegate(delegation, to=self.agent.did, random=self.town.random)
        self.agent.add(Issued.parse(issued.to_json()))
        if identified:
            self.agent.add(self.patient.find("PatientIdentityCredential"))
        return issued

    def show(self, *, wallet: Wallet | None = None, **act: Any) -> Report:
        shown = (wallet or self.agent).credentials
        return self.town.show(*shown, wallet=wallet or self.agent, **{**PICKUP, **act})


@pytest.fixture(scope="module")
def town(own_town: Town) -> Town:
    return own_town


@pytest.fixture
def family(town: Town, csp: Board) -> Family:
    return Family(town, csp)


def test_an_agent_shows_who_delegated_to_them(family: Family) -> None:
    family.delegate(pharmacies=(PHARMACY,))
    report = family.show()
    assert (report.verdict, report.codes) == ("accept", ())
    codes = {(check.credential, check.code) for check in report.checks}
    assert {(0, "holder_bound"), (1, "never_logged"), (1, "speaks_for_itself"), (1, "status_clear"), (2, "held_by_agent")} <= codes


def test_a_delegation_is_revoked_by_its_handle_and_by_nobody_else(family: Family) -> None:
    granted = family.delegate()
    ledger = family.town.directory.ledger
    assert family.show().verdict == "accept"
    # Somebody who knows the credential, but not the handle.
    stranger = Wallet.create(clock=family.town.clock, random=family.town.random)
    with pytest.raises(KeyError):
        stranger.revocation(granted.id, random=family.town.random)
    submission = family.patient.revocation(granted.id, random=family.town.random)
    assert family.patient.did not in str(submission)
    ledger.submit([submission])
    report = family.show()
    assert (report.verdict, report.codes) == ("refuse", ("revoked",))
    assert report.check(CheckName.STATUS, 1).as_of is not None
    with pytest.raises((VerificationError, ConflictError)):
        ledger.submit([family.patient.revocation(granted.id, random=family.town.random)])


def test_without_proof_of_absence_it_is_not_known_whether_it_was_revoked(family: Family) -> None:
    granted = family.delegate()
    evidence = family.show().evidence
    subject = next(url for url in evidence if "/latest/" in url and url not in family.town.evidence(family.agent.credentials[0]))
    document = family.town.presentation(*family.agent.credentials, nonce="n", wallet=family.agent)
    report = family.town.verifier.verify(document, audience="https://pharmacy.example", nonce="n", evidence=evidence.without([subject]), **PICKUP)
    assert report.verdict == "indeterminate"
    assert granted.id not in str(report.to_json())


@pytest.mark.parametrize(
    ("changes", "act", "verdict", "code"),
    [
        ({}, {"schedule": "2"}, "refuse", "delegation_scope_exceeded"),
        ({}, {"schedule": ""}, "indeterminate", "delegation_scope_undecided"),
        ({"pharmacies": ("did:web:other.example",)}, {}, "refuse", "delegation_for_another_pharmacy"),
        ({"pharmacies": (PHARMACY,)}, {"pharmacy": ""}, "indeterminate", "pharmacy_not_named"),
    ],
)
def test_what_the_delegation_does_not_cover(family: Family, changes: dict[str, Any], act: dict[str, str], verdict: str, code: str) -> None:
    family.delegate(**changes)
    report = family.show(**act)
    assert (report.verdict, report.codes) == (verdict, (code,))


def test_an_expired_delegation_is_refused(family: Family) -> None:
    family.delegate()
    family.town.clock.move(days=31)
    try:
        assert "expired" in family.show().codes
    finally:
        family.town.clock.move(days=-31)


def test_who_delegates_is_left_to_the_pharmacy_if_nothing_says_so(family: Family) -> None:
    family.delegate(identified=False)
    assert (family.show().verdict, family.show().codes) == ("conditional", ("delegator_not_identified",))


def test_a_guardian_is_for_the_pharmacy_to_know(family: Family) -> None:
    child = Minor(PersonName("Qqfamily", "Child"), family.town.clock().date() - timedelta(days=3650))
    family.delegate(relationship="parent", on_behalf_of=child)
    assert (family.show().verdict, family.show().codes) == ("conditional", ("guardian_to_be_checked",))


def test_a_delegation_to_somebody_else_is_no_use(family: Family, town: Town) -> None:
    granted = family.delegate()
    with pytest.raises(ValueError, match="somebody else"):
        town.stranger.add(granted)
    report = family.town.show(granted, family.patient.find("PatientIdentityCredential"), wallet=town.stranger, **PICKUP)
    assert report.codes == ("not_the_holder",)


def test_a_delegation_that_somebody_else_signed_is_refused(family: Family) -> None:
    granted = family.delegate()
    forged = Issued({**granted.credential, "issuer": family.agent.did}, None)
    report = family.town.show(forged, family.patient.find("PatientIdentityCredential"), wallet=family.agent, **PICKUP)
    assert {"wrong_controller", "not_the_holder"} <= set(report.codes)


def test_another_type_by_a_person_is_neither_logged_nor_accredited(family: Family) -> None:
    granted = family.delegate()
    document = {**granted.credential, "type": [*granted.credential["type"], "PhysicianLicenseCredential"]}
    report = family.town.show(Issued(document, None), wallet=family.agent, **PICKUP)
    assert "not_logged" in report.codes
    assert report.check(CheckName.ENTITLEMENT).outcome != "pass"
    with pytest.raises(FormatError, match="no issuance receipt"):
        Issued.parse(Issued(document, None).to_json())


@pytest.mark.parametrize(
    ("subject", "code"),
    [({"relationship": "neighbour"}, "delegation_malformed"), ({"maxUses": 0}, "delegation_malformed")],
)
def test_a_delegation_that_there_cannot_be_is_refused(family: Family, subject: dict[str, Any], code: str) -> None:
    granted = family.delegate()
    document = {name: value for name, value in granted.credential.items() if name not in ("proof", "credentialSchema")}
    document["credentialSubject"] = {**document["credentialSubject"], **subject}
    report = family.town.show(Issued(family.patient._secured(document, "assertionMethod"), None), wallet=family.agent, **PICKUP)
    assert code in report.codes


def test_a_delegation_of_two_agents_is_refused(family: Family) -> None:
    granted = family.delegate()
    document = {name: value for name, value in granted.credential.items() if name != "proof"}
    document["credentialSubject"] = [document["credentialSubject"]] * 2
    report = family.town.show(Issued(family.patient._secured(document, "assertionMethod"), None), wallet=family.agent, **PICKUP)
    assert "delegation_malformed" in report.codes


def test_a_malformed_status_entry_is_refused(family: Family) -> None:
    granted = family.delegate()
    document = {name: value for name, value in granted.credential.items() if name != "proof"}
    document["credentialStatus"] = {**document["credentialStatus"], "handleDigest": "u"}
    report = family.town.show(Issued(family.patient._secured(document, "assertionMethod"), None), wallet=family.agent, **PICKUP)
    assert "status_malformed" in report.codes


def test_what_cannot_be_delegated(family: Family) -> None:
    now = family.town.clock()
    with pytest.raises(ValueError, match="themselves"):
        family.patient.delegate(PickupDelegation(relationship="self", valid_until=now + timedelta(days=1)), to=family.patient.did, random=family.town.random)
    with pytest.raises(ValueError, match="before it begins"):
        family.patient.delegate(PickupDelegation(relationship="friend", valid_until=now), to=family.agent.did, random=family.town.random)


def test_a_wallet_keeps_what_it_granted(family: Family) -> None:
    granted = family.delegate()
    key = wallet_sealing_key(PASSPHRASE, family.town.random, CHEAP)
    sealed = family.patient.sealed(key, family.town.random)
    again, _ = Wallet.open(sealed, PASSPHRASE, clock=family.town.clock)
    assert [grant.id for grant in again.grants] == [granted.id]
    assert again.grants[0].handle == family.patient.grants[0].handle
    assert again.grants[0].handle.hex() not in repr(again.grants)
    other, _ = Wallet.open(family.agent.sealed(key, family.town.random), PASSPHRASE, clock=family.town.clock)
    assert [item.receipt is None for item in other.credentials] == [False, True, False]
    empty = Wallet(family.patient._signer, clock=family.town.clock)
    empty.take_in(again)
    assert [grant.id for grant in empty.grants] == [granted.id]


@pytest.mark.parametrize(
    "grants", [7, [7], [{"credential": {}, "handle": 7}], [{"credential": {}, "handle": "AAAA"}], [{"credential": {"id": 7}, "handle": "A" * 43}]]
)
def test_a_wallet_with_malformed_grants_is_refused(family: Family, grants: Any) -> None:
    from did_health.encoding import strict_json

    key = wallet_sealing_key(PASSPHRASE, family.town.random, CHEAP)
    document = strict_json.loads_object(open_sealed(family.patient.sealed(key, family.town.random), PASSPHRASE, content="wallet")[0])
    with pytest.raises(FormatError):
        Wallet.open(key.seal(strict_json.dumps({**document, "grants": grants}), family.town.random), PASSPHRASE, clock=family.town.clock)


# ---- registrations

_numbers = count(1)


@pytest.fixture(scope="module")
def agency(town: Town) -> Board:
    return town.directory.create_board("dea", title="Agency", jurisdiction="US", resources=["PrescriberRegistrationCredential"], entity_type="registry")


def registered(town: Town, agency: Board, **changes: Any) -> Issued:
    digits = f"{next(_numbers):06d}"
    check = (sum(map(int, digits[0:6:2])) + 2 * sum(map(int, digits[1:6:2]))) % 10
    claims = {"dea_number": f"AQ{digits}{check}", "schedules": ("2", "3"), "state": "US-NC", "valid_until": town.clock() + timedelta(days=900), **changes}
    issued = agency.issue(PrescriberRegistration(**claims), to=town.wallet.did)
    town.wallet.add(issued)
    return issued


@pytest.mark.parametrize(
    ("act", "verdict", "codes"),
    [
        ({"schedule": "2", "jurisdiction": "US-NC"}, "accept", ()),
        ({"schedule": "none", "jurisdiction": "US-NC"}, "accept", ()),
        ({"schedule": "4", "jurisdiction": "US-NC"}, "refuse", ("schedule_not_registered",)),
        ({"schedule": "2", "jurisdiction": "US-VA"}, "refuse", ("registration_of_another_state",)),
    ],
)
def test_a_registration_is_good_for_its_state_and_schedules(
    town: Town, agency: Board, act: dict[str, str], verdict: str, codes: tuple[str, ...]
) -> None:
    report = town.show(registered(town, agency), purpose="prescribe", **act)
    assert (report.verdict, report.codes) == (verdict, codes)


def test_an_agency_of_one_state_registers_for_no_other(town: Town) -> None:
    state = town.directory.create_board("dea-va", title="Agency", jurisdiction="US-VA", resources=["PrescriberRegistrationCredential"], entity_type="registry")
    with pytest.raises(FormatError, match="US-NC"):
        registered(town, state)
    assert town.show(registered(town, state, state="US-VA"), purpose="prescribe").verdict == "accept"


@pytest.mark.parametrize("change", [{"validUntil": None}, {"credentialSubject": {"deaNumber": "AP5836728"}}])
def test_a_registration_that_there_cannot_be_is_refused(town: Town, agency: Board, change: dict[str, Any]) -> None:
    issued = registered(town, agency)
    document = {name: value for name, value in issued.credential.items() if name not in ("proof", *(n for n, v in change.items() if v is None))}
    document["credentialSubject"] = {**document["credentialSubject"], **change.get("credentialSubject", {})}
    made = town.logged(town.signed(document, by=agency.institution), by=agency.institution)
    assert "registration_malformed" in town.show(made, purpose="prescribe").codes
