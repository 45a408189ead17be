"""The page ``docs/benchmarks.md``, as ``bench --suites --markdown`` prints it."""

from __future__ import annotations

import platform
from collections.abc import Sequence

from did_health.cli.bench.measure import Ratio
from did_health.cli.bench.peers import Peer

_PAGE = """\
# Benchmarks

Made by `did-health bench --suites --markdown --peers tests/interop/peers`; do not edit. The same licences, each way of securing them,
from bytes to a verified proof, with the issuer's key and all contexts at hand. Everything was measured in one run, in U:
one bare Ed25519 verification of 64 bytes by PyNaCl, {unit:.0f} µs here (Python {python} on {machine}).
The figures are the shortest of many rounds; what matters is how they stand to each other.

{table}

{notes}
For the peers on Node, `npm install --no-package-lock` in `tests/interop/peers`; what is not installed is left out of the table. Verifications of
`did_health` check what the suites' specifications ask for; the peers do as much as their defaults do.
`did-health bench` measures whole verifications, `did-health bench --ledger` a ledger.
"""


def page(unit: float, results: Sequence[tuple[Ratio, Sequence[Peer]]]) -> str:
    """The page; ``unit`` is U in seconds, each result has the peers that verified the same."""
    rows = ["| verified | did_health / U | limit / U | peers / U |", "|---|---|---|---|"]
    missing: list[str] = []
    for ratio, peers in results:
        others = ", ".join(f"{peer.name}: {peer.value:.1f}" for peer in peers if peer.value is not None)
        missing += [f"{peer.suite}, {peer.name}: {peer.why}" for peer in peers if peer.value is None]
        limit = "" if ratio.limit is None else f"{ratio.limit:g}"
        rows.append(f"| {ratio.name.removesuffix(' / U')} ({ratio.detail}) | {ratio.value:.2f} | {limit} | {others} |")
    notes = "".join(f"Not measured: {why}.\n" for why in missing)
    python = platform.python_version()
    return _PAGE.format(unit=unit * 1e6, python=python, machine=platform.machine(), table="\n".join(rows), notes=notes)
