"""Tables that change (boards, compact members, states' rules): data files that say when they were compiled and where each row is from.

A table is one file in ``data/``::

    {
     "table": "compact-members",
     "compiledOn": "2026-11-22",
     "sources": {"imlcc": {"title": "…", "url": "https://…", "seenOn": "2026-11-20"}},
     "rows": [{"jurisdiction": "US-NC", …, "source": "imlcc"}]
    }

A row that names no source is refused; ``seenOn`` is left out until somebody has compared the rows with the source. Callers whose policy
says how old a table may be ask ``require_current``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSON
from did_health.errors import FormatError, VerificationError
from did_health.health import fields
from did_health.limits import MAX_TABLE_BYTES, MAX_TABLE_ROWS

_MEMBERS: Final = frozenset({"table", "compiledOn", "sources", "rows"})

Row = Mapping[str, JSON]
"""One row: its members by name, ``source`` among them."""


@dataclass(frozen=True, slots=True)
class TableSource:
    """Where rows are from: a document, its address, and the day on which the rows were compared with it (``None``: they were not yet)."""

    title: str
    url: str
    seen_on: date | None


@dataclass(frozen=True, slots=True)
class DatedTable:
    """A table as its file has it; ``sources`` by the short names that the rows use."""

    name: str
    compiled_on: date
    sources: Mapping[str, TableSource]
    rows: tuple[Row, ...]

    @classmethod
    def parse(cls, data: bytes) -> DatedTable:
        """Read a table's file; raises ``FormatError`` with the JSON pointer of what is wrong."""
        document = strict_json.loads_object(data, what="table", max_bytes=MAX_TABLE_BYTES)
        if unknown := document.keys() - _MEMBERS:
            raise FormatError("the table has a member that means nothing", where=f"/{min(unknown)}")
        sources = {name: _source(value, f"/sources/{name}") for name, value in fields.json_object(document.get("sources"), "/sources", "sources").items()}
        rows = document.get("rows")
        if not isinstance(rows, list) or len(rows) > MAX_TABLE_ROWS:
            raise FormatError(f"the rows are no list of at most {MAX_TABLE_ROWS}", where="/rows")
        return cls(
            fields.text(fields.member(document, "table"), "/table", "table's name", longest=64),
            fields.parse_day(fields.member(document, "compiledOn"), "/compiledOn", "day of compilation"),
            MappingProxyType(sources),
            tuple(_row(row, f"/rows/{place}", sources) for place, row in enumerate(rows)),
        )

    def source_of(self, row: Row) -> TableSource:
        """Where a row of this table is from."""
        return self.sources[str(row["source"])]

    def require_current(self, today: date, max_age: timedelta) -> None:
        """Raises ``VerificationError`` (``table_stale``) if the table was compiled longer ago than ``max_age``."""
        if today - self.compiled_on > max_age:
            raise VerificationError(
                f"the table {self.name} was compiled on {self.compiled_on.isoformat()}, longer ago than the policy allows",
                where=self.name,
                hint="Install a newer version, or give a newer file of this table",
                code="table_stale",
            )


def packaged_tables() -> tuple[str, ...]:
    """The names of the tables that ship with this version of the library."""
    return tuple(sorted(file.name.removesuffix(".json") for file in files(__package__).joinpath("data").iterdir() if file.name.endswith(".json")))


@cache
def packaged_table(name: str) -> DatedTable:
    """The table that ships with this version of the library as ``data/<name>.json``; raises ``KeyError`` if there is none."""
    file = files(__package__).joinpath("data", f"{name}.json")
    if not file.is_file():
        raise KeyError(name)
    return DatedTable.parse(file.read_bytes())


def _source(value: object, where: str) -> TableSource:
    document = fields.json_object(value, where, "source")
    return TableSource(
        fields.text(fields.member(document, "title", where), f"{where}/title", "source's title", longest=500),
        fields.uri(fields.member(document, "url", where), f"{where}/url", "source's address"),
        fields.parse_day(document["seenOn"], f"{where}/seenOn", "day on which the source was seen") if "seenOn" in document else None,
    )


def _row(value: object, where: str, sources: Mapping[str, TableSource]) -> Row:
    row = fields.json_object(value, where, "row")
    source = row.get("source")
    if not isinstance(source, str) or source not in sources:
        raise FormatError("the row does not name one of the table's sources", where=f"{where}/source")
    return MappingProxyType(row)
