"""COSE_Sign1 and COSE_Key (RFC 9052, RFC 9053): one signer, asymmetric signatures only."""

from __future__ import annotations

from did_health.vc.cose.key import cose_key, parse_key
from did_health.vc.cose.sign1 import Sign1, VerifiedSign1, sign1

__all__ = ["Sign1", "VerifiedSign1", "cose_key", "parse_key", "sign1"]
