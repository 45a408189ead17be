"""``did-health tables``: the dated tables that ship with the library, and how old they are."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import session
from did_health.cli.exits import FAILED
from did_health.cli.options import JSONOption, example
from did_health.cli.output import Output

if TYPE_CHECKING:
    from did_health.health.dated_tables import DatedTable

EXAMPLE = example("did-health tables", "did-health tables --max-age 90")


def tables(
    max_age: Annotated[int | None, typer.Option("--max-age", min=0, help="Fail if a table is older than so many days.")] = None,
    as_json: JSONOption = False,
) -> None:
    """Which tables of facts that change ship with this version: when each was compiled, from what, and what was compared with its source."""
    from did_health.health.dated_tables import packaged_table, packaged_tables

    today = session.now().date()
    known = [packaged_table(name) for name in packaged_tables()]
    stale = {table.name for table in known if max_age is not None and (today - table.compiled_on).days > max_age}
    out = Output(as_json)
    if as_json:
        out.json([_described(table, today) | {"stale": table.name in stale} for table in known])
    else:
        out.table(("Table", "Compiled", "Days old", "Rows", "Compared", "Sources"), [
            (
                table.name,
                table.compiled_on.isoformat(),
                f"{(today - table.compiled_on).days}{' (stale)' if table.name in stale else ''}",
                len(table.rows),
                _compared(table),
                "\n".join(source.title for source in table.sources.values()),
            )
            for table in known
        ])
    if stale:
        raise typer.Exit(FAILED)


def _described(table: DatedTable, today: date) -> dict[str, object]:
    sources = [{"title": one.title, "url": one.url, "seenOn": one.seen_on.isoformat() if one.seen_on else None} for one in table.sources.values()]
    ages = {"compiledOn": table.compiled_on.isoformat(), "ageDays": (today - table.compiled_on).days}
    return {"table": table.name, **ages, "rows": len(table.rows), "rowsCompared": _compared(table), "sources": sources}


def _compared(table: DatedTable) -> int:
    """How many rows somebody has compared with their source."""
    return sum(table.source_of(row).seen_on is not None for row in table.rows)
