"""Secured credentials and presentations by their media type (VC-JOSE-COSE 1.0 §6.1), in an envelope and out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, UnsupportedError
from did_health.vc.cose.sign1 import Sign1
from did_health.vc.envelope import Envelope, EnvelopeType, envelope
from did_health.vc.error_codes import PARSING
from did_health.vc.integrity import MALFORMED_VALUE
from did_health.vc.jose.header import media_type
from did_health.vc.jose.jws import JWS
from did_health.vc.sd_jwt.disclosure import Disclosure
from did_health.vc.sd_jwt.processing import process
from did_health.vc.sd_jwt.serialization import SDJWT

_PREFIX: Final = "application/"


class MediaType(StrEnum):
    """The media types of the specification, without ``application/``."""

    VC_JWT = "vc+jwt"
    VP_JWT = "vp+jwt"
    VC_SD_JWT = "vc+sd-jwt"
    VP_SD_JWT = "vp+sd-jwt"
    VC_COSE = "vc+cose"
    VP_COSE = "vp+cose"

    @property
    def content(self) -> str:
        """What is secured: ``vc`` or ``vp``."""
        return self[:2]

    @property
    def is_presentation(self) -> bool:
        """Whether a presentation is secured."""
        return self.startswith("vp")

    @property
    def is_binary(self) -> bool:
        """Whether the secured document is bytes, and not ASCII text."""
        return self.endswith("cose")


_MEDIA_TYPES: Final = frozenset(MediaType)
_SD_JWTS: Final = (MediaType.VC_SD_JWT, MediaType.VP_SD_JWT)
# How the base64url of a JSON object begins, and a COSE_Sign1 with and without its tag.
_TOKEN: Final = b"eyJ"
_MESSAGES: Final = (b"\xd2\x84", b"\x84")


@dataclass(frozen=True, slots=True)
class Secured:
    """A secured document, **not** verified. ``content`` is the token's ASCII text, or the COSE message."""

    media_type: MediaType
    content: bytes = field(repr=False)

    @classmethod
    def open(cls, envelope: Envelope) -> Secured:
        """What an envelope holds.

        Raises ``UnsupportedError`` for another media type, and ``FormatError`` (``MALFORMED_VALUE_ERROR``) for one that does not fit the
        envelope's type.
        """
        name = envelope.media_type.removeprefix(_PREFIX)
        if name == envelope.media_type or name not in _MEDIA_TYPES:
            raise UnsupportedError("an enveloped document is of a media type that is not supported", where="/id")
        found = MediaType(name)
        if found.is_presentation != (envelope.type is EnvelopeType.PRESENTATION):
            raise FormatError("the envelope says another type than its data: URL", where="/id", code=MALFORMED_VALUE)
        return cls(found, envelope.content)

    @classmethod
    def recognize(cls, data: bytes | str) -> Secured | None:
        """``data`` as a secured document, if it begins like a token or a COSE message; ``None`` for anything else, such as JSON.

        Its ``typ`` has to say which it is, for nothing else around it does. Raises ``FormatError`` or ``UnsupportedError`` if it does not.
        """
        content = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
        if content.startswith(_TOKEN):
            # Files of text end with a line's end.
            content = content.rstrip(b"\r\n")
            header = (SDJWT.parse(content).signatures[0] if b"~" in content else JWS.parse(content)).header
            name = header.media_type
        elif isinstance(data, bytes) and content.startswith(_MESSAGES):
            typ = Sign1.parse(content).headers.typ
            name = media_type(typ) if isinstance(typ, str) else None
        else:
            return None
        if name not in _MEDIA_TYPES:
            raise UnsupportedError("the typ of the token says of no credential or presentation", where="/typ", hint="vc+jwt, vp+jwt and their kin do")
        return cls(MediaType(name), content)

    def unverified_document(self) -> JSONObject:
        """The credential or presentation, which anybody may have written: good for finding keys, and to be looked at with ``verify_envelope``.

        Of an SD-JWT it is what was disclosed. Raises ``FormatError``, ``UnsupportedError`` and ``VerificationError`` as verification would.
        """
        disclosures: tuple[Disclosure, ...] = ()
        if self.media_type.is_binary:
            payload = Sign1.parse(self.content).unverified_payload
        elif self.media_type in _SD_JWTS:
            token = SDJWT.parse(self.content)
            payload, disclosures = token.signatures[0].unverified_payload, token.disclosures
        else:
            payload = JWS.parse(self.content).unverified_payload
        document = payload_object(payload)
        return process(document, disclosures).payload if self.media_type in _SD_JWTS else document

    @property
    def signed(self) -> bytes:
        """What its issuer made, whatever a holder shows of it: without disclosures and key binding."""
        return self.content.split(b"~", 1)[0] if self.media_type in _SD_JWTS else self.content

    def envelope(self) -> JSONObject:
        """The ``EnvelopedVerifiableCredential`` or ``EnvelopedVerifiablePresentation``, to be put into a presentation or sent."""
        kind = EnvelopeType.PRESENTATION if self.media_type.is_presentation else EnvelopeType.CREDENTIAL
        return envelope(kind, _PREFIX + self.media_type, self.content if self.media_type.is_binary else self.content.decode("ascii"))


def payload_object(payload: bytes) -> JSONObject:
    """The JSON object that was secured; raises ``FormatError`` (``PARSING_ERROR``)."""
    try:
        return strict_json.loads_object(payload, what="secured document")
    except FormatError as error:
        raise FormatError(error.what, where=error.where, hint=error.hint, code=PARSING) from error
