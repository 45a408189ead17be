"""Story 2: a letter of qualification, three states, three licences; and what stops it. The rules one by one are in ``test_compact``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from did_health.health.board_accreditation import CompactRole
from did_health.health.letter_of_qualification import CHECKS, LetterOfQualification, PrincipalLicense, QualificationCheck
from did_health.health.physician_license import CompactOrigin
from did_health.roles.board_directory import location_of, publish_public
from did_health.roles.issuer import Board, Issued
from did_health.roles.report import Report
from tests.town import Town

NPI = "1234567893"
TYPES = ("PhysicianLicenseCredential", "LetterOfQualificationCredential")
STATES = {"co": "US-CO", "me": "US-ME", "wv": "US-WV"}


class Across:
    """Virginia is the physician's principal state; Connecticut may not be anybody's."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.virginia = self.member("va", "US-VA", "spl")
        self.connecticut = self.member("ct", "US-CT", "issue_only")
        self.members = [self.member(name, state, "issue_only") for name, state in STATES.items()]

    def member(self, name: str, state: str, role: str) -> Board:
        compact = CompactRole("IMLC", role)
        return self.town.directory.create_board(name, title=name, jurisdiction=state, professions=["MD"], resources=TYPES, compact=compact)

    def principal(self, board: Board) -> Issued:
        issued = self.town.issue(board=board, npi=NPI)
        list(publish_public(board))
        return issued

    def letter(self, board: Board, principal: Issued) -> Issued:
        today = self.town.clock().date()
        letter = LetterOfQualification(
            spl=PrincipalLicense(board.did, principal.id, location_of(board.institution.base_url, principal.id)),
            spl_basis="residence",
            decision="qualified",
            issued_on=today,
            valid_until=self.town.clock() + timedelta(days=365),
            checks={name: QualificationCheck("pass", today) for name in CHECKS},
        )
        issued = board.issue(letter, to=self.town.wallet.did)
        self.town.wallet.add(issued)
        return issued

    def apply(self, board: Board, letter: Issued) -> tuple[Report, Issued | None]:
        """What a member board does: it verifies the letter as shown by the physician, and licenses on it or does not."""
        report = self.town.show(letter)
        if report.verdict != "accept":
            return report, None
        spl = report.credential.subjects[0]["spl"]
        origin = CompactOrigin("IMLC", spl["license"], spl["location"])
        return report, self.town.issue(board=board, npi=NPI, license_class="compact_expedited", compact=origin)


@pytest.fixture(scope="module")
def across(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Across]:
    town = Town(tmp_path_factory.mktemp("across"), seed="across")
    yield Across(town)
    town.close()


def test_one_letter_three_states_three_licences(across: Across) -> None:
    letter = across.letter(across.virginia, across.principal(across.virginia))
    for board in across.members:
        report, issued = across.apply(board, letter)
        assert report.verdict == "accept"
        assert issued is not None
        assert across.town.show(issued).verdict == "accept"
        assert across.town.show(issued, purpose="prescribe", jurisdiction=board.details.jurisdiction).verdict == "accept"


def test_on_day_366_the_letter_is_over_and_the_licences_are_not(across: Across) -> None:
    letter = across.letter(across.virginia, across.principal(across.virginia))
    _, issued = across.apply(across.members[0], letter)
    assert issued is not None
    across.town.clock.move(days=366)
    report, another = across.apply(across.members[1], letter)
    # A letter that ends cancels no licence that was issued on it.
    held = across.town.show(issued)
    across.town.clock.move(days=-366)
    assert (report.verdict, another) == ("refuse", None)
    assert "expired" in report.codes
    assert held.verdict == "accept"


def test_suspended_midway(across: Across) -> None:
    principal = across.principal(across.virginia)
    letter = across.letter(across.virginia, principal)
    _, first = across.apply(across.members[0], letter)
    assert first is not None
    across.virginia.suspend(principal, reason="an investigation")
    report, second = across.apply(across.members[1], letter)
    assert (report.verdict, second) == ("refuse", None)
    assert across.town.show(first).codes[0] == report.codes[0] == "principal_suspended"


def test_a_letter_from_a_state_that_is_no_principal_one(across: Across) -> None:
    letter = across.letter(across.connecticut, across.principal(across.connecticut))
    report, issued = across.apply(across.members[0], letter)
    assert (report.verdict, report.codes, issued) == ("refuse", ("not_a_principal_state",), None)
