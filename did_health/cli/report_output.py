"""A report for people: the verdict large, then every check with outcome, code, sentence and time."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from rich.align import Align
from rich.box import HEAVY
from rich.panel import Panel
from rich.text import Text

from did_health.cli.output import Output, clean, when
from did_health.roles.report import Check, Outcome, Report, Verdict
from did_health.vc.credential import Credential

_VERDICTS: Final = MappingProxyType({
    Verdict.ACCEPT: ("green", "every check passed"),
    Verdict.CONDITIONAL: ("yellow", "nothing is wrong, but there are conditions: read them"),
    Verdict.REFUSE: ("red", "do not rely on this"),
    Verdict.INDETERMINATE: ("magenta", "it cannot be told now: neither accepted nor refused"),
})
_OUTCOMES: Final = MappingProxyType({
    Outcome.PASS: ("✓ pass", "green"),
    Outcome.FAIL: ("✗ fail", "bold red"),
    Outcome.UNKNOWN: ("? unknown", "magenta"),
    Outcome.WAIVED: ("- waived", "yellow"),
})


def show_report(out: Output, report: Report) -> None:
    """Print the report; no claims."""
    waived = any(check.outcome is Outcome.WAIVED for check in report.checks)
    out.show(panel(report.verdict, "every check that was made passed; some were waived" if waived and report.verdict is Verdict.ACCEPT else ""))
    facts = [("Verified at", when(report.verified_at)), ("True as of", when(report.as_of))]
    if report.holder:
        facts.append(("Presented by", report.holder))
    if report.override:
        facts.append(("Overridden by", f"{report.override.by}: {report.override.reason}"))
    out.facts(facts)
    several = len({check.credential for check in report.checks if check.credential is not None}) > 1
    out.table(("Check", "Outcome", "What was found", "As of"), [_row(check, several=several) for check in report.checks])


def panel(verdict: Verdict, meaning: str = "") -> Panel:
    """The verdict large, with what it means (by default in general)."""
    colour, usual = _VERDICTS[verdict]
    large = Text(" ".join(verdict.upper()), style=f"bold {colour}", justify="center")
    large.append(f"\n\n{meaning or usual}", style="default")
    return Panel(Align.center(large), box=HEAVY, border_style=colour, padding=(1, 4), width=72)


def _row(check: Check, *, several: bool) -> tuple[object, ...]:
    words, style = _OUTCOMES[check.outcome]
    if check.conditional:
        words, style = "! condition", "yellow"
    name = check.name.replace("_", " ")
    if several and check.credential is not None:
        name += f" #{check.credential + 1}"
    found = Text(clean(check.sentence))
    found.append(f"\n{clean(check.code)}", style="dim")
    return name, Text(words, style=style), found, when(check.as_of)


def claims_of(report: Report) -> list[dict[str, Any]] | None:
    """What the verified credentials say, if the report lets them be read."""
    if report.verdict is not Verdict.ACCEPT and report.override is None:
        return None
    return [_claims(credential) for credential in report.credentials]


def _claims(credential: Credential) -> dict[str, Any]:
    raw = credential.raw
    claims: dict[str, Any] = {"type": list(credential.kinds)}
    claims.update((name, raw[name]) for name in ("id", "issuer", "validFrom", "validUntil") if name in raw)
    return claims | {"credentialSubject": raw["credentialSubject"]}
