"""The two BBS ciphersuites on BLS12-381 (draft §7.2) with what follows from them: generators, scalars of messages, the domain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

from did_health.errors import FormatError
from did_health.keys.bbs.curve import curve, parse_point
from did_health.keys.bbs.hash_to_curve import ExpandMessage, expand_message_xmd, expand_message_xof, hash_to_g1
from did_health.limits import MAX_BBS_MESSAGES

if TYPE_CHECKING:
    from py_arkworks_bls12381 import G1Point, Scalar

EXPAND_BYTES: Final = 48
"""expand_len: ceil((ceil(log2(r)) + k) / 8) for the 255 bits of r and the security level of 128 bits."""
_BLOCK: Final = 16


@dataclass(frozen=True)
class Ciphersuite:
    """One ciphersuite, with the interface of §3.5 (``H2G_HM2S_``); ``base_point`` is P1, compressed."""

    identifier: bytes
    expand_message: ExpandMessage
    base_point: bytes

    @cached_property
    def api_id(self) -> bytes:
        """The identifier of the interface, which separates every hash of this suite from those of others."""
        return self.identifier + b"H2G_HM2S_"

    @cached_property
    def p1(self) -> G1Point:
        """P1."""
        return parse_point(self.base_point, "base point")

    def hash_to_scalar(self, message: bytes, tag: bytes) -> Scalar:
        """§4.2.2."""
        return curve().scalar.from_be_bytes_mod_order(self.expand_message(message, tag, EXPAND_BYTES))

    def challenge(self, message: bytes) -> Scalar:
        """``hash_to_scalar`` with the tag that all core operations use."""
        return self.hash_to_scalar(message, self.api_id + b"H2S_")

    def scalars(self, messages: Iterable[bytes]) -> list[Scalar]:
        """The scalars of messages (messages_to_scalars, §4.1.2)."""
        tag = self.api_id + b"MAP_MSG_TO_SCALAR_AS_HASH_"
        return [self.hash_to_scalar(message, tag) for message in messages]

    def generators(self, messages: int) -> Generators:
        """Q_1 and the generators H_1 … of that many messages; raises ``FormatError`` for more than ``MAX_BBS_MESSAGES``."""
        if messages > MAX_BBS_MESSAGES:
            raise FormatError(f"{messages} messages are more than the {MAX_BBS_MESSAGES} that one BBS signature may have")
        return _generators(self, messages)


@dataclass(frozen=True, slots=True)
class Generators:
    """``points`` is (Q_1, H_1, …, H_L); ``octets`` is what the domain hashes of them: L, then each point."""

    points: tuple[G1Point, ...]
    octets: bytes

    def domain(self, suite: Ciphersuite, public_key: bytes, header: bytes) -> Scalar:
        """calculate_domain (§4.2.3): ties the key, the generators and the header to the signature."""
        return suite.challenge(public_key + self.octets + suite.api_id + len(header).to_bytes(8, "big") + header)


BLS12_381_SHA_256: Final = Ciphersuite(
    b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_",
    expand_message_xmd,
    bytes.fromhex("a8ce256102840821a3e94ea9025e4662b205762f9776b3a766c872b948f1fd225e7c59698588e70d11406d161b4e28c9"),
)
"""§7.2.2, which bbs-2023 uses."""
BLS12_381_SHAKE_256: Final = Ciphersuite(
    b"BBS_BLS12381G1_XOF:SHAKE-256_SSWU_RO_",
    expand_message_xof,
    bytes.fromhex("8929dfbc7e6642c4ed9cba0856e493f8b9d7d5fcb0c31ef8fdcd34d50648a56c795e106e9eada6e0bda386b414150755"),
)
"""§7.2.1."""


@lru_cache(maxsize=64)
def _generators(suite: Ciphersuite, messages: int) -> Generators:
    points: list[G1Point] = []
    for index in range(messages // _BLOCK + 1):
        points += _block(suite, index)[1]
    kept = tuple(points[: messages + 1])
    return Generators(kept, messages.to_bytes(8, "big") + b"".join(point.to_compressed_bytes() for point in kept))


# Every block of both suites; a point costs 0.2 ms to make.
@lru_cache(maxsize=2 * (MAX_BBS_MESSAGES // _BLOCK + 1))
def _block(suite: Ciphersuite, index: int) -> tuple[bytes, tuple[G1Point, ...]]:
    """``(v, points)`` of create_generators (§4.1.1) for one block of them: ``v`` is what the next block begins with."""
    seed_tag, tag = suite.api_id + b"SIG_GENERATOR_SEED_", suite.api_id + b"SIG_GENERATOR_DST_"
    v = _block(suite, index - 1)[0] if index else suite.expand_message(suite.api_id + b"MESSAGE_GENERATOR_SEED", seed_tag, EXPAND_BYTES)
    points: list[G1Point] = []
    for number in range(index * _BLOCK + 1, (index + 1) * _BLOCK + 1):
        v = suite.expand_message(v + number.to_bytes(8, "big"), seed_tag, EXPAND_BYTES)
        points.append(hash_to_g1(suite.expand_message, v, tag))
    return v, tuple(points)
