"""What ``board import`` says about its rows: on the terminal, and in the file of results."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Final

from did_health.cli.output import Output
from did_health.roles.license_import import RowOutcome, RowResult

MAX_SHOWN: Final = 1_000
"""Rows that are shown or printed as JSON; all of them are in the file of results."""
COLUMNS: Final = ("row", "outcome", "number", "column", "problem", "hint", "credential", "wallet", "notes")
_STYLES = {RowOutcome.ISSUED: "green", RowOutcome.CHANGED: "cyan", RowOutcome.UNCHANGED: "dim", RowOutcome.REFUSED: "red"}
# A spreadsheet would take a text that begins so for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Tally:
    """The sums, and as many rows as are shown; refused ones are shown before others."""

    def __init__(self) -> None:
        self.counts: Counter[RowOutcome] = Counter()
        self.refused: list[RowResult] = []
        self.others: list[RowResult] = []

    def add(self, result: RowResult) -> None:
        """Count a row."""
        self.counts[result.outcome] += 1
        kept = self.refused if result.refused else self.others
        if len(kept) < MAX_SHOWN:
            kept.append(result)

    @property
    def total(self) -> int:
        """How many rows there were."""
        return sum(self.counts.values())

    @property
    def shown(self) -> list[RowResult]:
        """At most ``MAX_SHOWN`` rows, in their order."""
        return sorted([*self.refused, *self.others[: MAX_SHOWN - len(self.refused)]], key=lambda result: result.row)


@contextmanager
def results_file(path: Path | None) -> Iterator[Callable[[RowResult], None]]:
    """Gives a function that writes a row's result as a line of CSV; the file is there when all of them are written, or not at all."""
    if path is None:
        yield lambda _result: None
        return
    from did_health.stores.files import replacing

    with replacing(path) as file:
        file.write(_line(COLUMNS))

        def write(result: RowResult) -> None:
            file.write(_line(_cells(result)))

        yield write


def show_import(out: Output, tally: Tally, *, dry_run: bool, results: Path | None) -> None:
    """A line for every row, and the sums."""
    sums = {str(outcome): tally.counts[outcome] for outcome in _STYLES}
    shown = tally.shown
    if out.as_json:
        more = {"dryRun": True} if dry_run else {}
        left = {"rowsLeftOut": tally.total - len(shown)} if tally.total > len(shown) else {}
        out.json({**sums, **more, **left, "rows": [_row(result) for result in shown]})
        return
    from rich.text import Text

    out.table(
        ("Row", "Outcome", "Number", "Wallet", "What to know"),
        [(one.row, Text(one.outcome, style=_STYLES[one.outcome]), one.number, one.wallet, _words(one)) for one in shown],
    )
    if tally.total > len(shown):
        out.line(f"{tally.total - len(shown)} more rows: {f'see {results}' if results else 'name a file with --results to have all of them'}")
    out.line(", ".join(f"{count} {outcome}" for outcome, count in sums.items()) + (" (nothing was written: this was a rehearsal)" if dry_run else ""), "bold")


def _words(one: RowResult) -> str:
    place = f"{one.column}: " if one.column else ""
    advice = f". {one.hint}" if one.hint else ""
    return "; ".join(filter(None, (f"{place}{one.problem}{advice}" if one.problem else "", *one.notes)))


def _row(result: RowResult) -> dict[str, object]:
    members: dict[str, object] = {name: getattr(result, name) for name in COLUMNS} | {"notes": list(result.notes)}
    return {name: value for name, value in members.items() if value}


def _cells(result: RowResult) -> tuple[object, ...]:
    return tuple("; ".join(result.notes) if name == "notes" else getattr(result, name) for name in COLUMNS)


def _line(cells: tuple[object, ...]) -> bytes:
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell for cell in cells])
    return text.getvalue().encode(errors="replace")
