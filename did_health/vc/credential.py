"""A credential as it was received, seen through typed members (VC Data Model 2.0 §4; 1.1 is read too)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.vc import validation
from did_health.vc.validation import V2_0, DataModel

BASE_TYPE: Final = "VerifiableCredential"
"""The type that every credential has."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A frozen view on ``raw``, the JSON object as received, which nobody may change: the proof covers it, unknown members included.

    It conforms to the data model; it is **not** thereby genuine, current or true. ``valid_from`` and ``valid_until`` are issuanceDate and
    expirationDate in a 1.1 credential. Two credentials are equal when their JSON is.
    """

    # Claims stay out of logs and tracebacks.
    raw: JSONObject = field(repr=False)
    data_model: DataModel = field(compare=False)
    types: tuple[str, ...] = field(compare=False)
    issuer_id: str = field(compare=False)
    valid_from: datetime | None = field(compare=False)
    valid_until: datetime | None = field(compare=False)
    is_common: bool = field(default=False, compare=False)
    """Whether it was found to have the common shape (see ``common_shape``), so that its parts need not be checked one by one."""

    @classmethod
    def parse(cls, source: bytes | str | JSONObject) -> Credential:
        """Read JSON text, or take an object that ``strict_json`` parsed already.

        Raises ``FormatError`` with a JSON pointer for whatever the data model does not allow.
        """
        document = source if type(source) is dict else strict_json.loads_object(source, what="credential")  # type: ignore[arg-type]
        model = validation.data_model(document)
        names = validation.types(document, BASE_TYPE)
        if "issuer" not in document:
            raise validation.refusal("the credential has no issuer", "")
        issuer_id = validation.party(document["issuer"], "/issuer")
        validation.subjects(document)
        valid_from, valid_until = validation.validity(document, model)
        validation.members(document, validation.CREDENTIAL_RULES[model])
        return cls(document, model, names, issuer_id, valid_from, valid_until)

    @classmethod
    def parse_common(cls, document: JSONObject) -> Credential:
        """As ``parse``, for an object of the common shape, of which only the timestamps are left to look at. Raises ``FormatError``."""
        valid_from, valid_until = validation.validity(document, V2_0)
        return cls(document, V2_0, tuple(document["type"]), document["issuer"], valid_from, valid_until, True)

    @property
    def id(self) -> str | None:
        """The credential's URL, if it has one."""
        return self.raw.get("id")

    @property
    def kinds(self) -> tuple[str, ...]:
        """Its types beside the one that every credential has."""
        return self.types[1:] if self.is_common else tuple(name for name in self.types if name != BASE_TYPE)

    @property
    def subjects(self) -> tuple[JSONObject, ...]:
        """What the claims are about, one object or more."""
        return _many(self.raw["credentialSubject"])

    @property
    def subject_id(self) -> str | None:
        """The ``id`` of the only subject; ``None`` if it has none or there are several."""
        subject = self.raw["credentialSubject"]
        if type(subject) is list and len(subject) == 1:
            subject = subject[0]
        return subject.get("id") if type(subject) is dict else None

    @property
    def status_entries(self) -> tuple[JSONObject, ...]:
        """The ``credentialStatus`` objects, of whatever type."""
        return _many(self.raw.get("credentialStatus"))

    @property
    def schemas(self) -> tuple[JSONObject, ...]:
        """The ``credentialSchema`` objects, each with an ``id`` and a ``type``."""
        return _many(self.raw.get("credentialSchema"))

    @property
    def evidence(self) -> tuple[JSONObject, ...]:
        """The ``evidence`` objects: what the issuer looked at."""
        return _many(self.raw.get("evidence"))

    @property
    def refresh_services(self) -> tuple[JSONObject, ...]:
        """The ``refreshService`` objects: where a newer credential may be had."""
        return _many(self.raw.get("refreshService"))

    @property
    def terms_of_use(self) -> tuple[JSONObject, ...]:
        """The ``termsOfUse`` objects."""
        return _many(self.raw.get("termsOfUse"))

    @property
    def related_resources(self) -> tuple[JSONObject, ...]:
        """The ``relatedResource`` objects, each with an ``id`` and a digest."""
        return _many(self.raw.get("relatedResource"))

    @property
    def proofs(self) -> tuple[JSONObject, ...]:
        """The embedded proofs, unverified; none if the credential is not secured in this way."""
        return _many(self.raw.get("proof"))

    def has_type(self, name: str) -> bool:
        """Whether the credential says that it is a ``name``."""
        return name in self.types


def _many(value: JSON) -> tuple[JSONObject, ...]:
    if value is None:
        return ()
    return tuple(value) if type(value) is list else (value,)
