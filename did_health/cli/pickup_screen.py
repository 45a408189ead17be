"""The counter's screen: the verdict large, whether name and birth date agree, who is here, the state's rule; no drug and no claim."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from rich.align import Align
from rich.box import HEAVY
from rich.panel import Panel
from rich.text import Text

from did_health.cli.output import Output, clean, when
from did_health.health.identification_rules import IdentificationRule, When
from did_health.roles.pickup import Pickup
from did_health.roles.report import Verdict

_VERDICTS: Final = MappingProxyType({
    Verdict.ACCEPT: ("H A N D   O V E R", "green"),
    Verdict.CONDITIONAL: ("H A N D   O V E R ,   A F T E R   A   L O O K", "yellow"),
    Verdict.REFUSE: ("D O   N O T   R E L Y   O N   T H I S", "red"),
    Verdict.INDETERMINATE: ("B Y   H A N D", "magenta"),
})
_TICKS: Final = MappingProxyType({True: "✓ are the patient's", False: "✗ are not the patient's", None: "- ask for them"})
_BOX: Final = "☐ offer counselling"


def show_pickup(out: Output, pickup: Pickup) -> None:
    """Print the screen."""
    words, colour = _VERDICTS[pickup.verdict]
    large = Text(words, style=f"bold {colour}", justify="center")
    if pickup.report.override is not None:
        large.append("\n\ncontinued by the pharmacist's judgement", style="default")
    out.show(Panel(Align.center(large), box=HEAVY, border_style=colour, padding=(1, 4), width=72))
    for rule in pickup.identification:
        out.show(Panel(Text(clean(_banner(rule))), border_style="yellow", width=72))
    facts = [("Name, birth date", _TICKS[pickup.agrees]), ("Who is here", str(pickup.collector)), ("Bags", str(pickup.visit.bags))]
    if pickup.delegated is not None:
        one = pickup.delegated
        facts.append(("Delegation", f"to the patient's {one.relationship}, used {one.used} of {one.max_uses} times here"))
    if not pickup.identification:
        place = pickup.visit.act.jurisdiction or "this state"
        facts.append(("Photo document", f"whether {place} has a rule is not known"))
    if pickup.report.override is not None:
        facts.append(("Decided by", f"{pickup.report.override.by}: {pickup.report.override.reason}"))
    facts += [("True as of", when(pickup.report.as_of)), ("Before you go", _BOX)]
    out.facts(facts)
    for step in pickup.by_hand:
        out.line(f"→ {step}", "bold")
    reasons = [(check.sentence, check.code) for check in pickup.report.reasons]
    if reasons:
        out.table(("Why", "Code"), reasons)


_NEEDED: Final = MappingProxyType({
    When.ALWAYS: "Photo document required",
    When.SOME_DRUGS: "Photo document required for some of these drugs",
    When.UNKNOWN_PERSON: "Identification required of whoever you do not know",
    When.CIRCUMSTANCES: "Identification required in circumstances that the law lists",
    When.DISCRETION: "The law lets you ask for a photo document",
})


def _banner(rule: IdentificationRule) -> str:
    documents = f": {', '.join(_words(document) for document in rule.documents)}" if rule.documents else ""
    note = f" {rule.note}" if rule.note else ""
    credential = "" if rule.credential_suffices else " A credential is supplementary."
    as_of = f", as of {rule.source.as_of.isoformat()}" if rule.source.as_of else ""
    disputed = f" Others say otherwise: {'; '.join(other.title for other in rule.disputed_by)}." if rule.disputed_by else ""
    return f"{_NEEDED[rule.when]}{documents}.{note}{credential} [{rule.source.title}{as_of}]{disputed}"


def _words(document: str) -> str:
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in document).strip()
