"""The checks of a verification, one method each, in the order of ``Verifier.verify``; all of them are made, also after one has failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from did_health.encoding.jcs import Canonicalize, canonicalize
from did_health.encoding.strict_json import JSON
from did_health.errors import FormatError, ResolutionError, UnsupportedError, VerificationError
from did_health.health.act import Act
from did_health.health.credential_schemas import SCHEMAS, schemas_of
from did_health.ledger.batch import IssuanceReceipt
from did_health.roles.documents import Part
from did_health.roles.domain.delegation import is_shown_for_another
from did_health.roles.domain.finding import Finding, Followed, Reference
from did_health.roles.domain.scopes import claimed_scopes, is_self_issued
from did_health.roles.domain.status import REVOKED, status_finding
from did_health.roles.domain.table import rules_of
from did_health.roles.facts import Facts, did_of
from did_health.roles.ledger_state import Unproven
from did_health.roles.nonces import UsedNonces
from did_health.roles.report import Check, CheckName, Outcome
from did_health.trust.entitlement import entitlement
from did_health.trust.registry import ACTION_ISSUE
from did_health.vc.credential import Credential
from did_health.vc.jose_cose.secured import Secured
from did_health.vc.jose_cose.verify import verify_envelope
from did_health.vc.ledger_revocation import is_ledger_revocation
from did_health.vc.presentation import Presentation
from did_health.vc.proofs.data_integrity import verify_common_presentation, verify_common_proof, verify_proofs

_BASE_TYPE: Final = "VerifiableCredential"


class PresentationExpectation(NamedTuple):
    """What the holder was asked to sign."""

    audience: str | None
    nonce: str | None


_PASSES: Final[Mapping[str, tuple[CheckName, str]]] = MappingProxyType({
    "presented": (CheckName.PRESENTATION, "the holder signed this presentation for this audience and nonce"),
    "well_formed": (CheckName.DATA_MODEL, "the credential conforms to the data model"),
    "schema_followed": (CheckName.SCHEMA, "the claims follow the credential's schema"),
    "schema_none": (CheckName.SCHEMA, "the credential's type has no schema and it names none"),
    "in_force": (CheckName.VALIDITY, "the credential is within its validity dates"),
    "issuer_known": (CheckName.ISSUER, "the issuer's DID resolves by its newest log"),
    "proof_holds": (CheckName.PROOF, "the issuer signed exactly these claims"),
    "never_logged": (CheckName.RECEIPT, "a person's own word is not logged: nothing of a patient's is on the ledger"),
    "logged": (CheckName.RECEIPT, "the issuing was logged on the ledger"),
    "speaks_for_itself": (CheckName.ENTITLEMENT, "the issuer speaks in its own name, which needs no accreditation"),
    "entitled": (CheckName.ENTITLEMENT, "the registry authority lets the issuer issue this"),
    "status_none": (CheckName.STATUS, "the issuer publishes no status of this credential"),
    "status_clear": (CheckName.STATUS, "the newest status lists say nothing against it"),
    "held_by_agent": (CheckName.HOLDER_BINDING, "the credential is about the one who delegated to whoever presents it"),
    "holder_bound": (CheckName.HOLDER_BINDING, "the credential is about the one who presents it"),
    "domain_clear": (CheckName.DOMAIN, "no rule of the domain stands against it"),
})
"""The codes of checks that say nothing against a credential, with the check and its sentence."""


@lru_cache(maxsize=1024)
def _passed(code: str, credential: int | None, as_of: datetime | None) -> Check:
    name, sentence = _PASSES[code]
    return Check(name, Outcome.PASS, code, sentence, as_of, credential)


@lru_cache(maxsize=1024)
def _waived(name: CheckName, credential: int | None) -> Check:
    return Check(name, Outcome.WAIVED, "waived", f"the caller left out the check of {name.replace('_', ' ')}", None, credential)


class Checks:
    """Collects the checks of one document in ``made``; the domain's rules look at it as their ``Surroundings``."""

    __slots__ = ("_canonicalize", "_following", "_others", "_parts", "_waive", "act", "facts", "made")

    def __init__(
        self, facts: Facts, act: Act, waive: tuple[CheckName, ...], parts: Sequence[Part], canonicalize: Canonicalize = canonicalize, *, following: bool = True
    ) -> None:
        self.facts, self.act = facts, act
        self._waive, self._parts = waive, parts
        self._canonicalize = canonicalize
        self._following = following
        self._others: tuple[Credential, ...] | None = None
        self.made: list[Check] = []

    @property
    def others(self) -> Sequence[Credential]:
        """See ``Surroundings``."""
        if self._others is None:
            self._others = tuple(credential for part in self._parts if (credential := _well_formed(part)) is not None)
        return self._others

    def follow(self, reference: Reference) -> Followed:
        """See ``Surroundings``."""
        # Where the act takes place is no matter for a licence of another state.
        act = replace(self.act, jurisdiction="")
        made = Checks(self.facts, act, (CheckName.HOLDER_BINDING,), (), self._canonicalize, following=False)
        try:
            if not self._following:
                raise Unproven(Outcome.UNKNOWN, "not_followed", "a credential that is itself referred to refers to another one")
            credential = made.credential(0, self._referred_to(reference), None, presented=False)
        except Unproven as doubt:
            return Followed(None, (Check(CheckName.DOMAIN, doubt.outcome, doubt.code, doubt.what, doubt.as_of),))
        return Followed(credential, tuple(check for check in made.made if check.outcome is not Outcome.WAIVED))

    def _referred_to(self, reference: Reference) -> Part:
        for part in self._parts:
            if part.credential.get("id") == reference.identifier:
                return part
        if not reference.location:
            raise Unproven(Outcome.UNKNOWN, "credential_unavailable", "a credential that this one refers to did not come along, and nothing says where it is")
        part = self.facts.logged_credential(reference.location)
        if part.credential.get("id") != reference.identifier:
            raise Unproven(Outcome.UNKNOWN, "credential_mismatch", "where a credential that this one refers to should be, there is another one")
        return part

    def add(
        self,
        name: CheckName,
        outcome: Outcome,
        code: str,
        sentence: str,
        *,
        as_of: datetime | None = None,
        credential: int | None = None,
        conditional: bool = False,
    ) -> None:
        """Record one finding."""
        self.made.append(Check(name, outcome, code, sentence, as_of, credential, conditional))

    def presentation(
        self, presentation: Presentation, expected: PresentationExpectation, used_nonces: UsedNonces | None, secured: Secured | None = None
    ) -> str | None:
        """Step 1. The holder's DID, if the presentation is signed by it for this audience and nonce."""
        name = CheckName.PRESENTATION
        if name in self._waive:
            # Nobody has proved to be the holder then: holder binding has to be waived by name as well.
            self.made.append(_waived(name, None))
            return None
        try:
            return self._presented_by(presentation, expected, used_nonces, secured)
        except Unproven as doubt:
            self.add(name, doubt.outcome, doubt.code, doubt.what, as_of=doubt.as_of)
        return None

    def _presented_by(
        self, presentation: Presentation, expected: PresentationExpectation, used_nonces: UsedNonces | None, secured: Secured | None
    ) -> str | None:
        if expected.audience is None or expected.nonce is None:
            raise Unproven(Outcome.UNKNOWN, "challenge_missing", "no audience or nonce was given, so a replay could not be told from an answer")
        if secured is None and not presentation.proofs:
            raise Unproven(Outcome.FAIL, "presentation_not_signed", "the presentation is not signed")
        try:
            signers = self._signers(presentation, expected.audience, expected.nonce, secured)
        except Unproven:
            raise
        except (VerificationError, FormatError, UnsupportedError, ResolutionError) as error:
            code = _CODES.get(error.code, "presentation_proof_invalid")
            raise Unproven(Outcome.FAIL, code, f"the presentation's signature does not hold: {error}") from error
        if len(signers) != 1 or presentation.holder not in (None, *signers):
            raise Unproven(Outcome.FAIL, "wrong_holder", "the presentation is not signed by the holder that it names")
        if used_nonces is not None and not used_nonces.use(expected.nonce, self.facts.now):
            raise Unproven(Outcome.FAIL, "nonce_replayed", "this nonce was answered before: the presentation is a replay")
        self.made.append(_passed("presented", None, None))
        return signers.pop()

    def _signers(self, presentation: Presentation, audience: str, nonce: str, secured: Secured | None) -> set[str]:
        raw, keys, now = presentation.raw, self.facts.key, self.facts.now
        if secured is not None:
            return {did_of(verify_envelope(secured.content, secured.media_type, keys, now=now, audience=audience, nonce=nonce).verification_method)}
        if presentation.is_common:
            return {did_of(verify_common_presentation(raw, self._canonicalize(raw), keys, now=now, domain=audience, challenge=nonce))}
        proofs = verify_proofs(raw, keys, purpose="authentication", domain=audience, challenge=nonce, now=now, canonicalize=self._canonicalize)
        return {did_of(proof.verification_method) for proof in proofs}

    def credential(self, index: int, part: Part, holder: str | None, *, presented: bool) -> Credential | None:
        """Steps 2 to 11 of one credential; the credential unless it is malformed."""
        try:
            credential = Credential.parse_common(part.credential) if part.is_common else Credential.parse(part.credential)
        except FormatError as error:
            self.add(CheckName.DATA_MODEL, Outcome.FAIL, "data_model_violated", str(error), credential=index)
            return None
        self.made.append(_passed("well_formed", index, None))
        subject = _Subject(index, credential, part, holder, presented)
        for name, step in _STEPS:
            if name in self._waive:
                self.made.append(_waived(name, index))
                continue
            try:
                step(self, subject)
            except Unproven as doubt:
                self.add(name, doubt.outcome, doubt.code, doubt.what, as_of=doubt.as_of, credential=index)
        return credential

    def _schema(self, subject: _Subject) -> None:
        """Step 3. A credential of one of our types is held against that type's schema, whichever schemas it names itself."""
        credential = subject.credential
        if credential.is_common:
            # Its type's schema is part of the common shape, and the only one that it names.
            self.made.append(_passed("schema_followed", subject.index, None))
            return
        own = schemas_of(credential.types)
        named = credential.raw.get("credentialSchema")
        try:
            for schema in own:
                schema.check(credential.raw)
            if len(own) != 1 or (named is not None and named != {"id": own[0].id, "type": "JsonSchema"}):
                SCHEMAS.check(credential)
        except UnsupportedError as error:
            raise Unproven(Outcome.UNKNOWN, "schema_unavailable", f"a schema that the credential names cannot be applied: {error}") from error
        except (VerificationError, FormatError) as error:
            raise Unproven(Outcome.FAIL, "schema_violated", str(error)) from error
        if own or named:
            self.made.append(_passed("schema_followed", subject.index, None))
        else:
            self.made.append(_passed("schema_none", subject.index, None))

    def _validity(self, subject: _Subject) -> None:
        """Step 4."""
        credential, now = subject.credential, self.facts.now
        if credential.valid_from is not None and now < credential.valid_from:
            raise Unproven(Outcome.FAIL, "not_yet_valid", "the credential is not valid yet", now)
        if credential.valid_until is not None and now >= credential.valid_until:
            raise Unproven(Outcome.FAIL, "expired", "the credential has expired", now)
        self.made.append(_passed("in_force", subject.index, None))

    def _issuer(self, subject: _Subject) -> None:
        """Step 5."""
        facts = self.facts.did(subject.credential.issuer_id)
        self.made.append(_passed("issuer_known", subject.index, facts.as_of))

    def _proof(self, subject: _Subject) -> None:
        """Step 6."""
        credential = subject.credential
        secured = subject.part.secured
        if not credential.is_common and secured is None and not credential.proofs:
            raise Unproven(Outcome.FAIL, "proof_missing", "the credential is not signed")
        try:
            if credential.is_common:
                verify_common_proof(credential.raw, subject.part.canonical(), self.facts.assertion_key, now=self.facts.now, controller=credential.issuer_id)
            elif secured is not None:
                envelope = verify_envelope(secured.content, secured.media_type, self.facts.assertion_key, now=self.facts.now)
                signed_with = {envelope.verification_method}
            else:
                verify_proofs(
                    credential.raw,
                    self.facts.assertion_key,
                    purpose="assertionMethod",
                    now=self.facts.now,
                    controller=credential.issuer_id,
                    canonicalize=self._canonicalize,
                )
        except Unproven:
            raise
        except UnsupportedError as error:
            raise Unproven(Outcome.UNKNOWN, "proof_unsupported", f"the proof is of a kind that is not supported: {error}") from error
        except (VerificationError, FormatError, ResolutionError) as error:
            raise Unproven(Outcome.FAIL, "proof_invalid", f"the issuer's signature does not hold: {error}") from error
        if retired := self.facts.retired(credential.issuer_id):
            if secured is None:
                signed_with = {proof["verificationMethod"] for proof in credential.proofs}
            subject.retired_keys = signed_with.intersection(retired)
        if subject.retired_keys and CheckName.RECEIPT in self._waive:
            raise Unproven(Outcome.FAIL, "key_retired", "the key that signed is retired, and without the receipt nobody can tell when it signed")
        self.made.append(_passed("proof_holds", subject.index, None))

    def _receipt(self, subject: _Subject) -> None:
        """Step 7."""
        given = subject.part.receipt
        if given is None and is_self_issued(subject.credential):
            if subject.retired_keys:
                raise Unproven(Outcome.FAIL, "key_retired", "the key that signed is retired, and what is not logged does not tell when it signed")
            self.made.append(_passed("never_logged", subject.index, None))
            return
        if given is None:
            raise Unproven(Outcome.FAIL, "not_logged", "there is no receipt that the issuing was logged: it may be the work of a stolen key")
        if not isinstance(given, dict):
            raise Unproven(Outcome.FAIL, "receipt_invalid", "the issuance receipt is not an object")
        try:
            receipt = IssuanceReceipt.parse(given)
            logged = self.facts.issuance(receipt, subject.credential.issuer_id)
            receipt.verify_path(subject.part.digest())
        except Unproven:
            raise
        except (VerificationError, FormatError) as error:
            raise Unproven(Outcome.FAIL, "receipt_invalid", f"the issuance receipt does not hold: {error}") from error
        if subject.retired_keys and not subject.retired_keys <= {logged.author}:
            raise Unproven(Outcome.FAIL, "key_retired", "the key that signed was retired when the issuing was logged", logged.at)
        subject.logged_at = logged.at
        self.made.append(_passed("logged", subject.index, None))

    def _entitlement(self, subject: _Subject) -> None:
        """Step 8. "At issuance" is when the ledger's witnesses saw it, for the issuer's own dates could be back-dated."""
        credential = subject.credential
        if not credential.is_common and is_self_issued(credential):
            self.made.append(_passed("speaks_for_itself", subject.index, None))
            return
        issued_at = subject.logged_at or credential.valid_from or self.facts.now
        oldest: datetime | None = None
        resources = credential.types[1:] if credential.is_common else [name for name in credential.types if name != _BASE_TYPE]
        if not resources:
            raise Unproven(Outcome.FAIL, "issuer_not_accredited", "the credential is of no type that an issuer could be accredited for")
        moments = (issued_at, self.facts.now)
        for resource in resources:
            record, as_of = self.facts.record(credential.issuer_id, resource)
            for profession, jurisdiction in claimed_scopes(credential, resource):
                for moment in moments:
                    answer = entitlement(record, action=ACTION_ISSUE, resource=resource, profession=profession, jurisdiction=jurisdiction, at=moment)
                    if not answer.entitled:
                        raise Unproven(Outcome.FAIL, answer.code, answer.sentence, as_of)
            if oldest is None or as_of < oldest:
                oldest = as_of
        self.made.append(_passed("entitled", subject.index, oldest))

    def _status(self, subject: _Subject) -> None:
        """Step 9. Each entry is looked up, so that a list that cannot be had does not hide another that says no."""
        credential = subject.credential
        oldest: datetime | None = None
        clean = True
        entries = credential.status_entries
        for raw in entries:
            try:
                if credential.is_common and (clear := self.facts.clear(raw, credential.issuer_id)) is not None:
                    if oldest is None or clear < oldest:
                        oldest = clear
                    continue
                finding, as_of = self._finding_of_status(raw, credential)
            except Unproven as doubt:
                clean = False
                self.add(CheckName.STATUS, doubt.outcome, doubt.code, doubt.what, as_of=doubt.as_of, credential=subject.index)
                continue
            if oldest is None or as_of < oldest:
                oldest = as_of
            if finding is not None:
                clean = False
                self._found(CheckName.STATUS, finding, subject, as_of)
        if not entries:
            self.made.append(_passed("status_none", subject.index, None))
        elif clean:
            self.made.append(_passed("status_clear", subject.index, oldest))

    def _finding_of_status(self, raw: JSON, credential: Credential) -> tuple[Finding | None, datetime]:
        """What one status entry says against the credential (``None``: nothing), and for which time. Raises ``Unproven``."""
        if is_ledger_revocation(raw):
            revoked, as_of = self.facts.handle_revoked(raw)
            return REVOKED if revoked else None, as_of
        result, as_of = self.facts.status(raw, credential.issuer_id)
        # What a restriction forbids is judged for the licence at hand, not for one that it hangs on.
        return None if result.valid else status_finding(credential, result, self.act if self._following else None), as_of

    def _holder_binding(self, subject: _Subject) -> None:
        """Step 10."""
        if not subject.presented:
            raise Unproven(Outcome.UNKNOWN, "not_presented", "nobody presented the credential, so it cannot be told whose hands it is in")
        if subject.holder is None:
            raise Unproven(Outcome.UNKNOWN, "holder_unknown", "it is not proved who presents the credential")
        if any(claims.get("id") != subject.holder for claims in subject.credential.subjects):
            if is_shown_for_another(subject.credential, subject.holder, self.others):
                self.made.append(_passed("held_by_agent", subject.index, None))
                return
            raise Unproven(Outcome.FAIL, "not_the_holder", "the credential is about somebody else than who presents it")
        self.made.append(_passed("holder_bound", subject.index, None))

    def _domain(self, subject: _Subject) -> None:
        """Step 11."""
        clear = True
        for rule in rules_of(subject.credential):
            for finding in rule.findings(subject.credential, self):
                clear = False
                self._found(CheckName.DOMAIN, finding, subject, finding.as_of)
        if clear:
            self.made.append(_passed("domain_clear", subject.index, None))

    def _found(self, name: CheckName, finding: Finding, subject: _Subject, as_of: datetime | None) -> None:
        self.add(name, finding.outcome, finding.code, finding.sentence, as_of=as_of, credential=subject.index, conditional=finding.conditional)


def _well_formed(part: Part) -> Credential | None:
    try:
        return Credential.parse_common(part.credential) if part.is_common else Credential.parse(part.credential)
    except FormatError:
        return None


class _Subject:
    """One credential under verification. Step 6 leaves ``retired_keys`` for step 7, which leaves ``logged_at`` for step 8."""

    __slots__ = ("credential", "holder", "index", "logged_at", "part", "presented", "retired_keys")

    def __init__(self, index: int, credential: Credential, part: Part, holder: str | None, presented: bool) -> None:
        self.index, self.credential, self.part, self.holder, self.presented = index, credential, part, holder, presented
        self.retired_keys: Set[str] = frozenset()
        self.logged_at: datetime | None = None


_STEPS: Final[tuple[tuple[CheckName, Callable[[Checks, _Subject], None]], ...]] = (
    (CheckName.SCHEMA, Checks._schema),
    (CheckName.VALIDITY, Checks._validity),
    (CheckName.ISSUER, Checks._issuer),
    (CheckName.PROOF, Checks._proof),
    (CheckName.RECEIPT, Checks._receipt),
    (CheckName.ENTITLEMENT, Checks._entitlement),
    (CheckName.STATUS, Checks._status),
    (CheckName.HOLDER_BINDING, Checks._holder_binding),
    (CheckName.DOMAIN, Checks._domain),
)
_CODES: Final = MappingProxyType({"INVALID_DOMAIN_ERROR": "wrong_audience", "INVALID_CHALLENGE_ERROR": "wrong_nonce"})
