"""What a verifier asks for: a request names claims and a purpose, and one that asks for more than the purpose needs is never made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from did_health.encoding import strict_json, timestamps
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health import fields
from did_health.health.purposes import PURPOSES, ClaimName, PurposePolicy
from did_health.limits import MAX_CLAIM_ITEMS, MAX_REQUEST_BYTES
from did_health.roles.nonces import new_nonce

FORMAT: Final = "did-health/request/v1"


@dataclass(frozen=True, slots=True)
class Request:
    """``claims`` that a holder is asked to show for a ``purpose``, signed for ``audience`` and ``nonce``; ``policy_id`` is what allows it.

    Made by ``ask``, or read from what somebody else sent, which proves nothing.
    """

    purpose: str
    claims: tuple[ClaimName, ...]
    audience: str
    nonce: str
    policy_id: str
    made_at: datetime

    @classmethod
    def ask(
        cls, policy: PurposePolicy, claims: Iterable[ClaimName], *, audience: str, random: Callable[[int], bytes], now: datetime
    ) -> Request:
        """A request with a fresh nonce.

        Raises ``VerificationError`` (``purpose_exceeded``) if the purpose does not need all of it, ``FormatError`` for one that asks nothing.
        """
        asked = tuple(dict.fromkeys(claims))
        if not 0 < len(asked) <= MAX_CLAIM_ITEMS:
            raise FormatError(f"a request asks for 1 to {MAX_CLAIM_ITEMS} claims", where="/claims")
        policy.check_asked(asked)
        text = fields.text(audience, "/audience", "audience")
        return cls(policy.purpose, asked, text, new_nonce(random), policy.policy_id, timestamps.require_aware(now))

    @property
    def types(self) -> tuple[str, ...]:
        """The credential types that are asked for, each once."""
        return tuple(dict.fromkeys(claim.credential for claim in self.claims))

    def to_object(self) -> JSONObject:
        """The request as JSON."""
        return {
            "format": FORMAT,
            "purpose": self.purpose,
            "claims": [str(claim) for claim in self.claims],
            "audience": self.audience,
            "nonce": self.nonce,
            "policyId": self.policy_id,
            "madeAt": timestamps.format(self.made_at),
        }

    def to_json(self) -> bytes:
        """The bytes that ``parse`` reads."""
        return strict_json.dumps(self.to_object())

    @classmethod
    def parse(cls, data: bytes) -> Request:
        """Read what ``to_json`` wrote; raises ``FormatError``."""
        document = strict_json.loads_object(data, what="request", max_bytes=MAX_REQUEST_BYTES)
        if document.get("format") != FORMAT:
            raise FormatError("the document is no request of a verifier", where="/format")
        claims = fields.json_list(document.get("claims"), "/claims", "claims")
        if not 0 < len(claims) <= MAX_CLAIM_ITEMS:
            raise FormatError(f"a request asks for 1 to {MAX_CLAIM_ITEMS} claims", where="/claims")
        made_at = document.get("madeAt")
        if not isinstance(made_at, str):
            raise FormatError("the request does not say when it was made", where="/madeAt")
        return cls(
            fields.one_of(document.get("purpose"), PURPOSES, "/purpose", "purpose"),
            tuple(ClaimName.parse(claim, f"/claims/{place}") for place, claim in enumerate(claims)),
            fields.text(document.get("audience"), "/audience", "audience"),
            fields.text(document.get("nonce"), "/nonce", "nonce"),
            fields.text(document.get("policyId"), "/policyId", "policy's id"),
            timestamps.parse(made_at),
        )
