"""Measured: from claims to a signed credential, and a whole register issued, logged and given its receipts."""

from __future__ import annotations

from statistics import median
from time import perf_counter

from did_health.cli.bench.measure import Ratio, Work, in_turns, rotating
from did_health.cli.bench.workshop import Workshop, licence

LIMIT_ISSUE = 3.0
LIMIT_REGISTER = 6.0
UNIT_CALLS = 50


def issue(shop: Workshop, signature: Work) -> Ratio:
    """One credential, from its claims to its proof; ``signature`` is a bare one."""
    now, board = shop.directory.clock(), shop.board
    orders = [(licence(place), issued.credential["credentialSubject"]["id"], place) for place, issued in enumerate(shop.licences)]
    work = rotating(orders, lambda order: board.signed(order[0], to=order[1], index=order[2], now=now))
    spent, unit = in_turns(work, signature)
    return Ratio("issue a licence / bare signature", spent / unit, LIMIT_ISSUE, f"{len(orders)} different ones, a bare signature takes {unit * 1e6:.1f} µs")


def register(shop: Workshop, yardstick: Work, count: int) -> Ratio:
    """``count`` licences by one ``issue_many``; the yardstick is called now and then in between, and its median taken."""
    holder = shop.licences[0].credential["credentialSubject"]["id"]
    orders = [(licence(len(shop.licences) + place), holder) for place in range(count)]
    units: list[float] = []

    def sample(_done: int, _total: int) -> None:
        begun = perf_counter()
        for _ in range(UNIT_CALLS):
            yardstick()
        units.append((perf_counter() - begun) / UNIT_CALLS)

    start = perf_counter()
    shop.board.issue_many(orders, progress=sample)
    spent = perf_counter() - start - sum(units) * UNIT_CALLS
    ratio = spent / count / median(units)
    return Ratio(f"issue_many of {count} licences / U each", ratio, LIMIT_REGISTER, f"logged, with receipts, in {spent:.1f} s")
