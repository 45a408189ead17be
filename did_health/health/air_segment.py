"""Who dropped off or picked up, for the state's prescription monitoring program: fields AIR03 to AIR11 of ASAP's AIR segment.

The codes are ASAP's and states differ, so they are a table that a pharmacy can replace; the one that ships is from a published form, for
the standard itself is sold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health import fields
from did_health.health.dated_tables import DatedTable
from did_health.health.person_name import PersonName

_CODED: Final = ("AIR04", "AIR06", "AIR11")
_FIELDS: Final = ("AIR03", "AIR04", "AIR05", "AIR06", "AIR07", "AIR08", "AIR09", "AIR10", "AIR11")
OTHER: Final = "other"
PICKING_UP: Final = "picking_up"


@dataclass(frozen=True, slots=True)
class AIRCodes:
    """Codes by field and meaning; ``other`` stands for a meaning that the table does not have."""

    codes: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, table: DatedTable) -> AIRCodes:
        """Read a table of rows ``{field, code, meaning}``; raises ``FormatError``, also for a field without any code."""
        codes: dict[str, dict[str, str]] = {field: {} for field in _CODED}
        for place, row in enumerate(table.rows):
            where = f"/rows/{place}"
            field = fields.one_of(row.get("field"), _CODED, f"{where}/field", "field")
            meaning = fields.text(row.get("meaning"), f"{where}/meaning", "meaning", longest=64)
            codes[field][meaning] = fields.text(row.get("code"), f"{where}/code", "code", longest=8)
        if empty := [field for field, found in codes.items() if not found]:
            raise FormatError(f"the table has no code for {empty[0]}", where="/rows")
        return cls(MappingProxyType({field: MappingProxyType(found) for field, found in codes.items()}))

    def code(self, field: str, meaning: str) -> str:
        """The code of a meaning, or of ``other``; empty if the table has neither."""
        of_field = self.codes[field]
        return of_field.get(meaning) or of_field.get(OTHER, "")


@dataclass(frozen=True, slots=True)
class ShownDocument:
    """The physical document that somebody showed, as the state wants it reported: the whole number. Kept by the pharmacy's system, not here."""

    type: str
    jurisdiction: str
    # Stay out of logs and tracebacks.
    number: str = field(repr=False)
    name: PersonName | None = field(repr=False, default=None)

    @classmethod
    def from_json(cls, value: object) -> ShownDocument:
        """``{type, jurisdiction, number, name}``, the name optional. Raises ``FormatError``."""
        document = fields.json_object(value, "", "identity document")
        kind, place, number = (fields.text(fields.member(document, name), f"/{name}", name, longest=64) for name in ("type", "jurisdiction", "number"))
        return cls(kind, place, number, PersonName.from_json(document["name"]) if "name" in document else None)


@dataclass(frozen=True, slots=True)
class AIRSegment:
    """The fields by their names; those that are not known are empty."""

    values: Mapping[str, str] = field(repr=False)

    @classmethod
    def picking_up(
        cls, codes: AIRCodes, *, relationship: str, person: PersonName | None, pharmacist: PersonName | None, document: ShownDocument | None
    ) -> AIRSegment:
        """Of somebody who picks up and is ``relationship`` (a word of ``RELATIONSHIPS``) to the patient; the document's name goes before ``person``."""
        shown = document.name if document is not None and document.name is not None else person
        values = dict.fromkeys(_FIELDS, "")
        if document is not None:
            # The state without its country.
            values["AIR03"] = document.jurisdiction.removeprefix("US-")
            values["AIR04"] = codes.code("AIR04", document.type)
            values["AIR05"] = document.number
        values["AIR06"] = codes.code("AIR06", relationship)
        if shown is not None:
            values["AIR07"], values["AIR08"] = shown.family, shown.given
        if pharmacist is not None:
            values["AIR09"], values["AIR10"] = pharmacist.family, pharmacist.given
        values["AIR11"] = codes.code("AIR11", PICKING_UP)
        return cls(MappingProxyType(values))

    def to_json(self) -> JSONObject:
        """The fields that have a value, by name."""
        return {name: value for name, value in self.values.items() if value}
