"""did:web (W3C CCG): the DID names a place on the web, and whoever serves that place is believed.

The document is at ``https://host/.well-known/did.json``, or at ``https://host/path/did.json`` for a DID with a path. There is no
history and no proof: the trust is that of DNS and TLS. Content negotiation (``did.jsonld``) of later drafts is left out, since no
deployment that serves only it is known.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final
from urllib.parse import unquote_to_bytes

from did_health.did.did import DID
from did_health.did.document import DIDDocument
from did_health.did.method import Method, Resolution, ResolutionOptions, Resources, require_latest, resource
from did_health.encoding import strict_json
from did_health.errors import FormatError, ResolutionError

# RFC 1035 §2.3.1 with RFC 1123 §2.1: labels of letters, digits and inner hyphens.
_LABEL: Final = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
# Anything that some URL parser reads as an IPv4 address ends in a number: 127.1, 0x7f000001, 2130706433.
_NUMBER: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)")
_PORT: Final = re.compile("[1-9][0-9]{0,4}")
_MAX_HOST_CHARACTERS: Final = 253
_MAX_PORT: Final = 65_535
# What a server or client could read as another path, however it is written.
_UNSAFE_SEGMENT: Final = re.compile(rb"\.{0,2}|.*[/\\\x00-\x1f\x7f].*", re.DOTALL)


class WebMethod:
    """did:web; one document to fetch, no versions."""

    name: Final = "web"

    def urls(self, did: DID) -> tuple[str, ...]:
        return (_url(did),)

    def resolve(self, did: DID, resources: Resources, options: ResolutionOptions, now: datetime) -> Resolution:  # noqa: ARG002  # timeless
        require_latest(self.name, options)
        url = _url(did)
        try:
            document = DIDDocument.parse(strict_json.loads_object(resource(resources, url), what="DID document"))
        except FormatError as error:
            raise ResolutionError(error.what, where=f"{url} {error.where}".rstrip(), hint=error.hint, code="INVALID_DID_DOCUMENT") from error
        if document.id != str(did):
            raise ResolutionError("the document is that of another DID", where=f"{url} /id", code="INVALID_DID_DOCUMENT")
        return Resolution(did, document)


METHOD: Final[Method] = WebMethod()


def _url(did: DID) -> str:
    """Read, steps 1 to 5; raises ``ResolutionError`` (code ``INVALID_DID``)."""
    authority, *segments = did.identifier.split(":")
    host, colon, port = authority.replace("%3a", "%3A").partition("%3A")
    if not _HOST.fullmatch(host) or len(host) > _MAX_HOST_CHARACTERS:
        raise _invalid(did, "the DID does not name a host", "International names are written in their xn-- form")
    if _NUMBER.fullmatch(host):
        raise _invalid(did, "the DID names an IP address, which did:web does not allow", "Use a domain name")
    if colon and not (_PORT.fullmatch(port) and int(port) <= _MAX_PORT):
        raise _invalid(did, "the DID does not name a port", "A port is written example.org%3A3000")
    if any(_UNSAFE_SEGMENT.fullmatch(unquote_to_bytes(segment)) for segment in segments):
        raise _invalid(did, "the path of the DID has an empty or unsafe part", "A part is not . or .. and holds no slash")
    path = "/".join(segments) or ".well-known"
    return f"https://{host}{':' if colon else ''}{port}/{path}/did.json"


def _invalid(did: DID, what: str, hint: str) -> ResolutionError:
    return ResolutionError(what, where=str(did), hint=hint, code="INVALID_DID")
