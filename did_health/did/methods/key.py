"""did:key (W3C CCG draft, 2025): the DID is the Multikey of its one key, and the document follows from it.

Ed25519 (with the X25519 key derived from it), P-256, P-384, BLS12-381 in G2 (with the extra ``[bbs]``), and X25519 for key agreement
alone. What the draft leaves to options is fixed here: the key format is Multikey and the encryption key of an Ed25519 key is derived.
The optional version between two colons, gone from the draft's syntax, is not read: it gave one key several DIDs.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final

from did_health.did.did import DID
from did_health.did.document import DIDDocument
from did_health.did.method import Method, Resolution, ResolutionOptions, Resources, require_latest
from did_health.encoding import multikey
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, ResolutionError, UnsupportedError
from did_health.keys import PublicKey, public_key_from_multikey
from did_health.keys.ed25519 import Ed25519PublicKey

_CONTEXT: Final = ("https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1")


def did_key(public_key: PublicKey) -> DID:
    """The DID that is this key."""
    return DID("key", public_key.multikey)


class KeyMethod:
    """did:key; nothing to fetch, no versions."""

    name: Final = "key"

    def urls(self, did: DID) -> tuple[str, ...]:
        _codec(did)
        return ()

    def resolve(self, did: DID, resources: Resources, options: ResolutionOptions, now: datetime) -> Resolution:  # noqa: ARG002  # static
        require_latest(self.name, options)
        return _resolution(did)


METHOD: Final[Method] = KeyMethod()


@lru_cache(maxsize=1024)
def _resolution(did: DID) -> Resolution:
    return Resolution(did, DIDDocument.parse(_document(did)))


def _document(did: DID) -> JSONObject:
    """Document Creation Algorithm of the draft."""
    identifier, text = str(did), did.identifier
    document: JSONObject = {"@context": list(_CONTEXT), "id": identifier}
    if _codec(did) == "x25519-pub":
        document["keyAgreement"] = [_method(did, text)]
        return document
    try:
        key = public_key_from_multikey(text)
    except FormatError as error:
        raise ResolutionError(error.what, where=identifier, code="INVALID_PUBLIC_KEY") from error
    except UnsupportedError as error:
        raise ResolutionError(error.what, where=identifier, hint=error.hint, code="UNSUPPORTED_PUBLIC_KEY_TYPE") from error
    document["verificationMethod"] = [_method(did, text)]
    for relationship in ("authentication", "assertionMethod", "capabilityInvocation", "capabilityDelegation"):
        document[relationship] = [did.url(text)]
    if isinstance(key, Ed25519PublicKey):
        document["keyAgreement"] = [_method(did, multikey.encode("x25519-pub", key.x25519()))]
    return document


def _method(did: DID, text: str) -> JSONObject:
    return {"id": did.url(text), "type": "Multikey", "controller": str(did), "publicKeyMultibase": text}


def _codec(did: DID) -> str:
    """The multicodec name of the key, with the draft's error names in the form that DID Resolution gives to names."""
    try:
        return multikey.decode(did.identifier)[0]
    except UnsupportedError as error:
        raise ResolutionError(error.what, where=str(did), code="UNSUPPORTED_PUBLIC_KEY_TYPE") from error
    except FormatError as error:
        code = error.code if error.code == "INVALID_PUBLIC_KEY_LENGTH" else "INVALID_DID"
        raise ResolutionError(error.what, where=str(did), code=code) from error
