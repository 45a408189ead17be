"""The pharmacy's permit: ``PharmacyCredential``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health import claims, dea, fields, jurisdictions, npi
from did_health.health.issuer_details import Issuer

PHARMACY_CLASSES: Final = frozenset({
    "community", "institutional", "mail_order", "long_term_care", "specialty", "compounding", "nuclear", "telepharmacy", "other",
})

_NCPDP_ID: Final = re.compile(r"[0-9]{7}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pharmacy:
    """A pharmacy board's licence of a pharmacy.

    ``pharmacy_class`` is the credential's ``class``; ``npi``, ``ncpdp_id`` (seven digits) and ``dea`` are empty where unknown.
    Raises ``FormatError`` naming the member that is wrong.
    """

    credential_type: ClassVar[str] = "PharmacyCredential"
    schema_url: ClassVar[str] = claims.schema_url(credential_type)
    contexts: ClassVar[tuple[str, ...]] = claims.CONTEXTS

    name: str
    license_number: str
    jurisdiction: str
    valid_until: datetime
    pharmacy_class: str = "community"
    valid_from: datetime | None = None
    npi: str = ""
    ncpdp_id: str = ""
    dea: str = ""

    def __post_init__(self) -> None:
        fields.text(self.name, "/name", "pharmacy's name")
        fields.text(self.license_number, "/licenseNumber", "licence number", longest=20)
        jurisdictions.check(self.jurisdiction)
        fields.one_of(self.pharmacy_class, PHARMACY_CLASSES, "/class", "class of pharmacy")
        fields.period(self.valid_from, self.valid_until)
        if self.npi != "":
            npi.check(self.npi)
        if self.ncpdp_id != "" and not (isinstance(self.ncpdp_id, str) and _NCPDP_ID.fullmatch(self.ncpdp_id)):
            raise FormatError("an NCPDP id is seven digits", where="/ncpdpId")
        if self.dea != "":
            dea.check(self.dea, "/dea")

    @property
    def number(self) -> str:
        """The licence number."""
        return self.license_number

    def to_subject(self, subject_id: str, issuer: Issuer) -> JSONObject:
        """The ``credentialSubject``; raises ``FormatError`` if the pharmacy is in another jurisdiction than the board's."""
        if self.jurisdiction != issuer.jurisdiction:
            raise FormatError(f"the pharmacy is in {self.jurisdiction}, but the board acts for {issuer.jurisdiction}", where="/jurisdiction")
        subject: JSONObject = {
            "id": fields.did(subject_id, "/id", "subject's id"),
            "name": self.name,
            "licenseNumber": self.license_number,
            "jurisdiction": self.jurisdiction,
            "class": self.pharmacy_class,
        }
        return subject | fields.present(npi=self.npi, ncpdpId=self.ncpdp_id, dea=self.dea)

    @classmethod
    def from_subject(cls, subject: Mapping[str, Any], *, valid_until: datetime, valid_from: datetime | None = None) -> Pharmacy:
        """Read a ``credentialSubject``; the validity stands in the credential around it. Raises ``FormatError``."""
        document = fields.json_object(subject, "", "credentialSubject")
        return cls(
            name=fields.member(document, "name"),
            license_number=fields.member(document, "licenseNumber"),
            jurisdiction=fields.member(document, "jurisdiction"),
            valid_until=valid_until,
            pharmacy_class=fields.member(document, "class"),
            valid_from=valid_from,
            npi=document.get("npi", ""),
            ncpdp_id=document.get("ncpdpId", ""),
            dea=document.get("dea", ""),
        )
