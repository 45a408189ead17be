"""What tests ask of a verifier's report."""

from __future__ import annotations

from did_health.roles.report import CheckName, Report, Verdict


def refused(report: Report, check: CheckName, code: str) -> None:
    """It says no, for this reason among others."""
    _because(report, Verdict.REFUSE, check, code)


def undecided(report: Report, check: CheckName, code: str) -> None:
    """It says neither yes nor no, for this reason among others."""
    _because(report, Verdict.INDETERMINATE, check, code)


def _because(report: Report, verdict: Verdict, check: CheckName, code: str) -> None:
    assert report.verdict is verdict, report.codes
    assert (check, code) in [(reason.name, reason.code) for reason in report.reasons], report.codes
