"""Selective Disclosure for JWTs (RFC 9901): issue with concealed claims, present some of them, verify with or without key binding."""

from __future__ import annotations

from did_health.vc.sd_jwt.disclosure import Disclosure
from did_health.vc.sd_jwt.issue import conceal, issue_sd_jwt
from did_health.vc.sd_jwt.key_binding import ExpectedKeyBinding, KeyBinding
from did_health.vc.sd_jwt.present import present
from did_health.vc.sd_jwt.serialization import SDJWT
from did_health.vc.sd_jwt.verify import VerifiedSDJWT, verify_sd_jwt

__all__ = [
    "Disclosure", "ExpectedKeyBinding", "KeyBinding", "SDJWT", "VerifiedSDJWT", "conceal", "issue_sd_jwt", "present", "verify_sd_jwt",
]
