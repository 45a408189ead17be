"""The pages ``docs/benchmarks.md`` and ``docs/benchmarks-ledger.md``, as ``bench --suites --markdown`` and ``bench --ledger --markdown`` print them."""

from __future__ import annotations

import platform
from collections.abc import Sequence

from did_health.cli.bench.measure import Ratio
from did_health.cli.bench.peers import Peer

_PAGE = """\
# Benchmarks

Made by `did-health bench --suites --markdown --peers tests/interop/node`; do not edit. The same licences, each way of securing them,
from bytes to a verified proof, with the issuer's key and all contexts at hand. Everything was measured in one run, in U:
one bare Ed25519 verification of 64 bytes by PyNaCl, {unit:.0f} µs here (Python {python} on {machine}).
The figures are the shortest of many rounds; what matters is how they stand to each other.

{table}

{notes}
For the peers on Node, `npm install --no-package-lock` in `tests/interop/node`; what is not installed is left out of the table. Verifications of
`did_health` check what the suites' specifications ask for; the peers do as much as their defaults do.
`did-health bench` measures whole verifications, `did-health bench --ledger` a ledger.
"""
_LEDGER_PAGE = """\
# Benchmarks of a ledger

Made by `did-health bench --ledger --entries {entries} --markdown`; do not edit. One ledger in SQLite at full durability, from empty. U is one bare
Ed25519 verification of 64 bytes by PyNaCl, {unit:.0f} µs here (Python {python} on {machine}); each batch is compared with
verifications beside it. What else the machine does is felt least by the ratios.

| measured | value | limit | how |
|---|---|---|---|
{rows}
"""


def ledger_page(unit: float, entries: int, ratios: Sequence[Ratio]) -> str:
    """The ledger's page; ``unit`` is U in seconds."""
    rows = [f"| {item.name} | {item.value:.2f} | {_limit(item)} | {item.detail} |" for item in ratios]
    return _LEDGER_PAGE.format(entries=entries, unit=unit * 1e6, python=platform.python_version(), machine=platform.machine(), rows="\n".join(rows))


def _limit(item: Ratio) -> str:
    if item.limit is None:
        return ""
    return f"≥ {item.limit:g}" if item.at_least else f"≤ {item.limit:g}"


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
