"""States, the District of Columbia and territories: codes (ISO 3166-2 form, ``US-NC``) and names, from a dated data file.

The table is ``data/jurisdictions.json``, which names its date and its sources; it is data because such tables change.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from did_health.errors import FormatError
from did_health.health.dated_tables import packaged_table
from did_health.trust.entitlement import NATIONWIDE as NATIONWIDE  # noqa: PLC0414  # a jurisdiction too


@lru_cache(maxsize=1)
def names() -> Mapping[str, str]:
    """The name of each jurisdiction by its code, such as ``US-NC`` → ``North Carolina``."""
    return MappingProxyType({row["code"]: row["name"] for row in packaged_table("jurisdictions").rows})


@lru_cache(maxsize=1)
def _codes() -> Mapping[str, str]:
    rows = packaged_table("jurisdictions").rows
    return MappingProxyType({name.casefold(): row["code"] for row in rows for name in (row["name"], *row.get("aliases", ()))})


def check(code: object, where: str = "/jurisdiction", *, nationwide: bool = False) -> str:
    """``code`` itself if it is a known ``US-XX`` (or ``US``, where ``nationwide`` is allowed); raises ``FormatError`` otherwise."""
    if isinstance(code, str) and (code in names() or (nationwide and code == NATIONWIDE)):
        return code
    raise FormatError("not a US state or territory", where=where, hint="Write it as US-NC")


def name_of(code: str) -> str:
    """The name of the jurisdiction with this code; raises ``FormatError`` for an unknown one."""
    return names()[check(code)]


def code_of(text: str) -> str | None:
    """The code that ``text`` means: ``US-NC``, ``NC`` or ``North Carolina`` in any case; ``None`` if it means no jurisdiction."""
    words = " ".join(text.split())
    if (upper := words.upper()) in names():
        return upper
    if f"US-{upper}" in names():
        return f"US-{upper}"
    return _codes().get(words.casefold())
