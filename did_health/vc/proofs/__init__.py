"""Data Integrity proofs: the common rules, and one module a cryptosuite.

``add_proof`` signs a document, ``verify_proofs`` verifies every proof on one; the keys come from a ``KeySource``. ``derive_proof`` makes,
of a base proof of a suite of selective disclosure, a proof of a part of the document.
"""

from __future__ import annotations

from did_health.vc.proofs.data_integrity import KeySource, VerifiedProof, add_proof, verify_proofs
from did_health.vc.proofs.derivation import derive_proof
from did_health.vc.proofs.plain_json import UnsafeInlineContexts
from did_health.vc.proofs.proof import Proof
from did_health.vc.proofs.table import CRYPTOSUITES

__all__ = ["CRYPTOSUITES", "KeySource", "Proof", "UnsafeInlineContexts", "VerifiedProof", "add_proof", "derive_proof", "verify_proofs"]
