"""Signers from the private JSON Web Keys that published examples come with."""

from __future__ import annotations

from typing import Any

from did_health.encoding.base64 import base64url_decode
from did_health.keys import Algorithm, PublicKey, Signer, public_key_from_jwk, signer_from_secret


def public_key(jwk: dict[str, Any]) -> PublicKey:
    return public_key_from_jwk({name: value for name, value in jwk.items() if name != "d"})


def signer(jwk: dict[str, Any]) -> Signer:
    return signer_from_secret(Algorithm(jwk["crv"]), base64url_decode(jwk["d"]))
