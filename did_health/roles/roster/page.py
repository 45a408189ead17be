"""A report as one page to read and to print: no scripts, nothing loaded from anywhere, every text escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from did_health.encoding.strict_json import JSONObject
from did_health.roles.report import Verdict
from did_health.roles.roster.result import Change, words_of

if TYPE_CHECKING:
    from jinja2 import Template

_TEMPLATE: Final = "page.html.j2"
_PART: Final = 500
"""Rows of one table: a browser lays out only those in sight, and one of 50,000 rows would take it half a minute."""
_URGENT: Final = "Every row that is not accepted, and every row that changed. Unresolved is neither yes nor no."
_CHANGES: Final = {Change.NEW: "new", Change.CHANGED: "changed", Change.SAME: "", Change.NOT_COMPARED: ""}


def page(summary: JSONObject, results: Callable[[], Iterable[JSONObject]]) -> Iterator[bytes]:
    """The page in pieces; ``summary`` is the report's header, ``results`` begins anew with the rows (see ``result``) each time it is called."""
    urgent = (_row(result) for result in results() if result["verdict"] != Verdict.ACCEPT or result.get("change") == Change.CHANGED)
    # Loops of the template itself, and in no macro: what a macro writes is held in memory until its end.
    sections = [
        {"title": "Needs a person", "about": _URGENT, "rows": urgent},
        {"title": "All rows", "about": "In the order of the roster.", "rows": (_row(result) for result in results())},
    ]
    for piece in _template().generate(summary=summary, day=summary["madeAt"][:10], sections=sections, part=_PART):
        yield piece.encode(errors="replace")


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(files(__package__).joinpath(_TEMPLATE).read_text(encoding="utf-8"))


def _row(result: JSONObject) -> JSONObject:
    change, before = _CHANGES[Change(result.get("change", Change.NOT_COMPARED))], result.get("before")
    return {
        "row": result["row"],
        "family": result.get("family", ""),
        "given": result.get("given", ""),
        "npi": result.get("npi", ""),
        "state": result.get("state", ""),
        "license": result.get("licenseNumber", ""),
        "verdict": result["verdict"],
        "reasons": tuple(dict.fromkeys(words_of(result))),
        "change": f"{change}, was {before['verdict']}" if before else change,
        "as_of": result.get("asOf", ""),
    }
