"""A person's name."""

from __future__ import annotations

from dataclasses import dataclass

from did_health.encoding.strict_json import JSONObject
from did_health.health import fields


@dataclass(frozen=True, slots=True)
class PersonName:
    """Family name and given names (all of them in one text, in their order), as the person's documents write them.

    Digits, accents, hyphens and apostrophes are part of a name and are kept. ``prefix`` and ``suffix`` are empty where there is none.
    """

    family: str
    given: str
    prefix: str = ""
    suffix: str = ""

    def __post_init__(self) -> None:
        fields.text(self.family, "/name/family", "family name")
        fields.text(self.given, "/name/given", "given name")
        for value, member in ((self.prefix, "prefix"), (self.suffix, "suffix")):
            if value != "":
                fields.text(value, f"/name/{member}", f"{member} of the name")

    def to_json(self) -> JSONObject:
        """``{family, given}``, and ``prefix`` and ``suffix`` where there are any."""
        return fields.present(family=self.family, given=self.given, prefix=self.prefix, suffix=self.suffix)

    @classmethod
    def from_json(cls, value: object) -> PersonName:
        """Read what ``to_json`` wrote; raises ``FormatError``."""
        name = fields.json_object(value, "/name", "name")
        return cls(fields.member(name, "family", "/name"), fields.member(name, "given", "/name"), name.get("prefix", ""), name.get("suffix", ""))
