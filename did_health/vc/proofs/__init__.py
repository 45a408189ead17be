"""Data Integrity proofs: the common rules, and one module a cryptosuite.

``add_proof`` signs a document, ``verify_proofs`` verifies every proof on one; the keys come from a ``KeySource``.
"""

from __future__ import annotations

from did_health.vc.proofs.data_integrity import KeySource, VerifiedProof, add_proof, verify_proofs
from did_health.vc.proofs.proof import Proof
from did_health.vc.proofs.table import CRYPTOSUITES

__all__ = ["CRYPTOSUITES", "KeySource", "Proof", "VerifiedProof", "add_proof", "verify_proofs"]
