"""BBS: every fixture of both ciphersuites by its result, with every intermediate value; RFC 9380 and JWK examples of the drafts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from did_health.errors import FormatError
from did_health.keys import Algorithm, bbs, public_key_from_jwk, signer_from_secret
from did_health.keys.bbs.hash_to_curve import ExpandMessage, expand_message_xmd, expand_message_xof, hash_to_g1
from did_health.keys.bbs.proof import Proof
from did_health.keys.bbs.signature import Signature, commitment
from tests.conftest import shared

pytestmark = pytest.mark.vectors
SUITES = {"sha-256": bbs.BLS12_381_SHA_256, "shake-256": bbs.BLS12_381_SHAKE_256}

ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001


@dataclass(frozen=True)
class Fixtures:
    suite: bbs.Ciphersuite
    by_name: dict[str, dict[str, Any]]

    def of(self, kind: str) -> list[dict[str, Any]]:
        found = [fixture for name, fixture in self.by_name.items() if name.startswith(f"{kind}/")]
        assert {fixture["result"]["valid"] for fixture in found} == {True, False}
        return found

    def mocked_random(self, count: int) -> Callable[[int], bytes]:
        """The draft's mocked random scalars, as the bytes that they are reduced from."""
        mock = self.by_name["mockedRng.json"]
        whole = self.suite.expand_message(bytes.fromhex(mock["seed"]), bytes.fromhex(mock["dst"]), 48 * count)
        slices = iter([whole[start : start + 48] for start in range(0, len(whole), 48)])
        return lambda _length: next(slices)


@pytest.fixture(params=SUITES)
def fixtures(request: pytest.FixtureRequest) -> Fixtures:
    path = shared("vectors", "data-integrity", "bbs-signatures", f"bls12-381-{request.param}.json")
    return Fixtures(SUITES[request.param], json.loads(path.read_bytes())["fixtures"])


def unhex(texts: list[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


def test_messages_are_the_published_ones(fixtures: Fixtures) -> None:
    common = json.loads(shared("vectors", "data-integrity", "bbs-signatures", "messages.json").read_bytes())
    assert [case["message"] for case in fixtures.by_name["MapMessageToScalarAsHash.json"]["cases"]] == common


def test_key_pair(fixtures: Fixtures) -> None:
    pair = fixtures.by_name["keypair.json"]
    material, info = bytes.fromhex(pair["keyMaterial"]), bytes.fromhex(pair["keyInfo"])
    secret = bbs.derive_secret(material, info, key_tag=bytes.fromhex(pair["keyDst"]), suite=fixtures.suite)

    assert secret.hex() == pair["keyPair"]["secretKey"]
    assert bbs.public_key(secret).hex() == pair["keyPair"]["publicKey"]


def test_scalars(fixtures: Fixtures) -> None:
    single = fixtures.by_name["h2s.json"]
    assert fixtures.suite.hash_to_scalar(bytes.fromhex(single["message"]), bytes.fromhex(single["dst"])).to_be_bytes().hex() == single["scalar"]
    cases = fixtures.by_name["MapMessageToScalarAsHash.json"]["cases"]
    scalars = fixtures.suite.scalars(bytes.fromhex(case["message"]) for case in cases)
    assert [scalar.to_be_bytes().hex() for scalar in scalars] == [case["scalar"] for case in cases]


def test_generators(fixtures: Fixtures) -> None:
    expected = fixtures.by_name["generators.json"]
    points = fixtures.suite.generators(len(expected["MsgGenerators"])).points
    assert fixtures.suite.base_point.hex() == expected["P1"]
    assert [point.to_compressed_bytes().hex() for point in points] == [expected["Q1"], *expected["MsgGenerators"]]
    # §7.2: P1 is itself a generator, of another seed.
    seed, tag = (fixtures.suite.api_id + end for end in (b"BP_MESSAGE_GENERATOR_SEED", b"SIG_GENERATOR_SEED_"))
    expand = fixtures.suite.expand_message
    v = expand(expand(seed, tag, 48) + (1).to_bytes(8, "big"), tag, 48)
    assert hash_to_g1(expand, v, fixtures.suite.api_id + b"SIG_GENERATOR_DST_") == fixtures.suite.p1


def test_mocked_random_scalars(fixtures: Fixtures) -> None:
    expected = fixtures.by_name["mockedRng.json"]["mockedScalars"]
    draw = fixtures.mocked_random(len(expected))
    assert [int.from_bytes(draw(48), "big") % ORDER for _ in expected] == [int(scalar, 16) for scalar in expected]


def test_signatures(fixtures: Fixtures) -> None:
    for case in fixtures.of("signature"):
        pair = case["signerKeyPair"]
        key, header, messages = bytes.fromhex(pair["publicKey"]), bytes.fromhex(case["header"]), unhex(case["messages"])
        signature = bytes.fromhex(case["signature"])
        valid = case["result"]["valid"]
        made = bbs.sign(bytes.fromhex(pair["secretKey"]), key, messages, header=header, suite=fixtures.suite)

        assert bbs.verify(key, signature, messages, header=header, suite=fixtures.suite) is valid, case["caseName"]
        assert (made == signature) is valid, case["caseName"]
        assert Signature.parse(signature).octets == signature


def test_signatures_intermediate_values(fixtures: Fixtures) -> None:
    for case in fixtures.of("signature"):
        if not case["result"]["valid"]:  # the values are those of the signature that it was before
            continue
        messages = unhex(case["messages"])
        generators = fixtures.suite.generators(len(messages))
        domain = generators.domain(fixtures.suite, bytes.fromhex(case["signerKeyPair"]["publicKey"]), bytes.fromhex(case["header"]))
        b = commitment(fixtures.suite, generators.points, domain, fixtures.suite.scalars(messages))

        assert domain.to_be_bytes().hex() == case["trace"]["domain"], case["caseName"]
        assert b.to_compressed_bytes().hex() == case["trace"]["B"], case["caseName"]


def test_proofs(fixtures: Fixtures) -> None:
    for case in fixtures.of("proof"):
        key, header, ph = (bytes.fromhex(case[name]) for name in ("signerPublicKey", "header", "presentationHeader"))
        messages, disclosed = unhex(case["messages"]), case["disclosedIndexes"]
        arguments = (key, bytes.fromhex(case["proof"]), [messages[index] for index in disclosed], disclosed)

        if disclosed != sorted(set(disclosed)):  # "re-ordered messages": such indexes are no input at all
            with pytest.raises(FormatError, match="not ascending"):
                bbs.verify_proof(*arguments, header=header, presentation_header=ph, suite=fixtures.suite)
        else:
            verdict = bbs.verify_proof(*arguments, header=header, presentation_header=ph, suite=fixtures.suite)
            assert verdict is case["result"]["valid"], case["caseName"]


def test_proofs_are_reproduced_with_the_mocked_random_scalars(fixtures: Fixtures) -> None:
    valid = [case for case in fixtures.of("proof") if case["result"]["valid"]]
    for case in valid:
        key, signature, header, ph = (bytes.fromhex(case[name]) for name in ("signerPublicKey", "signature", "header", "presentationHeader"))
        messages, disclosed = unhex(case["messages"]), case["disclosedIndexes"]
        random = fixtures.mocked_random(5 + len(messages) - len(disclosed))
        proof = bbs.create_proof(key, signature, messages, disclosed, random=random, header=header, presentation_header=ph, suite=fixtures.suite)
        parsed = Proof.parse(proof)

        assert proof.hex() == case["proof"], case["caseName"]
        assert parsed.octets == proof
        assert parsed.a_bar.to_compressed_bytes().hex() == case["trace"]["A_bar"]
        assert parsed.b_bar.to_compressed_bytes().hex() == case["trace"]["B_bar"]
        assert parsed.d.to_compressed_bytes().hex() == case["trace"]["D"]
        assert parsed.challenge.to_be_bytes().hex() == case["trace"]["challenge"]
    assert len(valid) >= 3


# RFC 9380 appendices K.1 and K.6: (tag, expand, cases of (message, length, uniform bytes)).
EXPANSIONS: list[tuple[bytes, ExpandMessage, list[tuple[bytes, int, str]]]] = [
    (
        b"QUUX-V01-CS02-with-expander-SHA256-128",
        expand_message_xmd,
        [
            (b"", 0x20, "68a985b87eb6b46952128911f2a4412bbc302a9d759667f87f7a21d803f07235"),
            (b"abc", 0x20, "d8ccab23b5985ccea865c6c97b6e5b8350e794e603b4b97902f53a8a0d605615"),
            (b"abcdef0123456789", 0x20, "eff31487c770a893cfb36f912fbfcbff40d5661771ca4b2cb4eafe524333f5c1"),
        ],
    ),
    (
        b"QUUX-V01-CS02-with-expander-SHAKE256",
        expand_message_xof,
        [
            (b"", 0x20, "2ffc05c48ed32b95d72e807f6eab9f7530dd1c2f013914c8fed38c5ccc15ad76"),
            (b"abc", 0x20, "b39e493867e2767216792abce1f2676c197c0692aed061560ead251821808e07"),
        ],
    ),
]


@pytest.mark.parametrize(("tag", "expand", "cases"), EXPANSIONS, ids=["xmd", "xof"])
def test_expansion_of_rfc_9380(tag: bytes, expand: ExpandMessage, cases: list[tuple[bytes, int, str]]) -> None:
    for message, length, uniform in cases:
        assert expand(message, tag, length).hex() == uniform


@pytest.mark.parametrize(
    ("message", "x"),
    [
        (b"", "052926add2207b76ca4fa57a8734416c8dc95e24501772c814278700eed6d1e4e8cf62d9c09db0fac349612b759e79a1"),
        (b"abc", "03567bc5ef9c690c2ab2ecdf6a96ef1c139cc0b2f284dca0a9a7943388a49a3aee664ba5379a7655d3c68900be2f6903"),
    ],
)
def test_hash_to_g1_of_rfc_9380(message: bytes, x: str) -> None:
    """Appendix J.9.1."""
    point = hash_to_g1(expand_message_xmd, message, b"QUUX-V01-CS02-with-BLS12381G1_XMD:SHA-256_SSWU_RO_")
    assert point.to_xy_bytes_be()[:48].hex() == x


@pytest.mark.parametrize(
    ("x", "d"),
    [
        ("pVD25M3Ca0jOBmHizej_YwuVOEIadk44urQcQQD3uhITsWj5LdgRmjTkftCme9KQEReUf5yoxPi7pDDx4UdkmTXtzuaIKm9YY2cOpT5dO26ttBSzneQEUFhHpM3sdUmf",
         "XdXO0OOc6YrVTKEPIR6JmmTSDDA5Y5pxCyY5TRI0k5c"),
        ("o-w6GPtbZuiG7pEZ7Jelw925pirHQIunTOnLy-F68HSs3A2ejcukZFeYkyWOsVyIDZKkES69mX0UBhUeyHI_DaZMv3YbSs_9Q1YxtJVn4uaneEykAFtTJyCSh2A6H1S7",
         "MpN9MF6G6pmiZaJN6WOjWM2LQt07Blgb7WeJQbsKxWY"),
    ],
)  # fmt: skip
def test_jwk_of_the_draft_on_bls_keys(x: str, d: str) -> None:
    """draft-ietf-cose-bls-key-representations, appendix A.1."""
    from did_health.encoding.base64 import base64url_decode

    jwk = {"kty": "OKP", "crv": "BLS12381G2", "x": x}
    key = public_key_from_jwk(jwk)
    assert key.algorithm is Algorithm.BLS12381G2
    assert key.jwk == jwk
    assert signer_from_secret(Algorithm.BLS12381G2, base64url_decode(d)).public_key == key
