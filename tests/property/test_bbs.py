"""BBS octets: garbage is ``FormatError`` and nothing else; any subset of messages can be disclosed; every tampering fails."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.errors import FormatError
from did_health.keys import Algorithm, bbs, signer_from_secret
from did_health.keys.bbs.proof import Proof
from did_health.keys.bbs.signature import Signature
from tests.conftest import repeatable_bytes

SIGNER = signer_from_secret(Algorithm.BLS12381G2, bytes(31) + b"\7")
KEY = SIGNER.public_key.raw
MESSAGES = tuple(bytes((number,)) * number for number in range(6))
SIGNATURE = bbs.sign(SIGNER.secret, KEY, MESSAGES, header=b"header")
PROOF = bbs.create_proof(KEY, SIGNATURE, MESSAGES, (1, 4), random=repeatable_bytes("proof"), header=b"header", presentation_header=b"nonce")


def verifies(proof: bytes) -> bool:
    return bbs.verify_proof(KEY, proof, [MESSAGES[1], MESSAGES[4]], (1, 4), header=b"header", presentation_header=b"nonce")


@pytest.mark.parametrize("parse", [Signature.parse, Proof.parse, bbs.BBSPublicKey], ids=["signature", "proof", "public-key"])
@given(octets=st.binary(max_size=400) | st.binary(min_size=80, max_size=80) | st.binary(min_size=96, max_size=96) | st.binary(min_size=272, max_size=272))
@settings(max_examples=100, deadline=None)
def test_garbage(parse: type, octets: bytes) -> None:
    try:
        parse(octets)
    except FormatError:
        return
    pytest.fail("garbage was read")


@given(place=st.integers(0, len(PROOF) - 1), bit=st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_no_bit_of_a_proof_can_be_changed(place: int, bit: int) -> None:
    assert verifies(PROOF)
    changed = bytearray(PROOF)
    changed[place] ^= 1 << bit
    with suppress(FormatError):
        assert not verifies(bytes(changed))


@given(place=st.integers(0, len(SIGNATURE) - 1), bit=st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_no_bit_of_a_signature_can_be_changed(place: int, bit: int) -> None:
    changed = bytearray(SIGNATURE)
    changed[place] ^= 1 << bit
    with suppress(FormatError):
        assert not bbs.verify(KEY, bytes(changed), MESSAGES, header=b"header")


@given(st.lists(st.binary(max_size=40), max_size=8), st.sets(st.integers(0, 7)), st.binary(max_size=20), st.binary(max_size=20))
@settings(max_examples=40, deadline=None)
def test_any_messages_any_part_of_them(messages: list[bytes], chosen: set[int], header: bytes, presentation_header: bytes) -> None:
    disclosed = sorted(index for index in chosen if index < len(messages))
    signature = bbs.sign(SIGNER.secret, KEY, messages, header=header)
    proof = bbs.create_proof(
        KEY, signature, messages, disclosed, random=repeatable_bytes("any"), header=header, presentation_header=presentation_header
    )
    shown = [messages[index] for index in disclosed]
    assert bbs.verify(KEY, signature, messages, header=header)
    assert bbs.verify_proof(KEY, proof, shown, disclosed, header=header, presentation_header=presentation_header)
    assert not bbs.verify_proof(KEY, proof, shown, disclosed, header=header, presentation_header=presentation_header + b"x")
