"""A prescriber's registration, held against the state and the schedule of the act at hand [21 CFR 1306.03]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from did_health.errors import FormatError
from did_health.health.prescriber_registration import PrescriberRegistration
from did_health.roles.domain.finding import Finding, Reference, Surroundings
from did_health.roles.evidence import Need
from did_health.roles.facts import Facts
from did_health.roles.report import Outcome
from did_health.vc.credential import Credential

if TYPE_CHECKING:
    from did_health.health.act import Act


class RegistrationRule:
    """The rule of ``PrescriberRegistrationCredential``."""

    def follows(self, credential: Credential) -> Sequence[Reference]:  # noqa: ARG002  # refers to none
        return ()

    def needs(self, credential: Credential, facts: Facts) -> Sequence[Need]:  # noqa: ARG002
        return ()

    def findings(self, credential: Credential, around: Surroundings) -> Sequence[Finding]:
        return [finding for subject in credential.subjects for finding in _of_subject(credential, subject, around.act)]


def _of_subject(credential: Credential, subject: dict[str, object], act: Act) -> Sequence[Finding]:
    if credential.valid_until is None:
        return (Finding(Outcome.FAIL, "registration_malformed", "the registration does not say until when it is good"),)
    try:
        registration = PrescriberRegistration.from_subject(subject, valid_until=credential.valid_until)
    except FormatError as error:
        return (Finding(Outcome.FAIL, "registration_malformed", f"the registration is not one that there can be: {error.what}"),)
    findings = []
    if act.jurisdiction and registration.state != act.jurisdiction:
        findings.append(Finding(Outcome.FAIL, "registration_of_another_state", f"the registration is not for {act.jurisdiction}"))
    if act.is_controlled and act.schedule not in registration.schedules:
        findings.append(Finding(Outcome.FAIL, "schedule_not_registered", f"the registration does not name schedule {act.schedule}"))
    return findings
