"""COSE header parameters (RFC 9052 §3, RFC 9596): the two buckets as received, and typed views on the parameters that are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from did_health.encoding import cbor
from did_health.encoding.cbor import CBOR
from did_health.errors import FormatError, UnsupportedError
from did_health.keys.base import Algorithm
from did_health.vc.error_codes import PARSING

ALG: Final = 1
CRIT: Final = 2
CONTENT_TYPE: Final = 3
KID: Final = 4
TYP: Final = 16  # RFC 9596

ALGORITHMS: Final = MappingProxyType({
    -8: Algorithm.ED25519,  # EdDSA, RFC 9053 §2.2
    -19: Algorithm.ED25519,  # Ed25519, RFC 9864 §2.2
    -7: Algorithm.P256,  # ES256, RFC 9053 §2.1
    -9: Algorithm.P256,  # ESP256, RFC 9864 §2.1
    -35: Algorithm.P384,  # ES384
    -51: Algorithm.P384,  # ESP384
})
"""The COSE algorithms that are supported, each with the one kind of key that it goes with here.

RFC 9053 would let ES256 go with P-384 too; nobody issues that, and to bind the curve is what RFC 9864 is for.
"""

ALG_OF_KEY: Final = MappingProxyType({Algorithm.ED25519: -8, Algorithm.P256: -7, Algorithm.P384: -35})
"""What a key signs with when nobody says otherwise."""

# RFC 9052 §3.1: what every implementation understands need not be named, and may be.
_UNDERSTOOD: Final = frozenset((ALG, CRIT, CONTENT_TYPE, KID, TYP))
_NAMES: Final = {ALG: "alg", CRIT: "crit", CONTENT_TYPE: "content type", KID: "kid", TYP: "typ"}


@dataclass(frozen=True, slots=True)
class Headers:
    """The parameters of a COSE message. ``algorithm`` is the kind of key that ``alg`` goes with."""

    alg: int
    algorithm: Algorithm
    kid: bytes | None
    typ: str | int | None
    content_type: str | int | None
    is_alg_protected: bool
    protected: Mapping[int | str, CBOR] = field(repr=False)
    unprotected: Mapping[int | str, CBOR] = field(repr=False)

    @classmethod
    def parse(cls, protected: CBOR, unprotected: CBOR) -> Headers:
        """Read both buckets; raises ``FormatError``, or ``UnsupportedError`` for an algorithm or a critical parameter that is not known."""
        for bucket in (protected, unprotected):
            if not isinstance(bucket, dict) or not all(isinstance(label, int | str) for label in bucket):
                raise _malformed("a bucket of COSE header parameters is not a map of labels")
        if not protected.keys().isdisjoint(unprotected):
            raise _malformed("a COSE header parameter is both protected and unprotected")  # §3
        _check_critical(protected, unprotected)
        members = {**protected, **unprotected}
        if ALG not in members:
            raise _malformed("the COSE message has no alg")
        alg: CBOR = members[ALG]
        if type(alg) is not int and not isinstance(alg, str):
            raise _malformed("the alg of the COSE message is neither a number nor a text")
        if not isinstance(alg, int) or alg not in ALGORITHMS:
            raise UnsupportedError("the alg of the COSE message is not supported", hint="EdDSA, ES256 and ES384 are")
        return cls(
            alg,
            ALGORITHMS[alg],
            _of(members, KID, bytes),
            _of(members, TYP, str, int),
            _of(members, CONTENT_TYPE, str, int),
            ALG in protected,
            MappingProxyType(protected),
            MappingProxyType(unprotected),
        )


def decode_protected(data: CBOR) -> CBOR:
    """The map in the byte string of the protected bucket; an empty string is an empty map (§3)."""
    if type(data) is not bytes:
        raise _malformed("the protected header parameters are not a byte string")
    return cbor.loads(data, what="protected COSE header", deterministic=False) if data else {}


def _check_critical(protected: dict[int | str, CBOR], unprotected: dict[int | str, CBOR]) -> None:
    """``crit`` (§3.1): protected, not empty, naming protected parameters only, all of which we must understand."""
    if CRIT in unprotected:
        raise _malformed("crit must be protected")
    if CRIT not in protected:
        return
    critical = protected[CRIT]
    if not isinstance(critical, list) or not critical or not all(type(label) is int or isinstance(label, str) for label in critical):
        raise _malformed("crit is not a list of one or more labels")
    if not protected.keys() >= set(critical):
        raise _malformed("crit names a parameter that is not protected")
    if not _UNDERSTOOD.issuperset(critical):
        raise UnsupportedError("the COSE message has a critical header parameter that is not supported")


def _of(members: dict[int | str, CBOR], label: int, *kinds: type) -> CBOR:
    value = members.get(label)
    if label in members and type(value) not in kinds:
        raise _malformed(f"the COSE header parameter {_NAMES[label]} is of a wrong type")
    return value


def _malformed(what: str) -> FormatError:
    return FormatError(what, code=PARSING)
