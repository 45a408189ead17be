"""The physician's licence: ``PhysicianLicenseCredential``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Final

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health import claims, fields, jurisdictions, npi, nucc
from did_health.health.issuer_details import Issuer
from did_health.health.local_days import local_days
from did_health.health.person_name import PersonName
from did_health.health.restrictions import Restriction

PROFESSIONS: Final = frozenset({"MD", "DO"})
LICENSE_CLASSES: Final = frozenset({"full", "limited", "training", "teaching", "administrative", "temporary", "telemedicine", "compact_expedited"})
MAX_LICENSE_NUMBER: Final = 20
"""Boards and the FSMB publish licence numbers of at most 20 characters; there is no national format."""

_FID: Final = re.compile(r"[0-9]{9}")


@dataclass(frozen=True, slots=True)
class CompactOrigin:
    """The compact under which a licence was granted, and the licence of the principal state that it hangs on.

    ``spl_license`` is the id of that licence's credential, ``location`` the URL at which its board serves it (empty: not known).
    """

    name: str
    spl_license: str
    location: str = ""

    def __post_init__(self) -> None:
        fields.text(self.name, "/compact/name", "compact's name", longest=32)
        fields.uri(self.spl_license, "/compact/splLicense", "principal licence")
        if self.location != "":
            fields.https_url(self.location, "/compact/location", "principal licence's location")

    def to_json(self) -> JSONObject:
        """``{name, splLicense, location}``, the last if it is known."""
        return {"name": self.name, "splLicense": self.spl_license} | fields.present(location=self.location)

    @classmethod
    def from_json(cls, value: object) -> CompactOrigin:
        """Read what ``to_json`` wrote; raises ``FormatError``."""
        document = fields.json_object(value, "/compact", "compact")
        return cls(fields.member(document, "name", "/compact"), fields.member(document, "splLicense", "/compact"), document.get("location", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class PhysicianLicense:
    """A board's licence to practise medicine.

    ``license_number`` is opaque text; ``jurisdiction`` (``US-NC``) is the state that it is for, ``None`` for whichever the issuing board
    acts for; ``npi``, ``fid`` (nine digits of the FSMB) and ``degree`` are empty where unknown; ``taxonomy`` holds NUCC codes and
    ``board_order_refs`` URIs of public orders.

    Raises ``FormatError`` naming the member that is wrong, as the credential names it.
    """

    credential_type: ClassVar[str] = "PhysicianLicenseCredential"
    schema_url: ClassVar[str] = claims.schema_url(credential_type)
    contexts: ClassVar[tuple[str, ...]] = claims.CONTEXTS

    name: PersonName
    profession: str
    license_number: str
    original_issue_date: date
    valid_until: datetime
    license_class: str = "full"
    jurisdiction: str | None = None
    valid_from: datetime | None = None
    npi: str = ""
    fid: str = ""
    degree: str = ""
    taxonomy: tuple[str, ...] = ()
    restrictions: tuple[Restriction, ...] = ()
    board_order_refs: tuple[str, ...] = ()
    compact: CompactOrigin | None = None

    def __post_init__(self) -> None:
        fields.instance(self.name, PersonName, "/name", "name")
        fields.one_of(self.profession, PROFESSIONS, "/profession", "profession")
        fields.text(self.license_number, "/licenseNumber", "licence number", longest=MAX_LICENSE_NUMBER)
        fields.one_of(self.license_class, LICENSE_CLASSES, "/licenseClass", "licence class")
        fields.day(self.original_issue_date, "/originalIssueDate", "date of the first issue")
        fields.period(self.valid_from, self.valid_until)
        if self.jurisdiction is not None:
            jurisdictions.check(self.jurisdiction)
        if self.valid_until <= local_days(self.jurisdiction).begins(self.original_issue_date):
            raise FormatError("the licence ends before it was first issued", where="/originalIssueDate")
        if self.npi != "":
            npi.check(self.npi)
        if self.fid != "" and not (isinstance(self.fid, str) and _FID.fullmatch(self.fid)):
            raise FormatError("an FID is nine digits", where="/fid", hint="The FSMB assigns it")
        if self.degree != "":
            fields.text(self.degree, "/degree", "degree", longest=32)
        fields.items(self.taxonomy, "/taxonomy", "taxonomy codes", nucc.check)
        fields.items(self.restrictions, "/restrictions", "restrictions", lambda item, where: fields.instance(item, Restriction, where, "restriction"))
        fields.items(self.board_order_refs, "/boardOrderRefs", "board orders", lambda item, where: fields.uri(item, where, "board order"))
        if self.compact is not None:
            fields.instance(self.compact, CompactOrigin, "/compact", "compact")

    @property
    def number(self) -> str:
        """The licence number."""
        return self.license_number

    def to_subject(self, subject_id: str, issuer: Issuer) -> JSONObject:
        """The ``credentialSubject`` with the issuing board in it; raises ``FormatError`` if the licence is for another jurisdiction than the board's."""
        if self.jurisdiction is not None and self.jurisdiction != issuer.jurisdiction:
            raise FormatError(
                f"the licence is for {self.jurisdiction}, but the board acts for {issuer.jurisdiction}",
                where="/jurisdiction",
                hint="Let the board of that state issue it",
            )
        subject: JSONObject = {
            "id": fields.did(subject_id, "/id", "subject's id"),
            "name": self.name.to_json(),
            "profession": self.profession,
            "licenseNumber": self.license_number,
            "board": issuer.to_json(),
            "licenseClass": self.license_class,
            "originalIssueDate": self.original_issue_date.isoformat(),
        }
        subject |= fields.present(
            npi=self.npi,
            fid=self.fid,
            degree=self.degree,
            taxonomy=list(self.taxonomy),
            restrictions=[restriction.to_json() for restriction in self.restrictions],
            boardOrderRefs=list(self.board_order_refs),
            compact=self.compact.to_json() if self.compact else None,
        )
        return subject

    @classmethod
    def from_subject(cls, subject: Mapping[str, Any], *, valid_until: datetime, valid_from: datetime | None = None) -> PhysicianLicense:
        """Read a ``credentialSubject``; the validity stands in the credential around it. Raises ``FormatError``."""
        document = fields.json_object(subject, "", "credentialSubject")
        board = fields.json_object(fields.member(document, "board"), "/board", "board")
        return cls(
            name=PersonName.from_json(fields.member(document, "name")),
            profession=fields.member(document, "profession"),
            license_number=fields.member(document, "licenseNumber"),
            original_issue_date=fields.parse_day(fields.member(document, "originalIssueDate"), "/originalIssueDate", "date of the first issue"),
            valid_until=valid_until,
            license_class=fields.member(document, "licenseClass"),
            jurisdiction=jurisdictions.check(fields.member(board, "jurisdiction", "/board"), "/board/jurisdiction"),
            valid_from=valid_from,
            npi=document.get("npi", ""),
            fid=document.get("fid", ""),
            degree=document.get("degree", ""),
            taxonomy=fields.json_list(document.get("taxonomy"), "/taxonomy", "taxonomy codes"),
            restrictions=tuple(
                Restriction.from_json(item, f"/restrictions/{place}")
                for place, item in enumerate(fields.json_list(document.get("restrictions"), "/restrictions", "restrictions"))
            ),
            board_order_refs=fields.json_list(document.get("boardOrderRefs"), "/boardOrderRefs", "board orders"),
            compact=CompactOrigin.from_json(document["compact"]) if "compact" in document else None,
        )
