"""The classes of claims by the credential type that they become."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, Protocol

from did_health.encoding.strict_json import JSONObject
from did_health.errors import UnsupportedError
from did_health.health.board_accreditation import BoardAccreditation
from did_health.health.claims import CredentialClaims
from did_health.health.letter_of_qualification import LetterOfQualification
from did_health.health.patient_identity import PatientIdentity
from did_health.health.pharmacy import Pharmacy
from did_health.health.physician_license import PhysicianLicense
from did_health.health.prescriber_registration import PrescriberRegistration


class FromSubject(Protocol):
    """How a class of claims reads a ``credentialSubject``. Raises ``FormatError``."""

    def __call__(self, subject: JSONObject, *, valid_until: datetime, valid_from: datetime | None = None) -> CredentialClaims: ...


CLAIM_TYPES: Final[Mapping[str, FromSubject]] = MappingProxyType({
    one.credential_type: one.from_subject
    for one in (PhysicianLicense, LetterOfQualification, PrescriberRegistration, PatientIdentity, Pharmacy, BoardAccreditation)
})
"""Every type that an institution issues. What persons issue themselves is not here."""


def claims_of(credential_type: str, subject: JSONObject, *, valid_until: datetime, valid_from: datetime | None = None) -> CredentialClaims:
    """The claims in a ``credentialSubject``; raises ``UnsupportedError`` for a type without a class, ``FormatError`` for malformed ones."""
    if credential_type not in CLAIM_TYPES:
        raise UnsupportedError(f"credentials of the type {credential_type[:64]} are not issued here", hint=f"Those that are: {', '.join(CLAIM_TYPES)}")
    return CLAIM_TYPES[credential_type](subject, valid_until=valid_until, valid_from=valid_from)
