"""FHIR Practitioner → the physician licences that a board could issue: one for each qualification with a licence number, else one.

What FHIR may not say comes from ``LicenseDefaults``; each rule below names its sources in the order in which they are asked.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from did_health.errors import FormatError
from did_health.health import fields, jurisdictions, npi, nucc
from did_health.health.fhir import elements
from did_health.health.fhir.elements import Element
from did_health.health.fhir.profession import Qualified, qualification_of
from did_health.health.fhir.resources import Resource, read_resources
from did_health.health.fhir.roles import Roles
from did_health.health.fhir.rows import Imported, RowError, RowNote
from did_health.health.local_days import local_days
from did_health.health.person_name import PersonName
from did_health.health.physician_license import LICENSE_CLASSES, PROFESSIONS, PhysicianLicense

NPI_SYSTEMS: Final = frozenset({"http://hl7.org/fhir/sid/us-npi", "urn:oid:2.16.840.1.113883.4.6"})
SSN_SYSTEMS: Final = frozenset({"http://hl7.org/fhir/sid/us-ssn", "urn:oid:2.16.840.1.113883.4.1"})
LICENSE_TYPES: Final = frozenset({"SL", "MD", "DO"})
"""v2-0203: state licence, medical licence number, osteopathic licence number."""
JURISDICTION_EXTENSION: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-jurisdiction"
NO_ROLES: Final = Roles()
ADDRESS_USES: Final = ("work", "", "billing", "home", "temp", "old")


@dataclass(frozen=True, slots=True)
class LicenseDefaults:
    """What to say of a licence where FHIR does not: when it was first issued and ends, its profession, class and state.

    ``profession=None`` makes a practitioner without a stated profession an error instead; ``jurisdiction=None`` leaves the state to the board.
    """

    original_issue_date: date
    valid_until: datetime
    profession: str | None = "MD"
    license_class: str = "full"
    jurisdiction: str | None = None

    def __post_init__(self) -> None:
        fields.day(self.original_issue_date, "/originalIssueDate", "date of the first issue")
        fields.moment(self.valid_until, "/validUntil", "end of validity")
        if self.profession is not None:
            fields.one_of(self.profession, PROFESSIONS, "/profession", "profession")
        fields.one_of(self.license_class, LICENSE_CLASSES, "/licenseClass", "licence class")
        if self.jurisdiction is not None:
            jurisdictions.check(self.jurisdiction)


def read_practitioners(
    data: bytes | Iterable[bytes], *, defaults: LicenseDefaults, mint_test_npi: bool = False, roles: Roles = NO_ROLES
) -> Iterator[Imported[PhysicianLicense] | RowError]:
    """The licences of every Practitioner in ``data`` (see ``read_resources``), or why there is none; other resources are passed over.

    Several licences of one Practitioner have the same row. ``mint_test_npi`` and ``roles`` are those of ``PractitionerReader``.
    """
    reader = PractitionerReader(defaults, mint_test_npi=mint_test_npi, roles=roles)
    for resource in read_resources(data):
        if isinstance(resource, RowError):
            yield resource
        elif resource.type == "Practitioner":
            yield from reader.rows(resource)


class PractitionerReader:
    """Reads Practitioners one after the other.

    An invalid NPI makes its row an error; with ``mint_test_npi`` it is replaced by a valid test NPI, the n-th Practitioner getting
    ``npi.mint_test_npi(n)``, and a note says so. ``roles`` are what ``read_roles`` found in the same data: they give taxonomy codes.
    """

    def __init__(self, defaults: LicenseDefaults, *, mint_test_npi: bool = False, roles: Roles = NO_ROLES) -> None:
        self._defaults, self._mint, self._roles = defaults, mint_test_npi, roles
        self._ordinal = 0

    def rows(self, resource: Resource) -> Iterator[Imported[PhysicianLicense] | RowError]:
        """One Practitioner's licences, each by itself a row or an error."""
        self._ordinal += 1
        spare = npi.mint_test_npi(self._ordinal) if self._mint else None
        try:
            numbered = _numbered(Element("", resource.body))
        except FormatError as error:
            yield RowError.of(resource.row, error)
            return
        for only in numbered if len(numbered) > 1 else [None]:
            try:
                yield _License(resource, self._defaults, spare, self._roles, only).imported()
            except FormatError as error:
                yield RowError.of(resource.row, error)


def mint_license_number(resource_id: str) -> str:
    """A licence number for test data: ``TEST-`` and 60 bits of the id's SHA-256 in base32; always the same for the same id."""
    digest = hashlib.sha256(b"did-health/test-licence-number/v1\n" + resource_id.encode(errors="surrogatepass")).digest()
    return "TEST-" + base64.b32encode(digest).decode()[:12]


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A qualification and the number of its licence."""

    qualification: Element
    identifier: Element


def _numbered(person: Element) -> list[_Numbered]:
    """The qualifications that are licences with a number, each licence once: a number and its state."""
    found: dict[tuple[str, str], _Numbered] = {}
    for qualification in person.children("qualification"):
        for identifier in qualification.children("identifier"):
            if _is_license_number(identifier):
                found.setdefault((identifier.text("value"), _stated_jurisdiction(identifier)), _Numbered(qualification, identifier))
    return [*found.values()]


def _is_license_number(identifier: Element) -> bool:
    usable = identifier.text("value") and identifier.text("use") != "old" and identifier.text("system") not in SSN_SYSTEMS
    return bool(usable) and elements.has_identifier_type(identifier, LICENSE_TYPES)


def _stated_jurisdiction(identifier: Element) -> str:
    for extension in identifier.children("extension"):
        if extension.text("url") == JURISDICTION_EXTENSION:
            for _, code in elements.codings(extension.child("valueCodeableConcept")):
                if state := jurisdictions.code_of(code):
                    return state
    return ""


class _License:
    """One Practitioner on its way to a licence (the one ``only``, if there are several), with the notes made along it."""

    def __init__(self, resource: Resource, defaults: LicenseDefaults, spare_npi: str | None, roles: Roles, only: _Numbered | None) -> None:
        self.only = only
        self.resource = resource
        self.person = Element("", resource.body)
        self.defaults = defaults
        self.spare_npi = spare_npi
        self.roles = roles
        self.notes: list[RowNote] = []

    def note(self, field: str, text: str) -> None:
        self.notes.append(RowNote(self.resource.row, field, text))

    def imported(self) -> Imported[PhysicianLicense]:
        name, source = elements.person_name(self.person)
        if not source.in_use:
            self.note(source.path, "only a former name is given; it was taken")
        qualified = self.qualified(name)
        number = self.only.identifier if self.only else self.license_identifier(qualified)
        own = self.npi()
        start, end = self.period_day(qualified, "start"), self.period_day(qualified, "end")
        jurisdiction = self.jurisdiction(number)
        claims = PhysicianLicense(
            name=name,
            profession=qualified.profession,
            license_number=self.license_number(number),
            original_issue_date=start or self.defaults.original_issue_date,
            valid_until=local_days(jurisdiction).last_moment(end) if end else self.defaults.valid_until,
            license_class=self.defaults.license_class,
            jurisdiction=jurisdiction,
            npi=own,
            degree=qualified.degree,
            taxonomy=self.taxonomy(qualified, own),
        )
        if self.resource.body.get("active") is False:
            self.note("active", "the practitioner's record is inactive")
        unstated = {"license_class"} | ({"original_issue_date"} if start is None else set()) | ({"valid_until"} if end is None else set())
        return Imported(self.resource.row, self.resource.id, claims, tuple(self.notes), frozenset(unstated))

    def qualified(self, name: PersonName) -> Qualified:
        """The profession; that of one licence among several is its own if it says one, and its days are."""
        person = qualification_of(self.person.children("qualification"), name, self.defaults.profession)
        if self.only is None:
            return person
        own = qualification_of((self.only.qualification,), name, person.profession)
        degree = own.degree or (person.degree if person.profession == own.profession else "")
        return Qualified(own.profession, degree, person.taxonomy, (self.only.qualification,))

    def taxonomy(self, qualified: Qualified, own_npi: str) -> tuple[str, ...]:
        """The codes of the qualifications, then those of the practitioner's roles."""
        stated = [nucc.check(code, "qualification.code") for code in qualified.taxonomy]
        return tuple(dict.fromkeys((*stated, *self.roles.taxonomy(self.resource.id, own_npi))))

    def npi(self) -> str:
        """The first valid NPI among the identifiers in use; empty if there is none at all."""
        candidates = [
            identifier
            for identifier in self.person.children("identifier")
            if identifier.text("use") != "old"
            and (identifier.text("system") in NPI_SYSTEMS or elements.has_identifier_type(identifier, frozenset({"NPI"})))
        ]
        for identifier in candidates:
            if npi.is_valid(value := identifier.text("value")):
                if warning := npi.warning(value):
                    self.note(f"{identifier.path}.value", warning)
                return value
        if not candidates:
            return ""
        where = f"{candidates[0].path}.value"
        if self.spare_npi is None:
            try:
                npi.check(candidates[0].text("value"), where)
            except FormatError as error:
                raise FormatError(error.what, where=where, hint="Correct it at its source, or let test NPIs be minted") from error
        self.note(where, "the NPI is invalid and was replaced by a test NPI")
        return self.spare_npi or ""

    def license_identifier(self, qualified: Qualified) -> Element | None:
        """The licence's identifier: in the qualification that gave the profession, in another one, among the practitioner's own."""
        holders = (*qualified.elements, *self.person.children("qualification"), self.person)
        for holder in holders:
            for identifier in holder.children("identifier"):
                if _is_license_number(identifier):
                    return identifier
        return None

    def license_number(self, identifier: Element | None) -> str:
        if identifier is not None:
            return identifier.text("value")
        self.note("qualification.identifier", "there is no licence number; one was made from the resource's id")
        return mint_license_number(self.resource.id or f"row {self.resource.row}")

    def period_day(self, qualified: Qualified, end: str) -> date | None:
        for element in qualified.elements:
            period = element.child("period")
            if text := period.text(end):
                try:
                    day = elements.full_day(text)
                except FormatError as error:
                    raise FormatError(error.what, where=f"{period.path}.{end}", hint=error.hint) from error
                if day is None:
                    self.note(f"{period.path}.{end}", "the date names no day; the default was taken")
                return day
        return None

    def jurisdiction(self, identifier: Element | None) -> str | None:
        """The state of the licence: US Core's jurisdiction extension of its identifier, the practitioner's address, the default."""
        if identifier and (state := _stated_jurisdiction(identifier)):
            return state
        address = elements.chosen(self.person.children("address"), ADDRESS_USES)
        text = address.text("state") if address else ""
        if found := jurisdictions.code_of(text):
            return found
        if address and text:
            self.note(f"{address.path}.state", "not a US state or territory; the default was taken")
        return self.defaults.jurisdiction
