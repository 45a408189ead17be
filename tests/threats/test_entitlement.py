"""Who may issue, and when: no record, date, or retired key makes an issuer of somebody who was none at the time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from did_health.encoding import strict_json, timestamps
from did_health.errors import VerificationError
from did_health.health.board_accreditation import BoardAccreditation
from did_health.ledger.batch import IssuanceBatch, credential_digest
from did_health.ledger.entry import Kind, subject_of
from did_health.ledger.log import prepare
from did_health.roles.institution import Institution, InstitutionKeys
from did_health.roles.issuer import Board, Issued
from did_health.roles.report import CheckName, Verdict
from did_health.roles.verifier import Verifier
from did_health.trust.registry import record_identifier
from tests.town import LATER, Town
from tests.verdicts import refused, undecided


def new_board(town: Town, **accreditation: object) -> Institution:
    """A board of its own, accredited for PhysicianLicenseCredential unless ``accreditation`` is empty of dates."""
    board = town.directory.create_institution(f"threat-{town.nonce()}", title="A Board", jurisdiction="US-NC")
    if accreditation:
        accredit(town, board, **accreditation)
    return board


def accredit(town: Town, board: Institution, **changes: object) -> None:
    values: dict[str, object] = {
        "name": "A Board",
        "entity_type": "medical_board",
        "jurisdiction": "US-NC",
        "resource": "PhysicianLicenseCredential",
        "professions": ("MD",),
        "valid_until": LATER,
    }
    town.directory.authority().accredit(BoardAccreditation(**{**values, **changes}), entity=board.did)  # type: ignore[arg-type]


def licence_of(town: Town, board: Institution, **changes: object) -> Issued:
    subject = {"board": {"id": board.did, "name": "A Board", "jurisdiction": "US-NC"}}
    return town.made(by=board, issuer=board.did, subject=subject, credentialStatus=None, **changes)


# ---- who may issue


def test_a_record_about_another_entity_serves_nobody_else(town: Town) -> None:
    authority, board = town.verifier.policy.registry_authority, new_board(town)
    issued = licence_of(town, board)
    mine, theirs = (
        town.latest_url(subject_of(Kind.REGISTRY_RECORD, record_identifier(authority, did, "issue", "PhysicianLicenseCredential")))
        for did in (board.did, town.board.did)
    )
    evidence = town.evidence(town.issue()).with_items(town.evidence(issued).items)
    undecided(town.judge(issued, evidence=evidence.with_items({mine: evidence.items[theirs]})), CheckName.ENTITLEMENT, "ledger_proof_mismatch")


def test_who_may_verify_may_not_therefore_issue(town: Town) -> None:
    board = new_board(town, action="verify")
    refused(town.judge(licence_of(town, board)), CheckName.ENTITLEMENT, "issuer_not_accredited")


def test_a_record_that_says_another_action_than_its_subject_does_not_entitle(town: Town) -> None:
    authority, board = town.directory.authority(), new_board(town, valid_until=LATER)
    record = town.directory.authority().accredit(
        BoardAccreditation(
            name="A Board",
            entity_type="medical_board",
            jurisdiction="US-NC",
            resource="PhysicianLicenseCredential",
            professions=("MD",),
            valid_until=LATER,
            action="verify",
        ),
        entity=board.did,
    )
    identifier = record_identifier(authority.did, board.did, "issue", "PhysicianLicenseCredential")
    town.log_content(Kind.REGISTRY_RECORD, identifier, strict_json.dumps(record), by=authority.institution)
    refused(town.judge(licence_of(town, board)), CheckName.ENTITLEMENT, "issuer_not_accredited")


def test_an_accreditation_that_ended_since_the_issuing_is_refused_now(town: Town) -> None:
    began = town.clock() - timedelta(days=1)
    board = new_board(town, valid_from=began)
    issued = licence_of(town, board)
    assert town.judge(issued).verdict is Verdict.ACCEPT
    town.ticking(60)
    accredit(town, board, valid_from=began, valid_until=town.clock())
    refused(town.judge(issued), CheckName.ENTITLEMENT, "accreditation_ended")


def test_what_was_issued_before_the_accreditation_is_refused_after_it_too(town: Town) -> None:
    board = new_board(town)
    issued = licence_of(town, board)
    town.ticking(60)
    accredit(town, board, valid_from=town.clock())
    refused(town.judge(issued), CheckName.ENTITLEMENT, "accreditation_not_yet_valid")
    assert town.judge(licence_of(town, board)).verdict is Verdict.ACCEPT


@pytest.mark.parametrize("days", [-400, 0], ids=["back_dated", "dated_into_the_accreditation"])
def test_the_issuers_own_dates_do_not_move_the_issuing(town: Town, days: int) -> None:
    board = new_board(town)
    town.ticking(60)
    begins = town.clock() + timedelta(seconds=60)
    issued = licence_of(town, board, validFrom=timestamps.format(begins + timedelta(days=days)))
    accredit(town, board, valid_from=begins if days == 0 else begins - timedelta(days=0))
    town.ticking(120)
    refused(town.judge(issued), CheckName.ENTITLEMENT, "accreditation_not_yet_valid")


def test_a_deactivated_issuer_is_refused(town: Town) -> None:
    board = new_board(town, valid_from=town.clock() - timedelta(days=1))
    issued = licence_of(town, board)
    town.ticking(1)
    board.deactivate()
    refused(town.judge(issued), CheckName.ISSUER, "did_deactivated")


def test_a_retired_key_keeps_proving_what_it_signed_before(town: Town) -> None:
    board = new_board(town, valid_from=town.clock() - timedelta(days=1))
    issued = licence_of(town, board)
    town.ticking(1)
    board.rotate(lambda _: None)
    assert town.judge(issued).verdict is Verdict.ACCEPT
    assert town.judge(licence_of(town, board)).verdict is Verdict.ACCEPT


def test_memory_never_turns_a_no_into_a_yes(town: Town) -> None:
    """One verifier sees good and bad in turns; each answer is that of a verifier without memory."""
    issued = town.issue()
    tampered = Issued({**issued.credential, "name": "x"}, issued.receipt)
    for _ in range(3):
        for item in (issued, tampered, issued):
            fresh = Verifier(town.directory.policy, clock=town.clock, gather=town.verifier._gather)
            assert town.judge(item).codes == town.judge(item, verifier=fresh).codes


# ---- keys that were replaced


@pytest.fixture
def rotated(town: Town) -> tuple[Board, Issued, InstitutionKeys]:
    """A board that issued, and then replaced its keys; what it had issued, and the keys that somebody may have stolen."""
    board = town.directory.create_board(f"rotated-{town.nonce()}".lower().replace("_", "-"), title="A Board", jurisdiction="US-NC", professions=["MD"])
    issued = town.issue(board=board)
    stolen = board.institution.keys
    town.ticking(1)
    board.institution.rotate(lambda _: None)
    return board, issued, stolen


def test_what_was_logged_before_a_rotation_stays_good(town: Town, rotated: tuple[Board, Issued, InstitutionKeys]) -> None:
    board, issued, _ = rotated
    assert town.judge(issued).verdict is Verdict.ACCEPT
    board.suspend(issued, reason="seen under the new key")
    refused(town.judge(issued), CheckName.STATUS, "suspended")
    assert town.judge(town.issue(board=board, license_number="after")).verdict is Verdict.ACCEPT


def test_a_retired_key_signs_nothing_more_even_under_a_true_receipt(town: Town, rotated: tuple[Board, Issued, InstitutionKeys]) -> None:
    board, issued, stolen = rotated
    method = f"{board.did}#{stolen.assertion.public_key.multikey}"
    document = {name: value for name, value in issued.credential.items() if name != "proof"}
    forged = town.signed({**document, "id": "urn:uuid:00000000-0000-4000-8000-000000000001"}, signer=stolen.assertion, method=method)
    refused(town.judge(town.logged(forged, by=board.institution)), CheckName.RECEIPT, "key_retired")
    refused(town.judge(Issued(forged, issued.receipt)), CheckName.RECEIPT, "receipt_invalid")
    waived = town.judge(forged, waive=[CheckName.HOLDER_BINDING, CheckName.RECEIPT])
    refused(waived, CheckName.PROOF, "key_retired")


def test_the_ledger_takes_nothing_signed_with_a_retired_key(town: Town, rotated: tuple[Board, Issued, InstitutionKeys]) -> None:
    board, issued, stolen = rotated
    ledger, subject = town.directory.ledger, subject_of(Kind.ISSUANCE_BATCH, board.did)
    method = f"{board.did}#{stolen.assertion.public_key.multikey}"
    content = IssuanceBatch([credential_digest(issued.credential)]).content
    entry = prepare(
        Kind.ISSUANCE_BATCH, subject, content, author=method, signer=stolen.assertion, now=town.clock(), previous=ledger.latest(subject)
    )
    with pytest.raises(VerificationError) as refusal:
        ledger.submit([entry])
    assert refusal.value.code == "INVALID_VERIFICATION_METHOD"
