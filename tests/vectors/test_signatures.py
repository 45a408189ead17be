"""Ed25519 and ECDSA: RFC values and every Wycheproof case, by its result; see ../shared/vectors/signatures/README.md.

libsodium (Ed25519) and OpenSSL (ECDSA) agree with Wycheproof on every case here, so no case is excepted. What libsodium refuses beyond
Wycheproof (keys of small order) is tested in tests/unit/test_keys_ed25519.py.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from did_health.encoding.base64 import base64url_encode
from did_health.keys import Algorithm, public_key_from_jwk, signer_from_secret
from tests.conftest import shared

SIZE = {Algorithm.P256: 32, Algorithm.P384: 48}
HASHES: dict[str, hashes.HashAlgorithm] = {
    "SHA1": hashes.SHA1(), "SHA224": hashes.SHA224(), "SHA256": hashes.SHA256(), "SHA384": hashes.SHA384(), "SHA512": hashes.SHA512(),
}  # fmt: skip


def load(*parts: str) -> dict[str, Any]:
    return dict(json.loads(shared("vectors", "signatures", *parts).read_bytes()))


def groups(name: str) -> list[dict[str, Any]]:
    document = load("wycheproof", name)
    assert document["numberOfTests"] == sum(len(group["tests"]) for group in document["testGroups"])
    return list(document["testGroups"])


def disagreements(group: dict[str, Any], verify: Any) -> list[Any]:
    return [test["tcId"] for test in group["tests"] if verify(bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"])) != (test["result"] == "valid")]


@pytest.mark.parametrize("name", ["ed25519-rfc8032.json", "ed25519-sign-input.json"])
def test_ed25519_signing_reproduces_the_signature(name: str) -> None:
    cases = load(name)["cases"]
    assert cases
    for case in cases:
        signer = signer_from_secret(Algorithm.ED25519, bytes.fromhex(case["seed"]))
        message, signature = bytes.fromhex(case["message"]), bytes.fromhex(case["signature"])
        assert case["expected"] == "valid"
        assert signer.public_key.raw.hex() == case["publicKey"], case["id"]
        assert signer.sign(message) == signature, case["id"]
        assert signer.public_key.verify(signature, message), case["id"]


def test_ed25519_wycheproof() -> None:
    for group in groups("ed25519.json"):
        key = public_key_from_jwk({"kty": "OKP", "crv": "Ed25519", "x": base64url_encode(bytes.fromhex(group["publicKey"]["pk"]))})
        assert disagreements(group, key.verify) == []


@pytest.mark.parametrize(("name", "algorithm"), [("ecdsa_p256_sha256_p1363.json", Algorithm.P256), ("ecdsa_p384_sha384_p1363.json", Algorithm.P384)])
def test_ecdsa_wycheproof(name: str, algorithm: Algorithm) -> None:
    size = SIZE[algorithm]
    for group in groups(name):
        point = bytes.fromhex(group["publicKey"]["uncompressed"])
        jwk = {"kty": "EC", "crv": algorithm, "x": base64url_encode(point[1 : 1 + size]), "y": base64url_encode(point[1 + size :])}
        assert disagreements(group, public_key_from_jwk(jwk).verify) == []


def test_ecdsa_rfc6979() -> None:
    """P-256 signs with SHA-256 and P-384 with SHA-384 here; for the other hashes the engine underneath is held to the values."""
    cases = load("ecdsa-rfc6979.json")["cases"]
    ours = 0
    for case in cases:
        algorithm = Algorithm(case["curve"])
        size = SIZE[algorithm]
        secret, message = int(case["d"], 16).to_bytes(size, "big"), case["messageUtf8"].encode()
        r, s = int(case["r"], 16), int(case["s"], 16)
        signer = signer_from_secret(algorithm, secret)
        assert signer.public_key.jwk["x"] == base64url_encode(int(case["x"], 16).to_bytes(size, "big"))
        assert signer.public_key.jwk["y"] == base64url_encode(int(case["y"], 16).to_bytes(size, "big"))
        if (algorithm, case["hash"]) in ((Algorithm.P256, "SHA256"), (Algorithm.P384, "SHA384")):
            ours += 1
            signature = r.to_bytes(size, "big") + s.to_bytes(size, "big")
            assert signer.sign(message) == signature, case["id"]
            assert signer.public_key.verify(signature, message), case["id"]
        else:
            key = ec.derive_private_key(int(case["d"], 16), ec.SECP256R1() if algorithm is Algorithm.P256 else ec.SECP384R1())
            made = key.sign(message, ec.ECDSA(HASHES[case["hash"]], deterministic_signing=True))
            assert decode_dss_signature(made) == (r, s), case["id"]
    assert ours == 2


def test_ecdsa_der_wycheproof() -> None:
    """DER signatures are those of X.509 certificates, which OpenSSL verifies without our code."""
    for group in groups("ecdsa_p256_sha256_der.json"):
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes.fromhex(group["publicKey"]["uncompressed"]))

        def verify(signature: bytes, message: bytes, key: ec.EllipticCurvePublicKey = key) -> bool:
            try:
                key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
            except InvalidSignature:
                return False
            return True

        assert disagreements(group, verify) == []


def test_hkdf_wycheproof() -> None:
    """Nothing here derives keys with HKDF yet; OpenSSL's is what will."""

    def derive(test: dict[str, Any]) -> bytes | None:
        try:
            hkdf = HKDF(hashes.SHA256(), test["size"], bytes.fromhex(test["salt"]), bytes.fromhex(test["info"]))
            return hkdf.derive(bytes.fromhex(test["ikm"]))
        except ValueError:
            return None

    for group in groups("hkdf_sha256.json"):
        for test in group["tests"]:
            assert derive(test) == (bytes.fromhex(test["okm"]) if test["result"] == "valid" else None), test["tcId"]
