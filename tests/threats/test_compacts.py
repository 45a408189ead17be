"""Discipline that crosses state lines: a compact licence shows what its principal licence has come to."""

from __future__ import annotations

import pytest

from did_health.health.physician_license import CompactOrigin
from did_health.roles.cascade import follow_principals
from did_health.roles.issuer import Board
from tests.town import Town


@pytest.fixture(scope="module")
def town(own_town: Town) -> Town:
    return own_town


def test_discipline_cascades_once_more_when_the_principal_state_acts_again(town: Town) -> None:
    principal_board, member = (
        town.directory.create_board(name, title=name, jurisdiction=state, professions=["MD"]) for name, state in (("wv", "US-WV"), ("me", "US-ME"))
    )
    principal = town.issue(board=principal_board, npi="1234567893")
    location = f"{principal_board.institution.base_url}/licenses/1.json"
    town.directory.ledger.publish(location, principal.to_json())
    here = town.issue(board=member, npi="1234567893", license_class="compact_expedited", compact=CompactOrigin("IMLC", principal.id, location))
    for _ in range(2):
        principal_board.suspend(principal, reason="an order")
        assert [one.state for one in follow_principals(member, town.verifier)[0]] == ["compact_derived"]
        # Its own board cannot lift it while the principal state's order stands.
        member.reinstate(here, reason="looked into")
        assert "principal_suspended" in town.show(here).codes
        assert [one.state for one in follow_principals(member, town.verifier)[0]] == ["compact_derived"]
        assert follow_principals(member, town.verifier)[0] == ()
        principal_board.reinstate(principal, reason="it ended")
        member.reinstate(here, reason="looked into")
        assert town.show(here).verdict == "accept"
    # What its holder does is no discipline, and nothing for the member board to derive.
    principal_board.docket.enter(principal.id, "inactive", reason="the holder asked")
    assert follow_principals(member, town.verifier) == ((), ())


def test_a_principal_licence_of_somebody_else_is_told_to_the_member_board(town: Town) -> None:
    somebody = town.issue(board=town.other, to=town.stranger)
    location = f"{town.other.institution.base_url}/licenses/2.json"
    town.directory.ledger.publish(location, somebody.to_json())
    here = town.issue(compact=CompactOrigin("IMLC", somebody.id, location))
    assert [(one.credential, one.codes) for one in follow_principals(town.board, town.verifier)[1]] == [(here.id, ("principal_license_mismatch",))]


def test_a_suspension_of_the_principal_licence_is_seen_through_the_version_that_a_compact_licence_names(town: Town, board: Board) -> None:
    principal = town.issue(board=board, npi="1234567893")
    location = f"{board.institution.base_url}/licenses/3.json"
    town.directory.ledger.publish(location, principal.to_json())
    here = town.issue(npi="1234567893", compact=CompactOrigin("IMLC", principal.id, location))
    fresh = board.reissue(principal, town.license(license_number=board.issued(principal).number, npi="1234567893", degree="MD"))
    board.suspend(fresh, reason="an order")
    assert "principal_suspended" in town.show(here).codes
