"""DID documents (DID Core 1.0 §5, Controlled Identifiers 1.0 §2): a frozen view on the JSON object that was received.

``@context`` is not looked at: the members below mean the same in both representations (§6.2, §6.3), and nothing is ever fetched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from did_health.did.did import DID, DIDURL
from did_health.did.verification_method import VerificationMethod, absolute
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import PublicKey
from did_health.limits import MAX_VERIFICATION_METHODS

RELATIONSHIPS: Final = ("authentication", "assertionMethod", "keyAgreement", "capabilityInvocation", "capabilityDelegation")
"""The verification relationships of DID Core §5.3."""

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]*")
_Methods = Mapping[str, VerificationMethod]
_NO_METHODS: Final[_Methods] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """A service (§5.4). ``id`` is absolute; ``endpoints`` are those that are URLs, for an endpoint may also be an object in ``raw``."""

    id: str
    types: tuple[str, ...]
    endpoints: tuple[str, ...]
    raw: JSONObject


@dataclass(frozen=True, slots=True, eq=False)
class DIDDocument:
    """A DID document. ``raw`` is the document as received, unknown members included; do not change it.

    ``verification_methods`` are all that are in the document, those embedded in a relationship too, by absolute id.
    """

    id: str
    controllers: tuple[str, ...]
    also_known_as: tuple[str, ...]
    verification_methods: Mapping[str, VerificationMethod]
    services: tuple[Service, ...]
    raw: JSONObject
    _relationships: Mapping[str, _Methods]
    # (purpose, verification method) → key, of those whose use needs no further check: verification is then one look-up.
    _keys: Mapping[tuple[str, str], PublicKey]

    @classmethod
    def parse(cls, document: JSONObject) -> DIDDocument:
        """Read a document; raises ``FormatError`` (code ``INVALID_DID_DOCUMENT``) with a JSON pointer.

        Keys are not judged here but where they are asked for, so that one key of an unknown kind does not hide the others.
        """
        try:
            return _parse(document)
        except FormatError as error:
            raise FormatError(error.what, where=error.where, hint=error.hint, code="INVALID_DID_DOCUMENT") from error

    def relationship(self, name: str) -> Mapping[str, VerificationMethod]:
        """The verification methods of this document in the relationship ``name``, by absolute id; none for an unknown name."""
        return self._relationships.get(name, _NO_METHODS)

    def key(self, url: str, purpose: str, now: datetime) -> PublicKey:
        """The key named ``url`` (an absolute DID URL) if it may verify proofs of ``purpose``, such as ``assertionMethod``, at ``now``.

        Follows "Retrieve Verification Method", Controlled Identifiers §3.3, and raises ``VerificationError`` with its codes:
        ``INVALID_VERIFICATION_METHOD_URL``, ``INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID`` (the key is of another DID),
        ``INVALID_VERIFICATION_METHOD`` (not in the document, expired, revoked, malformed, or controlled by somebody else or nobody),
        ``INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD``. Raises ``UnsupportedError`` for a kind of key that we do not verify with.
        """
        key = self._keys.get((purpose, url))
        return key if key is not None else self._judged(url, purpose, now)

    def _judged(self, url: str, purpose: str, now: datetime) -> PublicKey:
        try:
            named = DIDURL.parse(url)
        except FormatError as error:
            raise VerificationError("the verification method is not named by a DID URL", code="INVALID_VERIFICATION_METHOD_URL") from error
        if str(named.did) != self.id:
            raise VerificationError(
                "the verification method is of another DID than the document", where=url, code="INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID"
            )
        # Parameters such as versionId chose this document; they are no part of the name of the key in it.
        identifier = url if url in self.verification_methods else str(DIDURL(named.did, named.path, None, named.fragment))
        method = self.verification_methods.get(identifier)
        if method is None:
            raise VerificationError(
                "the DID document has no such verification method",
                where=url,
                hint="Its keys may have been rotated since; whoever signs with them reads its keys anew",
                code="INVALID_VERIFICATION_METHOD",
            )
        if identifier not in self.relationship(purpose):
            raise VerificationError(
                "the DID document does not allow this key for this purpose", where=url, code="INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"
            )
        if not self._controls(method):
            raise VerificationError("the verification method has another controller than the document, or none", where=url, code="INVALID_VERIFICATION_METHOD")
        method.require_valid(now)
        try:
            return method.public_key
        except FormatError as error:
            raise VerificationError(error.what, where=url, hint=error.hint, code="INVALID_VERIFICATION_METHOD") from error

    def _controls(self, method: VerificationMethod) -> bool:
        return method.controller == self.id or method.controller in self.controllers


def _parse(document: JSON) -> DIDDocument:
    if not isinstance(document, dict):
        raise FormatError("the DID document is not an object")
    identifier = _did(document.get("id"), "/id")
    methods: dict[str, VerificationMethod] = {}
    for index, value in enumerate(_array(document, "verificationMethod")):
        _add(methods, value, identifier, f"/verificationMethod/{index}")
    relationships: dict[str, _Methods] = {}
    references = {name: _references(document, name, identifier, methods) for name in RELATIONSHIPS}
    for name, urls in references.items():
        # A reference to a key of another document says nothing about a key that is here.
        relationships[name] = MappingProxyType({url: methods[url] for url in urls if url in methods})
    result = DIDDocument(
        identifier,
        _controllers(document),
        _texts(_array(document, "alsoKnownAs"), "/alsoKnownAs"),
        MappingProxyType(methods),
        tuple(_service(value, identifier, f"/service/{index}") for index, value in enumerate(_array(document, "service"))),
        document,
        MappingProxyType(relationships),
        keys := {},
    )
    keys.update(_plain_keys(result))
    return result


def _plain_keys(document: DIDDocument) -> dict[tuple[str, str], PublicKey]:
    """The keys whose use depends on nothing but relationship and name."""
    keys: dict[str, PublicKey] = {}
    for url, method in document.verification_methods.items():
        if method.expires is None and method.revoked is None and document._controls(method) and DIDURL.parse(url).did == DID.parse(document.id):
            try:
                keys[url] = method.public_key
            except (FormatError, UnsupportedError):  # told to whoever asks for it
                continue
    return {(name, url): keys[url] for name in RELATIONSHIPS for url in document.relationship(name) if url in keys}


def _add(methods: dict[str, VerificationMethod], value: JSON, base: str, where: str) -> str:
    method = VerificationMethod.parse(value, base=base, where=where)
    known = methods.setdefault(method.id, method)
    if known.raw != method.raw:
        raise FormatError("two verification methods have the same id", where=f"{where}/id")
    if len(methods) > MAX_VERIFICATION_METHODS:
        raise FormatError(f"the DID document has more than {MAX_VERIFICATION_METHODS} verification methods")
    return method.id


def _references(document: JSONObject, name: str, base: str, methods: dict[str, VerificationMethod]) -> list[str]:
    urls = []
    for index, value in enumerate(_array(document, name)):
        where = f"/{name}/{index}"
        urls.append(absolute(value, base, where) if isinstance(value, str) else _add(methods, value, base, where))
    return urls


def _controllers(document: JSONObject) -> tuple[str, ...]:
    value = document.get("controller", [])
    return tuple(_did(text, "/controller") for text in _texts([value] if isinstance(value, str) else value, "/controller"))


def _service(value: JSON, base: str, where: str) -> Service:
    if not isinstance(value, dict):
        raise FormatError("a service is not an object", where=where)
    identifier, kind, endpoint = value.get("id"), value.get("type"), value.get("serviceEndpoint")
    if not isinstance(identifier, str):
        raise FormatError("a service has no id", where=f"{where}/id")
    if identifier.startswith("#"):
        identifier = base + identifier
    endpoints = endpoint if isinstance(endpoint, list) else [endpoint]
    if not endpoints or not all(isinstance(item, str | dict) for item in endpoints):
        raise FormatError("a service endpoint is neither a URL nor an object", where=f"{where}/serviceEndpoint")
    urls = tuple(item for item in endpoints if isinstance(item, str))
    for text, member in ((identifier, "id"), *((url, "serviceEndpoint") for url in urls)):
        if not _URI.fullmatch(text):
            raise FormatError("a service has a text where a URL is needed", where=f"{where}/{member}")
    return Service(identifier, _texts([kind] if isinstance(kind, str) else kind, f"{where}/type"), urls, value)


def _did(value: JSON, where: str) -> str:
    if not isinstance(value, str):
        raise FormatError("the DID document lacks a DID", where=where)
    try:
        return str(DID.parse(value))
    except FormatError as error:
        raise FormatError("the DID document has something else where a DID is needed", where=where) from error


def _array(document: JSONObject, name: str) -> list[JSON]:
    value = document.get(name, [])
    if not isinstance(value, list):
        raise FormatError("a member of the DID document is not an array", where=f"/{name}")
    return value


def _texts(value: JSON, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise FormatError("texts are needed here", where=where)
    return tuple(value)
