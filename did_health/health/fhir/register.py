"""A board's register in FHIR: physicians and pharmacies, whichever of them it licenses, in the order of the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from did_health.health.fhir.organizations import PharmacyDefaults, pharmacy_row
from did_health.health.fhir.practitioners import PractitionerReader
from did_health.health.fhir.resources import read_resources
from did_health.health.fhir.rows import Imported, RowError
from did_health.health.pharmacy import Pharmacy
from did_health.health.physician_license import PhysicianLicense

PHYSICIAN = "Practitioner"
PHARMACY = "Organization"


def kinds_in(data: bytes | Iterable[bytes]) -> frozenset[str]:
    """Which of the two types of resources there are in ``data`` (see ``read_resources``); it is read until both are found."""
    found: set[str] = set()
    for resource in read_resources(data):
        if not isinstance(resource, RowError) and resource.type in (PHYSICIAN, PHARMACY):
            found.add(resource.type)
            if len(found) == 2:
                break
    return frozenset(found)


def read_register(
    data: bytes | Iterable[bytes], *, physicians: PractitionerReader | None, pharmacies: PharmacyDefaults | None
) -> Iterator[Imported[PhysicianLicense] | Imported[Pharmacy] | RowError]:
    """The licences and permits in ``data``, or why there is none; a kind that is ``None``, and other resources, are passed over."""
    for resource in read_resources(data):
        if isinstance(resource, RowError):
            yield resource
        elif resource.type == PHYSICIAN and physicians is not None:
            yield from physicians.rows(resource)
        elif resource.type == PHARMACY and pharmacies is not None:
            yield pharmacy_row(resource, pharmacies)
