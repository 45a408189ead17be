"""did:jwk (quartzjer/did-jwk): the DID is the base64url text of a public JSON Web Key, and the document follows from it.

The JWK's own bytes are the identifier, so the order of its members is kept; ``use`` decides the relationships, as the specification
has it, and the key's curve does not.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final

from did_health.did.did import DID
from did_health.did.document import RELATIONSHIPS, DIDDocument
from did_health.did.method import Method, Resolution, ResolutionOptions, Resources, require_latest
from did_health.encoding import jcs, strict_json
from did_health.encoding.base64 import base64url_decode, base64url_encode
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, ResolutionError, UnsupportedError
from did_health.keys import PublicKey, public_key_from_jwk

_CONTEXT: Final = ("https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1")
# Private members of RFC 7518 §6.2.2, §6.3.2 and §6.4, RFC 8037 §2, and of AKP keys.
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})
_X25519_BYTES: Final = 32


def did_jwk(public_key: PublicKey) -> DID:
    """The DID of the key's JWK with the required members only, in JCS order, so that one key has one such DID."""
    return DID("jwk", base64url_encode(jcs.canonicalize(public_key.jwk)))


class JWKMethod:
    """did:jwk; nothing to fetch, no versions."""

    name: Final = "jwk"

    def urls(self, did: DID) -> tuple[str, ...]:
        _jwk(did)
        return ()

    def resolve(self, did: DID, resources: Resources, options: ResolutionOptions, now: datetime) -> Resolution:  # noqa: ARG002  # static
        require_latest(self.name, options)
        return _resolution(did)


METHOD: Final[Method] = JWKMethod()


@lru_cache(maxsize=1024)
def _resolution(did: DID) -> Resolution:
    jwk = _jwk(did)
    identifier, reference = str(did), did.url("0")
    # Document creation: "sig" leaves out key agreement, "enc" leaves nothing else.
    left_out = {"sig": {"keyAgreement"}, "enc": set(RELATIONSHIPS) - {"keyAgreement"}}.get(jwk.get("use", ""), set())
    document: JSONObject = {
        "@context": list(_CONTEXT),
        "id": identifier,
        "verificationMethod": [{"id": reference, "type": "JsonWebKey2020", "controller": identifier, "publicKeyJwk": jwk}],
        **{relationship: [reference] for relationship in RELATIONSHIPS if relationship not in left_out},
    }
    return Resolution(did, DIDDocument.parse(document))


def _jwk(did: DID) -> JSONObject:
    """The JWK in the DID, checked; raises ``ResolutionError``."""
    try:
        jwk = strict_json.loads_object(base64url_decode(did.identifier, what="identifier of a did:jwk"), what="JWK")
        if not _PRIVATE.isdisjoint(jwk):
            raise FormatError("the JWK of a did:jwk holds a private key", hint="Whoever sees the DID has the key: replace it")
        if not isinstance(jwk.get("use", ""), str):
            raise FormatError("the JWK's use is not a text")
        if jwk.get("kty") == "OKP" and jwk.get("crv") == "X25519":
            if not isinstance(jwk.get("x"), str) or len(base64url_decode(jwk["x"], what="JWK's member x")) != _X25519_BYTES:
                raise FormatError("the JWK is not an X25519 public key")
        else:
            public_key_from_jwk(jwk)
    except FormatError as error:
        raise ResolutionError(error.what, where=str(did), hint=error.hint, code="INVALID_DID") from error
    except UnsupportedError as error:
        raise ResolutionError(error.what, where=str(did), code="UNSUPPORTED_PUBLIC_KEY_TYPE") from error
    return jwk
