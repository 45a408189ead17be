"""Which cryptosuite a key signs with when nobody says otherwise."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from did_health.keys import Algorithm, Signer

_SUITES: Final = MappingProxyType({Algorithm.ED25519: "eddsa-jcs-2022", Algorithm.P256: "ecdsa-jcs-2019", Algorithm.P384: "ecdsa-jcs-2019"})


def default_suite(signer: Signer) -> str:
    """The JCS suite of the signer's algorithm: no JSON-LD processing, so nothing but the bytes is signed."""
    return _SUITES[signer.public_key.algorithm]
