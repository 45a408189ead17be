"""A presentation as it was received (VC Data Model 2.0 §4.13; 1.1 is read too)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, UnsupportedError
from did_health.limits import MAX_CREDENTIALS_PER_PRESENTATION
from did_health.vc import validation
from did_health.vc.validation import DataModel


@dataclass(frozen=True, slots=True)
class Presentation:
    """A frozen view on ``raw``, the JSON object as received, which nobody may change.

    ``holder`` is the URL of whoever says to present, if anybody does: no more than a claim until a proof by that party is verified.
    ``credentials`` are the presented objects as they came; each says that it is a credential and is otherwise unread.
    """

    # Claims stay out of logs and tracebacks.
    raw: JSONObject = field(repr=False)
    data_model: DataModel = field(compare=False)
    types: tuple[str, ...] = field(compare=False)
    holder: str | None = field(compare=False)
    credentials: tuple[JSONObject, ...] = field(compare=False, repr=False)
    is_common: bool = field(default=False, compare=False)
    """Whether it was found to have the common shape (see ``common_shape``), so that its parts need not be checked one by one."""

    @classmethod
    def parse(cls, source: bytes | str | JSONObject) -> Presentation:
        """Read JSON text, or take an object that ``strict_json`` parsed already.

        Raises ``FormatError`` with a JSON pointer for whatever the data model does not allow, ``UnsupportedError`` for an enveloped
        credential or presentation (VC-JOSE-COSE).
        """
        document = source if type(source) is dict else strict_json.loads_object(source, what="presentation")  # type: ignore[arg-type]
        model = validation.data_model(document)
        names = validation.type_names(document.get("type")) or ()
        if "EnvelopedVerifiablePresentation" in names:
            _refuse_envelope(document, "", "presentation")
        if "VerifiablePresentation" not in names:
            names = validation.types(document, "VerifiablePresentation")
        holder = validation.party(document["holder"], "/holder") if "holder" in document else None
        validation.members(document, validation.PRESENTATION_RULES)
        credentials: Sequence[JSONObject] = ()
        if "verifiableCredential" in document:
            credentials = _credentials(document)
        return cls(document, model, names, holder, tuple(credentials))

    @classmethod
    def parse_common(cls, document: JSONObject) -> Presentation:
        """As ``parse``, for an object that ``common_shape.is_commonly_presented``, all of whose credentials have the common shape.

        Only the holder is left to look at. Raises ``FormatError``.
        """
        holder = validation.party(document["holder"], "/holder")
        return cls(document, validation.V2_0, ("VerifiablePresentation",), holder, tuple(document["verifiableCredential"]), True)

    @property
    def id(self) -> str | None:
        """The presentation's URL, if it has one."""
        return self.raw.get("id")

    @property
    def proofs(self) -> tuple[JSONObject, ...]:
        """The embedded proofs, unverified."""
        proof = self.raw.get("proof")
        if proof is None:
            return ()
        return tuple(proof) if type(proof) is list else (proof,)


def _credentials(document: JSONObject) -> Sequence[JSONObject]:
    value, where = document["verifiableCredential"], "/verifiableCredential"
    found = validation.objects(value, where)
    if len(found) > MAX_CREDENTIALS_PER_PRESENTATION:
        raise FormatError(f"the presentation holds more than {MAX_CREDENTIALS_PER_PRESENTATION} credentials", where=where)
    for position, credential in enumerate(found):
        place = f"{where}/{position}" if credential is not value else where
        names = validation.type_names(credential.get("type")) or ()
        if "EnvelopedVerifiableCredential" in names:
            _refuse_envelope(credential, place, "credential")
        if "VerifiableCredential" not in names:
            raise validation.refusal("type does not include VerifiableCredential", f"{place}/type" if "type" in credential else place)
    return found


def _refuse_envelope(document: JSONObject, place: str, what: str) -> NoReturn:
    """§4.13.1, §4.13.2: an envelope carries a secured document in a ``data:`` URL as its ``id``. Always raises."""
    if not validation.is_envelope(document.get("id")):
        raise validation.refusal(f"an enveloped {what} is not a data: URL", f"{place}/id")
    raise UnsupportedError(f"an enveloped {what} (VC-JOSE-COSE) is not supported here", where=place, hint="Present one with an embedded proof")
