"""``Ed25519Signature2020`` (Data Integrity EdDSA Cryptosuites 1.0 §3.4): RDFC-1.0, SHA-256, Ed25519; a proof type without ``cryptosuite``."""

from __future__ import annotations

from typing import Final

from did_health.keys import Algorithm
from did_health.vc.contexts import ED25519_2020_V1
from did_health.vc.proofs.suite import RDFCCryptosuite

_NAME: Final = "Ed25519Signature2020"

ED25519_SIGNATURE_2020: Final = RDFCCryptosuite(_NAME, (Algorithm.ED25519,), _NAME, frozenset({ED25519_2020_V1}), ED25519_2020_V1)
