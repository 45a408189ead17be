"""What a did:webvh document implies: the services ``#files`` and ``#whois``, DID URL paths, and the did:web document beside it.

did:webvh 1.0, "DID URL Resolution" and "Publishing a Parallel did:web DID".
"""

from __future__ import annotations

from typing import Final

from did_health.did.methods.webvh.hashing import replace_text
from did_health.did.methods.webvh.log import Log
from did_health.did.methods.webvh.urls import PREFIX, WebvhDID
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, ResolutionError

_LINKED_VP_CONTEXT: Final = "https://identity.foundation/linked-vp/contexts/v1"


def implicit_services(did: WebvhDID) -> tuple[JSONObject, JSONObject]:
    """``#files`` and ``#whois`` as they are where the document does not define them."""
    return (
        {"id": "#files", "type": "relativeRef", "serviceEndpoint": did.base_url},
        {"@context": _LINKED_VP_CONTEXT, "id": "#whois", "type": "LinkedVerifiablePresentation", "serviceEndpoint": did.base_url + "whois.vp"},
    )


def with_implicit_services(document: JSONObject, did: WebvhDID) -> JSONObject:
    """A copy of ``document`` with the implicit services that it does not define itself. Raises ``FormatError`` if ``service`` is no list."""
    services = document.get("service", [])
    if not isinstance(services, list):
        raise FormatError("the services of the DID document are not a list", where="/service")
    return {**document, "service": [*services, *(service for service in implicit_services(did) if _service(services, did, service["id"]) is None)]}


def path_url(did: WebvhDID, document: JSONObject, path: str) -> str:
    """The URL of the resource that the DID URL ``<did><path>`` means: ``/whois`` the presentation, any other path a file.

    Raises ``ResolutionError``: ``INVALID_DID_URL`` for a path with dot segments or none, ``INVALID_DID`` for a service endpoint that is not HTTPS.
    """
    if not path.startswith("/") or any(segment.replace("%2e", ".").replace("%2E", ".") in (".", "..") for segment in path.split("/")):
        raise ResolutionError("the path of the DID URL leads out of the DID's folder", code="INVALID_DID_URL")
    name = "#whois" if path == "/whois" else "#files"
    service = _service(with_implicit_services(document, did)["service"], did, name)
    endpoint = service.get("serviceEndpoint") if service else None
    if not isinstance(endpoint, str) or not endpoint.startswith("https://"):
        raise ResolutionError("the service that the DID URL names has no HTTPS endpoint", where=name, code="INVALID_DID")
    return endpoint if name == "#whois" else endpoint.removesuffix("/") + path


def parallel_did_web(log: Log) -> JSONObject:
    """The did:web document to publish as ``did.json`` beside the log; it lacks the log's verifiable history.

    Raises ``ResolutionError`` (code ``NOT_FOUND``) where the log's document is empty, and ``FormatError`` if its ``alsoKnownAs`` is no list.
    """
    did = log.did
    if not log.latest.state:
        raise ResolutionError("the deactivated DID has no document", where=str(did), code="NOT_FOUND")
    document = replace_text(with_implicit_services(log.latest.state, did), f"{PREFIX}{did.scid}:", "did:web:")
    known_as = document.get("alsoKnownAs", [])
    if not isinstance(known_as, list) or not all(isinstance(name, str) for name in known_as):
        raise FormatError("alsoKnownAs of the DID document is not a list of texts", where="/alsoKnownAs")
    document["alsoKnownAs"] = [name for name in dict.fromkeys([*known_as, str(did)]) if name != did.did_web]
    return document


def _service(services: list[JSONObject], did: WebvhDID, name: str) -> JSONObject | None:
    return next((service for service in services if isinstance(service, dict) and service.get("id") in (name, str(did) + name)), None)
