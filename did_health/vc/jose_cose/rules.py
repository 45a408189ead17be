"""What an enveloped document must be, whatever secures it (VC-JOSE-COSE 1.0 §3.1.3, §4.1.2, §5.4)."""

from __future__ import annotations

from did_health.encoding.strict_json import JSONObject
from did_health.errors import VerificationError
from did_health.vc import validation
from did_health.vc.credential import Credential
from did_health.vc.integrity import MALFORMED_VALUE
from did_health.vc.jose.claims import Claims
from did_health.vc.jose_cose.secured import MediaType
from did_health.vc.presentation import Presentation, self_asserted
from did_health.vc.validation import refusal


def check_types(media_type: MediaType, typ: str | None, content_type: str | None) -> None:
    """``typ`` and ``cty``, both shortened, must say what is expected, where they say anything: they SHOULD be there (§3.1.1 and its kin).

    Raises ``VerificationError`` (``MALFORMED_VALUE_ERROR``): a token for one use must not serve for another (RFC 8725 §3.11).
    """
    if typ is not None and typ != media_type:
        raise VerificationError(f"the typ is not that of {media_type}", where="/typ", code=MALFORMED_VALUE)
    if content_type is not None and content_type != media_type.content:
        raise VerificationError(f"the content type is not that of {media_type}", where="/cty", code=MALFORMED_VALUE)


def party_of(document: JSONObject, media_type: MediaType, iss: str | None) -> str | None:
    """The id of the issuer or holder: who must have signed. ``iss`` names a holder that the presentation leaves out.

    Raises ``FormatError``, and ``VerificationError`` if ``iss`` names somebody else (§4.1.2).
    """
    member = "holder" if media_type.is_presentation else "issuer"
    if member not in document:
        if not media_type.is_presentation:
            raise refusal("the credential has no issuer", "")
        return iss
    party = validation.party(document[member], f"/{member}")
    if iss is not None and iss != party:
        raise VerificationError(f"iss is not the {member}", where="/iss", code=MALFORMED_VALUE)
    return party


def check_document(document: JSONObject, media_type: MediaType, claims: Claims) -> None:
    """The data model, and no claim that says of the document what it does not say itself.

    Raises ``FormatError`` and ``VerificationError`` (``MALFORMED_VALUE_ERROR``), and ``UnsupportedError`` for an envelope in an envelope.
    """
    if "vc" in document or "vp" in document:
        raise refusal("the claims vc and vp must not be there", "")  # §1.1.2.1
    if claims.id is not None and "id" in document and claims.id != document["id"]:
        raise VerificationError("jti is not the document's id", where="/jti", code=MALFORMED_VALUE)
    if media_type.is_presentation:
        _check_presentation(document)
        return
    credential = Credential.parse(document)
    if credential.data_model is not validation.V2_0:
        raise refusal("the credential is not of the data model 2.0", "/@context")
    if claims.subject is not None and credential.subject_id is not None and claims.subject != credential.subject_id:
        raise VerificationError("sub is not the credential's subject", where="/sub", code=MALFORMED_VALUE)


def _check_presentation(document: JSONObject) -> None:
    """§3.1.2: credentials must be secured: enveloped, by a proof, or, those that the holder issued, by this very signature."""
    presentation = Presentation.parse(document)
    if presentation.data_model is not validation.V2_0:
        raise refusal("the presentation is not of the data model 2.0", "/@context")
    self_asserted(presentation)
