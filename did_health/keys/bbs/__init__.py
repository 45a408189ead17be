"""BBS signatures (draft-irtf-cfrg-bbs-signatures): one signature over many messages, and proofs of it that disclose some of them.

In the draft's own terms: keys, signatures and proofs are octets, a message is any bytes, and what was made for one header verifies
with no other. Needs the extra ``[bbs]``; without it every call raises ``UnsupportedError``, and nothing is imported before a call.

Scalar multiplication here takes a time that depends on the secret (the draft's §6 on side channels asks for constant time): sign where
nobody can measure it.
"""

from __future__ import annotations

from did_health.keys.bbs.ciphersuite import BLS12_381_SHA_256, BLS12_381_SHAKE_256, Ciphersuite
from did_health.keys.bbs.key import BBSPublicKey, BBSSigner
from did_health.keys.bbs.proof import create_proof, verify_proof
from did_health.keys.bbs.signature import derive_secret, public_key, sign, verify

__all__ = [
    "BLS12_381_SHAKE_256", "BLS12_381_SHA_256", "BBSPublicKey", "BBSSigner", "Ciphersuite",
    "create_proof", "derive_secret", "public_key", "sign", "verify", "verify_proof",
]  # fmt: skip
