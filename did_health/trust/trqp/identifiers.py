"""Identifiers of TRQP 2.0 (section "Identifiers"): each is one string, a URI reference of RFC 3986; some have to be unique in the world."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Final

from did_health.errors import FormatError
from did_health.limits import MAX_TRQP_IDENTIFIER_CHARACTERS

_UNRESERVED: Final = r"A-Za-z0-9._~\-"
_SUB_DELIMS: Final = "!$&'()*+,;="
_ENCODED: Final = "%[0-9A-Fa-f]{2}"
_PCHAR: Final = f"(?:[{_UNRESERVED}{_SUB_DELIMS}:@]|{_ENCODED})"
_AUTHORITY: Final = (
    f"(?:(?:[{_UNRESERVED}{_SUB_DELIMS}:]|{_ENCODED})*@)?"
    rf"(?:\[(?:(?P<ipv6>[0-9A-Fa-f:.]+)|[Vv][0-9A-Fa-f]+\.[{_UNRESERVED}{_SUB_DELIMS}:]+)\]|(?:[{_UNRESERVED}{_SUB_DELIMS}]|{_ENCODED})*)"
    "(?::[0-9]*)?"
)
# RFC 3986 §3, §4.1. The first segment of a relative path has no colon, for what stands before one is a scheme.
_REFERENCE: Final = re.compile(
    rf"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):|(?![^/?#]*:))"
    rf"(?://{_AUTHORITY}(?:/{_PCHAR}*)*|(?!//){_PCHAR}*(?:/{_PCHAR}*)*)"
    rf"(?:\?(?:{_PCHAR}|[/?])*)?(?:\#(?:{_PCHAR}|[/?])*)?"
)


def identifier(value: object, where: str, *, unique: bool = False) -> str:
    """``value`` if it is an identifier; a ``unique`` one has a scheme, for without it nobody can tell whose name it is. Raises ``FormatError``."""
    if not isinstance(value, str) or not value:
        raise FormatError("an identifier is a string that is not empty", where=where)
    if len(value) > MAX_TRQP_IDENTIFIER_CHARACTERS:
        raise FormatError(f"an identifier has more than {MAX_TRQP_IDENTIFIER_CHARACTERS} characters", where=where)
    match = _REFERENCE.fullmatch(value)
    if match is None or not _is_ipv6(match["ipv6"]):
        raise FormatError("an identifier is not as RFC 3986 wants it", where=where, hint="Percent-encode blanks and whatever is not ASCII")
    if unique and match["scheme"] is None:
        raise FormatError("an authority has an identifier that is unique everywhere", where=where, hint="Write it with its scheme, as did:… or https://…")
    return value


def _is_ipv6(text: str | None) -> bool:
    if text is None:
        return True
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True
