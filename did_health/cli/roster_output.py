"""What ``roster verify`` shows: progress while it runs, then the sums."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from did_health.cli.output import Output

if TYPE_CHECKING:
    from did_health.roles.roster.report import RosterReport

STYLES: Final = MappingProxyType({"accept": "green", "conditional": "yellow", "refuse": "red", "indeterminate": "magenta"})


@contextmanager
def counting_rows(*, quiet: bool) -> Iterator[Callable[[str, int], None]]:
    """A bar for each step of a run, of as many rows as the first step found; shown only where a person looks at it."""
    if quiet or not sys.stderr.isatty():
        yield lambda _what, _count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    tasks: dict[str, TaskID] = {}
    with Progress(
        TextColumn("{task.description:20}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=Console(stderr=True), transient=True
    ) as shown:

        def advance(what: str, count: int) -> None:
            if what not in tasks:
                first = next(iter(tasks.values()), None)
                known = next((task.completed for task in shown.tasks if task.id == first), None)
                if first is not None:
                    # The first step is over: so many rows there are.
                    shown.update(first, total=known)
                tasks[what] = shown.add_task(what, total=known)
            shown.advance(tasks[what], count)

        yield advance


def show_report(out: Output, report: RosterReport, folder: Path) -> None:
    """The header's sums, and where everything lies."""
    if out.as_json:
        out.json({"folder": str(folder), "report": report.document})
        return
    from rich.text import Text

    document = report.document
    out.table(("Verdict", "Rows"), [(Text(verdict, style=STYLES[verdict]), count) for verdict, count in document["verdicts"].items()])
    changes = document["changes"]
    compared = f"{changes['changed']} changed, {changes['new']} new, {changes['gone']} gone" if document["before"] else "there is none to compare with"
    out.facts([
        ("Since the last report", compared),
        ("True as of", document["asOf"] or "-"),
        ("Signed by", report.made_by or "nobody"),
        ("Next due", document["nextScheduled"]),
        ("To read and print", str(folder / "report.html")),
    ])
    for one in document["notHad"]:
        out.line(f"Could not be had: {one['url']} ({one['reason']})", "yellow")
    counts = {"unresolved": document["unresolved"], "refused": document["verdicts"]["refuse"], "conditional": document["verdicts"]["conditional"]}
    if attention := ", ".join(f"{count} {what}" for what, count in counts.items() if count):
        out.line(f"{attention}: each row says why in rows.csv and on the page.", "magenta")
