"""The counter's screen: the verdict large, whether name and birth date agree, who is here, the state's rule; no drug and no claim."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from rich.align import Align
from rich.box import HEAVY
from rich.panel import Panel
from rich.text import Text

from did_health.cli.output import Output, ago, clean
from did_health.health.identification_rules import IdentificationRule, When
from did_health.health.override_reasons import packaged_override_reasons
from did_health.health.portrait import Portrait
from did_health.roles.pickup import Pickup
from did_health.roles.report import Verdict

if TYPE_CHECKING:
    from did_health.cli.saved_evidence import SavedEvidence

_VERDICTS: Final = MappingProxyType({
    Verdict.ACCEPT: ("H A N D   O V E R", "green"),
    Verdict.CONDITIONAL: ("H A N D   O V E R ,   A F T E R   A   L O O K", "yellow"),
    Verdict.REFUSE: ("D O   N O T   R E L Y   O N   T H I S", "red"),
    Verdict.INDETERMINATE: ("B Y   H A N D", "magenta"),
})
_TICKS: Final = MappingProxyType({True: "✓ are the patient's", False: "✗ are not the patient's", None: "- ask for them"})
_PORTRAITS: Final = MappingProxyType({
    Portrait.MATCHES: "✓ matches the credential: compare it with who is here",
    Portrait.DIFFERS: "✗ not the one of the credential: compare no face with it",
    Portrait.HELD: "held, and nothing vouches for it",
    Portrait.NOT_HELD: "not held",
})
_BOX: Final = "☐ offer it before they go"
_WIDTH: Final = 72


def show_pickup(out: Output, pickup: Pickup, row: int, saved: SavedEvidence | None) -> None:
    """Print the screen; ``row`` is that of the log, ``saved`` the evidence that the user named."""
    words, colour = _VERDICTS[pickup.verdict]
    # To be read from where one stands: the whole panel has the colour.
    large = Text(words, style="bold", justify="center")
    if pickup.report.override is not None:
        large.append("\n\ncontinued by the pharmacist's judgement")
    out.show(Panel(Align.center(large), box=HEAVY, style=f"bold black on {colour}", padding=(1, 4), width=_WIDTH))
    for rule in pickup.identification:
        out.show(Panel(Text(clean(_banner(rule))), border_style="yellow", width=_WIDTH))
    now = pickup.report.verified_at
    facts = [("Name, birth date", _TICKS[pickup.agrees]), ("Portrait", _PORTRAITS[pickup.portrait])]
    facts += [("Who is here", str(pickup.collector)), ("Bags", str(pickup.visit.bags))]
    if pickup.delegated is not None:
        one = pickup.delegated
        facts += [("Delegation", f"to the patient's {one.relationship}"), ("Its uses", f"{one.used} of {one.max_uses} before, counted at this pharmacy alone")]
    if pickup.visit.prescriber is not None:
        checked = pickup.visit.prescriber
        facts.append(("Prescriber", f"{checked.line}, as of {_clock(checked.as_of or checked.checked_at, now)}"))
    if not pickup.identification:
        place = pickup.visit.act.jurisdiction or "this state"
        facts.append(("Photo document", f"whether {place} has a rule is not known"))
    if pickup.report.override is not None:
        reason = pickup.report.override.reason
        facts.append(("Decided by", f"{pickup.report.override.by}: {packaged_override_reasons().get(reason, reason)}"))
    facts.append(("True as of", "not known" if pickup.report.as_of is None else _clock(pickup.report.as_of, now)))
    if saved is not None:
        facts += saved.facts(now)
    facts += [("Counselling", _BOX), ("Log", f"row {row}")]
    out.facts(facts)
    for step in pickup.by_hand:
        out.line(f"→ {step}", "bold")
    # Several credentials have a reason in common.
    reasons = list(dict.fromkeys((check.sentence, check.code) for check in pickup.report.reasons))
    if reasons:
        out.table(("Why", "Code"), reasons)


def _clock(moment: datetime, now: datetime) -> str:
    """A time as a counter reads it, with its age; the day only if it is another."""
    same_day = moment.astimezone(UTC).date() == now.astimezone(UTC).date()
    return f"{moment.astimezone(UTC):{'%H:%M' if same_day else '%Y-%m-%d %H:%M'}} UTC ({ago(now - moment)})"


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
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in document).strip().replace("drivers", "driver's")
