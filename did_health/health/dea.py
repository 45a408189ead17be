"""DEA registration numbers: two characters, six digits and a check digit (DOMAIN facts, from the DEA's published rule)."""

from __future__ import annotations

import re
from typing import Final

from did_health.errors import FormatError

# The second character is the first letter of the registrant's name, or 9 for a business.
_FORM: Final = re.compile(r"[A-Z][A-Z9][0-9]{7}")


def check(number: object, where: str = "/deaNumber") -> str:
    """``number`` itself if it is well-formed and its check digit is right; raises ``FormatError`` otherwise.

    The last digit is the last digit of (1st + 3rd + 5th) + 2 × (2nd + 4th + 6th).
    """
    if not isinstance(number, str) or not _FORM.fullmatch(number):
        raise FormatError("a DEA number is two capital letters (the second may be 9) and seven digits", where=where)
    digits = [int(digit) for digit in number[2:]]
    if (sum(digits[0:6:2]) + 2 * sum(digits[1:6:2])) % 10 != digits[6]:
        raise FormatError("the check digit of the DEA number is wrong", where=where, hint="Look it up in the DEA's registration validation")
    return number


def is_valid(number: str) -> bool:
    """Whether ``number`` is a well-formed DEA number with the right check digit."""
    try:
        check(number)
    except FormatError:
        return False
    return True
