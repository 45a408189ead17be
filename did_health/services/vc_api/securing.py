"""The ways to secure a document that the service offers, by name. A new one is one line in the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar, Final, Protocol

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.keys import Algorithm, Signer
from did_health.vc.contexts import Contexts
from did_health.vc.proofs import add_proof
from did_health.vc.proofs.suite import PROOF_TYPE, with_proof_terms
from did_health.vc.proofs.table import BY_NAME, DISCLOSURE_SUITES


@dataclass(frozen=True, slots=True)
class ProofOptions:
    """What a client may say of a proof. ``mandatory_pointers`` mean nothing where everything is disclosed anyway."""

    purpose: str
    created: datetime
    expires: datetime | None = None
    domain: str | Sequence[str] | None = None
    challenge: str | None = None
    mandatory_pointers: tuple[str, ...] = ()


class Securing(Protocol):
    """A way to secure credentials and presentations."""

    @property
    def name(self) -> str:
        """How it is asked for: the value of ``cryptosuite``, a proof's type, or a media type without ``application/``."""

    @property
    def algorithms(self) -> tuple[Algorithm, ...]:
        """The kinds of keys that it takes, the usual one first."""

    @property
    def reads_json_ld(self) -> bool:
        """Whether it refuses what no context defines; where it does not, the service looks."""

    def secure(
        self, document: JSONObject, signer: Signer, verification_method: str, options: ProofOptions, *, contexts: Contexts, random: Callable[[int], bytes]
    ) -> JSONObject:
        """The secured document, or the envelope of it. Raises ``FormatError`` for what cannot be secured."""


@dataclass(frozen=True, slots=True)
class EmbeddedProof:
    """A Data Integrity proof, or one of an older type, of the suite ``name``."""

    name: str

    @property
    def algorithms(self) -> tuple[Algorithm, ...]:
        """Those of the suite."""
        return BY_NAME[self.name].algorithms

    @property
    def reads_json_ld(self) -> bool:
        """All suites do that do not canonicalise the JSON itself."""
        return "jcs" not in self.name

    def secure(
        self, document: JSONObject, signer: Signer, verification_method: str, options: ProofOptions, *, contexts: Contexts, random: Callable[[int], bytes]
    ) -> JSONObject:
        """``document`` with one more proof, and with a context that defines it, also where the suite reads none (Data Integrity 1.0 §2.4.2)."""
        return add_proof(
            with_proof_terms(document) if BY_NAME[self.name].proof_type == PROOF_TYPE else document,
            suite=self.name,
            signer=signer,
            verification_method=verification_method,
            purpose=options.purpose,
            created=options.created,
            expires=options.expires,
            domain=options.domain,
            challenge=options.challenge,
            contexts=contexts,
            mandatory_pointers=options.mandatory_pointers if self.name in DISCLOSURE_SUITES else (),
            random=random if self.name in DISCLOSURE_SUITES else None,
        )


@dataclass(frozen=True, slots=True)
class Enveloping:
    """VC-JOSE-COSE 1.0; ``name`` is the media type of a credential, ``application/`` left out. Presentations have the one of theirs."""

    name: str
    algorithms: tuple[Algorithm, ...] = (Algorithm.P256, Algorithm.P384, Algorithm.ED25519)
    reads_json_ld: ClassVar[bool] = False

    def secure(
        self, document: JSONObject, signer: Signer, verification_method: str, options: ProofOptions, *, contexts: Contexts, random: Callable[[int], bytes]  # noqa: ARG002
    ) -> JSONObject:
        """The envelope of ``document``. In an SD-JWT the claims about the subject are concealed that ``mandatory_pointers`` do not name."""
        from did_health.vc.jose_cose import Secured, sign_cose, sign_jwt, sign_sd_jwt

        if options.domain is not None and not isinstance(options.domain, str):
            raise FormatError("a token has one audience", where="/options/domain", code="PROOF_GENERATION_ERROR")
        kid, audience, nonce = verification_method, options.domain, options.challenge
        if self.name == "vc+cose":
            if audience is not None or nonce is not None or options.expires is not None:
                hint = "Ask for vc+jwt, or leave out domain, challenge and expires"
                raise FormatError("a COSE message is made for nobody in particular here", where="/options", hint=hint, code="PROOF_GENERATION_ERROR")
            return sign_cose(document, signer, kid=kid).envelope()
        if self.name == "vc+jwt":
            secured = sign_jwt(document, signer, kid=kid, audience=audience, nonce=nonce, issued_at=options.created, expires=options.expires)
            return secured.envelope()
        conceal = [pointer for pointer in _claims_of(document) if not any(f"{pointer}/".startswith(f"{one}/") for one in options.mandatory_pointers)]
        media_type, token = sign_sd_jwt(
            document,
            signer,
            kid=kid,
            conceal=conceal,
            random=random,
            audience=audience,
            nonce=nonce,
            issued_at=options.created,
            expires=options.expires,
        )
        return Secured(media_type, str(token).encode()).envelope()


def _claims_of(document: JSONObject) -> list[str]:
    """JSON pointers to what is said of the only subject, its id excepted."""
    subject = document.get("credentialSubject")
    names = [name for name in subject if name not in ("id", "type")] if isinstance(subject, dict) else []
    return ["/credentialSubject/" + name.replace("~", "~0").replace("/", "~1") for name in names]


SECURINGS: Final[Mapping[str, Securing]] = MappingProxyType({
    **{name: EmbeddedProof(name) for name in BY_NAME},
    **{name: Enveloping(name) for name in ("vc+jwt", "vc+sd-jwt", "vc+cose")},
})
"""Every way by its name."""
