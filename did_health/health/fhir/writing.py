"""The FHIR R4 data types that are written, and the addresses of the code systems and identifiers that they use."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from did_health.encoding import timestamps
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.health.address import Address
from did_health.health.fhir.elements import V2_0203
from did_health.health.fields import present
from did_health.health.local_days import local_days
from did_health.health.person_name import PersonName

NPI_SYSTEM: Final = "http://hl7.org/fhir/sid/us-npi"
DEA_SYSTEM: Final = "urn:oid:2.16.840.1.113883.4.814"
NCPDP_SYSTEM: Final = "http://terminology.hl7.org/NamingSystem/NCPDPProviderIdentificationNumber"
URI_SYSTEM: Final = "urn:ietf:rfc:3986"
"""The system of an identifier that is itself a URI, such as a DID."""
USPS_SYSTEM: Final = "https://www.usps.com/"
V2_0360: Final = "http://terminology.hl7.org/CodeSystem/v2-0360"
"""Degrees of HL7 v2 table 0360."""
US_CORE: Final = "http://hl7.org/fhir/us/core/StructureDefinition/"
EXTENSIONS: Final = "https://did-health.example/fhir/StructureDefinition/"
"""Where our own extensions are."""
_TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem/"


@dataclass(frozen=True, slots=True)
class Written:
    """A resource, the ``urn:uuid`` by which others refer to it, and what of the claims it does not say, by the names of the credential's members."""

    url: str
    resource: JSONObject
    unsaid: tuple[str, ...] = ()

    @property
    def reference(self) -> JSONObject:
        """A FHIR reference to it."""
        return {"reference": self.url, "type": str(self.resource["resourceType"])}


def url_of(kind: str, name: str) -> str:
    """The ``urn:uuid`` of a resource of type ``kind`` about ``name`` (a DID): always the same for the same two."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{kind} {name}").urn


def new_resource(kind: str, url: str, **members: JSON) -> JSONObject:
    """A resource whose id is the UUID in ``url``, without the members that are empty."""
    return {"resourceType": kind, "id": url.removeprefix("urn:uuid:"), **present(**members)}


def terminology(system: str, code: str) -> JSONObject:
    """A CodeableConcept of one of HL7's own code systems."""
    return {"coding": [{"system": _TERMINOLOGY + system, "code": code}]}


def identifier(system: str, value: str, *, kind: str = "", state: str = "", assigner: str = "") -> JSONObject:
    """An Identifier; ``kind`` is a code of table 0203, ``state`` (``US-NC``) the jurisdiction by US Core's extension."""
    jurisdiction: JSONObject = {
        "url": f"{US_CORE}us-core-jurisdiction",
        "valueCodeableConcept": {"coding": [{"system": USPS_SYSTEM, "code": state.removeprefix("US-")}]},
    }
    return present(
        extension=[jurisdiction] if state else [],
        type={"coding": [{"system": V2_0203, "code": kind}]} if kind else None,
        system=system,
        value=value,
        assigner={"display": assigner} if assigner else None,
    )


def did_identifier(did: str) -> JSONObject:
    """A DID as an Identifier."""
    return identifier(URI_SYSTEM, did)


def logical(system: str, value: str, *, kind: str, display: str = "") -> JSONObject:
    """A reference by identifier, to something of which no resource is at hand."""
    return present(type=kind, identifier=identifier(system, value), display=display)


def human_name(name: PersonName) -> JSONObject:
    """A HumanName. The given names stay one text, for nothing says where one of them ends."""
    return present(
        use="official",
        family=name.family,
        given=[name.given],
        prefix=[name.prefix] if name.prefix else [],
        suffix=[name.suffix] if name.suffix else [],
    )


def address(value: Address) -> JSONObject:
    """An Address; the state is its postal abbreviation."""
    return present(
        use="home", line=list(value.lines), city=value.city, state=value.state.removeprefix("US-"), postalCode=value.postal_code, country=value.country
    )


def last_day(end: datetime, jurisdiction: str) -> str:
    """The last day, by the clocks of a jurisdiction, of what ends at a moment: the end of a FHIR period includes it."""
    return local_days(jurisdiction).day_of(end).isoformat()


def ends_with_its_day(end: datetime, jurisdiction: str) -> bool:
    """Whether what ends at a moment ends with its last day there."""
    days = local_days(jurisdiction)
    return end.astimezone(UTC).replace(microsecond=0) == days.last_moment(days.day_of(end))


def instant(moment: datetime) -> str:
    """A ``dateTime`` or ``instant``."""
    return timestamps.format(moment)
