"""What a counter shows of the prescriber: the check that was made at fill, kept as a file, and held against the pickup at hand.

At fill the prescriber is looked up and verified (``roles.prescriber``); hours later, at the counter, that answer is shown with its age, and
nothing is fetched. The file is the pharmacy's own record and is signed by nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from did_health.encoding import strict_json, timestamps
from did_health.errors import FormatError
from did_health.health import fields, jurisdictions
from did_health.health.act import NOT_CONTROLLED, SCHEDULES, Act
from did_health.limits import MAX_PRESCRIBER_CHECK_BYTES
from did_health.roles.prescriber import FORMAT
from did_health.roles.report import Check, CheckName, Outcome, Verdict

PRESCRIBER_CODES: Final = frozenset({
    "prescriber_in_order", "prescriber_conditional", "prescriber_refused", "prescriber_unknown", "prescriber_checked_for_another_act",
})
"""The codes that a counter's report can hold about the prescriber."""

_LEVELS: Final = (("II", "2", "2N"), ("III", "3", "3N"), ("IV", "4", "4"), ("V", "5", "5"))
_TO: Final = "–"  # noqa: RUF001  # as one writes from one to another
_CLOCKS_DIFFER: Final = timedelta(minutes=5)
_FOUND: Final = {
    Verdict.ACCEPT: (Outcome.PASS, "prescriber_in_order", "licence and registration of the prescriber were in order"),
    Verdict.CONDITIONAL: (Outcome.PASS, "prescriber_conditional", "the prescriber may prescribe this under conditions"),
    Verdict.REFUSE: (Outcome.FAIL, "prescriber_refused", "the prescriber may not prescribe this here"),
    Verdict.INDETERMINATE: (Outcome.UNKNOWN, "prescriber_unknown", "it is not known whether the prescriber may prescribe this"),
}


@dataclass(frozen=True, slots=True)
class CheckedPrescriber:
    """The answer of a check for ``state`` and ``schedule``; ``registered`` are the schedules of the registration that was found.

    ``as_of`` is the oldest time in the check, ``checked_at`` when it was made.
    """

    state: str
    schedule: str
    verdict: Verdict
    codes: tuple[str, ...]
    registered: tuple[str, ...]
    checked_at: datetime
    as_of: datetime | None

    @classmethod
    def parse(cls, data: bytes) -> CheckedPrescriber:
        """Read what ``PrescriberCheck.to_json`` wrote; raises ``FormatError``."""
        document = strict_json.loads_object(data, what="check of a prescriber", max_bytes=MAX_PRESCRIBER_CHECK_BYTES)
        if document.get("format") != FORMAT:
            raise FormatError("this is no check of a prescriber", where="/format", hint="Make one with: did-health prescriber check")
        codes = fields.json_list(document.get("codes"), "/codes", "codes")
        registered = fields.json_list(document.get("registered"), "/registered", "schedules")
        return cls(
            jurisdictions.check(document.get("state"), "/state"),
            fields.one_of(document.get("schedule"), (*SCHEDULES, NOT_CONTROLLED), "/schedule", "schedule"),
            Verdict(fields.one_of(document.get("verdict"), frozenset(Verdict), "/verdict", "verdict")),
            tuple(fields.word(code, f"/codes/{place}", "code") for place, code in enumerate(codes)),
            tuple(fields.one_of(one, SCHEDULES, f"/registered/{place}", "schedule") for place, one in enumerate(registered)),
            _moment(document.get("checkedAt"), "/checkedAt"),
            None if document.get("asOf") is None else _moment(document["asOf"], "/asOf"),
        )

    @property
    def line(self) -> str:
        """For the screen: ``NC active, C-II–V``; codes say why where it is not simply active."""
        state = self.state.removeprefix("US-")
        schedules = f", {schedules_text(self.registered)}" if self.registered else ""
        why = ", ".join(self.codes)
        return {
            Verdict.ACCEPT: f"{state} active{schedules}",
            Verdict.CONDITIONAL: f"{state} active{schedules}, with conditions: {why}",
            Verdict.REFUSE: f"{state}: may not prescribe this: {why}",
            Verdict.INDETERMINATE: f"{state}: not known: {why}",
        }[self.verdict]

    def check(self, act: Act, now: datetime) -> Check:
        """What the check means for the pickup at hand. One for another state or schedule, or of a time to come, says nothing of it."""
        if (self.state, self.schedule) != (act.jurisdiction, act.schedule) or self.checked_at > now + _CLOCKS_DIFFER:
            sentence = "the prescriber was checked for another state, schedule or time than those at hand"
            return Check(CheckName.DOMAIN, Outcome.UNKNOWN, "prescriber_checked_for_another_act", sentence, self.as_of)
        outcome, code, sentence = _FOUND[self.verdict]
        why = f": {', '.join(self.codes)}" if self.codes else ""
        return Check(CheckName.DOMAIN, outcome, code, f"{sentence}{why}", self.as_of, conditional=self.verdict is Verdict.CONDITIONAL)


def schedules_text(registered: Sequence[str]) -> str:
    """Schedules as a pharmacist writes them, neighbours put together: ``C-II–V``; ``IIN`` where only the non-narcotic ones are registered."""
    parts: list[str] = []
    run: list[str] = []

    def end_run() -> None:
        if run:
            parts.append(run[0] if len(run) == 1 else f"{run[0]}{_TO}{run[-1]}")
            run.clear()

    for numeral, narcotic, other in _LEVELS:
        has = narcotic in registered, other in registered
        if all(has):
            run.append(numeral)
            continue
        end_run()
        if any(has):
            parts.append(f"{numeral} narcotic" if has[0] else f"{numeral}N")
    end_run()
    return f"C-{', '.join(parts)}"


def _moment(value: Any, where: str) -> datetime:
    if not isinstance(value, str):
        raise FormatError("a time is a text", where=where)
    return timestamps.parse(value)
