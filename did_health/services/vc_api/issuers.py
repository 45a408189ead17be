"""Who issues: one issuer a cryptosuite and kind of key, each a did:key, so that a tester can choose what comes back by the path alone."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from did_health.did.did import DID
from did_health.did.methods.key import did_key
from did_health.errors import UnsupportedError
from did_health.keys import Algorithm, Signer, generate
from did_health.services.vc_api.securing import SECURINGS, Securing

SECRET_BYTES: Final = 32
"""Length of the secret that all keys of a service are derived from."""
WITH_STATUS: Final = "-status"
"""What the name of an issuer that gives every credential a status entry ends with."""


@dataclass(frozen=True, slots=True)
class Party:
    """A did:key with its signer: an issuer, or a holder who presents."""

    did: str
    verification_method: str
    signer: Signer = field(repr=False)

    @classmethod
    def of(cls, signer: Signer) -> Party:
        """The party whose DID is the signer's key."""
        did: DID = did_key(signer.public_key)
        return cls(str(did), did.url(did.identifier), signer)

    @property
    def algorithm(self) -> Algorithm:
        """The algorithm of its key."""
        return self.signer.public_key.algorithm


@dataclass(frozen=True, slots=True)
class Issuer:
    """One issuer: how it secures credentials, with which key; ``with_status`` if it gives every credential a status entry."""

    name: str
    securing: Securing
    party: Party
    with_status: bool = False


def make_parties(secret: bytes) -> Mapping[Algorithm, Party]:
    """A party for each algorithm that some way of securing uses and that can be used here; the same ones of the same ``secret`` (32 bytes)."""
    parties: dict[Algorithm, Party] = {}
    for algorithm in dict.fromkeys(algorithm for securing in SECURINGS.values() for algorithm in securing.algorithms):
        try:
            parties[algorithm] = Party.of(generate(_derived(secret, algorithm), algorithm))
        except UnsupportedError:
            # An optional package is missing; its suites are not offered then.
            continue
    return parties


def _derived(secret: bytes, algorithm: Algorithm) -> Callable[[int], bytes]:
    """A source of secret bytes for keys of one kind: HMAC-SHA-512 as a pseudorandom function of the number of the draw."""
    draws = count()

    def draw(length: int) -> bytes:
        return hmac.digest(secret, f"did-health/vc-api/{algorithm}/{next(draws)}".encode(), "sha512")[:length]

    return draw


def make_issuers(parties: Mapping[Algorithm, Party]) -> Mapping[str, Issuer]:
    """Every issuer by its name: ``<suite>`` with the first kind of key that the suite takes, ``<suite>-<key type>`` with each, all once
    more with ``-status`` at the end."""
    issuers: dict[str, Issuer] = {}
    for securing in SECURINGS.values():
        for algorithm in securing.algorithms:
            if algorithm not in parties:
                continue
            for name in (securing.name, f"{securing.name}-{algorithm}"):
                if name not in issuers:
                    issuers[name] = Issuer(name, securing, parties[algorithm])
                    issuers[name + WITH_STATUS] = Issuer(name + WITH_STATUS, securing, parties[algorithm], True)
    return issuers
