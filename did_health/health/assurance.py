"""How sure an identity is: the framework, the level in its own words, when and how the person was proofed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health import fields
from did_health.health.local_days import local_days

PROOFING_YEARS: Final = 3
"""A proofing is valid for three years [HL7 Identity Matching STU2]."""


@dataclass(frozen=True, slots=True)
class Assurance:
    """One identity proofing. Levels are the framework's own (``IAL2``, ``IDIAL1.8``); which of them suffices is a matter of configuration."""

    framework: str
    level: str
    proofed_on: date
    method: str

    def __post_init__(self) -> None:
        fields.text(self.framework, "/assurance/framework", "assurance framework", longest=64)
        fields.text(self.level, "/assurance/level", "assurance level", longest=32)
        fields.day(self.proofed_on, "/assurance/proofedOn", "day of proofing")
        fields.text(self.method, "/assurance/method", "method of proofing", longest=64)

    @property
    def expires_on(self) -> date:
        """The last day on which a credential may rest on this proofing: three years later (28 February for a leap day)."""
        proofed = self.proofed_on
        if proofed.year + PROOFING_YEARS > date.max.year:
            return date.max
        leap_day = (proofed.month, proofed.day) == (2, 29)
        return proofed.replace(year=proofed.year + PROOFING_YEARS, day=28 if leap_day else proofed.day)

    def check_covers(self, valid_until: datetime) -> None:
        """Raise ``FormatError`` if a credential that ends at ``valid_until`` (with a time zone) would outlast the proofing."""
        if valid_until > local_days(None).ends(self.expires_on):
            raise FormatError("the identity lasts beyond three years after the proofing", where="/validUntil", hint="End it earlier, or proof again")

    def to_json(self) -> JSONObject:
        """``{framework, level, proofedOn, method}``."""
        return {"framework": self.framework, "level": self.level, "proofedOn": self.proofed_on.isoformat(), "method": self.method}

    @classmethod
    def from_json(cls, value: object) -> Assurance:
        """Read what ``to_json`` wrote; raises ``FormatError``."""
        where = "/assurance"
        document = fields.json_object(value, where, "assurance")
        return cls(
            fields.member(document, "framework", where),
            fields.member(document, "level", where),
            fields.parse_day(fields.member(document, "proofedOn", where), f"{where}/proofedOn", "day of proofing"),
            fields.member(document, "method", where),
        )
