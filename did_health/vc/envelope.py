"""Enveloped credentials and presentations: a secured document inside a ``data:`` URL (VC Data Model 2.0 §4.13.1, §4.13.2).

Only the envelope is looked at. What is inside is a matter of its media type (VC-JOSE-COSE), and worth nothing before its signature is verified.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import unquote_to_bytes

from did_health.encoding.base64 import base64_decode, base64_encode, base64url_decode
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError
from did_health.limits import MAX_DOCUMENT_BYTES
from did_health.vc.validation import CONTEXT_V2, refusal, type_names


class EnvelopeType(StrEnum):
    """What an envelope says that it holds."""

    CREDENTIAL = "EnvelopedVerifiableCredential"
    PRESENTATION = "EnvelopedVerifiablePresentation"


# RFC 2397 §3, with a media type (RFC 6838 §4.2), which a secured document has; the URL Standard's code points after the comma.
_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_DATA_URL: Final = re.compile(rf"data:({_NAME}/{_NAME})((?:;[!#$&'*+.^_`|~A-Za-z0-9=-]+)*),([!#-;=?-\[\]_a-z~]+)")
_BASE64URL: Final = ";base64url"


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope as received. ``media_type`` is in lower case and without parameters, such as ``application/vc+jwt``."""

    raw: JSONObject = field(repr=False)
    type: EnvelopeType
    media_type: str
    content: bytes = field(repr=False)
    """The secured document, unverified: the text of a JWT or SD-JWT, the bytes of a COSE message."""

    @classmethod
    def parse(cls, document: JSON, where: str = "") -> Envelope:
        """Read an envelope, ``where`` is its JSON pointer; raises ``FormatError`` (``MALFORMED_VALUE_ERROR``)."""
        kind = envelope_type(document)
        if kind is None:
            raise refusal("neither an EnvelopedVerifiableCredential nor an EnvelopedVerifiablePresentation", where)
        context = document.get("@context")
        if CONTEXT_V2 not in (context if type(context) is list else (context,)):
            raise refusal("the envelope has not the context of the Verifiable Credentials data model 2.0", f"{where}/@context")
        names = type_names(document["type"])
        if names != (kind,):
            raise refusal(f"an envelope has no other type than {kind}", f"{where}/type")
        url = document.get("id")
        # The URL Standard's parser drops the line ends that tools leave at the end of base64.
        if type(url) is not str or len(url) > MAX_DOCUMENT_BYTES or (match := _DATA_URL.fullmatch(url.rstrip("\r\n"))) is None:
            raise refusal("the id of an envelope is not a data: URL with a media type", f"{where}/id")
        media_type, parameters, data = match.groups()
        try:
            return cls(document, kind, media_type.lower(), _content(parameters, data))
        except FormatError as error:
            raise refusal(f"the data: URL of an envelope holds no {parameters[1:].rpartition(';')[2]}", f"{where}/id") from error


def envelope_type(document: JSON) -> EnvelopeType | None:
    """The type of envelope that ``document`` says it is, whatever else it says; ``None`` if it is no envelope."""
    if type(document) is not dict:
        return None
    names = type_names(document.get("type")) or ()
    for kind in EnvelopeType:
        if kind.value in names:
            return kind
    return None


def envelope(kind: EnvelopeType, media_type: str, content: str | bytes) -> JSONObject:
    """The envelope of a secured document: text as it is (it has to be of URL characters), bytes in base64."""
    url = f"data:{media_type};base64,{base64_encode(content)}" if isinstance(content, bytes) else f"data:{media_type},{content}"
    if _DATA_URL.fullmatch(url) is None:
        raise ValueError("the content cannot be written in a data: URL as it is")
    return {"@context": CONTEXT_V2, "id": url, "type": kind.value}


def _content(parameters: str, data: str) -> bytes:
    raw = unquote_to_bytes(data)
    if parameters.lower().endswith(";base64"):
        text = raw.decode("ascii", "replace")
        # The Fetch Standard decodes data: URLs forgivingly: padding may be left out.
        return base64_decode(text + "=" * (-len(text) % 4))
    # Some write this, which is no parameter of a data: URL, before the text of a JWT, whose parts are base64url already.
    if parameters.lower().endswith(_BASE64URL) and b"." not in raw:
        return base64url_decode(raw.decode("ascii", "replace"))
    return raw
