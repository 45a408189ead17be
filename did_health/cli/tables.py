"""``did-health tables``: the dated tables that ship with the library, how old they are, and what their rows say by which source."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import session
from did_health.cli.exits import FAILED, INDETERMINATE, UsageError
from did_health.cli.options import JSONOption, example
from did_health.cli.output import Output

if TYPE_CHECKING:
    from did_health.health.dated_tables import DatedTable, Row, TableSource

EXAMPLE = example("did-health tables", "did-health tables --max-age 90", "did-health tables identification-rules --state US-NC")

# What a row says of its sources stands in columns of its own.
_OF_SOURCES = frozenset({"source", "alsoBy", "disputedBy"})


def tables(
    name: Annotated[str, typer.Argument(help="Show the rows of this table, each with its source.")] = "",
    state: Annotated[str, typer.Option("--state", help="Only the rows of this state, as US-NC, NC or North Carolina.")] = "",
    max_age: Annotated[int | None, typer.Option("--max-age", min=0, help="Fail if a table is older than so many days.")] = None,
    as_json: JSONOption = False,
) -> None:
    """Which tables of facts that change ship with this version: when each was compiled, from what, and what was compared with its source.

    With NAME the rows of one table. A state without a row is unknown: status 3.
    """
    from did_health.health.dated_tables import packaged_table, packaged_tables

    if name and name not in packaged_tables():
        raise UsageError("there is no such table", where="NAME", hint=f"It is one of: {', '.join(packaged_tables())}")
    if state and not name:
        raise UsageError("of which table the rows are wanted is not said", where="--state", hint="Name the table, as identification-rules")
    today = session.now().date()
    known = [packaged_table(one) for one in packaged_tables() if not name or one == name]
    stale = {table.name for table in known if max_age is not None and (today - table.compiled_on).days > max_age}
    out = Output(as_json)
    if name:
        found = _show_rows(out, known[0], state, today, is_stale=bool(stale))
        raise typer.Exit(FAILED if stale else 0 if found else INDETERMINATE)
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
                _first_source(table),
            )
            for table in known
        ])
    if stale:
        raise typer.Exit(FAILED)


def _show_rows(out: Output, table: DatedTable, state: str, today: date, *, is_stale: bool) -> bool:
    """Print the rows of one table, those of a state if it is named; whether there were any."""
    rows = [row for row in table.rows if not state or row.get("jurisdiction", row.get("code")) == _code(state)]
    if out.as_json:
        described = [{**row, "source": _source(table.source_of(row))} | _others(table, row) for row in rows]
        out.json(_described(table, today) | {"stale": is_stale, "known": bool(rows), "rows": described})
        return bool(rows)
    if not rows:
        out.line(f"Unknown: no row of {table.name} is about {_code(state)}. That is no answer either way: ask the state's board, or look the law up.")
        return False
    out.line(f"{table.name}, compiled on {table.compiled_on.isoformat()}{' (stale)' if is_stale else ''}")
    out.table(("Row", "Source", "As of", "Seen", "Disputed by"), [
        (
            "\n".join(f"{member}: {_words(value)}" for member, value in row.items() if member not in _OF_SOURCES and value not in ([], False)),
            table.source_of(row).title,
            _day(table.source_of(row).as_of),
            _day(table.source_of(row).seen_on),
            "\n".join(other.title for other in table.disputes_of(row)),
        )
        for row in rows
    ])
    return True


def _first_source(table: DatedTable) -> str:
    """The source of most rows, and how many others there are."""
    first = Counter(str(row["source"]) for row in table.rows).most_common(1)
    others = len(table.sources) - len(first)
    return "\n".join([*(table.sources[name].title for name, _ in first), *([f"and {others} other{'s' if others > 1 else ''}"] if others else [])])


def _code(state: str) -> str:
    from did_health.health import jurisdictions

    code = jurisdictions.code_of(state)
    if code is None:
        raise UsageError("not a US state or territory", where="--state", hint="Write it as US-NC")
    return code


def _words(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _source(source: TableSource) -> dict[str, object]:
    days = {"asOf": _day(source.as_of) or None, "seenOn": _day(source.seen_on) or None}
    return {"title": source.title, "url": source.url, **days}


def _others(table: DatedTable, row: Row) -> dict[str, object]:
    return {"alsoBy": [_source(one) for one in table.others_of(row)], "disputedBy": [_source(one) for one in table.disputes_of(row)]}


def _described(table: DatedTable, today: date) -> dict[str, object]:
    ages = {"compiledOn": table.compiled_on.isoformat(), "ageDays": (today - table.compiled_on).days}
    sources = [_source(one) for one in table.sources.values()]
    return {"table": table.name, **ages, "rows": len(table.rows), "rowsCompared": _compared(table), "sources": sources}


def _compared(table: DatedTable) -> int:
    """How many rows somebody has compared with their source."""
    return sum(table.source_of(row).seen_on is not None for row in table.rows)
