"""Public orders of a board: what it decided about a licence, from when to when [fields as boards and the FSMB publish them]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health import fields
from did_health.health.license_state import STAYED_SUSPENSION, SUSPENSIONS, check_state
from did_health.health.restrictions import Restriction

MAX_ORDER_ID: Final = 64


@dataclass(frozen=True, slots=True)
class OrderAction:
    """One action of an order.

    ``code`` is the state that it puts the licence into, as the board's word (see ``license_state``); ``stayed`` a suspension that is not
    carried out; ``effective`` its first day (``None``: the order's) and ``expires`` its last (``None``: it is ``indefinite``). ``term`` is
    the order's own wording of its length, ``restrictions`` what a restricting action forbids.
    """

    code: str
    effective: date | None = None
    expires: date | None = None
    term: str = ""
    stayed: bool = False
    restrictions: tuple[Restriction, ...] = ()

    def __post_init__(self) -> None:
        check_state(self.code, "/code")
        if self.effective is not None:
            fields.day(self.effective, "/effective", "action's first day")
        if self.expires is not None and self.effective is not None and fields.day(self.expires, "/expires", "action's last day") < self.effective:
            raise FormatError("the action ends before it begins", where="/expires")
        if self.term:
            fields.text(self.term, "/term", "action's term")
        if self.stayed and self.code not in SUSPENSIONS:
            raise FormatError("only a suspension can be stayed", where="/stayed")
        fields.items(self.restrictions, "/restrictions", "restrictions", lambda item, where: fields.instance(item, Restriction, where, "restriction"))

    @property
    def indefinite(self) -> bool:
        """Whether the action has no end of its own."""
        return self.expires is None

    @property
    def state(self) -> str:
        """The state that the licence is in while the action lasts."""
        return STAYED_SUSPENSION if self.stayed else self.code

    def to_json(self) -> JSONObject:
        """``{code, effective, expires, term, indefinite, stayed, restrictions}``, without what does not apply."""
        document: JSONObject = {"code": self.code, "indefinite": self.indefinite, "stayed": self.stayed}
        return document | fields.present(
            effective=self.effective and self.effective.isoformat(),
            expires=self.expires and self.expires.isoformat(),
            term=self.term,
            restrictions=[restriction.to_json() for restriction in self.restrictions],
        )

    @classmethod
    def from_json(cls, value: object, where: str = "") -> OrderAction:
        """Read what ``to_json`` wrote; raises ``FormatError``."""
        document = fields.json_object(value, where, "action")
        expires = _day(document, "expires", where)
        if document.get("indefinite", expires is None) is not (expires is None):
            raise FormatError("an action is indefinite when, and only when, it has no last day", where=f"{where}/indefinite")
        stayed = document.get("stayed", False)
        if type(stayed) is not bool:
            raise FormatError("the action's member stayed is not true or false", where=f"{where}/stayed")
        listed = fields.json_list(document.get("restrictions"), f"{where}/restrictions", "restrictions")
        restrictions = tuple(Restriction.from_json(item, f"{where}/restrictions/{place}") for place, item in enumerate(listed))
        code, effective = fields.member(document, "code", where), _day(document, "effective", where)
        try:
            return cls(code, effective, expires, document.get("term", ""), stayed, restrictions)
        except FormatError as error:
            raise FormatError(error.what, where=f"{where}{error.where}", hint=error.hint) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardOrder:
    """One order: its number, its days, the body that made it, what it does and why, and where it is published (empty: nowhere)."""

    id: str
    issued: date
    effective: date
    entity: str
    actions: tuple[OrderAction, ...]
    bases: tuple[str, ...] = ()
    appeal_until: date | None = None
    url: str = ""

    def __post_init__(self) -> None:
        fields.text(self.id, "/id", "order's number", longest=MAX_ORDER_ID)
        fields.day(self.issued, "/issued", "day of the order")
        fields.day(self.effective, "/effective", "order's first day")
        fields.text(self.entity, "/entity", "disciplinary entity")
        fields.items(self.actions, "/actions", "actions", lambda item, where: fields.instance(item, OrderAction, where, "action"))
        if not self.actions:
            raise FormatError("an order has at least one action", where="/actions")
        fields.items(self.bases, "/bases", "bases", lambda item, where: fields.text(item, where, "basis"))
        if self.appeal_until is not None:
            fields.day(self.appeal_until, "/appealUntil", "last day of appeal")
        if self.url:
            fields.https_url(self.url, "/url", "order's address")

    def to_json(self) -> JSONObject:
        """The order as JSON."""
        document: JSONObject = {
            "id": self.id, "issued": self.issued.isoformat(), "effective": self.effective.isoformat(), "entity": self.entity,
            "actions": [action.to_json() for action in self.actions],
        }  # fmt: skip
        return document | fields.present(bases=list(self.bases), appealUntil=self.appeal_until and self.appeal_until.isoformat(), url=self.url)

    @classmethod
    def from_json(cls, value: object) -> BoardOrder:
        """Read what ``to_json`` wrote; raises ``FormatError``."""
        document = fields.json_object(value, "", "order")
        actions = fields.json_list(fields.member(document, "actions"), "/actions", "actions")
        return cls(
            id=fields.member(document, "id"),
            issued=fields.parse_day(fields.member(document, "issued"), "/issued", "day of the order"),
            effective=fields.parse_day(fields.member(document, "effective"), "/effective", "order's first day"),
            entity=fields.member(document, "entity"),
            actions=tuple(OrderAction.from_json(item, f"/actions/{place}") for place, item in enumerate(actions)),
            bases=fields.json_list(document.get("bases"), "/bases", "bases"),
            appeal_until=_day(document, "appealUntil", ""),
            url=document.get("url", ""),
        )


def _day(document: Mapping[str, Any], name: str, where: str) -> date | None:
    return fields.parse_day(document[name], f"{where}/{name}", f"member {name}") if name in document else None
