"""Secured credentials and presentations by their media type (VC-JOSE-COSE 1.0 §6.1), in an envelope and out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, UnsupportedError
from did_health.vc.envelope import Envelope, EnvelopeType, envelope
from did_health.vc.integrity import MALFORMED_VALUE

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
        return self.value[:2]

    @property
    def is_presentation(self) -> bool:
        """Whether a presentation is secured."""
        return self.content == "vp"

    @property
    def is_binary(self) -> bool:
        """Whether the secured document is bytes, and not ASCII text."""
        return self.value.endswith("cose")


_MEDIA_TYPES: Final = frozenset(MediaType)


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
        media_type = MediaType(name)
        if media_type.is_presentation != (envelope.type is EnvelopeType.PRESENTATION):
            raise FormatError("the envelope says another type than its data: URL", where="/id", code=MALFORMED_VALUE)
        return cls(media_type, envelope.content)

    def envelope(self) -> JSONObject:
        """The ``EnvelopedVerifiableCredential`` or ``EnvelopedVerifiablePresentation``, to be put into a presentation or sent."""
        kind = EnvelopeType.PRESENTATION if self.media_type.is_presentation else EnvelopeType.CREDENTIAL
        return envelope(kind, _PREFIX + self.media_type, self.content if self.media_type.is_binary else self.content.decode("ascii"))
