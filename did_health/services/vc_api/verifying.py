"""Verifying credentials and presentations: what was found, check by check, in the words of the VC-API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from did_health.encoding.strict_json import JSONObject
from did_health.errors import DidHealthError, FormatError, VerificationError
from did_health.services.vc_api.instance import Instance
from did_health.services.vc_api.requests import ISSUER, PROOF, SCHEMA, STATUS, VALIDITY, VerifyingOptions
from did_health.services.vc_api.resolving import World
from did_health.vc.credential import Credential
from did_health.vc.envelope import Envelope, envelope_type
from did_health.vc.presentation import Presentation, self_asserted
from did_health.vc.problem_details import problem_details
from did_health.vc.proofs import VerifiedProof, verify_proofs
from did_health.vc.proofs.proof import parse_proofs
from did_health.vc.schema import SchemaSet
from did_health.vc.status import StatusPurpose, validate_status

PRESENTING: Final = ("authentication", "assertionMethod")
"""The purposes that a presentation's proof may have where a request does not say: the VC-API makes the second one by default."""
_NOBODY: Final = "the issuer's name is reserved for examples (RFC 2606) and nobody's: whether it controls the key is not checked"
_INVALIDATING: Final = frozenset({StatusPurpose.REVOCATION, StatusPurpose.SUSPENSION})


@dataclass(slots=True)
class Findings:
    """What a verification found: an object for each problem (RFC 9457), and the results by the name of what was looked at."""

    problems: list[JSONObject] = field(default_factory=list)
    results: JSONObject = field(default_factory=dict)

    @property
    def verified(self) -> bool:
        """Whether nothing was wrong."""
        return not self.problems

    def check(self, look: Callable[[], object]) -> bool:
        """Whether ``look`` raises no error of our tree; the error is kept as a problem."""
        try:
            look()
        except DidHealthError as error:
            self.problems.append(problem_details(error))
            return False
        return True

    def include(self, other: Findings, where: str) -> None:
        """The problems of a part of the document, which is at the JSON pointer ``where``."""
        self.problems += [{**problem, "where": where + problem.get("where", "")} for problem in other.problems]


def verify_credential(instance: Instance, document: JSONObject, options: VerifyingOptions) -> Findings:
    """All of ``options.checks`` on one credential, embedded or enveloped. A malformed one is a finding too."""
    return _credential(instance, instance.world(), document, options)


def verify_presentation(instance: Instance, document: JSONObject, options: VerifyingOptions) -> Findings:
    """A presentation with its proof or in its envelope, its holder, and every credential in it."""
    world = instance.world()
    findings = Findings()
    enveloped = envelope_type(document) is not None
    if enveloped:
        document = _opened(world, document, options, findings) or {}
    parsed: list[Presentation] = []
    if findings.verified and findings.check(lambda: parsed.append(Presentation.parse(document))):
        if enveloped:
            findings.results["holder"] = {"valid": True, "input": parsed[0].holder}
        else:
            _secured_presentation(instance, world, parsed[0], options, findings)
        _presented(instance, world, parsed[0], options, findings)
    return findings


def verify_unsecured(instance: Instance, document: JSONObject, options: VerifyingOptions) -> Findings:
    """The credentials of a presentation that nobody signed: each has to have a proof of its own."""
    findings = Findings()
    parsed: list[Presentation] = []
    if findings.check(lambda: parsed.append(Presentation.parse(document))):
        _presented(instance, instance.world(), parsed[0], options, findings, signed=False)
    return findings


def _credential(instance: Instance, world: World, document: JSONObject, options: VerifyingOptions) -> Findings:
    findings = Findings()
    enveloped = envelope_type(document) is not None
    if enveloped:
        document = _opened(world, document, options, findings) or {}
    parsed: list[Credential] = []
    if not findings.verified or not findings.check(lambda: parsed.append(Credential.parse(document))):
        return findings
    credential = parsed[0]
    if not enveloped and (PROOF in options.checks or ISSUER in options.checks):
        _check_proofs(instance, world, credential, options, findings)
    if VALIDITY in options.checks:
        _check_validity(credential, world.now, findings)
    if STATUS in options.checks:
        _check_status(instance, world, credential, findings)
    if SCHEMA in options.checks and credential.schemas:
        valid = findings.check(lambda: SchemaSet().check(credential))
        findings.results["credentialSchema"] = [{"valid": valid, "input": schema} for schema in credential.schemas]
    return findings


def _opened(world: World, document: JSONObject, options: VerifyingOptions, findings: Findings) -> JSONObject | None:
    """What is in an envelope, if its signature is that of its issuer or holder (VC-JOSE-COSE 1.0 §5)."""
    from did_health.vc.jose_cose import Secured, verify_envelope

    opened: list[JSONObject] = []

    def verify() -> None:
        if options.domain is not None and not isinstance(options.domain, str):
            raise FormatError("a token has one audience", where="/options/domain", code="INVALID_DOMAIN_ERROR")
        secured = Secured.open(Envelope.parse(document))
        found = verify_envelope(secured.content, secured.media_type, world, now=world.now, audience=options.domain, nonce=options.challenge)
        if options.purpose not in (None, found.purpose):
            raise VerificationError(f"the signature was not made for the purpose {options.purpose}", where="/id", code="PROOF_VERIFICATION_ERROR")
        opened.append(found.document)

    valid = findings.check(verify)
    findings.results["proof"] = [{"valid": valid, "input": document}]
    return opened[0] if opened else None


def _check_proofs(instance: Instance, world: World, credential: Credential, options: VerifyingOptions, findings: Findings) -> None:
    issuer = credential.issuer_id if ISSUER in options.checks else None
    nobody = issuer is not None and _is_nobody(issuer)

    def verify() -> None:
        verified = verify_proofs(
            credential.raw,
            world,
            purpose=options.purpose or "assertionMethod",
            domain=options.domain,
            challenge=options.challenge,
            now=world.now,
            contexts=instance.contexts,
        )
        _require_party(verified, None if nobody else issuer)

    valid = findings.check(verify)
    findings.results["proof"] = [{"valid": valid, "input": proof} for proof in credential.proofs]
    if issuer is not None:
        findings.results["issuer"] = {"valid": valid, "input": issuer, **({"message": _NOBODY} if nobody else {})}


def _is_nobody(issuer: str) -> bool:
    """Whether it is a URL under ``example`` (RFC 2606 §2), as in the specifications' vectors: nobody can own it, so that nobody is impersonated."""
    try:
        url = urlsplit(issuer)
        name = (url.hostname or "").removesuffix(".")
    except ValueError:
        return False
    return url.scheme == "https" and name.rpartition(".")[2] == "example"


def _require_party(verified: Sequence[VerifiedProof], party: str | None) -> None:
    """One of the proofs is by ``party`` if one is named; the others are of people who say something of their own."""
    if party is not None and all(proof.verification_method.partition("#")[0] != party for proof in verified):
        raise VerificationError(
            "no proof was made with a key of the issuer or holder", where="/proof/verificationMethod", code="INVALID_VERIFICATION_METHOD"
        )


def _check_validity(credential: Credential, now: datetime, findings: Findings) -> None:
    def check_start() -> None:
        if credential.valid_from is not None and now < credential.valid_from:
            raise VerificationError("the credential is not valid yet", where="/validFrom", code="RANGE_ERROR")

    def check_end() -> None:
        if credential.valid_until is not None and now > credential.valid_until:
            raise VerificationError("the credential is not valid any more", where="/validUntil", code="RANGE_ERROR")

    looks: Mapping[str, Callable[[], None]] = MappingProxyType({"validFrom": check_start, "validUntil": check_end})
    names = {"validFrom": "issuanceDate", "validUntil": "expirationDate"}
    for name, look in looks.items():
        valid = findings.check(look)
        if (value := credential.raw.get(name, credential.raw.get(names[name]))) is not None:
            findings.results[name] = {"valid": valid, "input": value}


def _check_status(instance: Instance, world: World, credential: Credential, findings: Findings) -> None:
    def genuine(list_credential: Credential) -> None:
        verify_proofs(
            list_credential.raw, world, purpose="assertionMethod", now=world.now, controller=list_credential.issuer_id, contexts=instance.contexts
        )

    results = []
    for entry in credential.status_entries:

        finding: JSONObject = {"valid": False, "input": entry}

        def look(entry: JSONObject = entry, finding: JSONObject = finding) -> None:
            url = entry.get("statusListCredential")
            document = world.document(url) if isinstance(url, str) else None
            result = validate_status(entry, document, genuine, world.now)
            if not result.valid and result.purpose in _INVALIDATING:
                what = "revoked" if result.purpose == StatusPurpose.REVOCATION else "suspended"
                raise VerificationError(f"the credential is {what}", where="/credentialStatus", code="STATUS_VERIFICATION_ERROR")
            if result.message is not None:
                finding["message"] = result.message

        finding["valid"] = findings.check(look)
        results.append(finding)
    if results:
        findings.results["credentialStatus"] = results


def _secured_presentation(instance: Instance, world: World, presentation: Presentation, options: VerifyingOptions, findings: Findings) -> None:
    holder = presentation.holder

    def verify() -> None:
        proofs = parse_proofs(presentation.raw)
        purpose = options.purpose or (proofs[0].purpose if proofs[0].purpose in PRESENTING else PRESENTING[0])
        verified = verify_proofs(
            presentation.raw, world, purpose=purpose, domain=options.domain, challenge=options.challenge, now=world.now, contexts=instance.contexts
        )
        _require_party(verified, holder if ISSUER in options.checks else None)

    valid = findings.check(verify)
    findings.results["proof"] = [{"valid": valid, "input": proof} for proof in presentation.proofs]
    if holder is not None:
        findings.results["holder"] = {"valid": valid, "input": holder}
    codes = {problem["type"].partition("#")[2] for problem in findings.problems}
    for name, given, code in (("domain", options.domain, "INVALID_DOMAIN_ERROR"), ("challenge", options.challenge, "INVALID_CHALLENGE_ERROR")):
        if given is not None:
            findings.results[name] = {"valid": code not in codes, "input": given if isinstance(given, str) else list(given)}


def _presented(
    instance: Instance, world: World, presentation: Presentation, options: VerifyingOptions, findings: Findings, *, signed: bool = True
) -> None:
    """The credentials: those with a proof as any other; those without are the holder's own words (VC Data Model 2.0 §4.13.4)."""
    of_credentials = VerifyingOptions(options.checks)
    where = "/verifiableCredential"
    if signed:
        findings.check(lambda: self_asserted(presentation))
    raw = presentation.raw.get("verifiableCredential", [])
    for position, document in enumerate(raw if isinstance(raw, list) else [raw]):
        place = f"{where}/{position}" if isinstance(raw, list) else where
        if "proof" in document or "EnvelopedVerifiableCredential" in document.get("type", ()):
            findings.include(_credential(instance, world, document, of_credentials), place)
        elif signed:
            findings.include(_credential(instance, world, document, VerifyingOptions(tuple({*options.checks} - {PROOF, ISSUER}) or (VALIDITY,))), place)
        else:
            error = FormatError("the credential has no proof, and neither has the presentation", where=place, code="PROOF_VERIFICATION_ERROR")
            findings.problems.append(problem_details(error))
