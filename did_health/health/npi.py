"""National Provider Identifiers: ten digits, the last of which checks the others (CMS, "NPI check digit"; ISO/IEC 7812 Luhn)."""

from __future__ import annotations

import re
from typing import Final

from did_health.errors import FormatError

ISSUER_PREFIX: Final = "80840"
"""80 for health, 840 for the United States: stands before the NPI when the check digit is computed."""
MAX_TEST_NUMBER: Final = 99_999_999

_TEN_DIGITS: Final = re.compile(r"[0-9]{10}")
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def check_digit(nine_digits: str) -> str:
    """The tenth digit of the NPI that begins with ``nine_digits`` (which must be nine ASCII digits, else ``ValueError``)."""
    if not _TEN_DIGITS.fullmatch(nine_digits + "0"):
        raise ValueError("nine digits are needed")
    total = 0
    for place, digit in enumerate(reversed(ISSUER_PREFIX + nine_digits)):
        total += _DOUBLED[int(digit)] if place % 2 == 0 else int(digit)
    return str(-total % 10)


def check(npi: object, where: str = "/npi") -> str:
    """``npi`` itself if it is ten digits with the right check digit; raises ``FormatError`` saying what is wrong otherwise.

    An unusual first digit is no error; ``warning`` tells about it.
    """
    if not isinstance(npi, str) or not _TEN_DIGITS.fullmatch(npi):
        found = f"it has {len(npi)} characters" if isinstance(npi, str) and len(npi) != 10 else "it holds something else"
        raise FormatError(f"an NPI is ten digits, but {found}", where=where, hint="A text; look it up in the NPPES registry, or leave it out")
    if npi[9] != check_digit(npi[:9]):
        raise FormatError("the check digit of the NPI is wrong", where=where, hint="A digit is mistyped; look it up in the NPPES registry")
    return npi


def is_valid(npi: str) -> bool:
    """Whether ``npi`` is ten digits with the right check digit."""
    return bool(_TEN_DIGITS.fullmatch(npi)) and npi[9] == check_digit(npi[:9])


def warning(npi: str) -> str:
    """What is unusual about a valid NPI, as a sentence; empty if nothing is. Numbers issued so far begin with 1 or 2."""
    return "" if npi[0] in "12" else "the NPI begins with neither 1 nor 2, so it was not issued by CMS"


def mint_test_npi(number: int) -> str:
    """A valid NPI for test data: ``2``, then ``number`` (0 to 99,999,999) in eight digits, then the check digit.

    The same number always gives the same NPI. It belongs to nobody that we know of, and says nothing about anybody.
    """
    if not 0 <= number <= MAX_TEST_NUMBER:
        raise ValueError(f"a test NPI is made from a number from 0 to {MAX_TEST_NUMBER}")
    nine_digits = f"2{number:08d}"
    return nine_digits + check_digit(nine_digits)
