"""Why a pharmacist continues by their own judgement: codes of a dated table, so that nothing about a patient stands in a receipt.

What more there is to say goes into a note, which only the pharmacy's own log keeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from did_health.errors import FormatError
from did_health.health import fields
from did_health.health.dated_tables import DatedTable, packaged_table
from did_health.limits import MAX_OVERRIDE_NOTE_CHARACTERS

OverrideReasons = Mapping[str, str]
"""What each code means, in a sentence for the screen."""


def override_reasons(table: DatedTable) -> OverrideReasons:
    """The codes of a table; raises ``FormatError`` for a row that is none, or a code that stands twice."""
    found: dict[str, str] = {}
    for place, row in enumerate(table.rows):
        where = f"/rows/{place}"
        code = fields.word(row.get("code"), f"{where}/code", "code")
        if code in found:
            raise FormatError("the code stands in the table already", where=f"{where}/code")
        found[code] = fields.text(row.get("meaning"), f"{where}/meaning", "meaning")
    return MappingProxyType(found)


@cache
def packaged_override_reasons() -> OverrideReasons:
    """The codes that ship with this version of the library."""
    return override_reasons(packaged_table("override-reasons"))


def check_override(reason: str, note: str, reasons: OverrideReasons) -> None:
    """Raises ``FormatError`` for a reason that is none of the codes, or a note that is too long or has more than one line."""
    fields.one_of(reason, reasons.keys(), "override/reason", "reason")
    if note:
        fields.text(note, "override/note", "note", longest=MAX_OVERRIDE_NOTE_CHARACTERS)
