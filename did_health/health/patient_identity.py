"""The patient's identity: ``PatientIdentityCredential``. No SSN, record number, plan or drug has a place in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Final

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health import claims, fields
from did_health.health.address import Address
from did_health.health.assurance import Assurance
from did_health.health.identity_document import IdentityDocument
from did_health.health.issuer_details import Issuer
from did_health.health.person_name import PersonName

AGES: Final = (13, 16, 18, 19, 21, 25, 55, 60, 62, 65)
"""The ages NN for which there is a member ``ageOverNN``."""

_PHONE: Final = re.compile(r"\+?[0-9][0-9 ().x-]{5,29}")
_EMAIL: Final = re.compile(r"[^\s@<>\"]{1,64}@[^\s@<>\"]{1,190}")
_MULTIBASE_DIGEST: Final = re.compile(r"[uz][A-Za-z0-9_-]{20,200}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientIdentity:
    """Who a patient is, as an identity provider proofed it.

    The credential may last until three years after ``assurance.proofed_on``. ``portrait_digest`` is a multibase digest (the picture
    itself stays with the person), ``age_over`` pairs such as ``(21, True)`` as of the day of proofing, ``digital_identifier`` a URI.
    Texts are empty and objects ``None`` where unknown. Raises ``FormatError`` naming the member that is wrong.
    """

    credential_type: ClassVar[str] = "PatientIdentityCredential"
    schema_url: ClassVar[str] = claims.schema_url(credential_type)
    contexts: ClassVar[tuple[str, ...]] = claims.CONTEXTS

    name: PersonName
    birth_date: date
    assurance: Assurance
    valid_until: datetime
    valid_from: datetime | None = None
    address: Address | None = None
    phone: str = ""
    email: str = ""
    portrait_digest: str = ""
    id_document: IdentityDocument | None = None
    age_over: tuple[tuple[int, bool], ...] = ()
    digital_identifier: str = ""

    def __post_init__(self) -> None:
        fields.instance(self.name, PersonName, "/name", "name")
        fields.day(self.birth_date, "/birthDate", "birth date")
        fields.instance(self.assurance, Assurance, "/assurance", "assurance")
        fields.period(self.valid_from, self.valid_until)
        if self.birth_date > self.assurance.proofed_on:
            raise FormatError("the person was proofed before birth", where="/birthDate")
        self.assurance.check_covers(self.valid_until)
        if self.address is not None:
            fields.instance(self.address, Address, "/address", "address")
        _matches(self.phone, is_phone, "/phone", "a phone number")
        _matches(self.email, is_email, "/email", "an e-mail address")
        _matches(self.portrait_digest, _is_multibase_digest, "/portraitDigest", "the multibase digest of a portrait")
        if self.id_document is not None:
            fields.instance(self.id_document, IdentityDocument, "/idDocument", "identity document")
        fields.items(self.age_over, "/ageOver", "ages", self._check_age)
        if self.digital_identifier != "":
            fields.uri(self.digital_identifier, "/digitalIdentifier", "digital identifier")

    def _check_age(self, pair: object, where: str) -> None:
        match pair:
            case (int(age), bool(answer)) if age in AGES:
                if answer != (_years(self.birth_date, self.assurance.proofed_on) >= age):
                    raise FormatError("an age contradicts the birth date", where=where)
            case _:
                raise FormatError("an age is a pair such as (21, True)", where=where, hint=f"The ages are {', '.join(map(str, AGES))}")

    @property
    def number(self) -> str:
        """Empty: an identity has no number."""
        return ""

    def to_subject(self, subject_id: str, issuer: Issuer) -> JSONObject:  # noqa: ARG002  # the issuer stands in the credential itself
        """The ``credentialSubject``."""
        subject: JSONObject = {
            "id": fields.did(subject_id, "/id", "subject's id"),
            "name": self.name.to_json(),
            "birthDate": self.birth_date.isoformat(),
            "assurance": self.assurance.to_json(),
        }
        subject |= fields.present(
            address=self.address.to_json() if self.address else None,
            phone=self.phone,
            email=self.email,
            portraitDigest=self.portrait_digest,
            idDocument=self.id_document.to_json() if self.id_document else None,
            digitalIdentifier=self.digital_identifier,
        )
        subject |= {f"ageOver{age}": answer for age, answer in self.age_over}
        return subject

    @classmethod
    def from_subject(cls, subject: Mapping[str, Any], *, valid_until: datetime, valid_from: datetime | None = None) -> PatientIdentity:
        """Read a ``credentialSubject``; the validity stands in the credential around it. Raises ``FormatError``."""
        document = fields.json_object(subject, "", "credentialSubject")
        return cls(
            name=PersonName.from_json(fields.member(document, "name")),
            birth_date=fields.parse_day(fields.member(document, "birthDate"), "/birthDate", "birth date"),
            assurance=Assurance.from_json(fields.member(document, "assurance")),
            valid_until=valid_until,
            valid_from=valid_from,
            address=Address.from_json(document["address"]) if "address" in document else None,
            phone=document.get("phone", ""),
            email=document.get("email", ""),
            portrait_digest=document.get("portraitDigest", ""),
            id_document=IdentityDocument.from_json(document["idDocument"]) if "idDocument" in document else None,
            age_over=tuple((age, document[f"ageOver{age}"]) for age in AGES if f"ageOver{age}" in document),
            digital_identifier=document.get("digitalIdentifier", ""),
        )


def is_phone(text: str) -> bool:
    """Whether ``text`` can be a phone number: digits with the usual punctuation, 6 to 30 characters; no extension in words."""
    return bool(_PHONE.fullmatch(text))


def is_email(text: str) -> bool:
    """Whether ``text`` can be an e-mail address: something, one ``@``, something."""
    return bool(_EMAIL.fullmatch(text))


def _is_multibase_digest(text: str) -> bool:
    return bool(_MULTIBASE_DIGEST.fullmatch(text))


def _matches(value: object, is_one: Callable[[str], bool], where: str, what: str) -> None:
    if value != "" and not (isinstance(value, str) and is_one(value)):
        raise FormatError(f"not {what}", where=where)


def _years(born: date, on: date) -> int:
    """Whole years from ``born`` to ``on``."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
