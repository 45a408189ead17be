"""Securing Verifiable Credentials using JOSE and COSE 1.0 (W3C Recommendation): ``vc+jwt``, ``vc+sd-jwt``, ``vc+cose``, and the same for presentations.

``verify_envelope`` takes any of them; ``sign_jwt``, ``sign_sd_jwt`` and ``sign_cose`` make them; ``Secured.open`` takes
them out of an ``Envelope``, and ``envelope()`` puts them into one.
"""

from __future__ import annotations

from did_health.vc.jose_cose.data_model_1_1 import verify_jwt_1_1
from did_health.vc.jose_cose.issue import sign_cose, sign_jwt, sign_sd_jwt
from did_health.vc.jose_cose.secured import MediaType, Secured
from did_health.vc.jose_cose.verify import VerifiedEnvelope, verify_cose, verify_envelope, verify_jwt, verify_sd_jwt_envelope

__all__ = [
    "MediaType", "Secured", "VerifiedEnvelope", "sign_cose", "sign_jwt", "sign_sd_jwt", "verify_cose", "verify_envelope", "verify_jwt",
    "verify_jwt_1_1", "verify_sd_jwt_envelope",
]
