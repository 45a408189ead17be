"""Licences that a board could issue, from its own CSV (RFC 4180, UTF-8): a line of column names, then a line for each licence.

Column names are read in any case, with blanks or hyphens for underscores; ``ALIASES`` are other words for them. A board whose file has other
names, words and dates says so in a small TOML file::

    format = "did-health/import-columns/v1"
    dates = "%m/%d/%Y"                    # how days are written; by default 2026-01-31

    [columns]                             # what is wanted, and the name of its column
    license_number = "LIC NO"
    family = "LAST"

    [professions]                         # the file's words, and MD or DO
    "M.D." = "MD"

Columns that mean nothing here are passed over. Each line is a row: a cell holds no line break, so that an open quotation mark spoils one row only.
"""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from did_health.encoding.lines import Line, split_lines
from did_health.errors import FormatError
from did_health.health import fields, jurisdictions
from did_health.health.fhir.practitioners import LicenseDefaults
from did_health.health.fhir.rows import Imported, RowError
from did_health.health.local_days import local_days
from did_health.health.person_name import PersonName
from did_health.health.physician_license import PhysicianLicense
from did_health.limits import MAX_CONFIG_BYTES, MAX_IMPORT_COLUMNS, MAX_IMPORT_LINE_BYTES, MAX_IMPORT_SKIPPED_BYTES

FORMAT: Final = "did-health/import-columns/v1"
COLUMNS: Final = (
    "family", "given", "prefix", "suffix", "profession", "license_number", "license_class", "original_issue_date", "valid_until", "jurisdiction",
    "npi", "fid", "degree", "taxonomy", "holder",
)  # fmt: skip
"""``taxonomy`` holds NUCC codes with semicolons between them, ``holder`` the DID that the licence is issued to."""
ALIASES: Final[Mapping[str, str]] = MappingProxyType({
    "last_name": "family", "family_name": "family", "surname": "family",
    "first_name": "given", "given_name": "given", "given_names": "given",
    "licence_number": "license_number", "license_no": "license_number", "number": "license_number",
    "licence_class": "license_class", "class": "license_class",
    "issue_date": "original_issue_date", "issued_on": "original_issue_date", "first_issued": "original_issue_date",
    "expiration_date": "valid_until", "expires": "valid_until", "expiry": "valid_until",
    "state": "jurisdiction", "fsmb_id": "fid", "did": "holder",
})  # fmt: skip
_REQUIRED: Final = ("family", "given", "license_number")
_BLANKS: Final = re.compile(r"[\s-]+")
_ISO: Final = "%Y-%m-%d"
# How the claims name what a column holds.
_MEMBERS: Final = MappingProxyType({
    "family": "name/family", "given": "name/given", "prefix": "name/prefix", "suffix": "name/suffix", "license_number": "licenseNumber",
    "license_class": "licenseClass", "original_issue_date": "originalIssueDate", "valid_until": "validUntil",
})
_COLUMN_OF: Final = MappingProxyType({member: column for column, member in _MEMBERS.items()})


@dataclass(frozen=True, slots=True)
class ImportColumns:
    """How a file's columns, words and days are read. ``columns`` holds by one of ``COLUMNS`` the name of the column in the file."""

    columns: Mapping[str, str] = field(default_factory=dict)
    professions: Mapping[str, str] = field(default_factory=dict)
    dates: str = _ISO

    @classmethod
    def parse(cls, data: bytes) -> ImportColumns:
        """Read the TOML file; raises ``FormatError``."""
        if len(data) > MAX_CONFIG_BYTES:
            raise FormatError(f"the description of the columns has more than {MAX_CONFIG_BYTES} bytes")
        try:
            document = tomllib.loads(data.decode())
        except (ValueError, RecursionError) as error:
            raise FormatError("the description of the columns is not TOML", hint="See docs/guides/board-clerk.md for an example") from error
        if document.pop("format", None) != FORMAT:
            raise FormatError("the file does not describe the columns of an import", where="format", hint=f'It starts with: format = "{FORMAT}"')
        if unknown := document.keys() - {"columns", "professions", "dates"}:
            raise FormatError("the member means nothing", where=min(unknown))
        columns, professions = (_words(document.get(name, {}), name) for name in ("columns", "professions"))
        if unknown := columns.keys() - set(COLUMNS):
            raise FormatError("no such column is wanted", where=f"columns.{min(unknown)}", hint=f"There are: {', '.join(COLUMNS)}")
        dates = fields.text(document.get("dates", _ISO), "dates", "way in which days are written", longest=64)
        if not _tells_days(dates):
            raise FormatError("days are written with a year, a month and a day", where="dates", hint="Write it as %m/%d/%Y")
        return cls(MappingProxyType(columns), MappingProxyType({word.casefold(): meant for word, meant in professions.items()}), dates)


def read_licenses_csv(
    data: bytes | Iterable[bytes], *, defaults: LicenseDefaults, columns: ImportColumns | None = None
) -> Iterator[Imported[PhysicianLicense] | RowError]:
    """A licence for every line, or why there is none, in constant memory; ``row`` is the number of the line, that of the column names being 1.

    An empty cell says nothing: the default is taken. Raises ``FormatError`` for a file without the columns that are needed.
    """
    described = columns or ImportColumns()
    names: Sequence[str] | None = None
    for line in split_lines((data,) if isinstance(data, bytes) else data, MAX_IMPORT_LINE_BYTES, MAX_IMPORT_SKIPPED_BYTES):
        if line.content == b"":
            continue
        if names is None:
            names = _columns(line, described)
            continue
        try:
            cells = _cells(line)
            if len(cells) != len(names):
                raise FormatError(f"the row has {len(cells)} cells, and there are {len(names)} columns", hint="Quote a cell that holds a comma")
            yield _license(line.number, {name: cell.strip() for name, cell in zip(names, cells, strict=True) if name}, defaults, described)
        except FormatError as error:
            member = error.where.strip("/")
            yield RowError(line.number, _COLUMN_OF.get(member, member), error.what, error.hint)


def _license(row: int, cells: Mapping[str, str], defaults: LicenseDefaults, described: ImportColumns) -> Imported[PhysicianLicense]:
    def cell(name: str) -> str:
        return cells.get(name, "")

    issued, until, word = cell("original_issue_date"), cell("valid_until"), cell("profession")
    profession = described.professions.get(word.casefold(), word.replace(".", "").upper()) if word else defaults.profession
    if profession is None:
        raise FormatError("the row states no profession", where="/profession", hint="Write MD or DO, or name a default profession")
    jurisdiction = _state(cell("jurisdiction")) or defaults.jurisdiction
    claims = PhysicianLicense(
        name=PersonName(cell("family"), cell("given"), cell("prefix"), cell("suffix")),
        profession=profession,
        license_number=cell("license_number"),
        original_issue_date=_day(issued, "original_issue_date", described) if issued else defaults.original_issue_date,
        valid_until=local_days(jurisdiction).last_moment(_day(until, "valid_until", described)) if until else defaults.valid_until,
        license_class=cell("license_class").lower().replace(" ", "_") or defaults.license_class,
        jurisdiction=jurisdiction,
        npi=cell("npi"),
        fid=cell("fid"),
        degree=cell("degree"),
        taxonomy=tuple(code.strip() for code in cell("taxonomy").split(";") if code.strip()),
    )
    holder = fields.did(cell("holder"), "/holder", "holder") if cell("holder") else ""
    stated = ("original_issue_date", "valid_until", "license_class", "profession")
    return Imported(row, "", claims, (), frozenset(name for name in stated if not cell(name)), holder)


def _day(text: str, column: str, described: ImportColumns) -> date:
    try:
        return datetime.strptime(text, described.dates).date()  # noqa: DTZ007  # a day has no zone
    except ValueError as error:
        example = date(2026, 1, 31).strftime(described.dates)
        raise FormatError("this is no day that there is", where=f"/{column}", hint=f"Write it as {example}") from error


def _tells_days(dates: str) -> bool:
    example = date(2026, 1, 31)
    try:
        return datetime.strptime(example.strftime(dates), dates).date() == example  # noqa: DTZ007
    except (ValueError, re.error):
        # A part that stands twice is an error of the expression that strptime makes.
        return False


def _state(text: str) -> str | None:
    if not text:
        return None
    code = jurisdictions.code_of(text)
    if code is None:
        raise FormatError("not a US state or territory", where="/jurisdiction", hint="Write it as NC, US-NC or North Carolina")
    return code


def _columns(line: Line, described: ImportColumns) -> Sequence[str]:
    """Which of ``COLUMNS`` each column is; empty for one that is passed over."""
    try:
        cells = [cell.strip() for cell in _cells(line)]
    except FormatError as error:
        raise FormatError(error.what, where="row 1", hint=error.hint) from error
    if len(cells) > MAX_IMPORT_COLUMNS:
        raise FormatError(f"the file has more than {MAX_IMPORT_COLUMNS} columns", where="row 1")
    mapped = {name.casefold(): wanted for wanted, name in described.columns.items()}
    names = [mapped.get(cell.casefold()) or _usual_name(cell, described) for cell in cells]
    for wanted, name in described.columns.items():
        if wanted not in names:
            raise FormatError(f"the file has no column {name}", where="row 1", hint=f"columns.{wanted} names it: compare with the first line")
    if lacking := [name for name in _REQUIRED if name not in names]:
        hint = f"The first line names the columns, of: {', '.join(COLUMNS)}; or describe them with --columns"
        raise FormatError(f"the file has no column {lacking[0]}", where="row 1", hint=hint)
    for name in COLUMNS:
        if names.count(name) > 1:
            raise FormatError(f"two columns are {name}", where="row 1", hint="Rename one of them")
    return names


def _usual_name(cell: str, described: ImportColumns) -> str:
    word = _BLANKS.sub("_", cell.casefold())
    name = ALIASES.get(word, word)
    # A column that was named for something else is not taken twice.
    return name if name in COLUMNS and name not in described.columns else ""


def _cells(line: Line) -> list[str]:
    if line.content is None:
        raise FormatError(f"the line has more than {MAX_IMPORT_LINE_BYTES} bytes")
    try:
        text = line.content.decode()
    except UnicodeDecodeError as error:
        raise FormatError("the line is not UTF-8", hint="Save the file as CSV UTF-8") from error
    try:
        if "\0" not in text:
            return next(csv.reader([text], strict=True))
    except csv.Error as error:
        hint = "Close each quotation mark, write one inside a cell twice, and put no line break into a cell"
        raise FormatError("the line is not CSV", hint=hint) from error
    raise FormatError("the line holds a NUL character", hint="Save the file as CSV UTF-8")


def _words(value: object, where: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(word, str) and word for word in value.values()):
        raise FormatError("this is no table of words", where=where)
    return value
