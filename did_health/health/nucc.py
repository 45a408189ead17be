"""Provider taxonomy codes of the NUCC: ten characters, the last of them an ``X``.

The code set is copyrighted, so only a handful is named here (``COMMON``); whoever has a licence loads the whole set with ``load_csv``.
Any well-formed code is accepted in a credential, named or not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from did_health.errors import FormatError
from did_health.limits import MAX_CODE_SET_BYTES

_FORM: Final = re.compile(r"[0-9]{3}[0-9A-Z]{6}X")

COMMON: Final[Mapping[str, str]] = MappingProxyType({
    "207Q00000X": "family medicine",
    "207R00000X": "internal medicine",
    "207P00000X": "emergency medicine",
    "208000000X": "paediatrics",
    "208D00000X": "general practice",
    "208600000X": "surgery",
    "2084P0800X": "psychiatry",
    "3336C0003X": "community pharmacy",
})
"""A handful of codes, with our own short words for them."""


def check(code: object, where: str = "/taxonomy") -> str:
    """``code`` itself if it has the form of a taxonomy code; raises ``FormatError`` otherwise."""
    if not isinstance(code, str) or not _FORM.fullmatch(code):
        raise FormatError("a NUCC taxonomy code is ten characters such as 207R00000X", where=where)
    return code


def load_csv(data: bytes) -> Mapping[str, str]:
    """The codes and names of the NUCC's own CSV file (columns ``Code`` and ``Display Name``, else ``Classification``).

    Raises ``FormatError`` for another file; says in which row.
    """
    import csv

    if len(data) > MAX_CODE_SET_BYTES:
        raise FormatError(f"the taxonomy file has more than {MAX_CODE_SET_BYTES} bytes")
    try:
        rows = csv.DictReader(data.decode("utf-8-sig").splitlines(), strict=True)
        columns = rows.fieldnames or ()
        name = next((column for column in ("Display Name", "Classification") if column in columns), None)
        if "Code" not in columns or name is None:
            raise FormatError("the taxonomy file lacks the columns Code and Display Name", where="row 1")
        names = {check(row["Code"], f"row {number}"): row[name] or "" for number, row in enumerate(rows, start=2)}
    except (csv.Error, UnicodeDecodeError) as error:
        raise FormatError("the taxonomy file is not CSV in UTF-8") from error
    return MappingProxyType(names)
