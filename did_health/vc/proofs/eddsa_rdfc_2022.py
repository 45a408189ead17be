"""``eddsa-rdfc-2022`` (Data Integrity EdDSA Cryptosuites 1.0 §3.2): RDFC-1.0, SHA-256, Ed25519."""

from __future__ import annotations

from typing import Final

from did_health.keys import Algorithm
from did_health.vc.proofs.suite import RDFCCryptosuite

EDDSA_RDFC_2022: Final = RDFCCryptosuite("eddsa-rdfc-2022", (Algorithm.ED25519,))
