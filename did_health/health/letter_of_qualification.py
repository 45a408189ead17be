"""The letter by which a physician's principal state vouches for them in a compact: ``LetterOfQualificationCredential``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, ClassVar, Final

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health import claims, fields
from did_health.health.issuer_details import Issuer
from did_health.health.local_days import local_days

QUALIFIED: Final = "qualified"
DENIED: Final = "denied"
SPL_BASES: Final = frozenset({"residence", "practice25", "employer", "tax"})
"""Why a state is the principal one: primary residence, a quarter of the practice, the employer, or federal tax residence (IMLC rule 4)."""
CHECKS: Final = ("education", "gme", "exam", "boardCertification", "criminalBackground", "discipline")
"""What the principal state verifies at the primary source."""
PASSED: Final = "pass"
FAILED: Final = "fail"
LETTER_LIFETIME: Final = timedelta(days=365)
"""A letter is good for so long from the day of its issuing; licences issued on it outlive it."""


@dataclass(frozen=True, slots=True)
class PrincipalLicense:
    """The principal state's licence: its board's DID, its credential's id, and the URL at which the board serves it (empty: not known)."""

    board: str
    license: str
    location: str = ""

    def __post_init__(self) -> None:
        fields.did(self.board, "/spl/board", "principal board")
        fields.uri(self.license, "/spl/license", "principal licence")
        if self.location != "":
            fields.https_url(self.location, "/spl/location", "principal licence's location")

    def to_json(self) -> JSONObject:
        """``{board, license, location}``, the last if it is known."""
        return {"board": self.board, "license": self.license} | fields.present(location=self.location)

    @classmethod
    def from_json(cls, value: object) -> PrincipalLicense:
        """Read what ``to_json`` wrote; raises ``FormatError``."""
        document = fields.json_object(value, "/spl", "principal licence")
        return cls(fields.member(document, "board", "/spl"), fields.member(document, "license", "/spl"), document.get("location", ""))


@dataclass(frozen=True, slots=True)
class QualificationCheck:
    """How one verification at the primary source ended (``pass`` or ``fail``), and on which day."""

    outcome: str
    checked_on: date

    def to_json(self) -> JSONObject:
        """``{outcome, checkedOn}``."""
        return {"outcome": self.outcome, "checkedOn": self.checked_on.isoformat()}


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterOfQualification:
    """A principal board's decision that a physician may, or may not, be licensed through a compact.

    ``checks`` has each of ``CHECKS``; a letter with a failed one is a denial. Raises ``FormatError`` naming the member that is wrong.
    """

    credential_type: ClassVar[str] = "LetterOfQualificationCredential"
    schema_url: ClassVar[str] = claims.schema_url(credential_type)
    contexts: ClassVar[tuple[str, ...]] = claims.CONTEXTS

    spl: PrincipalLicense
    spl_basis: str
    decision: str
    issued_on: date
    valid_until: datetime
    checks: Mapping[str, QualificationCheck]
    compact: str = "IMLC"
    valid_from: datetime | None = None

    def __post_init__(self) -> None:
        fields.instance(self.spl, PrincipalLicense, "/spl", "principal licence")
        fields.one_of(self.spl_basis, SPL_BASES, "/splBasis", "basis of the principal state")
        fields.one_of(self.decision, (QUALIFIED, DENIED), "/decision", "decision")
        fields.day(self.issued_on, "/issuedOn", "day of issuing")
        fields.period(self.valid_from, self.valid_until)
        fields.text(self.compact, "/compact", "compact's name", longest=32)
        self.check_lifetime(None)
        if not isinstance(self.checks, Mapping) or set(self.checks) != set(CHECKS):
            raise FormatError("the checks are not the six that a compact asks for", where="/checks", hint=f"They are: {', '.join(CHECKS)}")
        for name, check in self.checks.items():
            fields.instance(check, QualificationCheck, f"/checks/{name}", "check")
            fields.one_of(check.outcome, (PASSED, FAILED), f"/checks/{name}/outcome", "outcome")
            if fields.day(check.checked_on, f"/checks/{name}/checkedOn", "day of the check") > self.issued_on:
                raise FormatError("a check was made after the letter was issued", where=f"/checks/{name}/checkedOn")
            if check.outcome == FAILED and self.decision == QUALIFIED:
                raise FormatError("who failed a check is not qualified", where="/decision", hint="Issue a denial")
        object.__setattr__(self, "checks", MappingProxyType(dict(self.checks)))

    def check_lifetime(self, jurisdiction: str | None) -> None:
        """Raises ``FormatError`` if the letter lasts beyond the last of its days in the principal state (``None``: wherever that is)."""
        last = min(self.issued_on, date.max - LETTER_LIFETIME) + LETTER_LIFETIME
        if self.valid_until > local_days(jurisdiction).ends(last):
            raise FormatError(f"the letter is good for longer than {LETTER_LIFETIME.days} days", where="/validUntil")

    @property
    def number(self) -> str:
        """Empty: a letter has no number."""
        return ""

    def to_subject(self, subject_id: str, issuer: Issuer) -> JSONObject:
        """The ``credentialSubject``; raises ``FormatError`` unless the issuer is the principal board, or if the letter lasts too long there."""
        if self.spl.board != issuer.id:
            raise FormatError("the letter names another principal board than its issuer", where="/spl/board", hint="Only the principal board issues a letter")
        self.check_lifetime(issuer.jurisdiction)
        return {
            "id": fields.did(subject_id, "/id", "subject's id"),
            "compact": self.compact,
            "spl": self.spl.to_json(),
            "splBasis": self.spl_basis,
            "decision": self.decision,
            "issuedOn": self.issued_on.isoformat(),
            "checks": {name: self.checks[name].to_json() for name in CHECKS},
        }

    @classmethod
    def from_subject(cls, subject: Mapping[str, Any], *, valid_until: datetime, valid_from: datetime | None = None) -> LetterOfQualification:
        """Read a ``credentialSubject``; the validity stands in the credential around it. Raises ``FormatError``."""
        document = fields.json_object(subject, "", "credentialSubject")
        checks = fields.json_object(fields.member(document, "checks"), "/checks", "checks")
        return cls(
            spl=PrincipalLicense.from_json(fields.member(document, "spl")),
            spl_basis=fields.member(document, "splBasis"),
            decision=fields.member(document, "decision"),
            issued_on=fields.parse_day(fields.member(document, "issuedOn"), "/issuedOn", "day of issuing"),
            valid_until=valid_until,
            checks={name: _check(value, f"/checks/{name}") for name, value in checks.items()},
            compact=fields.member(document, "compact"),
            valid_from=valid_from,
        )


def _check(value: object, where: str) -> QualificationCheck:
    document = fields.json_object(value, where, "check")
    day = fields.parse_day(fields.member(document, "checkedOn", where), f"{where}/checkedOn", "day of the check")
    return QualificationCheck(fields.member(document, "outcome", where), day)
