"""A ledger that takes back what it has shown, under signatures and cosignatures that are all in order and fresh, is found out by its readers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from did_health import embedded_verifier
from did_health.roles.evidence import Evidence, Item, Need
from did_health.roles.report import CheckName, Outcome, Report, Verdict
from did_health.roles.verifier import Verifier
from tests.town import Town


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path / "own", "pins")
    yield town
    town.close()


class Replaying:
    """Answers as the ledger did when it was recorded."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    def fetch(self, need: Need) -> bytes | None:
        item = self._evidence.get(need.url)
        return item.content if item else None


def undecided(report: Report, code: str) -> None:
    assert report.verdict is Verdict.INDETERMINATE
    assert set(report.codes) == {code}
    assert Outcome.FAIL not in {check.outcome for check in report.checks}


def test_a_replayed_older_state_hides_no_suspension(own: Town) -> None:
    """A man in the middle who answers with what was true a minute ago, well within the age that the policy allows."""
    issued = own.issue()
    before = own.evidence(issued)
    own.ticking(1)
    own.board.suspend(issued, reason="an order")
    own.ticking(1)
    assert own.judge(issued).verdict is Verdict.REFUSE
    own.ticking(60)
    undecided(own.judge(issued, verifier=embedded_verifier(own.directory, sources=[Replaying(before)])), "ledger_rolled_back")
    # Who has never asked before cannot know.
    again = Verifier(own.directory.policy, clock=own.clock)
    assert own.judge(issued, verifier=again, evidence=before).verdict is Verdict.ACCEPT


def test_a_roll_back_is_found_out_after_a_restart(own: Town) -> None:
    issued = own.issue()
    before = own.evidence(issued)
    own.board.suspend(issued, reason="an order")
    own.ticking(1)
    embedded_verifier(own.directory).verify({"credential": issued.credential, "issuanceReceipt": issued.receipt})
    own.ticking(60)
    replayed = embedded_verifier(own.directory, sources=[Replaying(before)])
    undecided(own.judge(issued, verifier=replayed), "ledger_rolled_back")


def test_the_same_bytes_that_were_believed_once_are_a_roll_back_after_newer_ones(own: Town) -> None:
    """What is remembered of a proof must not outlive its being the newest."""
    issued = own.issue()
    before = own.evidence(issued)
    own.ticking(1)
    own.board.suspend(issued, reason="an order")
    assert own.judge(issued).verdict is Verdict.REFUSE
    own.ticking(60)
    late = Evidence({url: Item(item.content, own.clock()) for url, item in before.items.items()})
    undecided(own.judge(issued, evidence=late), "ledger_rolled_back")


def test_what_was_fetched_before_is_old_and_not_rolled_back(own: Town) -> None:
    """A counter that saw the newest state online goes on with the morning's bundle when the network is down."""
    issued = own.issue()
    morning = own.evidence(issued)
    own.ticking(3_600)
    own.issue()
    assert own.judge(issued).verdict is Verdict.ACCEPT
    own.ticking(60)
    report = own.judge(issued, evidence=morning)
    assert report.verdict is Verdict.ACCEPT
    assert report.as_of == min(item.fetched_at for item in morning.items.values())


def test_a_ledger_growing_between_two_fetches_is_no_roll_back(own: Town) -> None:
    issued = own.issue()
    older = own.evidence(issued)
    own.board.suspend(own.issue(), reason="another's case")
    newer = own.evidence(issued)
    mixed = Evidence({url: (older if number % 2 else newer).items[url] for number, url in enumerate(older) if url in newer.items})
    fresh = Verifier(own.directory.policy, clock=own.clock)
    codes = own.judge(issued, verifier=fresh, evidence=mixed.with_items({url: item for url, item in newer.items.items() if url not in mixed})).codes
    assert "ledger_rolled_back" not in codes


def test_two_histories_of_one_length_are_believed_neither(own: Town) -> None:
    issued = own.issue()
    truth = own.evidence(issued)
    other = Town(own.folder.parent / "other", "pins")
    try:
        # The same keys and clock, and other boards: two true histories under one origin, told apart by nobody but who has seen both.
        assert other.directory.policy == own.directory.policy
        second = other.issue(to=other.stranger)
        report = own.judge(issued, evidence=truth)
        assert report.verdict is Verdict.ACCEPT
        assert other.judge(second).verdict is Verdict.ACCEPT
        verifier = Verifier(own.directory.policy, clock=own.clock)
        assert own.judge(issued, verifier=verifier, evidence=truth).verdict is Verdict.ACCEPT
        foreign = own.judge(second, verifier=verifier, evidence=other.evidence(second))
        assert "ledger_split_view" in foreign.codes
        assert foreign.verdict is Verdict.INDETERMINATE
        assert foreign.check(CheckName.ISSUER).code == "ledger_split_view"
    finally:
        other.close()
