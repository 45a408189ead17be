"""FHIR Organization ↔ a pharmacy's permit; boards and other accredited institutions → Organization (US Core's profile)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError
from did_health.health import fields, jurisdictions
from did_health.health.board_accreditation import BoardAccreditation
from did_health.health.fhir import elements
from did_health.health.fhir.elements import Element
from did_health.health.fhir.practitioners import JURISDICTION_EXTENSION, NPI_SYSTEMS
from did_health.health.fhir.profession import NUCC_SYSTEM
from did_health.health.fhir.resources import Resource, read_resources
from did_health.health.fhir.rows import Imported, RowError, RowNote
from did_health.health.fhir.writing import (
    DEA_SYSTEM,
    NCPDP_SYSTEM,
    NPI_SYSTEM,
    US_CORE,
    Written,
    did_identifier,
    ends_with_its_day,
    identifier,
    last_day,
    new_resource,
    terminology,
    url_of,
)  # fmt: skip
from did_health.health.issuer_details import Issuer
from did_health.health.local_days import local_days
from did_health.health.pharmacy import PHARMACY_CLASSES, Pharmacy

_LICENSE_TYPES: Final = frozenset({"SL", "LN"})
"""v2-0203: state licence, licence number."""
_ANY_PHARMACY: Final = "333600000X"
_BY_CLASS: Final[Mapping[str, str]] = MappingProxyType({
    "community": "3336C0003X",
    "institutional": "3336I0012X",
    "mail_order": "3336M0002X",
    "long_term_care": "3336L0003X",
    "specialty": "3336S0011X",
    "compounding": "3336C0004X",
    "nuclear": "3336N0007X",
})
"""NUCC codes of the classes that have one of their own."""
_BY_CODE: Final[Mapping[str, str]] = MappingProxyType({code: name for name, code in _BY_CLASS.items()})
_PHARMACY_CODES: Final = "3336"
_WORD: Final = "pharmacy"


@dataclass(frozen=True, slots=True)
class PharmacyDefaults:
    """What to say of a permit where FHIR does not: when it ends, its class and state.

    ``pharmacy_class=None`` makes an organisation that does not say that it is a pharmacy an error; ``jurisdiction=None`` one without a state.
    """

    valid_until: datetime
    pharmacy_class: str | None = None
    jurisdiction: str | None = None

    def __post_init__(self) -> None:
        fields.moment(self.valid_until, "/validUntil", "end of validity")
        if self.pharmacy_class is not None:
            fields.one_of(self.pharmacy_class, PHARMACY_CLASSES, "/class", "class of pharmacy")
        if self.jurisdiction is not None:
            jurisdictions.check(self.jurisdiction)


def read_pharmacies(data: bytes | Iterable[bytes], *, defaults: PharmacyDefaults) -> Iterator[Imported[Pharmacy] | RowError]:
    """A permit for every Organization in ``data`` (see ``read_resources``), or why there is none; other resources are passed over."""
    for resource in read_resources(data):
        if isinstance(resource, RowError):
            yield resource
        elif resource.type == "Organization":
            yield pharmacy_row(resource, defaults)


def pharmacy_row(resource: Resource, defaults: PharmacyDefaults) -> Imported[Pharmacy] | RowError:
    """The permit of one Organization, or why there is none."""
    try:
        return _pharmacy(resource, defaults)
    except FormatError as error:
        return RowError.of(resource.row, error)


def _pharmacy(resource: Resource, defaults: PharmacyDefaults) -> Imported[Pharmacy]:
    body = Element("", resource.body)
    notes = [RowNote(resource.row, "active", "the organisation's record is inactive")] if resource.body.get("active") is False else []
    stated_class = _class(body)
    pharmacy_class = stated_class or defaults.pharmacy_class
    if pharmacy_class is None:
        raise FormatError("the organisation does not say that it is a pharmacy", where="type", hint="Code its type by NUCC, or name a default class")
    numbers = [one for one in body.children("identifier") if one.text("value") and one.text("use") != "old"]
    permit = next((one for one in numbers if elements.has_identifier_type(one, _LICENSE_TYPES)), None)
    if permit is None:
        raise FormatError("there is no licence number", where="identifier", hint="Type it as SL or LN of HL7 v2 table 0203")
    jurisdiction = _state(permit, body) or defaults.jurisdiction or ""
    end = _end(permit, jurisdiction)
    claims = Pharmacy(
        name=body.text("name"),
        license_number=permit.text("value"),
        jurisdiction=jurisdiction,
        valid_until=end or defaults.valid_until,
        pharmacy_class=pharmacy_class,
        npi=_value(numbers, NPI_SYSTEMS, "NPI"),
        ncpdp_id=_value(numbers, frozenset({NCPDP_SYSTEM}), ""),
        dea=_value(numbers, frozenset({DEA_SYSTEM}), "DEA"),
    )
    unstated = ({"valid_until"} if end is None else set()) | ({"pharmacy_class"} if stated_class is None else set())
    return Imported(resource.row, resource.id, claims, tuple(notes), frozenset(unstated))


def _class(body: Element) -> str | None:
    concepts = body.children("type")
    for concept in concepts:
        for system, code in elements.codings(concept):
            if system == NUCC_SYSTEM and code.startswith(_PHARMACY_CODES):
                return _BY_CODE.get(code, "other")
    return "other" if any(_WORD in concept.text("text").casefold() for concept in concepts) else None


def _value(numbers: list[Element], systems: frozenset[str], kind: str) -> str:
    return next((one.text("value") for one in numbers if one.text("system") in systems or (kind and elements.has_identifier_type(one, frozenset({kind})))), "")


def _state(permit: Element, body: Element) -> str | None:
    """US Core's jurisdiction extension of the number, else the state of the address."""
    for extension in permit.children("extension"):
        if extension.text("url") == JURISDICTION_EXTENSION:
            for _, code in elements.codings(extension.child("valueCodeableConcept")):
                if state := jurisdictions.code_of(code):
                    return state
    return next((state for one in body.children("address") if (state := jurisdictions.code_of(one.text("state")))), None)


def _end(permit: Element, jurisdiction: str) -> datetime | None:
    text = permit.child("period").text("end")
    day = elements.full_day(text) if text else None
    return local_days(jurisdiction).last_moment(day) if day else None


# ---- writing


def board_organization(board: Issuer) -> Written:
    """A board, as its licences name it."""
    return _organization(board.id, board.name, terminology("organization-type", "govt"), state=board.jurisdiction)


def accredited_organization(did: str, accreditation: BoardAccreditation) -> Written:
    """An institution that the registry accredits; for what it is accredited stays unsaid."""
    written = _organization(did, accreditation.name, {"text": accreditation.entity_type}, state=accreditation.jurisdiction)
    return Written(written.url, written.resource, ("entityType", "professions", "action", "resource", "compact", "validFrom", "validUntil"))


def pharmacy_organization(did: str, pharmacy: Pharmacy, board: Issuer) -> Written:
    """A pharmacy with its permit, NPI, NCPDP and DEA numbers, and its class by NUCC where that has a code for it."""
    permit = identifier(board.id, pharmacy.license_number, kind="SL", state=pharmacy.jurisdiction, assigner=board.name)
    numbers: list[JSON] = [{**permit, "period": {"end": last_day(pharmacy.valid_until, pharmacy.jurisdiction)}}]
    for system, value, kind in ((NPI_SYSTEM, pharmacy.npi, "NPI"), (NCPDP_SYSTEM, pharmacy.ncpdp_id, ""), (DEA_SYSTEM, pharmacy.dea, "DEA")):
        if value:
            numbers.append(identifier(system, value, kind=kind))
    coding: list[JSON] = [*_codings_of("prov"), {"system": NUCC_SYSTEM, "code": _BY_CLASS.get(pharmacy.pharmacy_class, _ANY_PHARMACY)}]
    written = _organization(did, pharmacy.name, {"coding": coding, "text": "pharmacy"}, numbers=numbers)
    lost = {
        "class": pharmacy.pharmacy_class not in (*_BY_CLASS, "other"),
        "validFrom": pharmacy.valid_from,
        "validUntil": not ends_with_its_day(pharmacy.valid_until, pharmacy.jurisdiction),
    }
    return Written(written.url, written.resource, tuple(member for member, there in lost.items() if there))


def _codings_of(code: str) -> list[JSON]:
    found = terminology("organization-type", code)["coding"]
    return list(found)


def _organization(did: str, name: str, kind: JSONObject, *, numbers: list[JSON] | None = None, state: str = "") -> Written:
    url = url_of("Organization", did)
    place: list[JSON] = [{"state": state.removeprefix("US-"), "country": "US"}] if state.startswith("US-") else []
    resource = new_resource(
        "Organization",
        url,
        meta={"profile": [f"{US_CORE}us-core-organization"]},
        identifier=[*(numbers or []), did_identifier(did)],
        active=True,
        type=[kind],
        name=name,
        address=place,
    )
    return Written(url, resource)
