"""A roster in FHIR R4: Practitioner and PractitionerRole, as NDJSON or in a Bundle.

- *Practitioner*: a row for every licence number in use (``qualification.identifier`` and ``identifier`` of the types SL, MD and DO), with the
  state of US Core's jurisdiction extension if there is one; a row by NPI for somebody without any.
- *PractitionerRole*: its ``practitioner.identifier`` with an NPI, and the name in ``practitioner.display``, are a row. A role that refers to a
  Practitioner of the same file is covered by that one's rows; to anybody else it is a fault.

Other resources are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from did_health.errors import FormatError
from did_health.health.fhir import RowError, elements
from did_health.health.fhir.elements import Element
from did_health.health.fhir.practitioners import JURISDICTION_EXTENSION, LICENSE_TYPES, NPI_SYSTEMS
from did_health.health.fhir.resources import Resource, read_resources
from did_health.health.person_name import PersonName
from did_health.roles.roster.row import RosterFault, RosterRow, checked_row

_NPI_TYPE: Final = frozenset({"NPI"})


def read_fhir(data: bytes | Iterable[bytes]) -> Iterator[RosterRow | RosterFault]:
    """The rows of a roster; ``row`` is the line of NDJSON, or the entry of the Bundle, both from 1. Several rows may have the same number."""
    seen: set[str] = set()
    referring: list[tuple[int, str]] = []
    for resource in read_resources(data):
        if isinstance(resource, RowError):
            yield RosterFault(resource.row, resource.field, resource.problem, resource.hint)
            continue
        try:
            if resource.type == "Practitioner":
                seen.add(resource.id)
                yield from _practitioner(resource)
            elif resource.type == "PractitionerRole":
                found = _role(resource)
                if isinstance(found, str):
                    referring.append((resource.row, found))
                else:
                    yield found
        except FormatError as error:
            yield RosterFault.of(resource.row, error)
    for row, reference in referring:
        if reference.rpartition("/")[2].removeprefix("urn:uuid:") not in seen:
            hint = "Add the Practitioner to the file, or an NPI as practitioner.identifier"
            yield RosterFault(row, "practitioner.reference", "the role refers to somebody who is not in the file", hint)


def _practitioner(resource: Resource) -> list[RosterRow | RosterFault]:
    person = Element("", resource.body)
    name, _ = elements.person_name(person)
    holders = (*person.children("qualification"), person)
    numbers = [one for holder in holders for one in holder.children("identifier") if one.in_use and elements.has_identifier_type(one, LICENSE_TYPES)]
    found = _npi(person.children("identifier"))
    licenses = dict.fromkeys((number.text("value"), _state(number)) for number in numbers)
    return [_row(resource.row, name, found, number, state) for number, state in licenses or {("", ""): None}]


def _role(resource: Resource) -> RosterRow | RosterFault | str:
    """The role's own row, or the reference by which it names somebody else's."""
    who = Element("", resource.body).child("practitioner")
    found = _npi([who.child("identifier")])
    if not found:
        if reference := who.text("reference"):
            return reference
        raise FormatError("the role names no practitioner", where="practitioner", hint="Give an NPI as practitioner.identifier, or a reference")
    family, comma, given = who.text("display").partition(",")
    if not comma:
        given, _, family = who.text("display").rpartition(" ")
    # A name without two parts is told by the row, as everywhere.
    return checked_row(resource.row, {"family": family, "given": given, "npi": found})


def _row(row: int, name: PersonName, npi: str, number: str, state: str) -> RosterRow | RosterFault:
    return checked_row(row, {"family": name.family, "given": name.given, "npi": npi, "license_number": number, "state": state})


def _npi(identifiers: Iterable[Element]) -> str:
    for one in identifiers:
        if one.text("use") != "old" and (one.text("system") in NPI_SYSTEMS or elements.has_identifier_type(one, _NPI_TYPE)):
            return one.text("value")
    return ""


def _state(identifier: Element) -> str:
    for extension in identifier.children("extension"):
        if extension.text("url") == JURISDICTION_EXTENSION:
            for _, code in elements.codings(extension.child("valueCodeableConcept")):
                return code
    return ""
