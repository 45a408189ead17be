"""Restrictions of a licence, in a form that a machine can compare."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health import fields

_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Restriction:
    """What the holder may not do, or only under a condition.

    ``code`` is the board's machine-readable word (lower case, such as ``no_schedule_2``), ``text`` the board's own wording,
    ``starts`` and ``ends`` the days on which it begins and ceases to apply (``ends`` is ``None`` while it is open-ended).
    """

    code: str
    text: str
    starts: date
    ends: date | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.code, str) or not _CODE.fullmatch(self.code):
            raise FormatError("the restriction's code is not one lower-case word", where="/code", hint="Write it as no_schedule_2")
        fields.text(self.text, "/text", "restriction's text", longest=2000)
        fields.day(self.starts, "/from", "restriction's first day")
        if self.ends is not None and fields.day(self.ends, "/to", "restriction's last day") < self.starts:
            raise FormatError("the restriction ends before it starts", where="/to")

    def in_force(self, on: date) -> bool:
        """Whether the restriction applies on that day."""
        return self.starts <= on and (self.ends is None or on <= self.ends)

    def to_json(self) -> JSONObject:
        """``{code, text, from, to}``; ``to`` is left out while the restriction is open-ended."""
        document: JSONObject = {"code": self.code, "text": self.text, "from": self.starts.isoformat()}
        if self.ends is not None:
            document["to"] = self.ends.isoformat()
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
        )
