"""BBS proofs: that the prover knows a signature of messages of which some are disclosed (draft §3.5.3, §3.5.4, §3.6.3, §3.6.4, §3.7).

Two proofs of one signature have nothing in common but what is disclosed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from did_health.errors import FormatError
from did_health.keys.bbs.ciphersuite import BLS12_381_SHA_256, EXPAND_BYTES, Ciphersuite
from did_health.keys.bbs.curve import POINT_BYTES, SCALAR_BYTES, curve, parse_point, parse_public_key, parse_scalar
from did_health.keys.bbs.signature import Signature, commitment
from did_health.limits import MAX_BBS_MESSAGES

if TYPE_CHECKING:
    from py_arkworks_bls12381 import G1Point, Scalar

MIN_PROOF_BYTES = 3 * POINT_BYTES + 4 * SCALAR_BYTES
"""A proof that discloses every message; each undisclosed one adds a scalar."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof (Abar, Bbar, D, e^, r1^, r3^, (m^_1, …, m^_U), c), parsed."""

    a_bar: G1Point
    b_bar: G1Point
    d: G1Point
    e: Scalar
    r1: Scalar
    r3: Scalar
    hidden: tuple[Scalar, ...]
    challenge: Scalar

    @classmethod
    def parse(cls, octets: bytes) -> Proof:
        """octets_to_proof (§4.2.4.5); raises ``FormatError``, also for a proof of more messages than ``MAX_BBS_MESSAGES``."""
        if len(octets) > MIN_PROOF_BYTES + MAX_BBS_MESSAGES * SCALAR_BYTES:
            raise FormatError(f"the BBS proof hides more than the {MAX_BBS_MESSAGES} messages that one signature may have")
        if len(octets) < MIN_PROOF_BYTES or (len(octets) - MIN_PROOF_BYTES) % SCALAR_BYTES:
            raise FormatError(f"a BBS proof has {MIN_PROOF_BYTES} bytes and {SCALAR_BYTES} for each undisclosed message, not {len(octets)}")
        a_bar, b_bar, d = (parse_point(octets[start : start + POINT_BYTES], "proof's point") for start in range(0, 3 * POINT_BYTES, POINT_BYTES))
        starts = range(3 * POINT_BYTES, len(octets), SCALAR_BYTES)
        e, r1, r3, *hidden, challenge = (parse_scalar(octets[start : start + SCALAR_BYTES], "proof's scalar") for start in starts)
        return cls(a_bar, b_bar, d, e, r1, r3, tuple(hidden), challenge)

    @property
    def octets(self) -> bytes:
        """proof_to_octets (§4.2.4.4)."""
        scalars = (self.e, self.r1, self.r3, *self.hidden, self.challenge)
        points = (self.a_bar, self.b_bar, self.d)
        return b"".join(point.to_compressed_bytes() for point in points) + b"".join(scalar.to_be_bytes() for scalar in scalars)


def create_proof(
    public_key: bytes,
    signature: bytes,
    messages: Sequence[bytes],
    disclosed: Sequence[int],
    *,
    random: Callable[[int], bytes],
    header: bytes = b"",
    presentation_header: bytes = b"",
    suite: Ciphersuite = BLS12_381_SHA_256,
) -> bytes:
    """A proof that discloses the messages with these indexes, in ascending order (ProofGen, §3.5.3).

    ``presentation_header`` is bound to the proof: a verifier's challenge makes it fresh. ``random`` (n → n secret bytes) must never
    repeat, or two proofs together betray what they hide. The signature is not verified here. Raises ``FormatError`` for malformed
    octets and more messages than ``MAX_BBS_MESSAGES``, ``ValueError`` for indexes that are not ascending or not of a message.
    """
    parsed = Signature.parse(signature)
    parse_public_key(public_key)
    if not _ascend(disclosed, len(messages)):
        raise ValueError("the indexes of the disclosed messages are not ascending, or one is of no message")
    generators, scalars = suite.generators(len(messages)), suite.scalars(messages)
    undisclosed = sorted(set(range(len(messages))).difference(disclosed))
    domain = generators.domain(suite, public_key, header)
    # §3.7.1, ProofInit.
    r1, r2, e_blind, r1_blind, r3_blind, *blinds = (_random_scalar(random) for _ in range(5 + len(undisclosed)))
    multiply = curve().g1.multiexp_unchecked
    d = commitment(suite, generators.points, domain, scalars) * r2
    a_bar = parsed.a * (r1 * r2)
    b_bar = multiply([d, a_bar], [r1, -parsed.e])
    t1 = multiply([a_bar, d], [e_blind, r1_blind])
    t2 = multiply([d, *(generators.points[index + 1] for index in undisclosed)], [r3_blind, *blinds])
    challenge = _challenge(suite, disclosed, [scalars[index] for index in disclosed], (a_bar, b_bar, d, t1, t2), domain, presentation_header)
    # §3.7.2, ProofFinalize.
    return Proof(
        a_bar,
        b_bar,
        d,
        e_blind + parsed.e * challenge,
        r1_blind - r1 * challenge,
        r3_blind - r2.inverse() * challenge,
        tuple(blind + scalars[index] * challenge for blind, index in zip(blinds, undisclosed, strict=True)),
        challenge,
    ).octets


def verify_proof(
    public_key: bytes,
    proof: bytes,
    messages: Sequence[bytes],
    disclosed: Sequence[int],
    *,
    header: bytes = b"",
    presentation_header: bytes = b"",
    suite: Ciphersuite = BLS12_381_SHA_256,
) -> bool:
    """Whether ``proof`` proves a signature in which these ``messages`` have the indexes ``disclosed`` (ProofVerify, §3.5.4).

    Raises ``FormatError`` for malformed octets, for indexes that are not ascending, not as many as the messages or beyond the count of
    messages that the proof speaks of, and for more of them than ``MAX_BBS_MESSAGES``.
    """
    parsed, w = Proof.parse(proof), parse_public_key(public_key)
    count = len(parsed.hidden) + len(disclosed)
    if len(messages) != len(disclosed) or not _ascend(disclosed, count):
        raise FormatError("the indexes of the disclosed messages are not ascending, or are not those of the messages")
    generators, scalars = suite.generators(count), suite.scalars(messages)
    q1, *h = generators.points
    domain = generators.domain(suite, public_key, header)
    g1, g2, gt, _ = curve()
    # §3.7.3, ProofVerifyInit; Bv * c is multiplied out, so that T2 is one product of many.
    c = parsed.challenge
    t1 = g1.multiexp_unchecked([parsed.b_bar, parsed.a_bar, parsed.d], [c, parsed.e, parsed.r1])
    factors = dict(zip(disclosed, (scalar * c for scalar in scalars), strict=True))
    hidden = iter(parsed.hidden)
    exponents = [factors[index] if index in factors else next(hidden) for index in range(count)]
    t2 = g1.multiexp_unchecked([suite.p1, q1, parsed.d, *h], [c, domain * c, parsed.r3, *exponents])
    points = (parsed.a_bar, parsed.b_bar, parsed.d, t1, t2)
    if _challenge(suite, disclosed, scalars, points, domain, presentation_header) != c:
        return False
    # §3.6.4 step 6: h(Abar, W) * h(Bbar, -BP2) is the identity.
    return gt.pairing_check([parsed.a_bar, -parsed.b_bar], [w, g2()])


def _challenge(
    suite: Ciphersuite, disclosed: Sequence[int], messages: Sequence[Scalar], points: Sequence[G1Point], domain: Scalar, presentation_header: bytes
) -> Scalar:
    """ProofChallengeCalculate (§3.7.4); ``messages`` are the disclosed ones, ``points`` (Abar, Bbar, D, T1, T2)."""
    parts = [len(disclosed).to_bytes(8, "big")]
    for index, message in zip(disclosed, messages, strict=True):
        parts += (index.to_bytes(8, "big"), message.to_be_bytes())
    parts += (point.to_compressed_bytes() for point in points)
    parts += (domain.to_be_bytes(), len(presentation_header).to_bytes(8, "big"), presentation_header)
    return suite.challenge(b"".join(parts))


def _ascend(indexes: Sequence[int], count: int) -> bool:
    return all(low < high for low, high in zip((-1, *indexes), (*indexes, count), strict=True))


def _random_scalar(random: Callable[[int], bytes]) -> Scalar:
    """calculate_random_scalars (§4.2.1), one of them."""
    scalar = curve().scalar.from_be_bytes_mod_order(random(EXPAND_BYTES))
    if scalar.is_zero():
        raise ValueError("the random bytes are zeros: they would betray the signature")
    return scalar
