from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from did_health.errors import FormatError
from did_health.health.issuer_details import Issuer
from did_health.health.letter_of_qualification import CHECKS, LetterOfQualification, PrincipalLicense, QualificationCheck

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
        ({"valid_until": datetime(2027, 3, 2, tzinfo=UTC)}, "/validUntil"),
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
