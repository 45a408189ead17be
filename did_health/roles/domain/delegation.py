"""A patient's delegation: whether it covers the act at hand, and whom the agent who shows it stands for.

What a pharmacy does without one is its own matter: a missing delegation never blocks a pickup [45 CFR 164.510(b)].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from did_health.errors import FormatError
from did_health.health.act import Act
from did_health.health.patient_identity import PatientIdentity
from did_health.health.pickup_delegation import PickupDelegation
from did_health.roles.domain.finding import Finding, Reference, Surroundings
from did_health.roles.evidence import Need
from did_health.roles.facts import Facts
from did_health.roles.report import Outcome
from did_health.vc.credential import Credential

_IDENTITY: Final = PatientIdentity.credential_type
_DELEGATION: Final = PickupDelegation.credential_type


class DelegationRule:
    """The rule of ``PickupDelegationCredential``."""

    def follows(self, credential: Credential) -> Sequence[Reference]:  # noqa: ARG002  # refers to none
        return ()

    def needs(self, credential: Credential, facts: Facts) -> Sequence[Need]:  # noqa: ARG002
        return ()

    def findings(self, credential: Credential, around: Surroundings) -> Sequence[Finding]:
        if len(credential.subjects) != 1 or credential.valid_until is None:
            return (Finding(Outcome.FAIL, "delegation_malformed", "a delegation has one agent and an end"),)
        try:
            delegation = PickupDelegation.from_subject(credential.subjects[0], valid_until=credential.valid_until)
        except FormatError as error:
            return (Finding(Outcome.FAIL, "delegation_malformed", f"the delegation is not one that there can be: {error.what}"),)
        findings = [*_of_pharmacy(delegation, around.act), *_of_scope(delegation, around.act)]
        if not any(other.has_type(_IDENTITY) and _is_about(other, credential.issuer_id) for other in around.others):
            sentence = "nothing here says who the person is that delegates: compare with what the pharmacy knows of the patient"
            findings.append(Finding(Outcome.PASS, "delegator_not_identified", sentence, conditional=True))
        if not credential.status_entries:
            sentence = "the delegation names no way to take it back: in doubt ask the patient whether it still holds"
            findings.append(Finding(Outcome.PASS, "delegation_not_revocable", sentence, conditional=True))
        if delegation.on_behalf_of is not None:
            sentence = "a guardian delegates for the patient: that they are the guardian, the pharmacy's own record must say"
            findings.append(Finding(Outcome.PASS, "guardian_to_be_checked", sentence, conditional=True))
        return findings


def is_shown_for_another(credential: Credential, holder: str, others: Sequence[Credential]) -> bool:
    """Whether ``credential`` is the identity of somebody who delegates to ``holder`` in the same document.

    The delegation's own checks, its signature first, are made where it stands: if one fails, the whole is refused.
    """
    return credential.has_type(_IDENTITY) and any(
        other.has_type(_DELEGATION) and _is_about(other, holder) and _is_about(credential, other.issuer_id) for other in others
    )


def _is_about(credential: Credential, did: str) -> bool:
    return all(subject.get("id") == did for subject in credential.subjects)


def _of_pharmacy(delegation: PickupDelegation, act: Act) -> Sequence[Finding]:
    if not delegation.pharmacies or act.pharmacy in delegation.pharmacies:
        return ()
    if not act.pharmacy:
        return (Finding(Outcome.UNKNOWN, "pharmacy_not_named", "the delegation names pharmacies, and the verifier did not say which one it is"),)
    return (Finding(Outcome.FAIL, "delegation_for_another_pharmacy", "the delegation is for other pharmacies"),)


def _of_scope(delegation: PickupDelegation, act: Act) -> Sequence[Finding]:
    covered = delegation.covers(act)
    if covered:
        return ()
    if covered is None:
        return (Finding(Outcome.UNKNOWN, "delegation_scope_undecided", "the verifier did not say of the drug what the delegation's scope asks for"),)
    return (Finding(Outcome.FAIL, "delegation_scope_exceeded", f"the delegation does not cover this: its scope is {delegation.scope}"),)
