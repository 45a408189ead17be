"""Where licences are found: the port that a roster is looked up through, and which of the answers is the licence that a row means."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.health.physician_license import PhysicianLicense
from did_health.roles.documents import Document, parse_document
from did_health.roles.roster.row import RosterRow


@dataclass(frozen=True, slots=True)
class LicenseQuery:
    """What is asked for: by NPI, or by a licence's number with its state or board (a DID); empty texts say nothing."""

    npi: str = ""
    license_number: str = ""
    state: str = ""
    board: str = ""

    @classmethod
    def of(cls, row: RosterRow) -> LicenseQuery:
        """What a row that brings no credential asks for."""
        return cls(row.npi, row.license_number, row.state, row.board)


class LicenseSource(Protocol):
    """A place where licences are public: a board's directory, a folder of files. Safe for several threads."""

    def find(self, query: LicenseQuery) -> Sequence[bytes]:
        """The licences that ``query`` may mean, each with its issuance receipt, as its board gave it out; none if this place has none.

        What comes back is not verified, and may be more than was asked for. Raises ``TransportError`` or ``StoreError`` if it cannot be told.
        """


class Doubt(NamedTuple):
    """Why a row has no licence that could be verified."""

    code: str
    sentence: str
    hint: str = ""


class Claims(NamedTuple):
    """What a document says of whose licence it is; nothing of it is verified, and what is malformed is empty."""

    issuer: str
    family: str
    given: str
    npi: str
    number: str
    state: str
    since: str

    @classmethod
    def of(cls, credential: JSONObject) -> Claims:
        """Read them."""
        # As nearly all are written.
        try:
            subject = credential["credentialSubject"]
            name = subject["name"]
            found = cls(
                credential["issuer"],
                name["family"],
                name["given"],
                subject.get("npi", ""),
                subject["licenseNumber"],
                subject["board"]["jurisdiction"],
                credential["validFrom"],
            )
        except (KeyError, TypeError, AttributeError):
            return cls._of_any(credential)
        for text in found:
            if type(text) is not str:
                return cls._of_any(credential)
        return found

    @classmethod
    def _of_any(cls, credential: JSONObject) -> Claims:
        subject = _object(credential.get("credentialSubject"))
        name, issuer = _object(subject.get("name")), credential.get("issuer")
        return cls(
            issuer if type(issuer) is str else _text(_object(issuer), "id"),
            _text(name, "family"),
            _text(name, "given"),
            _text(subject, "npi"),
            _text(subject, "licenseNumber"),
            _text(_object(subject.get("board")), "jurisdiction"),
            _text(credential, "validFrom"),
        )

    def is_asked_for(self, query: LicenseQuery | RosterRow) -> bool:
        """Whether nothing that is asked for is another."""
        return (
            (not query.npi or self.npi in ("", query.npi))
            and (not query.license_number or self.number == query.license_number)
            and (not query.state or self.state == query.state)
            and (not query.board or self.issuer == query.board)
        )


class Chosen(NamedTuple):
    """The licence that a row means, read and not verified."""

    document: Document
    source: bytes
    claims: Claims


NOT_FOUND: Final = Doubt("not_found", "no licence was found for this row", "Ask the practitioner or the board for the credential")
_MISMATCH: Final = Doubt(
    "license_mismatch", "the licence found has another number, NPI, state or board than the row", "Correct the row, or get the right licence"
)
_OTHER_NAME: Final = Doubt(
    "name_mismatch", "the licence is in another name than the row", "Compare the two; the same family name and first given name are needed"
)
_SEVERAL: Final = Doubt("ambiguous", "several licences fit the row", "Give the state, the licence number or the board")
_NO_LICENSE: Final = Doubt("not_a_license", "what was found is no physician's licence", "Give a PhysicianLicenseCredential")
_UNREADABLE: Final = Doubt("credential_malformed", "what was found for the row is no credential that can be read", "Give it as its issuer gave it out")


def choose(row: RosterRow, candidates: Sequence[bytes]) -> Chosen | Doubt:
    """The one licence among ``candidates`` that ``row`` means: of several versions the newest, of several licences none."""
    if len(candidates) == 1:
        return _fitting(row, candidates[0])
    doubt = NOT_FOUND
    found: dict[tuple[str, str], Chosen] = {}
    for candidate in candidates:
        one = _fitting(row, candidate)
        if isinstance(one, Doubt):
            doubt = one
        else:
            license_of = (one.claims.issuer, one.claims.number)
            known = found.get(license_of)
            if known is None or known.claims.since <= one.claims.since:
                found[license_of] = one
    if len(found) == 1:
        return found.popitem()[1]
    return _SEVERAL if found else doubt


def _fitting(row: RosterRow, candidate: bytes) -> Chosen | Doubt:
    """The candidate as it was read, unless it cannot be what the row means."""
    one = _read(candidate)
    if isinstance(one, Doubt):
        return one
    if not one.claims.is_asked_for(row):
        return _MISMATCH
    return one if same_person(row.family, row.given, one.claims.family, one.claims.given) else _OTHER_NAME


def _read(candidate: bytes) -> Chosen | Doubt:
    try:
        document = parse_document(candidate)
    except (FormatError, UnsupportedError, VerificationError):
        return _UNREADABLE
    if document.presentation is not None or len(document.parts) != 1:
        return _UNREADABLE
    credential = document.parts[0].credential
    types = credential.get("type")
    if not isinstance(types, list) or PhysicianLicense.credential_type not in types:
        return _NO_LICENSE
    return Chosen(document, candidate, Claims.of(credential))


def same_person(family: str, given: str, other_family: str, other_given: str) -> bool:
    """Whether two names can be one person's: the same family name and first given name, whatever their case, accents and punctuation."""
    if family == other_family and given == other_given:
        return bool(family)
    first, second = _letters(family), _letters(other_family)
    if not first or first != second:
        return False
    one, other = given.split(), other_given.split()
    return bool(one and other) and _letters(one[0]) == _letters(other[0]) != ""


def _letters(text: str) -> str:
    plain = text if text.isascii() else unicodedata.normalize("NFKD", text)
    return "".join([character for character in plain.casefold() if character.isalnum()])


def _object(value: JSON) -> JSONObject:
    if type(value) is list and len(value) == 1:
        value = value[0]
    return value if type(value) is dict else {}


def _text(value: JSONObject, name: str) -> str:
    found = value.get(name)
    return found if type(found) is str else ""
