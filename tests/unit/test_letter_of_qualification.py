from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from did_health.errors import FormatError
from did_health.health.issuer_details import Issuer
from did_health.health.letter_of_qualification import CHECKS, LETTER_LIFETIME, LetterOfQualification, PrincipalLicense, QualificationCheck
from did_health.health.local_days import local_days

BOARD = Issuer("did:web:board.example", "Board of Testing", "US-VA")
ISSUED = date(2026, 3, 1)
CHECKED = {name: QualificationCheck("pass", date(2026, 2, 1)) for name in CHECKS}
LETTER = LetterOfQualification(
    spl=PrincipalLicense(BOARD.id, "urn:uuid:1"),
    spl_basis="residence",
    decision="qualified",
    issued_on=ISSUED,
    valid_until=datetime(2027, 3, 1, tzinfo=UTC),
    checks=CHECKED,
)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"spl": {"board": BOARD.id}}, "/spl"),
        ({"spl_basis": "convenience"}, "/splBasis"),
        ({"decision": "perhaps"}, "/decision"),
        ({"issued_on": "2026-03-01"}, "/issuedOn"),
        ({"valid_until": datetime(2027, 3, 2, 11, 0, 1, tzinfo=UTC)}, "/validUntil"),
        ({"valid_from": datetime(2027, 3, 2, tzinfo=UTC)}, "/validUntil"),
        ({"compact": ""}, "/compact"),
        ({"checks": {}}, "/checks"),
        ({"checks": []}, "/checks"),
        ({"checks": {**CHECKED, "charm": CHECKED["exam"]}}, "/checks"),
        ({"checks": {**CHECKED, "exam": "pass"}}, "/checks/exam"),
        ({"checks": {**CHECKED, "exam": QualificationCheck("unknown", ISSUED)}}, "/checks/exam/outcome"),
        ({"checks": {**CHECKED, "exam": QualificationCheck("pass", date(2026, 3, 2))}}, "/checks/exam/checkedOn"),
        ({"checks": {**CHECKED, "exam": QualificationCheck("fail", ISSUED)}}, "/decision"),
    ],
)
def test_a_letter_with_a_fault_is_refused_by_its_member(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(FormatError) as caught:
        replace(LETTER, **changes)
    assert caught.value.where == where


@pytest.mark.parametrize(
    ("members", "where"),
    [(("x", "urn:uuid:1"), "/spl/board"), ((BOARD.id, "1"), "/spl/license"), ((BOARD.id, "urn:uuid:1", "http://a.example/"), "/spl/location")],
)
def test_a_principal_licence_is_named_by_did_and_uri(members: tuple[str, ...], where: str) -> None:
    with pytest.raises(FormatError) as caught:
        PrincipalLicense(*members)
    assert caught.value.where == where


def test_a_denial_may_have_failed_checks() -> None:
    denied = replace(LETTER, decision="denied", checks={**CHECKED, "discipline": QualificationCheck("fail", ISSUED)})
    subject = denied.to_subject("did:key:z6Mk", BOARD)
    assert subject["decision"] == "denied"
    assert LetterOfQualification.from_subject(subject, valid_until=denied.valid_until) == denied
    assert denied.number == ""


def test_only_the_principal_board_issues_a_letter() -> None:
    with pytest.raises(FormatError) as caught:
        LETTER.to_subject("did:key:z6Mk", replace(BOARD, id="did:web:other.example"))
    assert caught.value.where == "/spl/board"


def test_its_last_day_is_one_of_the_principal_state() -> None:
    until = local_days("US-VA").ends(ISSUED + LETTER_LIFETIME)
    assert until == datetime(2027, 3, 2, 5, tzinfo=UTC)
    assert replace(LETTER, valid_until=until).to_subject("did:key:z6Mk", BOARD)["issuedOn"] == "2026-03-01"
    longer = replace(LETTER, valid_until=until + timedelta(seconds=1))
    with pytest.raises(FormatError) as caught:
        longer.to_subject("did:key:z6Mk", BOARD)
    assert caught.value.where == "/validUntil"
    assert longer.to_subject("did:key:z6Mk", replace(BOARD, jurisdiction="US-WA"))["compact"] == "IMLC"


def test_a_letter_of_the_last_days_of_the_calendar_can_be_told() -> None:
    last = replace(LETTER, issued_on=date(9999, 12, 31), valid_until=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    last.check_lifetime("US-GU")


def test_the_checks_cannot_be_changed_afterwards() -> None:
    with pytest.raises(TypeError):
        LETTER.checks["exam"] = CHECKED["gme"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"spl": "x"}, "/spl"),
        ({"spl": {"board": BOARD.id}}, "/spl/license"),
        ({"checks": "x"}, "/checks"),
        ({"checks": {"exam": 7}}, "/checks/exam"),
        ({"checks": {"exam": {"outcome": "pass"}}}, "/checks/exam/checkedOn"),
        ({"checks": {"exam": {"checkedOn": "2026-01-01"}}}, "/checks/exam/outcome"),
        ({"issuedOn": "today"}, "/issuedOn"),
    ],
)
def test_a_received_letter_with_a_fault_is_refused_by_its_pointer(change: dict[str, Any], where: str) -> None:
    subject = LETTER.to_subject("did:key:z6Mk", BOARD) | change
    with pytest.raises(FormatError) as caught:
        LetterOfQualification.from_subject(subject, valid_until=LETTER.valid_until)
    assert caught.value.where == where
