"""Story 1: a board licenses a physician. The registry is asked, the licence is issued, its issuing is logged; what must not be issued is not."""

from __future__ import annotations

import pytest

from did_health.errors import ConflictError, FormatError
from did_health.roles.issuer import Issued
from did_health.roles.report import CheckName
from tests.town import Town


def test_the_issuing_is_logged_before_the_licence_counts(town: Town) -> None:
    issued = town.issue()
    report = town.show(issued)
    assert report.verdict == "accept"
    assert report.check(CheckName.ENTITLEMENT).as_of is not None
    assert report.check(CheckName.RECEIPT).outcome == "pass"
    without = Issued(issued.credential, None)
    assert town.judge({"credential": without.credential}).check(CheckName.RECEIPT).outcome != "pass"


def test_a_profession_that_the_board_does_not_license_is_refused_by_whoever_verifies(town: Town) -> None:
    # South Carolina's board here licenses MDs only.
    issued = town.issue(board=town.other, profession="DO")
    report = town.show(issued)
    assert (report.verdict, report.codes) == ("refuse", ("wrong_profession",))


def test_a_number_is_issued_once(town: Town) -> None:
    issued = town.issue()
    number = issued.credential["credentialSubject"]["licenseNumber"]
    before = len(list(town.board.all()))
    with pytest.raises(ConflictError):
        town.board.issue(town.license(license_number=number), to=town.stranger.did)
    assert len(list(town.board.all())) == before
    # Another board has numbers of its own.
    assert town.show(town.issue(board=town.other, license_number=number)).verdict == "accept"


@pytest.mark.parametrize("npi", ["1234567890", "123456789", "1234567893 ", "ABCDEFGHIJ"])
def test_a_bad_npi_is_no_licence(town: Town, npi: str) -> None:
    with pytest.raises(FormatError) as refused:
        town.license(npi=npi)
    assert refused.value.where == "/npi"
    assert npi.strip() not in str(refused.value)


def test_another_states_licence_is_not_issued_by_this_board(town: Town) -> None:
    with pytest.raises(FormatError, match="US-VA"):
        town.issue(jurisdiction="US-VA")
