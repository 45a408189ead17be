"""All checks of a document, in the order of ``Verifier.verify``, which numbers them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from did_health.errors import FormatError
from did_health.ledger.batch import IssuanceReceipt
from did_health.roles.checks.domain import check_domain
from did_health.roles.checks.entitlement import check_entitlement
from did_health.roles.checks.examination import Examination, Subject
from did_health.roles.checks.holder_binding import check_holder_binding
from did_health.roles.checks.issuer import check_issuer
from did_health.roles.checks.passes import waived
from did_health.roles.checks.presentation import PresentationExpectation, check_presentation
from did_health.roles.checks.proof import check_proof
from did_health.roles.checks.receipt import check_receipt
from did_health.roles.checks.schema import check_schema
from did_health.roles.checks.status import check_status
from did_health.roles.checks.validity import check_validity
from did_health.roles.documents import Part
from did_health.roles.domain.finding import Followed, Reference
from did_health.roles.domain.table import rules_of
from did_health.roles.ledger_state import Unproven
from did_health.roles.memo import Memo
from did_health.roles.nonces import UsedNonces
from did_health.roles.report import Check, CheckName, Outcome
from did_health.roles.siblings import Family, Likeness, likeness
from did_health.tlog.merkle import ProvenLeaves
from did_health.vc.credential import Credential
from did_health.vc.jose_cose.secured import Secured
from did_health.vc.presentation import Presentation

_STEPS: Final[tuple[tuple[CheckName, Callable[[Examination, Subject], None]], ...]] = (
    (CheckName.SCHEMA, check_schema),
    (CheckName.VALIDITY, check_validity),
    (CheckName.ISSUER, check_issuer),
    (CheckName.PROOF, check_proof),
    (CheckName.RECEIPT, check_receipt),
    (CheckName.ENTITLEMENT, check_entitlement),
    (CheckName.STATUS, check_status),
    (CheckName.HOLDER_BINDING, check_holder_binding),
    (CheckName.DOMAIN, check_domain),
)


class Checks(Examination):
    """Makes the checks of one document, and those of the credentials that it refers to."""

    __slots__ = ()

    def presentation(
        self, presentation: Presentation, expected: PresentationExpectation, used_nonces: UsedNonces | None, secured: Secured | None = None
    ) -> str | None:
        """Step 1. The holder's DID, if the presentation is signed by it for this audience and nonce."""
        name = CheckName.PRESENTATION
        if name in self.waive:
            # Nobody has proved to be the holder then: holder binding has to be waived by name as well.
            self.made.append(waived(name, None))
            return None
        try:
            return check_presentation(self, presentation, expected, used_nonces, secured)
        except Unproven as doubt:
            self.add(name, doubt.outcome, doubt.code, doubt.what, as_of=doubt.as_of)
        return None

    def credential(self, index: int, part: Part, holder: str | None, *, presented: bool) -> Credential | None:
        """Steps 2 to 11 of one credential; the credential unless it is malformed."""
        families = self.facts.families
        like = likeness(part, index, self.waive, holder, presented=presented) if families is not None and part.is_common else None
        if like is None or families is None:
            return self._in_steps(index, part, holder, presented)
        begun = len(self.made)
        family: Family | None = families.known(like)
        if family is not None and (sibling := self._sibling(part, family)) is not None:
            self.made += family.checks
            return sibling
        credential = self._in_steps(index, part, holder, presented)
        if family is None and credential is not None:
            self._remember(families, like, part, self.made[begun:])
        return credential

    def _sibling(self, part: Part, family: Family) -> Credential | None:
        """The credential, if nothing is said against what is its own."""
        try:
            credential = part.parsed()
        except FormatError:
            return None
        now = self.facts.now
        # The common shape has both dates.
        if not credential.valid_from <= now < credential.valid_until or not family.is_clear(part.credential):  # type: ignore[operator]
            return None
        for rule in rules_of(credential):
            if rule.findings(credential, self):
                return None
        return credential if family.has(part, now) else None

    def _remember(self, families: Memo, like: Likeness, part: Part, made: Sequence[Check]) -> None:
        """The family that the credential of ``part`` is the first of, if nothing at all was said against it."""
        if any(check.outcome not in (Outcome.PASS, Outcome.WAIVED) or check.conditional for check in made):
            return
        credential, receipt = part.credential, IssuanceReceipt.parse(part.receipt)
        issuer = credential["issuer"]
        key = self.facts.assertion_key(credential["proof"]["verificationMethod"], "assertionMethod", issuer)
        found = [self.facts.clear_alike(entry, issuer) for entry in credential["credentialStatus"]]
        entries = tuple(alike for alike in found if alike is not None)
        if len(entries) == len(found):
            families.remember(like, Family(tuple(made), key, entries, ProvenLeaves(receipt.count, receipt.root), receipt.ledger_proof))

    def _in_steps(self, index: int, part: Part, holder: str | None, presented: bool) -> Credential | None:
        try:
            credential = part.parsed()
        except FormatError as error:
            self.add(CheckName.DATA_MODEL, Outcome.FAIL, "data_model_violated", str(error), credential=index)
            return None
        self.passed("well_formed", index)
        subject = Subject(index, credential, part, holder, presented)
        for name, step in _STEPS:
            if name in self.waive:
                self.made.append(waived(name, index))
                continue
            try:
                step(self, subject)
            except Unproven as doubt:
                self.add(name, doubt.outcome, doubt.code, doubt.what, as_of=doubt.as_of, credential=index)
        return credential

    def follow(self, reference: Reference) -> Followed:
        """See ``Surroundings``."""
        # Where the act takes place is no matter for a licence of another state.
        act = replace(self.act, jurisdiction="")
        made = Checks(self.facts, act, (CheckName.HOLDER_BINDING,), (), self.canonicalize, following=False)
        try:
            if not self.following:
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
