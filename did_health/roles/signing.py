"""Which cryptosuite a key signs with when nobody says otherwise."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from did_health.errors import UnsupportedError
from did_health.keys import Algorithm, Signer
from did_health.vc.proofs.table import BY_NAME, DISCLOSURE_SUITES

_SUITES: Final = MappingProxyType({Algorithm.ED25519: "eddsa-jcs-2022", Algorithm.P256: "ecdsa-jcs-2019", Algorithm.P384: "ecdsa-jcs-2019"})
DOCUMENT_ALGORITHMS: Final = tuple(_SUITES)
"""The algorithms of keys that sign whole documents: those of institutions and wallets."""


def default_suite(signer: Signer) -> str:
    """The JCS suite of the signer's algorithm: no JSON-LD processing, so nothing but the bytes is signed.

    Raises ``UnsupportedError`` for a BBS key, which makes proofs that are for disclosing parts.
    """
    return _SUITES[require_document_algorithm(signer.public_key.algorithm)]


def require_document_algorithm(algorithm: Algorithm) -> Algorithm:
    """``algorithm``; raises ``UnsupportedError`` unless it is in ``DOCUMENT_ALGORITHMS``."""
    if algorithm not in _SUITES:
        raise UnsupportedError(f"a key of {algorithm} does not sign whole documents", hint=f"Use one of {', '.join(_SUITES)}")
    return algorithm


def require_document_suite(suite: str, algorithm: Algorithm) -> str:
    """``suite``; raises ``UnsupportedError`` unless it signs whole documents with keys of ``algorithm``.

    A base proof of a suite of selective disclosure is for its holder alone: nobody could verify what an institution publishes with one.
    """
    if suite not in BY_NAME or suite in DISCLOSURE_SUITES:
        known = ", ".join(name for name in BY_NAME if name not in DISCLOSURE_SUITES)
        raise UnsupportedError(f"no institution signs with {suite!r}", hint=f"Use one of {known}")
    if algorithm not in BY_NAME[suite].algorithms:
        raise UnsupportedError(f"{suite} does not sign with a key of {algorithm}", hint=f"It takes {', '.join(BY_NAME[suite].algorithms)}")
    return suite
