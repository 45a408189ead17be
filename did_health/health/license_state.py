"""The state of a licence on its two axes, renewal and discipline: Texas shows "Suspended, Active", and neither word tells all.

What a board publishes for a word is the table ``status_messages.SIGNALS``; here several words become one signal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from did_health.errors import FormatError
from did_health.health.status_messages import SIGNALS, Signal, Verdict

RESTRICTED: Final = "restricted"
STAYED_SUSPENSION: Final = "stayed_suspension"
SUSPENSIONS: Final = frozenset({"suspended", "summary_suspension"})
CLEAR: Final = "active"
"""The word of either axis for: nothing stands against it."""
_SEVERITY: Final = (Verdict.ACCEPT, Verdict.CONDITIONAL, Verdict.REFUSE)


class Axis(StrEnum):
    """What a state is about."""

    RENEWAL = "renewal"
    """Whether the licence is kept up: the holder's doing."""
    DISCIPLINE = "discipline"
    """What the board has ordered."""


_RENEWAL: Final = frozenset({"lapsed", "delinquent", "inactive", "retired", "deceased"})


def check_state(word: object, where: str = "") -> str:
    """``word`` itself if it is a board's word for a state; raises ``FormatError`` otherwise."""
    if isinstance(word, str) and word in SIGNALS:
        return word
    raise FormatError("not a state of a licence", where=where, hint=f"It is one of: {', '.join(SIGNALS)}")


def axis_of(word: str) -> Axis:
    """The axis that a state other than ``active``, which is a word of both, is on."""
    return Axis.RENEWAL if word in _RENEWAL else Axis.DISCIPLINE


def severity(word: str) -> tuple[int, bool, bool, int]:
    """A sort key: the worse the state, the greater. What is for ever is worse than what can be taken back."""
    signal = SIGNALS[word]
    return _SEVERITY.index(signal.verdict), signal.revocation, signal.suspension, signal.message


def combined(words: Iterable[str]) -> Signal:
    """What a board publishes for several states at once: every bit that one of them sets, and the message of the worst."""
    present = sorted(words, key=severity, reverse=True) or [CLEAR]
    signals = [SIGNALS[word] for word in present]
    return Signal(
        message=signals[0].message,
        verdict=signals[0].verdict,
        suspension=any(signal.suspension for signal in signals),
        revocation=any(signal.revocation for signal in signals),
        refresh=any(signal.refresh for signal in signals),
        reversible=all(signal.reversible for signal in signals),
    )


@dataclass(frozen=True, slots=True)
class LicenseState:
    """The board's words for both axes; raises ``FormatError`` for a word that is not one of its axis."""

    renewal: str = CLEAR
    discipline: str = CLEAR

    def __post_init__(self) -> None:
        for word, axis in ((self.renewal, Axis.RENEWAL), (self.discipline, Axis.DISCIPLINE)):
            if check_state(word, f"/{axis}") != CLEAR and axis_of(word) is not axis:
                raise FormatError(f"{word} is no state of {axis}", where=f"/{axis}")

    @property
    def signal(self) -> Signal:
        """What the board publishes for it."""
        return combined((self.renewal, self.discipline))

    def __str__(self) -> str:
        """As boards show it: ``suspended, active``."""
        words = [self.renewal] if self.discipline == CLEAR else [self.discipline, self.renewal]
        return ", ".join(word.replace("_", " ") for word in words)
