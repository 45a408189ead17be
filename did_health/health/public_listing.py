"""What a board's public directory says of a credential: whether it is public at all, and by which words it is found.

Public are the types that state boards and registrars publish anyway, so that anybody can check a prescriber or a pharmacy who is not
present: licences of physicians, licences of pharmacies, registrations to prescribe. A letter of qualification is not: it tells of a
background check, and its physician takes it to the boards that need it. Whatever is about a patient never is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from did_health.errors import FormatError
from did_health.health import fields, npi
from did_health.health.pharmacy import Pharmacy
from did_health.health.physician_license import PhysicianLicense
from did_health.health.prescriber_registration import PrescriberRegistration

PUBLIC_TYPES: Final = frozenset({PhysicianLicense.credential_type, Pharmacy.credential_type, PrescriberRegistration.credential_type})
SHORTEST_NAME: Final = 2
"""Characters of a name that is looked for: one letter would give half of the register."""
_LOOKED_FOR: Final = ("npi", "number", "name", "holder")


@dataclass(frozen=True, slots=True)
class Listing:
    """By what a public credential is found beside its number and holder: NPI and folded names (see ``folded``), empty where there is none.

    ``name`` is the family name of a physician, or the name of a pharmacy; ``given`` the given names.
    """

    npi: str = ""
    name: str = ""
    given: str = ""


@dataclass(frozen=True, slots=True)
class Lookup:
    """What is looked for: one of NPI, number, name (its beginning is enough, and ``given`` narrows it) and holder (a DID).

    ``type`` is a type in ``PUBLIC_TYPES``, empty for all. Raises ``FormatError`` for what nothing can be found by.
    """

    npi: str = ""
    number: str = ""
    name: str = ""
    given: str = ""
    holder: str = ""
    type: str = ""

    def __post_init__(self) -> None:
        if sum(bool(getattr(self, name)) for name in _LOOKED_FOR) != 1:
            raise FormatError("one thing is looked for", hint=f"Give one of: {', '.join(_LOOKED_FOR)}")
        if self.npi:
            npi.check(self.npi, "npi")
        if self.number:
            fields.text(self.number, "number", "number", longest=64)
        if self.holder:
            fields.did(self.holder, "holder", "holder")
        if self.name and len(folded(fields.text(self.name, "name", "name"))) < SHORTEST_NAME:
            raise FormatError(f"a name is looked for by its first {SHORTEST_NAME} letters at least", where="name")
        if self.given and not self.name:
            raise FormatError("given names alone are not looked for", where="given", hint="Give the family name, too")
        if self.given:
            fields.text(self.given, "given", "given names")
        if self.type and self.type not in PUBLIC_TYPES:
            raise FormatError("credentials of this type are in no public directory", where="type", hint=f"There are: {', '.join(sorted(PUBLIC_TYPES))}")


def listing_of(credential_type: str, subject: object) -> Listing | None:
    """The listing of a credential with this ``credentialSubject``; ``None`` if its type is not public.

    What cannot be read is left empty: such a credential is found by its number alone.
    """
    if credential_type not in PUBLIC_TYPES:
        return None
    claims: Mapping[str, Any] = subject if isinstance(subject, dict) else {}
    name = claims.get("name")
    if isinstance(name, dict):
        return Listing(_text(claims.get("npi")), folded(_text(name.get("family"))), folded(_text(name.get("given"))))
    return Listing(_text(claims.get("npi")), folded(_text(name)))


def folded(name: str) -> str:
    """A name as it is compared: without accents, case and double spaces, so that ``Núñez`` is found as ``nunez``."""
    plain = "".join(character for character in unicodedata.normalize("NFKD", name) if not unicodedata.combining(character))
    return " ".join(plain.casefold().split())


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
