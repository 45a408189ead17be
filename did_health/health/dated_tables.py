"""Tables that change (boards, compact members, states' rules): data files that say when they were compiled and where each row is from.

A table is one file in ``data/``::

    {
     "table": "compact-members",
     "compiledOn": "2026-11-22",
     "sources": {"imlcc": {"title": "…", "url": "https://…", "asOf": "2026-10-07", "seenOn": "2026-11-20"}},
     "rows": [{"jurisdiction": "US-NC", …, "source": "imlcc", "disputedBy": ["a-list"], "note": "…"}]
    }

A row that names no source is refused; ``seenOn`` is left out until somebody has compared the rows with the source, and ``asOf`` where the
source does not say of which day it speaks. ``alsoBy`` names other sources of a row, and ``disputedBy`` those that say otherwise: what is
disputed is read the more careful way.
Callers whose policy says how old a table may be ask ``require_current``: every table that decides something is asked before it does.
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
_OTHER_SOURCES: Final = ("alsoBy", "disputedBy")
_SOURCE_MEMBERS: Final = frozenset({"title", "url", "asOf", "seenOn"})
OLDEST_TABLES: Final = timedelta(days=366)
"""How old tables may be where nobody says otherwise: rules of states are looked through once a year."""

Row = Mapping[str, JSON]
"""One row: its members by name, ``source`` among them."""


@dataclass(frozen=True, slots=True)
class TableSource:
    """Where rows are from: a document, and its address.

    ``as_of`` is the day of which the document speaks (``None``: it does not say), ``seen_on`` the day on which the rows were compared with
    it (``None``: they were not yet).
    """

    title: str
    url: str
    seen_on: date | None
    as_of: date | None = None


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
        compiled_on = fields.parse_day(fields.member(document, "compiledOn"), "/compiledOn", "day of compilation")
        for name, source in sources.items():
            for member, day in (("asOf", source.as_of), ("seenOn", source.seen_on)):
                if day is not None and day > compiled_on:
                    raise FormatError("a source is of a later day than the table", where=f"/sources/{name}/{member}")
        return cls(
            fields.text(fields.member(document, "table"), "/table", "table's name", longest=64),
            compiled_on,
            MappingProxyType(sources),
            tuple(_row(row, f"/rows/{place}", sources) for place, row in enumerate(rows)),
        )

    def source_of(self, row: Row) -> TableSource:
        """Where a row of this table is from."""
        return self.sources[str(row["source"])]

    def others_of(self, row: Row) -> tuple[TableSource, ...]:
        """The sources that say so too, or a part of it."""
        return tuple(self.sources[name] for name in row.get("alsoBy", ()))

    def disputes_of(self, row: Row) -> tuple[TableSource, ...]:
        """The sources that say otherwise than the row does."""
        return tuple(self.sources[name] for name in row.get("disputedBy", ()))

    def is_stale(self, today: date, max_age: timedelta) -> bool:
        """Whether the table was compiled longer ago than ``max_age``."""
        return today - self.compiled_on > max_age

    def require_current(self, today: date, max_age: timedelta) -> None:
        """Raises ``VerificationError`` (``table_stale``) if the table ``is_stale``."""
        if self.is_stale(today, max_age):
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
    if unknown := document.keys() - _SOURCE_MEMBERS:
        raise FormatError("the source has a member that means nothing", where=f"{where}/{min(unknown)}")
    return TableSource(
        fields.text(fields.member(document, "title", where), f"{where}/title", "source's title", longest=500),
        fields.uri(fields.member(document, "url", where), f"{where}/url", "source's address"),
        fields.parse_day(document["seenOn"], f"{where}/seenOn", "day on which the source was seen") if "seenOn" in document else None,
        fields.parse_day(document["asOf"], f"{where}/asOf", "day of which the source speaks") if "asOf" in document else None,
    )


def _row(value: object, where: str, sources: Mapping[str, TableSource]) -> Row:
    row = fields.json_object(value, where, "row")
    source = row.get("source")
    if not isinstance(source, str) or source not in sources:
        raise FormatError("the row does not name one of the table's sources", where=f"{where}/source")
    for member in _OTHER_SOURCES:
        for other in fields.json_list(row.get(member), f"{where}/{member}", "other sources"):
            if not isinstance(other, str) or other not in sources or other == source:
                raise FormatError("the row names what is no other source of the table", where=f"{where}/{member}")
    if "note" in row:
        fields.text(row["note"], f"{where}/note", "note", longest=500)
    return MappingProxyType(row)
