"""JSON Web Signatures (RFC 7515, RFC 7797) and the claims of JSON Web Tokens (RFC 7519): strict, with asymmetric signatures only."""

from __future__ import annotations

from did_health.vc.jose.claims import Claims
from did_health.vc.jose.header import Header
from did_health.vc.jose.jws import JWS, VerifiedJWS, sign_compact, verify_compact
from did_health.vc.jose.jws_json import sign_flattened, verify_json

__all__ = ["JWS", "Claims", "Header", "VerifiedJWS", "sign_compact", "sign_flattened", "verify_compact", "verify_json"]
