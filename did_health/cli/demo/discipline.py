"""A board suspends a licence, reinstates it, and revokes another: each is seen by the very next verification."""

from __future__ import annotations

from typing import Final

from did_health.cli.demo.counter import Counter
from did_health.cli.demo.issue import Physician
from did_health.cli.demo.journal import ACCEPTED, Expected
from did_health.roles.report import Verdict

STEP: Final = "discipline"
SUSPENDED: Final = Expected(Verdict.REFUSE, "suspended")
REVOKED: Final = Expected(Verdict.REFUSE, "revoked")


def discipline(counter: Counter, first: Physician, second: Physician) -> None:
    """Suspend and reinstate ``first``, revoke ``second``; the same verifier looks after each step."""

    def look(physician: Physician, title: str, name: str, expected: Expected) -> None:
        counter.serve(physician, step=STEP, title=title, name=f"{STEP}-{name}", expected=expected, keep_evidence=True)

    with counter.journal.step("suspend, reinstate, revoke") as meter:
        look(first, "before anything happens", "1-before", ACCEPTED)
        first.board.suspend(first.issued, reason="demo: an investigation has begun", order="demo-order-1")
        look(first, "after the suspension", "2-suspended", SUSPENDED)
        meter.update(1, 3)
        first.board.reinstate(first.issued, reason="demo: the investigation has ended", order="demo-order-2")
        look(first, "after the reinstatement", "3-reinstated", ACCEPTED)
        meter.update(2, 3)
        look(second, "another licence, before", "4-before", ACCEPTED)
        second.board.revoke(second.issued, reason="demo: the board has decided", order="demo-order-3")
        look(second, "after its revocation", "5-revoked", REVOKED)
        meter.update(3, 3)
