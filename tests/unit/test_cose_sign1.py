"""COSE_Sign1 and COSE_Key, RFC 9052 and RFC 9053, statement by statement."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest

from did_health.encoding import cbor
from did_health.errors import DidHealthError, FormatError, UnsupportedError, VerificationError
from did_health.keys import JWK, Algorithm, generate
from did_health.vc.cose import Sign1, cose_key, parse_key, sign1
from did_health.vc.cose.headers import Headers
from did_health.vc.jose import sign_compact
from tests.conftest import repeatable_bytes

ALGORITHMS = (Algorithm.ED25519, Algorithm.P256, Algorithm.P384)
SIGNERS = {algorithm: generate(repeatable_bytes(f"cose {algorithm}"), algorithm) for algorithm in ALGORITHMS}
ED = SIGNERS[Algorithm.ED25519]


def message(protected: Any, unprotected: Any, payload: Any = b"payload", signature: Any = bytes(64), tag: int | None = 18) -> bytes:
    encoded = protected if isinstance(protected, bytes) else cbor2.dumps(protected)
    value = [encoded, unprotected, payload, signature]
    return cbor2.dumps(value if tag is None else cbor2.CBORTag(tag, value))


@pytest.mark.parametrize("tagged", [True, False])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_is_signed_verifies(algorithm: Algorithm, tagged: bool) -> None:
    """RFC 9052 §4.4; RFC 9053 §2.1, §2.2."""
    signer = SIGNERS[algorithm]
    data = sign1(b"payload", signer, {4: b"kid", 16: "application/x", 3: "text/plain"}, {"own": 1}, external_aad=b"aad", tagged=tagged)
    parsed = Sign1.parse(data)
    assert (parsed.is_tagged, parsed.unverified_payload) == (tagged, b"payload")
    verified = parsed.verify(signer.public_key, external_aad=b"aad")
    assert (verified.payload, verified.public_key) == (b"payload", signer.public_key)
    headers = verified.headers
    assert (headers.algorithm, headers.is_alg_protected) == (algorithm, True)
    assert (headers.kid, headers.typ, headers.content_type) == (b"kid", "application/x", "text/plain")
    assert headers.unprotected == {"own": 1}
    with pytest.raises(VerificationError) as caught:
        parsed.verify(signer.public_key)
    assert caught.value.code == "CRYPTOGRAPHIC_SECURITY_ERROR"
    other = next(candidate for candidate in SIGNERS.values() if candidate is not signer)
    with pytest.raises(VerificationError, match="not that of the key"):
        parsed.verify(other.public_key, external_aad=b"aad")


@pytest.mark.parametrize(("alg", "algorithm"), [(-19, Algorithm.ED25519), (-9, Algorithm.P256), (-51, Algorithm.P384)])
def test_fully_specified_algorithms_are_known(alg: int, algorithm: Algorithm) -> None:
    """RFC 9864 §2.1, §2.2."""
    signer = SIGNERS[algorithm]
    assert Sign1.parse(sign1(b"x", signer, {1: alg})).verify(signer.public_key).headers.alg == alg


def test_a_detached_payload_is_given_beside_the_message() -> None:
    """RFC 9052 §4.2: nil where the payload is carried elsewhere."""
    data = sign1(b"payload", ED, detach=True)
    assert Sign1.parse(data, detached=b"payload").verify(ED.public_key).payload == b"payload"
    with pytest.raises(FormatError, match="none was given"):
        Sign1.parse(data)
    with pytest.raises(FormatError, match="another one was given"):
        Sign1.parse(sign1(b"payload", ED), detached=b"payload")


def test_messages_of_other_encoders_are_read() -> None:
    """Their maps need not be sorted, nor their heads be the shortest; what is signed is the byte string as it came."""
    protected = bytes.fromhex("a2046141012 7".replace(" ", ""))  # kid before alg
    signature = ED.sign(cbor.dumps(["Signature1", protected, b"", b"x"]))
    data = b"\xd8\x12\x84" + cbor.dumps(protected) + b"\xa0\x41x" + b"\x59\x00\x40" + signature
    with pytest.raises(FormatError, match="wrong type"):
        Sign1.parse(data)  # its kid is text
    protected = bytes.fromhex("a204414101 27".replace(" ", ""))
    signature = ED.sign(cbor.dumps(["Signature1", protected, b"", b"x"]))
    data = b"\xd8\x12\x84" + cbor.dumps(protected) + b"\xa0\x41x" + b"\x59\x00\x40" + signature
    with pytest.raises(FormatError):
        cbor.loads(data)
    assert Sign1.parse(data).verify(ED.public_key).payload == b"x"


def test_an_empty_map_of_protected_parameters_is_signed_as_an_empty_string() -> None:
    """RFC 9052 §3, §4.4."""
    signature = ED.sign(cbor.dumps(["Signature1", b"", b"", b"x"]))
    for protected in (b"", b"\xa0"):
        parsed = Sign1.parse(message(protected, {1: -8}, b"x", signature))
        assert not parsed.verify(ED.public_key).headers.is_alg_protected


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", FormatError),
        (b"\xff", FormatError),
        (cbor.dumps([1, 2, 3]), FormatError),
        (cbor.dumps({1: 2}), FormatError),
        (message({1: -8}, {}, tag=17), FormatError),
        (message({1: -8}, {}, payload="text"), FormatError),
        (message({1: -8}, {}, signature="text"), FormatError),
        (message({1: -8}, {}) + b"\x00", FormatError),
        (message(b"\x01", {}), FormatError),
        (message(b"\xff", {}), FormatError),
        (cbor2.dumps([{}, {}, b"", b""]), FormatError),
        (message({1: -8}, []), FormatError),
        (message({1: -8, b"x": 1}, {}), FormatError),
        (message({1: -8}, {1: -8}), FormatError),
        (message({}, {}), FormatError),
        (message({1: b"x"}, {}), FormatError),
        (message({1: True}, {}), FormatError),
        (message({1: -257}, {}), UnsupportedError),
        (message({1: "unknown"}, {}), UnsupportedError),
        (message({1: -8, 2: []}, {}), FormatError),
        (message({1: -8, 2: 1}, {}), FormatError),
        (message({1: -8, 2: [b"x"]}, {}), FormatError),
        (message({1: -8, 2: [99]}, {}), FormatError),
        (message({1: -8}, {2: [1]}), FormatError),
        (message({1: -8, 2: [99], 99: 1}, {}), UnsupportedError),
        (message({1: -8, 4: "text"}, {}), FormatError),
        (message({1: -8, 16: b"x"}, {}), FormatError),
        (message({1: -8, 3: b"x"}, {}), FormatError),
        (bytes.fromhex("d28446a2012701 2740 a0 41 78 41 79".replace(" ", "")), FormatError),
    ],
)
def test_messages_that_are_refused(data: bytes, error: type[DidHealthError]) -> None:
    """RFC 9052 §3, §3.1, §4.2."""
    with pytest.raises(error):
        Sign1.parse(data)


def test_critical_parameters_that_are_understood_pass() -> None:
    """RFC 9052 §3.1, crit."""
    data = sign1(b"x", ED, {2: [1, 4], 4: b"kid"})
    assert Sign1.parse(data).verify(ED.public_key).payload == b"x"


def test_a_signer_does_not_sign_under_another_alg() -> None:
    with pytest.raises(ValueError, match="not the signer's"):
        sign1(b"x", ED, {1: -7})
    with pytest.raises(UnsupportedError):
        sign1(b"x", ED, {1: 5})


def test_a_key_twice_in_a_map_is_refused() -> None:
    """RFC 9052 §3: a label comes once."""
    with pytest.raises(FormatError, match="twice"):
        Sign1.parse(message(bytes.fromhex("a201270127"), {}))
    assert Headers.parse({1: -8}, {}).kid is None


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_keys_survive_cose_key(algorithm: Algorithm) -> None:
    """RFC 9052 §7; RFC 9053 §7.1, §7.2."""
    key = SIGNERS[algorithm].public_key
    members = cose_key(key)
    assert parse_key(members) == key
    alg = {Algorithm.ED25519: -8, Algorithm.P256: -7, Algorithm.P384: -35}[algorithm]
    assert parse_key(cbor2.dumps({**members, 2: b"kid", 3: alg, 4: [2]})) == key
    if algorithm is not Algorithm.ED25519:
        assert parse_key({**members, -3: bool(members[-3][-1] & 1)}) == key


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({-4: b"d"}, FormatError),
        ({1: None}, FormatError),
        ({1: 4}, UnsupportedError),
        ({1: True}, UnsupportedError),
        ({-1: 3}, UnsupportedError),
        ({-1: "P-256"}, UnsupportedError),
        ({4: [1]}, UnsupportedError),
        ({4: 2}, UnsupportedError),
        ({3: -35}, UnsupportedError),
        ({3: "ES256"}, UnsupportedError),
        ({-2: "x"}, FormatError),
        ({-2: b"x"}, FormatError),
        ({-3: None}, FormatError),
        ({-3: b"x" * 32}, FormatError),
    ],
)
def test_cose_keys_that_are_refused(changes: dict[int, Any], error: type[DidHealthError]) -> None:
    """RFC 9052 §7.1; RFC 9053 §2.1, §7."""
    members = {**cose_key(SIGNERS[Algorithm.P256].public_key), **changes}
    with pytest.raises(error):
        parse_key(members)


def test_a_bbs_key_signs_no_token_and_no_message() -> None:
    pytest.importorskip("py_arkworks_bls12381", reason="BBS needs the extra bbs")
    signer = generate(repeatable_bytes("bbs"), Algorithm.BLS12381G2)
    for sign in (lambda: sign1(b"x", signer), lambda: sign_compact(b"x", signer), lambda: cose_key(signer.public_key)):
        with pytest.raises(UnsupportedError):
            sign()
    assert JWK.parse({**signer.public_key.jwk, "alg": "BBS"}).public_key == signer.public_key


def test_a_cose_key_is_a_map() -> None:
    """RFC 9052 §7."""
    with pytest.raises(FormatError, match="not a map"):
        parse_key(b"\x80")
