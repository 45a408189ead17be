"""The FHIR R4 data types that are read, and the choice among several of them. All raise ``FormatError`` with FHIR's path in ``where``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from did_health.encoding import timestamps
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError
from did_health.health import fields
from did_health.health.person_name import PersonName
from did_health.limits import MAX_CLAIM_ITEMS

NAME_USES: Final = ("official", "usual", "", "temp", "nickname", "anonymous", "maiden", "old")
"""FHIR's uses of a name (empty: none is given), the one to choose first."""
NO_LONGER_USED: Final = frozenset({"old", "maiden"})
V2_0203: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
"""Identifier types of HL7 v2 table 0203."""

_PARTIAL_DATE: Final = re.compile(r"[0-9]{4}(?:-[0-9]{2})?")
_DATE_CHARACTERS: Final = 10


@dataclass(frozen=True, slots=True)
class Element:
    """A JSON object inside a resource and its path, such as ``identifier[0]``."""

    path: str
    body: JSONObject

    def text(self, name: str) -> str:
        """The text of a member with single spaces; empty if absent."""
        value = self.body.get(name, "")
        if not isinstance(value, str):
            raise FormatError(f"the {name} is not a text", where=f"{self.path}.{name}".lstrip("."))
        return " ".join(value.split())

    def texts(self, name: str) -> tuple[str, ...]:
        """The texts of a member that is a list, without empty ones; FHIR writes ``null`` where only an extension is known."""
        values = self.body.get(name, [])
        if not isinstance(values, list) or not all(isinstance(value, str | None) for value in values):
            raise FormatError(f"the {name} is not a list of texts", where=f"{self.path}.{name}".lstrip("."))
        return tuple(words for value in values if value and (words := " ".join(value.split())))

    def children(self, name: str) -> tuple[Element, ...]:
        """The objects of a member that is a list."""
        where = f"{self.path}.{name}".lstrip(".")
        values = self.body.get(name, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise FormatError(f"the {name} is not a list of objects", where=where)
        if len(values) > MAX_CLAIM_ITEMS:
            raise FormatError(f"there are more than {MAX_CLAIM_ITEMS} of {name}", where=where)
        return tuple(Element(f"{where}[{place}]", value) for place, value in enumerate(values))

    def child(self, name: str) -> Element:
        """The object of a member; an empty one if absent."""
        where = f"{self.path}.{name}".lstrip(".")
        value: JSON = self.body.get(name, {})
        if not isinstance(value, dict):
            raise FormatError(f"the {name} is not an object", where=where)
        return Element(where, value)

    @property
    def in_use(self) -> bool:
        """Whether nothing says that this has been given up: neither ``use`` old nor a period with an end."""
        return self.text("use") not in NO_LONGER_USED and not self.child("period").text("end")


def chosen(candidates: Sequence[Element], uses: Sequence[str]) -> Element | None:
    """The candidate still in use whose ``use`` comes first in ``uses``, else one no longer in use; the first of equals; ``None`` of none."""
    ranks = {use: rank for rank, use in enumerate(uses)}
    return min(candidates, key=lambda element: (not element.in_use, ranks.get(element.text("use"), len(ranks))), default=None)


def person_name(person: Element) -> tuple[PersonName, Element]:
    """The name to put on a document, and where it stood: the official one if there is one, a maiden or old one only as the last resort."""
    element = chosen(person.children("name"), NAME_USES)
    if element is None:
        raise FormatError("there is no name", where="name")
    for part, value in (("family", element.text("family")), ("given", " ".join(element.texts("given")))):
        if not value:
            raise FormatError(f"the name has no {part} part", where=f"{element.path}.{part}", hint="A credential needs a family name and a given name")
    name = PersonName(
        element.text("family"), " ".join(element.texts("given")), " ".join(element.texts("prefix")), " ".join(element.texts("suffix"))
    )
    return name, element


def codings(concept: Element) -> Iterator[tuple[str, str]]:
    """``(system, code)`` of each coding of a CodeableConcept."""
    for coding in concept.children("coding"):
        yield coding.text("system"), coding.text("code")


def has_identifier_type(identifier: Element, codes: frozenset[str]) -> bool:
    """Whether the identifier's type is one of these codes of table 0203 (under its R4 or its older address)."""
    return any(system.endswith(("v2-0203", "v2/0203")) for system, code in codings(identifier.child("type")) if code in codes)


def full_day(text: str) -> date | None:
    """The day that a FHIR ``date`` or ``dateTime`` writes; ``None`` where it names only a year or a month. Raises ``FormatError`` for any other text."""
    if _PARTIAL_DATE.fullmatch(text):
        return None
    if len(text) > _DATE_CHARACTERS:
        # The day that was written down, which that moment need not lie on in UTC.
        timestamps.parse(text)
        return fields.parse_day(text[: len("2026-01-31")], "", "day")
    return fields.parse_day(text, "", "day")
