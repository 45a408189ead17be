"""Story 3: an order, a bit, and every later verification refuses; compact licences follow; and the reinstatement."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from did_health.health.physician_license import CompactOrigin
from did_health.roles.board_directory import location_of, publish_public
from did_health.roles.cascade import follow_principals
from did_health.roles.report import CheckName
from did_health.roles.verifier import Verifier
from tests.town import Town

NPI = "1234567893"


@pytest.fixture
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    made = Town(tmp_path_factory.mktemp("emergency"), seed="emergency")
    yield made
    made.close()


def test_order_suspension_cascade_and_reinstatement(town: Town) -> None:
    principal = town.issue(npi=NPI)
    list(publish_public(town.board))
    origin = CompactOrigin("IMLC", principal.id, location_of(town.board.institution.base_url, principal.id))
    elsewhere = town.issue(board=town.other, npi=NPI, compact=origin, license_class="compact_expedited")
    assert [town.show(one).verdict for one in (principal, elsewhere)] == ["accept", "accept"]
    seen_before = town.evidence(principal)

    decision = town.board.suspend(principal, reason="danger", order="2026-017", state="summary_suspension")
    assert decision.is_in_force
    for verifier in (town.verifier, Verifier(town.directory.policy, clock=town.clock, gather=town.verifier._gather)):
        refused = town.show(principal, verifier=verifier)
        assert (refused.verdict, refused.codes[0]) == ("refuse", "suspended")
        assert refused.check(CheckName.STATUS).as_of is not None
    # Its own board has not said anything yet.
    assert town.show(elsewhere).codes[0] == "principal_suspended"
    assert "danger" not in str(town.show(principal).to_json())

    # A cache of before believes the old state for as long as the policy lets it, and says how old it is; then it knows nothing.
    offline = Verifier(town.directory.policy, clock=town.clock)
    fresh = town.judge(principal, verifier=offline, evidence=seen_before)
    assert fresh.verdict == "accept"
    assert fresh.as_of is not None
    assert fresh.as_of <= town.clock()
    stale = town.judge(principal, verifier=offline, evidence=seen_before, now=town.clock() + timedelta(hours=25))
    assert (stale.verdict, stale.codes) == ("indeterminate", ("evidence_stale",))

    follow_principals(town.other, town.verifier)
    town.board.reinstate(principal, reason="order vacated", order="2026-021")
    assert town.show(principal).verdict == "accept"
    assert (town.show(elsewhere).verdict, town.show(elsewhere).codes) == ("refuse", ("license_compact_derived",))
    town.other.reinstate(elsewhere, reason="looked into")
    assert town.show(elsewhere).verdict == "accept"
    assert [one.order for one in town.board.docket.history(principal.id)] == ["2026-017", "2026-021"]
