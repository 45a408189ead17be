"""``ecdsa-jcs-2019`` (Data Integrity ECDSA Cryptosuites 1.0 §3.3): JCS; SHA-256 with P-256, SHA-384 with P-384."""

from __future__ import annotations

from typing import Final

from did_health.keys import Algorithm
from did_health.vc.proofs.suite import JCSCryptosuite

ECDSA_JCS_2019: Final = JCSCryptosuite("ecdsa-jcs-2019", (Algorithm.P256, Algorithm.P384))
