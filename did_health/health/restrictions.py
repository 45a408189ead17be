"""Restrictions of a licence, in a form that a machine can hold against the act at hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Final

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health import fields
from did_health.health.act import SCHEDULES, Act
from did_health.health.dated_tables import OLDEST_TABLES, packaged_table
from did_health.health.local_days import LocalDays
from did_health.trust.policy import DEFAULT_PURPOSE

_CODES: Final = "restriction-codes"
_SCOPE_MEMBERS: Final = frozenset({"acts", "schedules", "settings"})


class Reach(StrEnum):
    """What a restriction means for an act."""

    FORBIDS = "forbids"
    SPARES = "spares"
    UNDECIDED = "undecided"
    """The restriction does not say, or the act is not described well enough."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which acts a restriction forbids: those that every part of it names; an empty part names all.

    ``acts`` are purposes (``prescribe``), ``schedules`` those of drugs, ``settings`` words for places of practice.
    """

    acts: tuple[str, ...] = ()
    schedules: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.acts or self.schedules or self.settings):
            raise FormatError("the restriction's scope names nothing", where="/scope", hint="Leave the scope out if it cannot be said")
        fields.items(self.acts, "/scope/acts", "acts", lambda item, where: fields.word(item, where, "act"))
        fields.items(self.schedules, "/scope/schedules", "schedules", lambda item, where: fields.one_of(item, SCHEDULES, where, "schedule"))
        fields.items(self.settings, "/scope/settings", "settings", lambda item, where: fields.word(item, where, "setting"))

    def reach(self, act: Act) -> Reach:
        """Whether the scope takes in ``act``; what the act leaves open stays open."""
        undecided = False
        purpose = "" if act.purpose == DEFAULT_PURPOSE else act.purpose
        for named, is_at_hand in ((self.acts, purpose), (self.schedules, act.schedule), (self.settings, act.setting)):
            if not named:
                continue
            if not is_at_hand:
                undecided = True
            elif is_at_hand not in named:
                return Reach.SPARES
        return Reach.UNDECIDED if undecided else Reach.FORBIDS

    def to_json(self) -> JSONObject:
        """``{acts, schedules, settings}``, each only if it names something."""
        return fields.present(acts=list(self.acts), schedules=list(self.schedules), settings=list(self.settings))

    @classmethod
    def from_json(cls, value: object, where: str = "/scope") -> Scope:
        """Read what ``to_json`` wrote; raises ``FormatError``."""
        document = fields.json_object(value, where, "scope")
        if unknown := document.keys() - _SCOPE_MEMBERS:
            raise FormatError("the scope has a member that means nothing", where=f"{where}/{min(unknown)}")
        return cls(*(fields.json_list(document.get(name), f"{where}/{name}", name) for name in ("acts", "schedules", "settings")))


@dataclass(frozen=True, slots=True)
class Restriction:
    """What the holder may not do, or only under a condition.

    ``code`` is the board's machine-readable word (lower case, such as ``no_schedule_2``), ``text`` the board's own wording,
    ``starts`` and ``ends`` its first and last day (``ends`` is ``None`` while it is open-ended). ``scope`` says
    which acts are forbidden; without one, that of the code in ``data/restriction-codes.json`` holds, if the code is there.
    """

    code: str
    text: str
    starts: date
    ends: date | None = None
    scope: Scope | None = None

    def __post_init__(self) -> None:
        fields.word(self.code, "/code", "restriction's code")
        fields.text(self.text, "/text", "restriction's text", longest=2000)
        fields.day(self.starts, "/from", "restriction's first day")
        if self.ends is not None and fields.day(self.ends, "/to", "restriction's last day") < self.starts:
            raise FormatError("the restriction ends before it starts", where="/to")
        if self.scope is not None:
            fields.instance(self.scope, Scope, "/scope", "scope")

    def in_force(self, now: datetime, days: LocalDays) -> bool:
        """Whether the restriction applies at a moment, ``days`` being those of the licence's jurisdiction."""
        return days.within(now, self.starts, self.ends)

    def reach(self, act: Act, *, today: date) -> Reach:
        """Whether the restriction, while it is in force, forbids ``act``. What a stale table says of its code can forbid, and no longer spares."""
        scope = self.scope or _scopes_of_codes().get(self.code)
        reach = Reach.UNDECIDED if scope is None else scope.reach(act)
        is_stale = self.scope is None and packaged_table(_CODES).is_stale(today, OLDEST_TABLES)
        return Reach.UNDECIDED if is_stale and reach is Reach.SPARES else reach

    def to_json(self) -> JSONObject:
        """``{code, text, from, to, scope}``; ``to`` is left out while the restriction is open-ended, ``scope`` where there is none."""
        document: JSONObject = {"code": self.code, "text": self.text, "from": self.starts.isoformat()}
        if self.ends is not None:
            document["to"] = self.ends.isoformat()
        if self.scope is not None:
            document["scope"] = self.scope.to_json()
        return document

    @classmethod
    def from_json(cls, value: object, where: str = "") -> Restriction:
        """Read what ``to_json`` wrote; raises ``FormatError``."""
        document = fields.json_object(value, where, "restriction")
        return cls(
            fields.member(document, "code", where),
            fields.member(document, "text", where),
            fields.parse_day(fields.member(document, "from", where), f"{where}/from", "restriction's first day"),
            fields.parse_day(document["to"], f"{where}/to", "restriction's last day") if "to" in document else None,
            Scope.from_json(document["scope"], f"{where}/scope") if "scope" in document else None,
        )


@cache
def _scopes_of_codes() -> dict[str, Scope]:
    return {row["code"]: Scope.from_json(row["scope"]) for row in packaged_table(_CODES).rows if "scope" in row}
