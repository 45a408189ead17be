"""A postal address in the United States."""

from __future__ import annotations

from dataclasses import dataclass

from did_health.encoding.strict_json import JSONObject
from did_health.health import fields, jurisdictions


@dataclass(frozen=True, slots=True)
class Address:
    """Street lines, city, ``state`` as ``US-NC``, postal code and two-letter country; whatever is unknown is empty."""

    lines: tuple[str, ...] = ()
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = "US"

    def __post_init__(self) -> None:
        fields.items(self.lines, "/address/line", "address lines", lambda line, where: fields.text(line, where, "address line"))
        for value, member in ((self.city, "city"), (self.postal_code, "postalCode"), (self.country, "country")):
            if value != "":
                fields.text(value, f"/address/{member}", f"{member} of the address")
        if self.state != "":
            jurisdictions.check(self.state, "/address/state")

    def to_json(self) -> JSONObject:
        """``{line, city, state, postalCode, country}`` without what is unknown."""
        return fields.present(line=list(self.lines), city=self.city, state=self.state, postalCode=self.postal_code, country=self.country)

    @classmethod
    def from_json(cls, value: object) -> Address:
        """Read what ``to_json`` wrote; raises ``FormatError``."""
        document = fields.json_object(value, "/address", "address")
        return cls(
            fields.json_list(document.get("line"), "/address/line", "address lines"),
            document.get("city", ""),
            document.get("state", ""),
            document.get("postalCode", ""),
            document.get("country", ""),
        )
