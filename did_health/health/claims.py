"""What every credential type has in common for the role that issues it."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Protocol

from did_health.encoding.strict_json import JSONObject
from did_health.health.issuer_details import Issuer

CREDENTIALS_CONTEXT: Final = "https://www.w3.org/ns/credentials/v2"
HEALTH_CONTEXT: Final = "https://did-health.example/contexts/v1"
CONTEXTS: Final = (CREDENTIALS_CONTEXT, HEALTH_CONTEXT)
"""The ``@context`` of our credentials."""


def schema_url(credential_type: str) -> str:
    """The address of the JSON Schema of one of our credential types; the file is ``schemas/<credential_type>.json``."""
    return f"https://did-health.example/schemas/{credential_type}.json"


class CredentialClaims(Protocol):
    """Claims that an issuer can put into a credential: checked when they were made, immutable."""

    @property
    def credential_type(self) -> str:
        """The credential's type beside ``VerifiableCredential``."""

    @property
    def schema_url(self) -> str:
        """The JSON Schema that the whole credential conforms to."""

    @property
    def contexts(self) -> tuple[str, ...]:
        """The credential's ``@context``."""

    @property
    def number(self) -> str:
        """The number under which the issuer knows the fact, such as a licence number; empty where there is none."""

    @property
    def valid_from(self) -> datetime | None:
        """When the credential's validity starts; ``None`` for the moment of issuing."""

    @property
    def valid_until(self) -> datetime:
        """When the credential's validity ends."""

    def to_subject(self, subject_id: str, issuer: Issuer) -> JSONObject:
        """The ``credentialSubject``: these claims about ``subject_id`` (a DID), as ``issuer`` states them.

        Raises ``FormatError`` where the claims and the issuer disagree.
        """
