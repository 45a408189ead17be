"""What ``board import`` says about its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from did_health.cli.imports import ISSUED, SKIPPED, UNCHANGED, RowResult
from did_health.cli.output import Output

_STYLES = {ISSUED: "green", UNCHANGED: "dim", SKIPPED: "red"}


def show_import(out: Output, results: Sequence[RowResult]) -> None:
    """A line for every row, and the sums."""
    counts = Counter(result.outcome for result in results)
    sums = {outcome: counts[outcome] for outcome in _STYLES}
    if out.as_json:
        out.json({**sums, "rows": [_row(result) for result in results]})
        return
    from rich.text import Text

    out.table(
        ("Row", "Outcome", "Number", "Wallet", "What to know"),
        [
            (one.row, Text(one.outcome, style=_STYLES[one.outcome]), one.number, one.wallet, "; ".join(filter(None, (one.problem, *one.notes))))
            for one in results
        ],
    )
    out.line(", ".join(f"{count} {outcome}" for outcome, count in sums.items()), "bold")


def _row(result: RowResult) -> dict[str, object]:
    members = {
        "row": result.row, "outcome": result.outcome, "number": result.number, "credential": result.credential, "wallet": result.wallet,
        "problem": result.problem, "notes": list(result.notes),
    }
    return {name: value for name, value in members.items() if value}
