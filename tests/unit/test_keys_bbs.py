from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest

from did_health.errors import FormatError, UnsupportedError
from did_health.keys import Algorithm, algorithms, bbs, generate, public_key_from_jwk, public_key_from_multikey, signer_from_secret
from did_health.keys.bbs.curve import curve, parse_public_key
from did_health.keys.bbs.hash_to_curve import expand_message_xmd, expand_message_xof, hash_to_g1
from did_health.keys.bbs.proof import MIN_PROOF_BYTES, Proof
from did_health.keys.bbs.signature import Signature
from did_health.limits import MAX_BBS_MESSAGES

Random = Callable[[int], bytes]
ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
MESSAGES = tuple(f"message {number}".encode() for number in range(5))
IDENTITY_G1, IDENTITY_G2 = b"\xc0" + bytes(47), b"\xc0" + bytes(95)


def point_outside_the_subgroup() -> bytes:
    """The compressed point of the curve with the least x whose order is not r."""
    g1 = curve().g1
    for x in range(1, 100):
        octets = bytes((0x80,)) + x.to_bytes(47, "big")
        try:
            point = g1.from_compressed_bytes_unchecked(octets)
        except ValueError:  # no point has this x
            continue
        if not point.is_in_subgroup():
            return octets
    raise AssertionError


@pytest.fixture
def signer(random_bytes: Random) -> bbs.BBSSigner:
    made = generate(random_bytes, Algorithm.BLS12381G2)
    assert isinstance(made, bbs.BBSSigner)
    return made


@pytest.fixture
def without_the_extra(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "py_arkworks_bls12381", None)
    for kept in (curve, parse_public_key, algorithms.public_key_from_multikey):
        kept.cache_clear()
    yield
    curve.cache_clear()


def test_key_in_all_its_forms(signer: bbs.BBSSigner) -> None:
    key = signer.public_key
    assert key.algorithm is Algorithm.BLS12381G2
    assert len(key.raw) == 96
    assert key.multikey.startswith("zUC7")
    assert public_key_from_multikey(key.multikey) == public_key_from_jwk(key.jwk) == key
    assert hash(public_key_from_jwk(key.jwk)) == hash(key)
    assert repr(signer) == f"BBSSigner({key.multikey})"
    assert not hasattr(signer, "__dict__")
    assert signer_from_secret(Algorithm.BLS12381G2, signer.secret).public_key == key


@pytest.mark.parametrize("secret", [b"", bytes(31), bytes(32), bytes(33), ORDER.to_bytes(32, "big"), b"\xff" * 32])
def test_secret_must_be_a_scalar(secret: bytes) -> None:
    with pytest.raises(FormatError, match="secret key"):
        signer_from_secret(Algorithm.BLS12381G2, secret)
    assert signer_from_secret(Algorithm.BLS12381G2, (ORDER - 1).to_bytes(32, "big")).secret == (ORDER - 1).to_bytes(32, "big")


@pytest.mark.parametrize(
    "raw", [b"", bytes(96), b"\xff" * 96, IDENTITY_G2, b"\x80" + bytes(95), IDENTITY_G1], ids=["nothing", "zeros", "ones", "identity", "x=0", "of-G1"]
)
def test_bytes_that_are_no_public_key(raw: bytes) -> None:
    with pytest.raises(FormatError):
        bbs.BBSPublicKey(raw)


def test_public_key_outside_the_subgroup() -> None:
    g2 = curve().g2
    for x in range(1, 100):
        octets = b"\x80" + bytes(94) + bytes((x,))
        try:
            if g2.from_compressed_bytes_unchecked(octets).is_in_subgroup():
                continue
        except ValueError:
            continue
        with pytest.raises(FormatError, match="not a BLS12-381 public key"):
            bbs.BBSPublicKey(octets)
        return
    pytest.fail("no point to try")


def test_signature_of_one_message_as_every_other_key_makes_it(signer: bbs.BBSSigner, random_bytes: Random) -> None:
    other = generate(random_bytes, Algorithm.BLS12381G2)
    signature = signer.sign(b"message")
    assert len(signature) == 80
    assert signature == signer.sign(b"message")
    assert signer.public_key.verify(signature, b"message")
    assert not signer.public_key.verify(signature, b"Message")
    assert not other.public_key.verify(signature, b"message")
    assert not signer.public_key.verify(signer.sign_messages((b"message",), header=b"h"), b"message")
    for bad in (b"", signature[:-1], signature + b"\0", bytes(80), IDENTITY_G1 + signature[48:], signature[:48] + bytes(32)):
        assert not signer.public_key.verify(bad, b"message")


def test_signature_is_of_all_messages_in_their_order_and_of_the_header(signer: bbs.BBSSigner) -> None:
    key, signature = signer.public_key.raw, signer.sign_messages(MESSAGES, header=b"header")
    assert bbs.verify(key, signature, MESSAGES, header=b"header")
    for wrong in (MESSAGES[:-1], (*MESSAGES, b""), MESSAGES[::-1], (MESSAGES[0], *MESSAGES[2:], MESSAGES[1])):
        assert not bbs.verify(key, signature, wrong, header=b"header")
    assert not bbs.verify(key, signature, MESSAGES, header=b"")
    assert not bbs.verify(key, signature, MESSAGES, header=b"header", suite=bbs.BLS12_381_SHAKE_256)


def test_signature_of_no_message(signer: bbs.BBSSigner) -> None:
    assert bbs.verify(signer.public_key.raw, signer.sign_messages(()), ())


@pytest.mark.parametrize("point", [bytes(48), b"\xff" * 48, IDENTITY_G1, b"\xe0" + bytes(47)], ids=["zeros", "ones", "identity", "identity-signed"])
def test_signatures_with_a_bad_point(point: bytes, signer: bbs.BBSSigner) -> None:
    signature = signer.sign(b"m")
    with pytest.raises(FormatError, match="signature's point"):
        Signature.parse(point + signature[48:])


def test_points_outside_the_subgroup_are_refused(signer: bbs.BBSSigner, random_bytes: Random) -> None:
    outside = point_outside_the_subgroup()
    signature = signer.sign(b"m")
    proof = bbs.create_proof(signer.public_key.raw, signature, (b"m",), (), random=random_bytes)
    with pytest.raises(FormatError, match="not a point of G1"):
        Signature.parse(outside + signature[48:])
    for start in (0, 48, 96):
        with pytest.raises(FormatError, match="not a point of G1"):
            Proof.parse(proof[:start] + outside + proof[start + 48 :])


def test_scalars_out_of_range(signer: bbs.BBSSigner, random_bytes: Random) -> None:
    signature = signer.sign(b"m")
    proof = bbs.create_proof(signer.public_key.raw, signature, (b"m",), (), random=random_bytes)
    for scalar in (bytes(32), ORDER.to_bytes(32, "big"), (ORDER + 1).to_bytes(32, "big"), b"\xff" * 32):
        with pytest.raises(FormatError, match="signature's scalar"):
            Signature.parse(signature[:48] + scalar)
        for start in range(144, len(proof), 32):
            with pytest.raises(FormatError, match="proof's scalar"):
                Proof.parse(proof[:start] + scalar + proof[start + 32 :])


@pytest.mark.parametrize("length", [0, 48, MIN_PROOF_BYTES - 32, MIN_PROOF_BYTES - 1, MIN_PROOF_BYTES + 1, MIN_PROOF_BYTES + 31])
def test_proofs_of_a_length_that_none_has(length: int) -> None:
    with pytest.raises(FormatError, match="bytes and 32 for each"):
        Proof.parse(bytes(length))


@pytest.mark.parametrize("disclosed", [(), (0,), (4,), (1, 3), (0, 1, 2, 3, 4)], ids=str)
@pytest.mark.parametrize("suite", [bbs.BLS12_381_SHA_256, bbs.BLS12_381_SHAKE_256], ids=["sha-256", "shake-256"])
def test_proof_discloses_what_it_discloses_and_no_more(
    disclosed: tuple[int, ...], suite: bbs.Ciphersuite, signer: bbs.BBSSigner, random_bytes: Random
) -> None:
    key = signer.public_key.raw
    signature = bbs.sign(signer.secret, key, MESSAGES, header=b"h", suite=suite)
    proof = bbs.create_proof(key, signature, MESSAGES, disclosed, random=random_bytes, header=b"h", presentation_header=b"p", suite=suite)
    shown = [MESSAGES[index] for index in disclosed]

    assert len(proof) == MIN_PROOF_BYTES + 32 * (len(MESSAGES) - len(disclosed))
    assert bbs.verify_proof(key, proof, shown, disclosed, header=b"h", presentation_header=b"p", suite=suite)
    assert not bbs.verify_proof(key, proof, shown, disclosed, header=b"", presentation_header=b"p", suite=suite)
    assert not bbs.verify_proof(key, proof, shown, disclosed, header=b"h", presentation_header=b"q", suite=suite)
    for place in range(len(shown)):
        changed = [*shown[:place], b"other", *shown[place + 1 :]]
        assert not bbs.verify_proof(key, proof, changed, disclosed, header=b"h", presentation_header=b"p", suite=suite)


def test_two_proofs_share_no_bytes_of_the_signature_or_of_each_other(signer: bbs.BBSSigner, random_bytes: Random) -> None:
    key, signature = signer.public_key.raw, signer.sign_messages(MESSAGES)
    first, second = (bbs.create_proof(key, signature, MESSAGES, (0,), random=random_bytes) for _ in range(2))

    def parts(proof: bytes) -> set[bytes]:
        return {proof[:48], proof[48:96], proof[96:144], *(proof[start : start + 32] for start in range(144, len(proof), 32))}

    assert len(parts(first)) == 3 + 4 + 4
    assert not parts(first) & parts(second)
    assert not (parts(first) | parts(second)) & {signature[:48], signature[48:]}


def test_proof_of_a_signature_of_something_else_does_not_verify(signer: bbs.BBSSigner, random_bytes: Random) -> None:
    key, signature = signer.public_key.raw, signer.sign_messages(MESSAGES)
    forged = bbs.create_proof(key, signature, (*MESSAGES[:-1], b"other"), (0,), random=random_bytes)
    assert not bbs.verify_proof(key, forged, MESSAGES[:1], (0,))


@pytest.mark.parametrize("disclosed", [(1, 0), (0, 0), (-1,), (5,), (0, 5)], ids=str)
def test_indexes_are_ascending_and_of_messages(disclosed: tuple[int, ...], signer: bbs.BBSSigner, random_bytes: Random) -> None:
    key, signature = signer.public_key.raw, signer.sign_messages(MESSAGES)
    with pytest.raises(ValueError, match="not ascending"):
        bbs.create_proof(key, signature, MESSAGES, disclosed, random=random_bytes)
    proof = bbs.create_proof(key, signature, MESSAGES, tuple(range(len(disclosed))), random=random_bytes)
    with pytest.raises(FormatError, match="not ascending"):
        bbs.verify_proof(key, proof, [b""] * len(disclosed), disclosed)


def test_as_many_messages_as_indexes(signer: bbs.BBSSigner, random_bytes: Random) -> None:
    key, signature = signer.public_key.raw, signer.sign_messages(MESSAGES)
    proof = bbs.create_proof(key, signature, MESSAGES, (0, 1), random=random_bytes)
    with pytest.raises(FormatError, match="not those of the messages"):
        bbs.verify_proof(key, proof, MESSAGES[:1], (0, 1))


def test_randomness_that_is_none_makes_no_proof(signer: bbs.BBSSigner) -> None:
    with pytest.raises(ValueError, match="zeros"):
        bbs.create_proof(signer.public_key.raw, signer.sign(b"m"), (b"m",), (), random=bytes)


def test_more_messages_than_a_signature_may_have(signer: bbs.BBSSigner) -> None:
    too_many = (b"",) * (MAX_BBS_MESSAGES + 1)
    with pytest.raises(FormatError, match="more than the 1024"):
        signer.sign_messages(too_many)
    with pytest.raises(FormatError, match="more than the 1024"):
        bbs.verify(signer.public_key.raw, signer.sign(b""), too_many)
    with pytest.raises(FormatError, match="hides more than the 1024"):
        Proof.parse(bytes(MIN_PROOF_BYTES + 32 * (MAX_BBS_MESSAGES + 1)))


def test_as_many_messages_as_a_signature_may_have(signer: bbs.BBSSigner, random_bytes: Random) -> None:
    messages = [str(number).encode() for number in range(MAX_BBS_MESSAGES)]
    proof = bbs.create_proof(signer.public_key.raw, signer.sign_messages(messages), messages, (MAX_BBS_MESSAGES - 1,), random=random_bytes)
    assert bbs.verify_proof(signer.public_key.raw, proof, messages[-1:], (MAX_BBS_MESSAGES - 1,))
    with pytest.raises(FormatError, match="1025 messages are more than"):
        bbs.verify_proof(signer.public_key.raw, proof, [b"", *messages[-1:]], (0, MAX_BBS_MESSAGES - 1))


def test_generators_of_few_are_the_first_of_those_of_many() -> None:
    many = bbs.BLS12_381_SHA_256.generators(40)
    for count in (0, 1, 14, 15, 16, 17, 31, 32):
        few = bbs.BLS12_381_SHA_256.generators(count)
        assert few.points == many.points[: count + 1]
        assert few.octets == count.to_bytes(8, "big") + many.octets[8 : 8 + 48 * (count + 1)]
    assert len(set(many.points)) == 41
    assert bbs.BLS12_381_SHA_256.generators(40) is many


def test_key_material() -> None:
    assert bbs.derive_secret(bytes(32)) != bbs.derive_secret(bytes(33)) != bbs.derive_secret(bytes(33), b"info")
    assert bbs.derive_secret(bytes(32)) == bbs.derive_secret(bytes(32), key_tag=b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_KEYGEN_DST_")
    with pytest.raises(ValueError, match="32 bytes at least"):
        bbs.derive_secret(bytes(31))
    with pytest.raises(ValueError, match="65,535"):
        bbs.derive_secret(bytes(32), bytes(65_536))


def test_bounds_of_expansion() -> None:
    for expand, most in ((expand_message_xmd, 255 * 32), (expand_message_xof, 65_535)):
        assert len(expand(b"", b"tag", most)) == most
        assert len(expand(b"", b"t" * 255, 33)) == 33
        with pytest.raises(ValueError, match="too much"):
            expand(b"", b"tag", most + 1)
        with pytest.raises(ValueError, match="too long a tag"):
            expand(b"", b"t" * 256, 32)


def test_hash_to_g1_is_that_of_the_curves_own_library() -> None:
    for message in (b"", b"abc", bytes(500)):
        assert hash_to_g1(expand_message_xmd, message, b"TAG") == curve().g1.hash_to_curve(message, b"TAG")


@pytest.mark.usefixtures("without_the_extra")
def test_without_the_package_the_extra_is_named() -> None:
    text = "zUC7DerdEmfZ8f4pFajXgGwJoMkV1ofMTmEG5UoNvnWiPiLuGKNeqgRpLH2TV4Xe5mJ2cXV76gRN7LFQwapF1VFu6x2yrr5ci1mXqC1WNUrnHnLgvfZfMH7h6xP6qsf9EKRQrPQ"
    for attempt in (lambda: public_key_from_multikey(text), lambda: signer_from_secret(Algorithm.BLS12381G2, bytes(31) + b"\1")):
        with pytest.raises(UnsupportedError) as caught:
            attempt()
        assert "did-health[bbs]" in caught.value.hint
