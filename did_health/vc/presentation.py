"""A presentation as it was received (VC Data Model 2.0 §4.13; 1.1 is read too)."""

from __future__ import annotations

from dataclasses import dataclass, field

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, UnsupportedError
from did_health.limits import MAX_CREDENTIALS_PER_PRESENTATION
from did_health.vc import validation
from did_health.vc.credential import Credential
from did_health.vc.envelope import Envelope, EnvelopeType, envelope_type
from did_health.vc.validation import DataModel


@dataclass(frozen=True, slots=True)
class Presentation:
    """A frozen view on ``raw``, the JSON object as received, which nobody may change.

    ``holder`` is the URL of whoever says to present, if anybody does: no more than a claim until a proof by that party is verified.
    ``credentials`` are the embedded credentials as they came, each of which says that it is one and is otherwise unread; ``envelopes`` are
    the enveloped ones.
    """

    # Claims stay out of logs and tracebacks.
    raw: JSONObject = field(repr=False)
    data_model: DataModel = field(compare=False)
    types: tuple[str, ...] = field(compare=False)
    holder: str | None = field(compare=False)
    credentials: tuple[JSONObject, ...] = field(compare=False, repr=False)
    is_common: bool = field(default=False, compare=False)
    """Whether it was found to have the common shape (see ``common_shape``), so that its parts need not be checked one by one."""
    envelopes: tuple[Envelope, ...] = field(default=(), compare=False, repr=False)

    @classmethod
    def parse(cls, source: bytes | str | JSONObject) -> Presentation:
        """Read JSON text, or take an object that ``strict_json`` parsed already.

        Raises ``FormatError`` with a JSON pointer for whatever the data model does not allow, ``UnsupportedError`` for an enveloped
        presentation, which has to be opened first (``Envelope``).
        """
        document = source if type(source) is dict else strict_json.loads_object(source, what="presentation")  # type: ignore[arg-type]
        model = validation.data_model(document)
        if envelope_type(document) is EnvelopeType.PRESENTATION:
            Envelope.parse(document)
            raise UnsupportedError("an enveloped presentation says nothing itself", hint="Verify what is in its data: URL")
        names = validation.types(document, "VerifiablePresentation")
        holder = validation.party(document["holder"], "/holder") if "holder" in document else None
        validation.members(document, validation.PRESENTATION_RULES)
        credentials: tuple[JSONObject, ...] = ()
        envelopes: tuple[Envelope, ...] = ()
        if "verifiableCredential" in document:
            credentials, envelopes = _presented(document)
        return cls(document, model, names, holder, credentials, envelopes=envelopes)

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


def self_asserted(presentation: Presentation) -> tuple[JSONObject, ...]:
    """The embedded credentials without a proof of their own: the presentation's proof secures them too, and nothing else does (§4.13.4).

    Raises ``FormatError`` unless the presentation has a holder, who is the issuer of each.
    """
    found = tuple(credential for credential in presentation.credentials if "proof" not in credential)
    if found and presentation.holder is None:
        raise validation.refusal("the presentation holds a credential without a proof and names no holder", "")
    for credential in found:
        if Credential.parse(credential).issuer_id != presentation.holder:
            raise validation.refusal("the issuer of a credential without a proof is not the holder who presents it", "/holder")
    return found


def _presented(document: JSONObject) -> tuple[tuple[JSONObject, ...], tuple[Envelope, ...]]:
    """The members of ``verifiableCredential``, embedded and enveloped (§4.13): objects that say which they are."""
    value, where = document["verifiableCredential"], "/verifiableCredential"
    found = validation.objects(value, where)
    if len(found) > MAX_CREDENTIALS_PER_PRESENTATION:
        raise FormatError(f"the presentation holds more than {MAX_CREDENTIALS_PER_PRESENTATION} credentials", where=where)
    credentials, envelopes = [], []
    for position, credential in enumerate(found):
        place = f"{where}/{position}" if credential is not value else where
        names = validation.type_names(credential.get("type")) or ()
        if EnvelopeType.CREDENTIAL.value in names:
            envelopes.append(Envelope.parse(credential, place))
        elif "VerifiableCredential" in names:
            credentials.append(credential)
        else:
            raise validation.refusal("neither a credential nor an enveloped one", f"{place}/type" if "type" in credential else place)
    return tuple(credentials), tuple(envelopes)
