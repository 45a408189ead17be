"""``ecdsa-rdfc-2019`` (Data Integrity ECDSA Cryptosuites 1.0 §3.2): RDFC-1.0; SHA-256 with P-256, SHA-384 with P-384."""

from __future__ import annotations

from typing import Final

from did_health.keys import Algorithm
from did_health.vc.proofs.suite import RDFCCryptosuite

ECDSA_RDFC_2019: Final = RDFCCryptosuite("ecdsa-rdfc-2019", (Algorithm.P256, Algorithm.P384))
