"""FHIR PractitionerRole → the taxonomy codes of practitioners, to be given to ``read_practitioners``.

Roles name their practitioner by a reference or by an NPI, and may stand before or after it in a file: they are read first, by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from did_health.errors import FormatError
from did_health.health import npi, nucc
from did_health.health.fhir import elements
from did_health.health.fhir.elements import Element
from did_health.health.fhir.profession import NUCC_SYSTEM
from did_health.health.fhir.resources import Resource, read_resources
from did_health.health.fhir.rows import RowError
from did_health.health.fhir.writing import NPI_SYSTEM
from did_health.limits import MAX_FHIR_ROLES

_UUID: Final = "urn:uuid:"


@dataclass(frozen=True, slots=True)
class Roles:
    """The specialties of practitioners, by NPI and by the resource's id; and the rows that could not be read."""

    errors: tuple[RowError, ...] = ()
    _by_npi: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _by_id: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def taxonomy(self, resource_id: str, number: str) -> tuple[str, ...]:
        """The NUCC codes of a practitioner, each once; none if there are no roles."""
        return tuple(dict.fromkeys((*self._by_id.get(resource_id, ()), *self._by_npi.get(number, ()))))


def read_roles(data: bytes | Iterable[bytes]) -> Roles:
    """Every PractitionerRole in ``data`` (see ``read_resources``) that is not inactive; other resources are passed over.

    Raises ``FormatError`` for more roles than ``MAX_FHIR_ROLES``: they are kept in memory.
    """
    errors: list[RowError] = []
    by_npi: dict[str, tuple[str, ...]] = {}
    by_id: dict[str, tuple[str, ...]] = {}
    count = 0
    for resource in read_resources(data):
        # A row that cannot be read at all is told by whoever reads the practitioners.
        if isinstance(resource, RowError) or resource.type != "PractitionerRole":
            continue
        count += 1
        if count > MAX_FHIR_ROLES:
            raise FormatError(f"there are more than {MAX_FHIR_ROLES} roles", hint="Split the file by practitioner")
        try:
            index, key, codes = _role(resource, by_npi, by_id)
        except FormatError as error:
            errors.append(RowError.of(resource.row, error))
        else:
            index[key] = (*index.get(key, ()), *codes)
    return Roles(tuple(errors), by_npi, by_id)


def _role(
    resource: Resource, by_npi: dict[str, tuple[str, ...]], by_id: dict[str, tuple[str, ...]]
) -> tuple[dict[str, tuple[str, ...]], str, tuple[str, ...]]:
    role = Element("", resource.body)
    practitioner = role.child("practitioner")
    number = practitioner.child("identifier")
    codes = () if resource.body.get("active") is False else _specialties(role)
    if number.text("system") == NPI_SYSTEM:
        return by_npi, npi.check(number.text("value"), "practitioner.identifier.value"), codes
    if reference := practitioner.text("reference"):
        return by_id, reference.rpartition("/")[2].removeprefix(_UUID), codes
    raise FormatError("the role names no practitioner", where="practitioner", hint="Give a reference, or an NPI as practitioner.identifier")


def _specialties(role: Element) -> tuple[str, ...]:
    codings = ((concept.path, coding) for concept in role.children("specialty") for coding in elements.codings(concept))
    return tuple(nucc.check(code, f"{path}.coding") for path, (system, code) in codings if system == NUCC_SYSTEM)
