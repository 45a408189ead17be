"""A physician's licence: it is its own board's, and its restrictions in force are held against the act at hand."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from typing import Final

from did_health.errors import FormatError
from did_health.health.act import Act
from did_health.health.local_days import local_days
from did_health.health.restrictions import Reach, Restriction
from did_health.roles.domain.compact import ACT_RESTRICTED, principal_findings, principal_of
from did_health.roles.domain.finding import Finding, Reference, Surroundings
from did_health.roles.evidence import Need
from did_health.roles.facts import Facts
from did_health.roles.report import Outcome
from did_health.vc.credential import Credential

_SENTENCES: Final = {
    Reach.SPARES: "a restriction is in force, which does not touch this act",
    Reach.UNDECIDED: "a restriction is in force; whether it forbids the act at hand has to be read",
}


class LicenseRule:
    """The rule of ``PhysicianLicenseCredential``."""

    def follows(self, credential: Credential) -> Sequence[Reference]:
        references = []
        for subject in credential.subjects:
            with suppress(FormatError):
                if (reference := principal_of(subject)) is not None:
                    references.append(reference)
        return references

    def needs(self, credential: Credential, facts: Facts) -> Sequence[Need]:  # noqa: ARG002
        return ()

    def findings(self, credential: Credential, around: Surroundings) -> Sequence[Finding]:
        findings: list[Finding] = []
        for subject in credential.subjects:
            board = subject.get("board")
            if not isinstance(board, dict) or board.get("id") != credential.issuer_id:
                findings.append(Finding(Outcome.FAIL, "wrong_board", "the licence names another board than the one that issued it"))
            elif around.act.jurisdiction and board.get("jurisdiction") != around.act.jurisdiction:
                findings.append(Finding(Outcome.FAIL, "license_of_another_state", f"the licence is not for {around.act.jurisdiction}"))
            if "compact" in subject:
                findings += principal_findings(credential, subject, around)
            if "restrictions" not in subject:
                continue
            try:
                restrictions = [Restriction.from_json(item) for item in subject["restrictions"]]
            except (FormatError, TypeError):
                findings.append(Finding(Outcome.UNKNOWN, "restrictions_malformed", "the restrictions of the licence cannot be read"))
                continue
            place = board.get("jurisdiction") if isinstance(board, dict) else None
            # A stranger's claims may hold anything there: a restriction is then read by the clocks of the whole country.
            now, days = around.facts.now, local_days(place if isinstance(place, str) else None)
            findings += [_restricted(one, around.act, now.date()) for one in restrictions if one.in_force(now, days)]
        return findings


def _restricted(restriction: Restriction, act: Act, today: date) -> Finding:
    reach = restriction.reach(act, today=today)
    if reach is Reach.FORBIDS:
        return Finding(Outcome.FAIL, ACT_RESTRICTED, f"a restriction of the licence forbids this act: {restriction.code}")
    return Finding(Outcome.PASS, "license_restricted", f"{_SENTENCES[reach]}: {restriction.code}", conditional=True)
