"""Adding and verifying proofs: Verifiable Credential Data Integrity 1.0 §4.2 to §4.5, the rules that all cryptosuites share.

What is left to the caller: resolving the verification method and checking its controller and relationship (§4.3 of Controlled
Identifiers 1.0) is the ``KeySource``'s work, validating contexts (§4.6) the credential's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from did_health.encoding import multibase, timestamps
from did_health.encoding.jcs import Canonicalize, canonicalize, canonicalize_plain, canonicalizer
from did_health.encoding.strict_json import JSON, JSONObject, survey
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, PublicKey, Signer
from did_health.limits import MAX_CLOCK_SKEW_SECONDS, MAX_PROOFS
from did_health.vc.contexts import Contexts
from did_health.vc.proofs.eddsa_jcs_2022 import EDDSA_JCS_2022
from did_health.vc.proofs.proof import MALFORMED, Proof, moment, parse_proofs, proof_value, verification_method
from did_health.vc.proofs.suite import PROOF_TYPE, Cryptosuite, Signing, require_signature_size
from did_health.vc.proofs.table import BY_NAME, DISCLOSURE_SUITES

KeySource = Callable[[str, str, str | None], PublicKey]
"""``(verification method, purpose, controller or None)`` to the key.

Raises ``ResolutionError`` or ``VerificationError`` when there is none, when it may not be used for that purpose, or when a controller is
named and the method is not that controller's.
"""

_PROOF_MEMBER: Final = b',"proof":'
_GENERATION: Final = "PROOF_GENERATION_ERROR"
_NO_CONTEXTS: Final[Contexts] = MappingProxyType({})
_SKEW: Final = timedelta(seconds=MAX_CLOCK_SKEW_SECONDS)


@dataclass(frozen=True, slots=True)
class VerifiedProof:
    """A proof that was verified, with the key that it verified under."""

    proof: Proof
    public_key: PublicKey
    document: JSONObject
    """What the proof secures: the document without ``proof`` (with the proofs before this one in a chain), and under a JCS suite
    without the contexts that were appended after signing."""

    @property
    def verification_method(self) -> str:
        """The URL of the key."""
        return self.proof.verification_method

    @property
    def purpose(self) -> str:
        """``proofPurpose``, which is the one that was asked for."""
        return self.proof.purpose

    @property
    def created(self) -> datetime | None:
        """When the signer says that it signed."""
        return self.proof.created


def add_proof(
    document: JSONObject,
    *,
    suite: str,
    signer: Signer,
    verification_method: str,
    purpose: str = "assertionMethod",
    created: datetime | None = None,
    domain: str | Sequence[str] | None = None,
    challenge: str | None = None,
    nonce: str | None = None,
    expires: datetime | None = None,
    previous_proof: str | Sequence[str] | None = None,
    proof_id: str | None = None,
    contexts: Contexts = _NO_CONTEXTS,
    mandatory_pointers: Sequence[str] = (),
    random: Callable[[int], bytes] | None = None,
) -> JSONObject:
    """A new document: ``document`` with one more proof (§4.2, §4.3); what is nested in it is shared with ``document``.

    ``suite`` names a cryptosuite (or ``Ed25519Signature2020``), ``previous_proof`` the ids of earlier proofs that this one seals,
    ``contexts`` JSON-LD contexts to know besides the packed ones. A suite of selective disclosure makes a base proof, from which
    ``derive_proof`` makes others: it needs ``random`` (n → n secret bytes, such as ``os.urandom``), and ``mandatory_pointers`` are JSON
    pointers to what every derived proof discloses. Raises ``UnsupportedError`` for an unknown suite, and ``FormatError``
    (``PROOF_GENERATION_ERROR``, ``PROOF_TRANSFORMATION_ERROR``) for a key of another algorithm or anything that no verifier would accept.
    """
    cryptosuite = BY_NAME.get(suite)
    if cryptosuite is None:
        raise UnsupportedError(f"no cryptosuite {suite!r} is supported")
    if suite in DISCLOSURE_SUITES:
        if random is None:
            raise TypeError(f"{suite} needs random")
        if previous_proof is not None:
            raise FormatError(f"{suite} cannot seal earlier proofs", code=_GENERATION)
    elif mandatory_pointers:
        raise TypeError(f"{suite} has no mandatory_pointers: it discloses everything")
    algorithm = signer.public_key.algorithm
    if algorithm not in cryptosuite.algorithms:
        raise FormatError(f"{suite} does not sign with a key of {algorithm}", code=_GENERATION)
    options = _options(
        cryptosuite,
        verificationMethod=verification_method,
        proofPurpose=purpose,
        id=proof_id,
        created=created and timestamps.format(created),
        expires=expires and timestamps.format(expires),
        domain=_plain(domain),
        challenge=challenge,
        nonce=nonce,
        previousProof=_plain(previous_proof),
    )
    bare, existing = _split(document)
    published, options = cryptosuite.prepare(bare, options)
    secured = published
    if previous_proof is not None:
        named = (previous_proof,) if isinstance(previous_proof, str) else tuple(previous_proof)
        secured = {**published, "proof": _previous(existing, named, "/proof", _GENERATION)}
    _refuse_unverifiable(cryptosuite, options, existing)
    signing = Signing(signer, tuple(mandatory_pointers), random)
    # Where the document is plain its proof is too: all else in the options is text.
    value = cryptosuite.create(secured, options, signing, contexts, canonicalizer(survey(secured)))
    proof = {**options, "proofValue": multibase.encode(cryptosuite.multibase, value)}
    return {**published, "proof": [*existing, proof] if existing else proof}


def verify_proofs(
    document: JSONObject,
    keys: KeySource,
    *,
    purpose: str,
    domain: str | Collection[str] | None = None,
    challenge: str | None = None,
    now: datetime | None = None,
    controller: str | None = None,
    contexts: Contexts = _NO_CONTEXTS,
    canonicalize: Canonicalize = canonicalize,
) -> tuple[VerifiedProof, ...]:
    """Every proof of ``document``, verified (§4.4, §4.5): one that fails refuses the whole.

    ``purpose`` is the only accepted ``proofPurpose``; ``domain`` and ``challenge`` must equal the proof's where they are given; with
    ``now`` (aware) a proof must not be expired or from the future; ``controller`` is handed to ``keys`` for each key; ``contexts`` are
    known besides the packed ones; ``canonicalize`` is for a caller who has surveyed the document. Raises ``FormatError`` for a malformed
    proof, ``UnsupportedError`` for an unknown suite, ``VerificationError`` with the specification's code, and whatever ``keys`` raises.
    """
    proofs = parse_proofs(document)
    expected_domains = None if domain is None else (domain,) if isinstance(domain, str) else tuple(domain)
    for proof in proofs:
        _check_expectations(proof, purpose, expected_domains, challenge)
        _check_times(proof.created, proof.expires, now)
    bare, raw = _split(document)
    if len(proofs) > 1 or proofs[0].previous_proofs:
        _refuse_tangled_chains(proofs)
    verified: list[VerifiedProof] = []
    for proof in proofs:
        document = {**bare, "proof": _previous(raw, proof.previous_proofs, "/proof", MALFORMED)} if proof.previous_proofs else bare
        verified.append(_verify(proof, document, keys, controller, contexts, canonicalize))
    return tuple(verified)


def verify_common_proof(document: JSONObject, canonical: bytes, keys: KeySource, *, now: datetime, controller: str) -> None:
    """As ``verify_proofs`` for the purpose ``assertionMethod``, of a document that has the common shape (see ``common_shape``).

    ``canonical`` is the canonical form of ``document`` with its proof; what was signed is that without the proof. Raises what ``verify_proofs`` raises.
    """
    proof = document["proof"]
    method = verification_method(proof, "/proof")
    signature = _common_signature(proof, now)
    key = keys(method, "assertionMethod", controller)
    _require_fit(EDDSA_JCS_2022, key.algorithm)
    _verify_common(proof, signature, canonical, canonical.rindex(_PROOF_MEMBER), key)


def verify_common_signature(document: JSONObject, canonical: bytes, key: PublicKey, *, now: datetime) -> None:
    """As ``verify_common_proof``, where ``key`` (of Ed25519) is known to be that of the proof's verification method."""
    proof = document["proof"]
    _verify_common(proof, _common_signature(proof, now), canonical, canonical.rindex(_PROOF_MEMBER), key)


def _common_signature(proof: JSONObject, now: datetime) -> bytes:
    signature = proof_value(proof["proofValue"], "/proof")
    _check_times(moment(proof, "created", "/proof"), None, now)
    return signature


def verify_common_presentation(document: JSONObject, canonical: bytes, keys: KeySource, *, now: datetime, domain: str, challenge: str) -> str:
    """As ``verify_proofs`` for the purpose ``authentication``, of a presentation that has the common shape; the URL of the key.

    ``canonical`` is as in ``verify_common_proof``. Raises what ``verify_proofs`` raises.
    """
    proof = document["proof"]
    method = verification_method(proof, "/proof")
    signature = proof_value(proof["proofValue"], "/proof")
    created = moment(proof, "created", "/proof")
    if proof["domain"] != domain or proof["challenge"] != challenge or not domain or not challenge:
        # It is refused there, in the order of the rules.
        _check_expectations(Proof.parse(proof), "authentication", (domain,), challenge)
    _check_times(created, None, now)
    key = keys(method, "authentication", None)
    _require_fit(EDDSA_JCS_2022, key.algorithm)
    # The first one: those of the credentials come later. (A credential has only one, near its end: quotes within texts are escaped.)
    _verify_common(proof, signature, canonical, canonical.index(_PROOF_MEMBER), key)
    return method


def _verify_common(proof: JSONObject, signature: bytes, canonical: bytes, start: int, key: PublicKey) -> None:
    require_signature_size(signature, key.algorithm)
    # Neither name is the first of its object.
    whole = canonicalize_plain(proof)
    bare = canonical[:start] + canonical[start + len(_PROOF_MEMBER) + len(whole) :]
    start = whole.index(b',"proofValue":')
    options = whole[:start] + whole[start + len(b',"proofValue":""') + len(proof["proofValue"]) :]
    if not key.verify(signature, sha256(options).digest() + sha256(bare).digest()):
        raise _unverified()


def _verify(
    proof: Proof, document: JSONObject, keys: KeySource, controller: str | None, contexts: Contexts, canonicalize: Canonicalize
) -> VerifiedProof:
    suite = proof.cryptosuite
    secured = suite.secured(document, proof.options)
    key = keys(proof.verification_method, proof.purpose, controller)
    _require_fit(suite, key.algorithm)
    if not suite.verify(secured, proof.options, proof.value, key, contexts, canonicalize):
        raise _unverified()
    return VerifiedProof(proof, key, secured)


def _require_fit(suite: Cryptosuite, algorithm: Algorithm) -> None:
    if algorithm not in suite.algorithms:
        raise VerificationError(f"{suite.name} does not verify with a key of {algorithm}", where="/proof", code=MALFORMED)


def _unverified() -> VerificationError:
    return VerificationError("a proof does not verify", where="/proof", hint="The document or the proof was changed after signing", code=MALFORMED)


def _check_expectations(proof: Proof, purpose: str, domains: tuple[str, ...] | None, challenge: str | None) -> None:
    if proof.purpose != purpose:
        raise VerificationError(f"a proof was not made for the purpose {purpose}", where="/proof/proofPurpose", code=MALFORMED)
    if domains is not None and domains != proof.domains and set(domains) != set(proof.domains):
        raise VerificationError("a proof was made for another domain", where="/proof/domain", code="INVALID_DOMAIN_ERROR")
    if challenge is not None and challenge != proof.challenge:
        raise VerificationError("a proof does not answer the challenge", where="/proof/challenge", code="INVALID_CHALLENGE_ERROR")


def _check_times(created: datetime | None, expires: datetime | None, now: datetime | None) -> None:
    """§2.1: ``expires`` ends a proof; a proof from the future, or one that expired before it was made, was never right."""
    if created and expires and expires <= created:
        raise VerificationError("a proof expired before it was created", where="/proof/expires", code=MALFORMED)
    if now is None:
        return
    if expires and timestamps.require_aware(now) >= expires:
        raise VerificationError("a proof has expired", where="/proof/expires", code=MALFORMED)
    if created and created > timestamps.require_aware(now) + _SKEW:
        raise VerificationError("a proof was created in the future", where="/proof/created", hint="Check this machine's clock", code=MALFORMED)


def _split(document: JSONObject) -> tuple[JSONObject, list[JSON]]:
    """``(the document without its proofs, its proofs as received)``."""
    bare = dict(document)
    proofs = bare.pop("proof", [])
    return bare, proofs if isinstance(proofs, list) else [proofs]


def _previous(proofs: list[JSON], ids: tuple[str, ...], where: str, code: str) -> list[JSON]:
    """The proofs that ``previousProof`` names, in the document's order (§4.3 step 5, §4.5 step 3.2)."""
    found = [proof for proof in proofs if isinstance(proof, dict) and proof.get("id") in ids]
    if sorted(proof["id"] for proof in found) != sorted(ids):
        raise FormatError("previousProof does not name each time exactly one proof of the document", where=where, code=code)
    return found


def _refuse_tangled_chains(proofs: tuple[Proof, ...]) -> None:
    """Ids must be unique, and no proof may come, by whatever chain, before itself."""
    ids = [proof.id for proof in proofs if proof.id is not None]
    if len(set(ids)) != len(ids):
        raise FormatError("two proofs have the same id", where="/proof", code=MALFORMED)
    waiting = list(proofs)
    done: set[str] = set()
    while waiting:
        ready = [proof for proof in waiting if done.issuperset(proof.previous_proofs)]
        if not ready:
            raise FormatError("proofs follow each other in a circle, or follow one that is not there", where="/proof", code=MALFORMED)
        done.update(proof.id for proof in ready if proof.id is not None)
        waiting = [proof for proof in waiting if proof not in ready]


def _options(suite: Cryptosuite, **members: JSON) -> JSONObject:
    options: JSONObject = {"type": suite.proof_type}
    if suite.proof_type == PROOF_TYPE:
        options["cryptosuite"] = suite.name
    options.update((name, value) for name, value in members.items() if value is not None)
    return options


def _plain(texts: str | Sequence[str] | None) -> str | list[str] | None:
    return texts if texts is None or isinstance(texts, str) else list(texts)


def _refuse_unverifiable(suite: Cryptosuite, options: JSONObject, existing: list[JSON]) -> None:
    """Our own verifier's rules, before anything is signed that some verifier would refuse."""
    try:
        parsed = Proof.parse({**options, "proofValue": suite.multibase})
        _check_times(parsed.created, parsed.expires, None)
    except (FormatError, VerificationError) as error:
        raise FormatError(error.what, where=error.where, hint=error.hint, code=_GENERATION) from error
    if len(existing) >= MAX_PROOFS:
        raise FormatError(f"the document has {MAX_PROOFS} proofs already", where="/proof", code=_GENERATION)
    if parsed.id is not None and any(isinstance(other, dict) and other.get("id") == parsed.id for other in existing):
        raise FormatError("another proof has this id", where="/proof", code=_GENERATION)
