"""Controlled identifier documents (Controlled Identifiers 1.0 §2, §3.3): what an issuer that is a URL and no DID publishes about its keys.

DID documents are such documents too; ``DIDDocument`` is stricter about them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from did_health.did.document import RELATIONSHIPS
from did_health.did.verification_method import VerificationMethod, instant, require_one_form
from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, VerificationError
from did_health.keys import PublicKey
from did_health.limits import MAX_URL_CHARACTERS, MAX_VERIFICATION_METHODS

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_INVALID: Final = "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT"
_UNKNOWN_METHOD: Final = "INVALID_VERIFICATION_METHOD"


@dataclass(frozen=True, slots=True, eq=False)
class ControlledIdentifierDocument:
    """A document about the URL ``id``: its verification methods by absolute URL, and which of them are for what."""

    id: str
    verification_methods: Mapping[str, VerificationMethod]
    _relationships: Mapping[str, frozenset[str]] = field(repr=False)
    raw: JSONObject = field(repr=False)

    @classmethod
    def parse(cls, source: bytes | str | JSONObject, *, url: str) -> ControlledIdentifierDocument:
        """Read the document that was found at ``url``.

        Raises ``FormatError`` (``INVALID_CONTROLLED_IDENTIFIER_DOCUMENT``), and ``VerificationError``
        (``INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID``) for one that is about another URL (§3.3 step 6).
        """
        try:
            document = source if isinstance(source, dict) else strict_json.loads_object(source, what="controlled identifier document")
            identifier = _url(document.get("id"), "", "/id")
            if identifier != url:
                raise VerificationError("the document is about another URL", where="/id", code="INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID")
            _check_names(document)
            methods: dict[str, VerificationMethod] = {}
            for position, value in enumerate(_array(document, "verificationMethod")):
                _add(methods, value, identifier, f"/verificationMethod/{position}")
            relationships = {name: frozenset(_references(document, name, identifier, methods)) for name in RELATIONSHIPS}
            return cls(identifier, MappingProxyType(methods), MappingProxyType(relationships), document)
        except FormatError as error:
            raise FormatError(error.what, where=error.where, hint=error.hint, code=_INVALID) from error

    def key(self, url: str, purpose: str, now: datetime) -> PublicKey:
        """The key that ``url`` names, if it may verify proofs of ``purpose`` at ``now`` (§3.3).

        ``url`` is a method's id. With the ``kid`` of a method's JWK as its fragment it names that method, and ``id`` alone the only method
        for ``purpose``: these are the hints of JOSE headers (VC-JOSE-COSE 1.0 §4). Raises ``VerificationError`` with the codes of §3.4, and
        ``UnsupportedError`` for a kind of key that we do not verify with.
        """
        method = self._named(url, purpose)
        if method.id not in self._relationships.get(purpose, frozenset()):
            raise VerificationError(
                "the document does not allow this key for this purpose", where=url, code="INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"
            )
        if method.controller != self.id:
            raise VerificationError("the verification method has another controller than the document", where=url, code=_UNKNOWN_METHOD)
        method.require_valid(now)
        try:
            return method.public_key
        except FormatError as error:
            raise VerificationError(error.what, where=url, hint=error.hint, code=_UNKNOWN_METHOD) from error

    def _named(self, url: str, purpose: str) -> VerificationMethod:
        if url in self.verification_methods:
            return self.verification_methods[url]
        start, _, kid = url.partition("#")
        allowed = self._relationships.get(purpose, frozenset())
        found = [
            method
            for method in self.verification_methods.values()
            if start == self.id and (_jwk_kid(method) == kid if kid else method.id in allowed)
        ]
        if len(found) != 1:
            raise VerificationError("the document does not have exactly one such verification method", where=url, code=_UNKNOWN_METHOD)
        return found[0]


@dataclass(frozen=True, slots=True)
class ControlledKeys:
    """The keys of controlled identifier documents that were fetched, as they stand at ``now``: a ``KeySource`` of proofs."""

    documents: Mapping[str, ControlledIdentifierDocument]
    now: datetime

    def __call__(self, url: str, purpose: str, controller: str | None) -> PublicKey:
        """The key; raises as ``ControlledIdentifierDocument.key`` does, also where ``controller`` is given and another one controls the key."""
        named = url.partition("#")[0]
        document = self.documents.get(named) or self.documents.get(controller or "")
        if document is None:
            raise VerificationError("the controlled identifier document is not at hand", where=url, code="INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID")
        if controller is not None and document.id != controller:
            raise VerificationError("the verification method is somebody else's", where=url, code=_UNKNOWN_METHOD)
        return document.key(url, purpose, self.now)


def _check_names(document: JSONObject) -> None:
    """§2.1.2, §2.1.3: controllers and other names are URLs. Nothing is done with them: each method names its own controller."""
    controllers = document.get("controller", [])
    for position, value in enumerate(controllers if isinstance(controllers, list) else [controllers]):
        _url(value, "", f"/controller/{position}" if isinstance(controllers, list) else "/controller")
    for position, value in enumerate(_array(document, "alsoKnownAs")):
        _url(value, "", f"/alsoKnownAs/{position}")


def _add(methods: dict[str, VerificationMethod], value: JSON, base: str, where: str) -> str:
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise FormatError("a verification method is not an object with a type", where=where)
    require_one_form(value, where)
    identifier = _url(value.get("id"), base, f"{where}/id")
    controller = _url(value.get("controller"), "", f"{where}/controller")
    method = VerificationMethod(identifier, value["type"], controller, instant(value, "expires", where), instant(value, "revoked", where), value)
    if methods.setdefault(identifier, method).raw != value:
        raise FormatError("two verification methods have the same id", where=f"{where}/id")
    if len(methods) > MAX_VERIFICATION_METHODS:
        raise FormatError(f"the document has more than {MAX_VERIFICATION_METHODS} verification methods")
    return identifier


def _references(document: JSONObject, name: str, base: str, methods: dict[str, VerificationMethod]) -> Iterable[str]:
    for position, value in enumerate(_array(document, name)):
        where = f"/{name}/{position}"
        yield _url(value, base, where) if isinstance(value, str) else _add(methods, value, base, where)


def _url(value: JSON, base: str, where: str) -> str:
    """An absolute URL, or a fragment of ``base``."""
    text = base + value if isinstance(value, str) and base and value.startswith("#") else value
    if not isinstance(text, str) or len(text) > MAX_URL_CHARACTERS or not _URL.fullmatch(text):
        raise FormatError("not a URL", where=where)
    return text


def _array(document: JSONObject, name: str) -> list[JSON]:
    value = document.get(name, [])
    if not isinstance(value, list):
        raise FormatError("a member of the document is not an array", where=f"/{name}")
    return value


def _jwk_kid(method: VerificationMethod) -> JSON:
    jwk = method.raw.get("publicKeyJwk")
    return jwk.get("kid") if isinstance(jwk, dict) else None
