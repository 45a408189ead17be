"""Step 11: the rules of the domain, which ``roles.domain`` has."""

from __future__ import annotations

from did_health.roles.checks.examination import Examination, Subject
from did_health.roles.domain.table import rules_of
from did_health.roles.report import CheckName


def check_domain(checks: Examination, subject: Subject) -> None:
    """Step 11."""
    clear = True
    for rule in rules_of(subject.credential):
        for finding in rule.findings(subject.credential, checks):
            clear = False
            checks.found(CheckName.DOMAIN, finding, subject.index, finding.as_of)
    if clear:
        checks.passed("domain_clear", subject.index)
