"""COSE_Key (RFC 9052 §7, RFC 9053 §7): public keys for signatures."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from did_health.encoding import cbor
from did_health.encoding.cbor import CBOR
from did_health.errors import FormatError, UnsupportedError
from did_health.keys import PublicKey
from did_health.keys.base import Algorithm
from did_health.keys.ed25519 import Ed25519PublicKey
from did_health.keys.nist import NISTPublicKey
from did_health.vc.cose.headers import ALGORITHMS
from did_health.vc.error_codes import PARSING

_KTY, _ALG, _KEY_OPS = 1, 3, 4
_CRV, _X, _Y, _D = -1, -2, -3, -4
_OKP, _EC2 = 1, 2
_VERIFY: Final = (2, "verify")
_CURVES: Final = MappingProxyType({(_OKP, 6): Algorithm.ED25519, (_EC2, 1): Algorithm.P256, (_EC2, 2): Algorithm.P384})
_CURVE_NUMBERS: Final = MappingProxyType({algorithm: pair for pair, algorithm in _CURVES.items()})


def parse_key(key: bytes | CBOR) -> PublicKey:
    """The key of an encoded COSE_Key, or of its map.

    Raises ``FormatError``, also for a private key, or ``UnsupportedError`` for another type of key or curve, and for a key that its owner
    keeps from verifying signatures by ``key_ops`` or ``alg``.
    """
    members = cbor.loads(key, what="COSE_Key", deterministic=False) if isinstance(key, bytes) else key
    if not isinstance(members, dict):
        raise FormatError("the COSE_Key is not a map", code=PARSING)
    if _D in members:
        raise FormatError("the COSE_Key holds a private key", hint="Publish the public parameters only, and replace this key", code=PARSING)
    kind, curve = members.get(_KTY), members.get(_CRV)
    if kind is None:
        raise FormatError("the COSE_Key has no key type", code=PARSING)
    algorithm = _CURVES.get((kind, curve)) if type(kind) is int and type(curve) is int else None
    if algorithm is None:
        raise UnsupportedError("no signature algorithm here uses this COSE_Key's type and curve")
    _check_use(members, algorithm)
    x = _bytes(members, _X)
    if algorithm is Algorithm.ED25519:
        return Ed25519PublicKey(x)
    y = members.get(_Y)
    if isinstance(y, bool):
        return NISTPublicKey(algorithm, bytes((3 if y else 2,)) + x)
    return NISTPublicKey.from_coordinates(algorithm, x, _bytes(members, _Y))


def cose_key(public_key: PublicKey) -> dict[int, CBOR]:
    """The COSE_Key of a public key, as a map with the required parameters; raises ``UnsupportedError`` for a BBS key."""
    if public_key.algorithm not in _CURVE_NUMBERS:
        raise UnsupportedError(f"there is no COSE_Key here for a key of {public_key.algorithm}")
    kind, curve = _CURVE_NUMBERS[public_key.algorithm]
    if not isinstance(public_key, NISTPublicKey):
        return {_KTY: kind, _CRV: curve, _X: public_key.raw}
    x, y = public_key.coordinates()
    return {_KTY: kind, _CRV: curve, _X: x, _Y: y}


def _check_use(members: dict[CBOR, CBOR], algorithm: Algorithm) -> None:
    operations = members.get(_KEY_OPS)
    if operations is not None and not (isinstance(operations, list) and any(name in operations for name in _VERIFY)):
        raise UnsupportedError("the COSE_Key is not for verifying signatures")
    alg = members.get(_ALG)
    if alg is not None and (type(alg) is not int or ALGORITHMS.get(alg) is not algorithm):
        raise UnsupportedError("the COSE_Key is for an algorithm that is not supported with its type of key")


def _bytes(members: dict[CBOR, CBOR], label: int) -> bytes:
    value = members.get(label)
    if type(value) is not bytes:
        raise FormatError("the COSE_Key lacks a coordinate", code=PARSING)
    return value
