"""DID resolution and DID URL dereferencing (W3C DID Resolution 1.0, Candidate Recommendation of July 2026), pure: bytes in, documents out.

``required_urls`` says what to fetch, ``resolve`` and ``dereference`` take what was fetched. Errors carry the code of §11, which is the
end of the error's type URL. A document is given as it was received, and its typed view has absolute ids; ``expand_relative_urls`` is
for whoever wants them in the document too. The option ``accept`` for documents (§4.1) is left to whoever writes them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urljoin, urlsplit

from did_health.did.did import DID, DIDURL
from did_health.did.document import RELATIONSHIPS, DIDDocument, Service
from did_health.did.method import LATEST, DocumentMetadata, Method, PathMethod, Resolution, ResolutionOptions, Resources
from did_health.did.methods.table import METHODS
from did_health.did.verification_method import VerificationMethod
from did_health.encoding import timestamps
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, ResolutionError

__all__ = [
    "DocumentMetadata", "Dereferenced", "Resolution", "ResolutionOptions", "dereference", "error_metadata", "expand_relative_urls", "required_urls", "resolve",
]

ERROR_TYPES: Final = "https://www.w3.org/ns/did#"
# §11: these are Controlled Identifiers' (§3.5).
_CID_ERRORS: Final = frozenset({"INVALID_VERIFICATION_METHOD", "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"})
_CID_ERROR_TYPES: Final = "https://w3id.org/security#"
URI_LIST: Final = "text/uri-list"
_VERSION_NUMBER = re.compile("[0-9]{1,9}")
# §3.1: normalised to UTC and without a fraction of a second.
_VERSION_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
# RFC 3986 §4.2: a relative reference with neither a scheme nor an authority.
_RELATIVE = re.compile(r"(?!//)(?![^/?#]*:)[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*")


def required_urls(did: DID | str) -> tuple[str, ...]:
    """What must be fetched to resolve a DID or DID URL; empty for methods whose DIDs say it all.

    Raises ``ResolutionError``: ``INVALID_DID``, ``METHOD_NOT_SUPPORTED``.
    """
    subject, _ = _subject(did)
    return _method(subject).urls(subject)


def resolve(did: DID | str, resources: Resources, *, now: datetime, options: ResolutionOptions = LATEST) -> Resolution:
    """The document of a DID, from what was fetched of ``required_urls`` (DID Resolution §4.4).

    A DID URL may be given, such as a verification method's: its parameters ``versionId``, ``versionTime`` and ``versionNumber`` choose
    the version unless ``options`` do. ``now`` is aware UTC time. A deactivated DID gives a resolution without a document. Raises
    ``ResolutionError`` with the codes ``INVALID_DID``, ``INVALID_DID_URL``, ``METHOD_NOT_SUPPORTED``, ``FEATURE_NOT_SUPPORTED``,
    ``INVALID_OPTIONS``, ``NOT_FOUND``, ``INVALID_DID_DOCUMENT`` or a method's own.
    """
    # Steps 1 and 2: the syntax, the method.
    subject, url = _subject(did)
    method = _method(subject)
    # Steps 3 and 4: the options.
    timestamps.require_aware(now)
    in_url = _options(url)
    if options != LATEST and in_url not in (LATEST, options):
        raise ResolutionError("the options and the DID URL ask for different versions", where=str(did), code="INVALID_OPTIONS")
    # Step 5: the method's own resolve operation.
    return method.resolve(subject, resources, options if options != LATEST else in_url, now)


@dataclass(frozen=True, slots=True)
class Dereferenced:
    """What a DID URL names: an object (a document or a part of one), or the URLs of service endpoints; never both."""

    resolution: Resolution
    content: JSONObject | None = None
    urls: tuple[str, ...] = ()
    content_type: str = "application/did"


def dereference(did_url: str, resources: Resources, *, now: datetime, accept: str = "", relationship: str = "") -> Dereferenced:
    """What ``did_url`` names (DID Resolution §5.4): the document, a verification method or service in it, or a service's URLs.

    ``accept`` is empty for an object or ``text/uri-list`` for the URLs that ``service`` or ``serviceType`` and ``relativeRef`` name;
    ``relationship`` is the verification relationship that a verification method must be in. A path means what its method says (did:webvh:
    the URL of a file beside the log); with other methods it means nothing. Raises ``ResolutionError`` with the codes of ``resolve``,
    ``NOT_FOUND``, ``DEACTIVATED``, ``REPRESENTATION_NOT_SUPPORTED``, and ``INVALID_VERIFICATION_METHOD`` or
    ``INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD``.
    """
    # §5.4.1 steps 1 to 5.
    try:
        url = DIDURL.parse(did_url)
    except FormatError as error:
        raise ResolutionError(error.what, hint=error.hint, code="INVALID_DID_URL") from error
    resolution = resolve(did_url, resources, now=now)
    document = resolution.active_document
    parameters = url.parameters
    if url.path:
        return Dereferenced(resolution, urls=_path_urls(document, url), content_type=URI_LIST)
    if "relativeRef" in parameters and not {"service", "serviceType"} & parameters.keys():
        raise ResolutionError("the DID URL has a relativeRef without a service", where=did_url, code="INVALID_DID_URL")
    if not _RELATIVE.fullmatch(parameters.get("relativeRef", "")):
        raise ResolutionError("the relativeRef of the DID URL is not a relative reference", where=did_url, code="INVALID_DID_URL")
    # Step 7: services.
    if {"service", "serviceType"} & parameters.keys():
        services = _services(document, url)
        if accept == URI_LIST:
            return Dereferenced(resolution, urls=_endpoints(services, url), content_type=URI_LIST)
        content = {**document.raw, "service": [service.raw for service in services]}
    else:
        content = document.raw
    if accept not in ("", resolution.content_type):
        raise ResolutionError("nothing here is of the media type asked for", where=did_url, code="REPRESENTATION_NOT_SUPPORTED")
    # §5.4.2: the fragment.
    if url.fragment is not None:
        content = _part(document, f"{url.did}#{url.fragment}", relationship)
    return Dereferenced(resolution, content)


def expand_relative_urls(document: JSONObject) -> JSONObject:
    """A DID document with the relative URLs in its services, verification methods and relationships made absolute (§4.1, ``expandRelativeUrls``)."""
    did = document.get("id")
    expanded = dict(document)
    for name in ("verificationMethod", "service", *RELATIONSHIPS):
        if isinstance(items := document.get(name), list):
            expanded[name] = [_absolute_part(item, str(did)) for item in items]
    return expanded


def _absolute_part(item: JSON, did: str) -> JSON:
    if isinstance(item, dict):
        return {**item, "id": _absolute_part(item["id"], did)} if "id" in item else item
    # DID Core 1.0 §3.2.2: relative DID URLs.
    return did + item if isinstance(item, str) and item.startswith(("#", "/", "?")) else item


def error_metadata(error: ResolutionError) -> JSONObject:
    """``didResolutionMetadata`` of a failed resolution (§4.2): a problem object (RFC 9457) under ``error``."""
    types = _CID_ERROR_TYPES if error.code in _CID_ERRORS else ERROR_TYPES
    return {"error": {"type": types + error.code, "title": error.what, **({"detail": error.hint} if error.hint else {})}}


def _subject(did: DID | str) -> tuple[DID, DIDURL | None]:
    if isinstance(did, DID):
        return did, None
    try:
        # A DID URL has one of these characters, a DID none.
        if not set("/?#").isdisjoint(did):
            url = DIDURL.parse(did)
            return url.did, url
        return DID.parse(did), None
    except FormatError as error:
        raise ResolutionError(error.what, hint=error.hint, code=error.code) from error


def _method(did: DID) -> Method:
    if did.method not in METHODS:
        raise ResolutionError(f"the DID method {did.method} is not supported", hint=f"We know {', '.join(METHODS)}", code="METHOD_NOT_SUPPORTED")
    return METHODS[did.method]


def _options(url: DIDURL | None) -> ResolutionOptions:
    """The version that a DID URL asks for."""
    if url is None or not url.parameters:
        return LATEST
    time, number = url.parameters.get("versionTime"), url.parameters.get("versionNumber")
    if number is not None and not _VERSION_NUMBER.fullmatch(number):
        raise ResolutionError("the versionNumber of the DID URL is not a number", where=str(url), code="INVALID_OPTIONS")
    if time is not None and not _VERSION_TIME.fullmatch(time):
        raise ResolutionError(
            "the versionTime of the DID URL is not a time", where=str(url), hint="Write it in UTC, as 2026-01-31T12:00:00Z", code="INVALID_OPTIONS"
        )
    try:
        moment = None if time is None else timestamps.parse(time)
    except FormatError as error:
        raise ResolutionError("the versionTime of the DID URL is not a time", where=str(url), hint=error.hint, code="INVALID_OPTIONS") from error
    return ResolutionOptions(url.parameters.get("versionId"), moment, None if number is None else int(number))


def _path_urls(document: DIDDocument, url: DIDURL) -> tuple[str, ...]:
    method = _method(url.did)
    if not isinstance(method, PathMethod):
        raise ResolutionError("nothing gives a meaning to the path of this DID URL", where=str(url), code="NOT_FOUND")
    return tuple(location if url.fragment is None else f"{location}#{url.fragment}" for location in method.path_urls(document, url.path))


def _services(document: DIDDocument, url: DIDURL) -> list[Service]:
    """Step 7.1: the services that fulfil both conditions; a relative ``service`` is a fragment of this document."""
    wanted, kind = url.parameters.get("service"), url.parameters.get("serviceType")
    if wanted is not None and ":" not in wanted:
        wanted = f"{document.id}#{wanted.removeprefix('#')}"
    services = [
        service for service in document.services if (wanted is None or service.id == wanted) and (kind is None or kind in service.types)
    ]
    if not services:
        raise ResolutionError("the DID document has no such service", where=str(url), code="NOT_FOUND")
    return services


def _endpoints(services: list[Service], url: DIDURL) -> tuple[str, ...]:
    """Steps 7.2 and 7.4, and §5.4.2 step 2; the result stays on the server that the document names (§13.7.1)."""
    reference = url.parameters.get("relativeRef", "")
    urls = []
    for endpoint in (endpoint for service in services for endpoint in service.endpoints):
        joined = _joined(endpoint, reference) if reference else endpoint
        if url.fragment is not None and "#" in joined:
            raise ResolutionError("the service endpoint already has a fragment", where=str(url), code="INVALID_DID_URL")
        urls.append(joined if url.fragment is None else f"{joined}#{url.fragment}")
    if not urls:
        raise ResolutionError("the service has no endpoint that is a URL", where=str(url), code="NOT_FOUND")
    return tuple(urls)


def _joined(endpoint: str, reference: str) -> str:
    """Reference resolution of RFC 3986 §5."""
    try:
        joined = urljoin(endpoint, reference)
        leaves = urlsplit(joined)[:2] != urlsplit(endpoint)[:2]
    except ValueError as error:  # a broken IPv6 address in the endpoint
        raise ResolutionError("the service endpoint is not a URL", where=endpoint, code="INVALID_DID_DOCUMENT") from error
    if leaves:
        raise ResolutionError("the relativeRef leads away from the service", where=endpoint, code="INVALID_DID_URL")
    return joined


def _part(document: DIDDocument, identifier: str, relationship: str) -> JSONObject:
    """§5.4.2 steps 1 and 3: the verification method or service with this id, made absolute and with the document's context."""
    part: VerificationMethod | Service | None = document.verification_methods.get(identifier)
    if relationship:
        if part is None:
            raise ResolutionError("the DID document has no such verification method", where=identifier, code="INVALID_VERIFICATION_METHOD")
        if identifier not in document.relationship(relationship):
            raise ResolutionError(
                "the verification method is not in the relationship asked for", where=identifier, code="INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"
            )
    part = part or next((service for service in document.services if service.id == identifier), None)
    if part is None:
        raise ResolutionError("the DID document has no part of this name", where=identifier, code="NOT_FOUND")
    context = {"@context": document.raw["@context"]} if "@context" in document.raw else {}
    return {**context, **part.raw, "id": part.id}
