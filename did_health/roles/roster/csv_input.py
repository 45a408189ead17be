"""A roster in CSV (RFC 4180, UTF-8): a line of column names, then a line for each row.

Column names are read in any case, with blanks or hyphens for underscores; ``ALIASES`` are other words for them. Columns of other names
are passed over and appear in no report. Each line is a row: a cell holds no line break, so that an open quotation mark spoils one row only.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from did_health.encoding.lines import Line, split_lines
from did_health.errors import FormatError
from did_health.limits import MAX_ROSTER_COLUMNS, MAX_ROSTER_LINE_BYTES, MAX_ROSTER_SKIPPED_BYTES
from did_health.roles.roster.row import RosterFault, RosterRow, checked_row

COLUMNS: Final = ("family", "given", "npi", "license_number", "state", "board", "credential")
ALIASES: Final[Mapping[str, str]] = MappingProxyType({
    "last_name": "family", "family_name": "family", "surname": "family",
    "first_name": "given", "given_name": "given", "given_names": "given",
    "licence_number": "license_number", "license": "license_number", "licence": "license_number", "license_no": "license_number",
    "jurisdiction": "state", "license_state": "state",
    "board_did": "board", "credential_url": "credential", "credential_file": "credential",
})  # fmt: skip
_REQUIRED: Final = ("family", "given")
_IDENTIFYING: Final = ("npi", "license_number", "credential")
_BLANKS: Final = re.compile(r"[\s-]+")


def read_csv(data: bytes | Iterable[bytes]) -> Iterator[RosterRow | RosterFault]:
    """The rows of a roster, in constant memory; ``row`` is the number of the line, the line of column names being 1. Empty lines are no rows.

    Raises ``FormatError`` for a file without the columns that a roster must have.
    """
    lines = split_lines((data,) if isinstance(data, bytes) else data, MAX_ROSTER_LINE_BYTES, MAX_ROSTER_SKIPPED_BYTES)
    names: Sequence[str] | None = None
    for line in lines:
        if line.content == b"":
            continue
        if names is None:
            names = _columns(line)
            continue
        try:
            cells = _cells(line)
            if len(cells) != len(names):
                raise FormatError(f"the row has {len(cells)} cells, and there are {len(names)} columns", hint="Quote a cell that holds a comma")
        except FormatError as error:
            yield RosterFault.of(line.number, error)
            continue
        if any(cells):
            yield checked_row(line.number, {name: cell for name, cell in zip(names, cells, strict=True) if name})


def _columns(line: Line) -> Sequence[str]:
    """The known name of each column; empty for one that is passed over."""
    try:
        found = [_name(cell) for cell in _cells(line)]
    except FormatError as error:
        raise FormatError(error.what, where="row 1", hint=error.hint) from error
    if len(found) > MAX_ROSTER_COLUMNS:
        raise FormatError(f"the roster has more than {MAX_ROSTER_COLUMNS} columns", where="row 1")
    known = [name if name in COLUMNS else "" for name in found]
    if lacking := [name for name in _REQUIRED if name not in known]:
        raise FormatError(f"the roster has no column {lacking[0]}", where="row 1", hint=f"The first line names the columns, of: {', '.join(COLUMNS)}")
    if not any(name in known for name in _IDENTIFYING):
        raise FormatError("no column tells which licence is meant", where="row 1", hint=f"One of these is needed: {', '.join(_IDENTIFYING)}")
    for name in COLUMNS:
        if known.count(name) > 1:
            raise FormatError(f"two columns are {name}", where="row 1", hint="Rename one of them")
    return known


def _name(cell: str) -> str:
    word = _BLANKS.sub("_", cell.strip().casefold())
    return ALIASES.get(word, word)


def _cells(line: Line) -> list[str]:
    if line.content is None:
        raise FormatError(f"the line has more than {MAX_ROSTER_LINE_BYTES} bytes", where="", hint="Give the credential's path or URL instead")
    try:
        text = line.content.decode()
    except UnicodeDecodeError as error:
        raise FormatError("the line is not UTF-8", hint="Save the file as CSV UTF-8") from error
    if "\0" in text:
        raise FormatError("the line holds a NUL character", hint="Save the file as CSV UTF-8")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        hint = "Close each quotation mark, write one inside a cell twice, and put no line break into a cell"
        raise FormatError("the line is not CSV", hint=hint) from error
