"""Measured: verification of the same licence secured in each way; beside each what others take for it (see ``peers``)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from did_health.cli.bench.measure import Ratio, Work, in_turns, rotating
from did_health.cli.bench.workshop import Workshop
from did_health.encoding import strict_json
from did_health.encoding.jcs import canonicalizer
from did_health.encoding.strict_json import JSONObject
from did_health.keys import Algorithm, PublicKey, generate
from did_health.vc.jose_cose import MediaType, sign_jwt, verify_jwt
from did_health.vc.proofs import add_proof, derive_proof, verify_proofs

LIMIT_EDDSA_RDFC = 6.0
LIMIT_ECDSA_JCS = 2.5
LIMIT_JWT = 2.0
LIMIT_ECDSA_SD = 60.0
LIMIT_BBS = 120.0
DOCUMENTS = 20
_MANDATORY: Final = ("/issuer", "/validFrom", "/validUntil", "/credentialSchema", "/credentialStatus")
_DISCLOSED: Final = ("/credentialSubject/profession", "/credentialSubject/licenseNumber", "/credentialSubject/licenseClass", "/credentialSubject/npi")
# Of a licence, with the issuer and two types that always show and two texts, 15 statements that may be disclosed.
_BBS_CLAIMS: Final = ("id", "profession", "licenseNumber", "licenseClass", "originalIssueDate", "npi", "fid", "degree", "taxonomy")


@dataclass(frozen=True, slots=True)
class SecuredLicences:
    """Different licences secured in one way by one did:key: JSON texts, or tokens. ``verify`` takes one of them, and raises what it refuses."""

    suite: str
    secured: tuple[bytes, ...]
    key: PublicKey
    verify: Callable[[bytes], object]
    limit: float | None
    detail: str


def secured_licences(shop: Workshop) -> list[SecuredLicences]:
    """The licences of ``shop`` in every way that has a limit."""
    now = shop.directory.clock().replace(microsecond=0)
    licences = [{name: value for name, value in issued.credential.items() if name != "proof"} for issued in shop.licences[:DOCUMENTS]]
    return [
        _by_proof("eddsa-rdfc-2022", Algorithm.ED25519, licences, now, LIMIT_EDDSA_RDFC),
        _by_proof("ecdsa-jcs-2019", Algorithm.P256, licences, now, LIMIT_ECDSA_JCS),
        _by_token(licences, now),
        _derived("ecdsa-sd-2023", Algorithm.P256, licences, now, _MANDATORY, LIMIT_ECDSA_SD, "all that checking needs and 4 claims disclosed"),
        _derived("bbs-2023", Algorithm.BLS12381G2, [_small(licence) for licence in licences], now, ("/issuer",), LIMIT_BBS, "5 of 15 messages disclosed"),
    ]


def measure_case(case: SecuredLicences, yardstick: Work) -> Ratio:
    """One way, by our verifier."""
    spent, unit = in_turns(rotating(case.secured, case.verify), yardstick)
    return Ratio(f"{case.suite} / U", spent / unit, case.limit, case.detail)


def bare_p256(yardstick: Work) -> Ratio:
    """One P-256 verification by cryptography: what an ECDSA suite cannot be below."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256

    private, message, algorithm = ec.generate_private_key(ec.SECP256R1()), bytes(range(64)), ec.ECDSA(SHA256())
    public, signature = private.public_key(), private.sign(message, algorithm)
    spent, unit = in_turns(lambda: public.verify(signature, message, algorithm), yardstick)
    return Ratio("bare P-256 verification / U", spent / unit, None, "64 bytes by cryptography")


def _by_proof(suite: str, algorithm: Algorithm, licences: Sequence[JSONObject], now: datetime, limit: float) -> SecuredLicences:
    signer = generate(os.urandom, algorithm)
    did, method = _did_key(signer.public_key)
    secured = [
        add_proof({**licence, "issuer": did}, suite=suite, signer=signer, verification_method=method, created=now) for licence in licences
    ]
    return _case(suite, secured, signer.public_key, now, limit, "")


def _derived(
    suite: str, algorithm: Algorithm, licences: Sequence[JSONObject], now: datetime, mandatory: tuple[str, ...], limit: float, detail: str
) -> SecuredLicences:
    signer = generate(os.urandom, algorithm)
    did, method = _did_key(signer.public_key)
    secured = []
    for licence in licences:
        base = add_proof(
            {**licence, "issuer": did},
            suite=suite,
            signer=signer,
            verification_method=method,
            created=now,
            mandatory_pointers=mandatory,
            random=os.urandom,
        )
        secured.append(derive_proof(base, _DISCLOSED, random=os.urandom))
    return _case(suite, secured, signer.public_key, now, limit, f"derived, {detail}")


def _by_token(licences: Sequence[JSONObject], now: datetime) -> SecuredLicences:
    signer = generate(os.urandom)
    did, method = _did_key(signer.public_key)
    key = signer.public_key
    tokens = tuple(sign_jwt({**licence, "issuer": did}, signer, kid=method).content for licence in licences)

    def verify(token: bytes) -> None:
        verify_jwt(token, MediaType.VC_JWT, lambda *_: key, now=now)

    return SecuredLicences("vc+jwt", tokens, key, verify, LIMIT_JWT, f"EdDSA, {_size(tokens)}")


def _case(suite: str, documents: Sequence[JSONObject], key: PublicKey, now: datetime, limit: float, detail: str) -> SecuredLicences:
    secured = tuple(strict_json.dumps(document) for document in documents)

    def verify(document: bytes) -> None:
        received, survey = strict_json.loads_surveyed(document)
        verify_proofs(received, lambda *_: key, purpose="assertionMethod", now=now, canonicalize=canonicalizer(survey))

    return SecuredLicences(suite, secured, key, verify, limit, ", ".join(filter(None, (detail, _size(secured)))))


def _small(licence: JSONObject) -> JSONObject:
    subject = licence["credentialSubject"]
    kept = {name: licence[name] for name in ("@context", "type", "issuer", "validFrom", "validUntil")}
    claims = {**{name: subject[name] for name in _BBS_CLAIMS}, "boardOrderRefs": subject["boardOrderRefs"][:1]}
    return {**kept, "name": "A licence", "description": "To practise medicine", "credentialSubject": claims}


def _did_key(key: PublicKey) -> tuple[str, str]:
    did = f"did:key:{key.multikey}"
    return did, f"{did}#{key.multikey}"


def _size(documents: Sequence[bytes]) -> str:
    return f"{sum(map(len, documents)) / len(documents) / 1000:.1f} kB, {len(documents)} different ones"
