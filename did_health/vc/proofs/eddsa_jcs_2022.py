"""``eddsa-jcs-2022`` (Data Integrity EdDSA Cryptosuites 1.0 §3.3): JCS, SHA-256, Ed25519."""

from __future__ import annotations

from typing import Final

from did_health.keys import Algorithm
from did_health.vc.proofs.suite import JCSCryptosuite

EDDSA_JCS_2022: Final = JCSCryptosuite("eddsa-jcs-2022", (Algorithm.ED25519,))
