"""What a board's decision does to the status lists of a licence, as data.

A licence has two axes, renewal and discipline, and a board publishes states of both. A ``message`` list has four bits an entry, so its
status list credential carries exactly sixteen ``statusMessage`` items (Bitstring Status List 1.0 §2.1); their text is for developers, not
for patients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Final

from did_health.encoding.strict_json import JSONObject


class Message(IntEnum):
    """The values of a four-bit ``message`` entry."""

    CLEAR = 0
    PROBATION = 1
    RESTRICTED = 2
    INACTIVE = 3
    RETIRED = 4
    DELINQUENT = 5
    SUMMARY_SUSPENSION = 6
    SUSPENDED = 7
    STAYED = 8
    SURRENDERED = 9
    SURRENDERED_IN_LIEU = 10
    REVOKED = 11
    COMPACT_DERIVED = 12
    DECEASED = 13
    ISSUED_IN_ERROR = 14
    UNDEFINED = 15

    @property
    def words(self) -> str:
        """The message as text: ``summary suspension``."""
        return self.name.lower().replace("_", " ")


MESSAGE_BITS: Final = 4
MESSAGES: Final = tuple(message.words for message in Message)
"""The texts of the sixteen messages, by their value."""


def status_messages() -> list[JSONObject]:
    """The ``statusMessage`` member of a status list entry: sixteen objects ``{status: "0x0", message: "clear"}``."""
    return [{"status": f"0x{message:x}", "message": message.words} for message in Message]


class Verdict(StrEnum):
    """What a licence in that state is good for."""

    ACCEPT = "accept"
    CONDITIONAL = "conditional"
    REFUSE = "refuse"


class Cascade(StrEnum):
    """What a state of a principal licence means for the licences that hang on it under a compact [IMLC section 10(b); 26 V.S.A. §1420j(b)]."""

    NONE = "none"
    CONDITION = "condition"
    """They stand: it is no discipline, or none that cascades. Who relies on them is told."""
    REFUSAL = "refusal"
    """The compact does not say that they fall, and nobody should rely on them before their own board has said what holds."""
    SAME_STATUS = "same_status"
    """They have the same status at once, by law: the principal board has revoked, suspended, or taken a surrender in lieu of discipline."""


@dataclass(frozen=True, slots=True)
class Signal:
    """What a board publishes for a state, and by ``cascade`` what it means for licences that hang on this one.

    ``suspension`` and ``revocation`` are bits (a revocation is for ever), ``message`` the value in the message list, ``refresh`` whether the
    holder must fetch a reissued credential, ``reversible`` whether the same credential can become good again.
    """

    message: Message
    verdict: Verdict
    suspension: bool = False
    revocation: bool = False
    refresh: bool = False
    reversible: bool = True
    cascade: Cascade = Cascade.REFUSAL


SIGNALS: Final[Mapping[str, Signal]] = MappingProxyType({
    "active": Signal(Message.CLEAR, Verdict.ACCEPT, cascade=Cascade.NONE),
    "probation": Signal(Message.PROBATION, Verdict.CONDITIONAL, refresh=True, cascade=Cascade.CONDITION),
    "restricted": Signal(Message.RESTRICTED, Verdict.CONDITIONAL, refresh=True, cascade=Cascade.CONDITION),
    # The validity has ended as well: validUntil says so without any list.
    "lapsed": Signal(Message.DELINQUENT, Verdict.REFUSE, cascade=Cascade.CONDITION),
    "delinquent": Signal(Message.DELINQUENT, Verdict.REFUSE, cascade=Cascade.CONDITION),
    "inactive": Signal(Message.INACTIVE, Verdict.REFUSE, suspension=True, cascade=Cascade.CONDITION),
    "retired": Signal(Message.RETIRED, Verdict.REFUSE, suspension=True, cascade=Cascade.CONDITION),
    # Reports of a death are sometimes wrong, so this can be taken back.
    "deceased": Signal(Message.DECEASED, Verdict.REFUSE, suspension=True),
    "suspended": Signal(Message.SUSPENDED, Verdict.REFUSE, suspension=True, cascade=Cascade.SAME_STATUS),
    "summary_suspension": Signal(Message.SUMMARY_SUSPENSION, Verdict.REFUSE, suspension=True, cascade=Cascade.SAME_STATUS),
    "stayed_suspension": Signal(Message.STAYED, Verdict.CONDITIONAL, cascade=Cascade.CONDITION),
    # Reinstatement after one of these is a new credential. Whether a surrender was one in lieu of discipline, the bare word does not say.
    "surrendered": Signal(Message.SURRENDERED, Verdict.REFUSE, revocation=True, reversible=False),
    "surrendered_in_lieu": Signal(
        Message.SURRENDERED_IN_LIEU, Verdict.REFUSE, revocation=True, reversible=False, cascade=Cascade.SAME_STATUS
    ),
    "revoked": Signal(Message.REVOKED, Verdict.REFUSE, revocation=True, reversible=False, cascade=Cascade.SAME_STATUS),
    "issued_in_error": Signal(Message.ISSUED_IN_ERROR, Verdict.REFUSE, revocation=True, reversible=False),
    # Computed by the verifier from the principal licence; the board may say so too.
    "compact_derived": Signal(Message.COMPACT_DERIVED, Verdict.REFUSE),
})
"""What to publish for each state of a licence, by the board's word for it."""

VERDICTS: Final[Mapping[Message, Verdict]] = MappingProxyType({
    **{signal.message: signal.verdict for signal in SIGNALS.values()},
    Message.UNDEFINED: Verdict.REFUSE,
})
"""What a message alone allows; an undefined one is refused, since nobody can know what it means."""

CASCADES: Final[Mapping[Message, Cascade]] = MappingProxyType({
    **{signal.message: signal.cascade for signal in SIGNALS.values()},
    Message.UNDEFINED: Cascade.REFUSAL,
})
"""What a principal licence's message means for the licences that hang on it; the states of one message agree."""
