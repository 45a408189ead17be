"""DIDs and DID URLs (DID Core 1.0 §3, RFC 3986): text to frozen values and back, without a change of a single character."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import unquote

from did_health.errors import FormatError
from did_health.limits import MAX_DID_CHARACTERS

_PERCENT = "%[0-9A-Fa-f]{2}"
_PCHAR = rf"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|{_PERCENT})"
# §3.1: the last part of the method-specific identifier is not empty.
_DID = re.compile(rf"did:([a-z0-9]+):((?:(?:[A-Za-z0-9._-]|{_PERCENT})*:)*(?:[A-Za-z0-9._-]|{_PERCENT})+)")
_SUFFIX = re.compile(rf"((?:/{_PCHAR}*)*)(?:\?((?:{_PCHAR}|[/?])*))?(?:#((?:{_PCHAR}|[/?])*))?")
_DELIMITER = re.compile("[/?#]")


@dataclass(frozen=True, slots=True)
class DID:
    """A DID such as ``did:web:board.example``; equal only to one of the same text, as §3.1 has no normalisation."""

    method: str
    identifier: str
    _text: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_text", _checked(f"did:{self.method}:{self.identifier}"))

    def __str__(self) -> str:
        return self._text

    @staticmethod
    def parse(text: str) -> DID:
        """The DID written as ``text``; raises ``FormatError`` (code ``INVALID_DID``) for anything else, a DID URL too."""
        return _parse_did(text)

    def url(self, fragment: str) -> str:
        """The DID URL of a part of the document, such as a verification method: ``did:web:board.example#key-1``."""
        return f"{self._text}#{fragment}"


@dataclass(frozen=True, slots=True)
class DIDURL:
    """A DID URL (§3.2): ``path`` starts with ``/`` or is empty; ``query`` and ``fragment`` are ``None`` where there is no ``?`` or ``#``.

    All are kept percent-encoded, as written; ``parameters`` are decoded.
    """

    did: DID
    path: str = ""
    query: str | None = None
    fragment: str | None = None
    parameters: Mapping[str, str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        suffix = str(self)[len(str(self.did)) :]
        if len(suffix) > MAX_DID_CHARACTERS or not (match := _SUFFIX.fullmatch(suffix)) or match.groups() != (self.path, self.query, self.fragment):
            raise FormatError("the text is not a DID URL", code="INVALID_DID_URL")
        object.__setattr__(self, "parameters", _parameters(self.query))

    def __str__(self) -> str:
        query = "" if self.query is None else f"?{self.query}"
        fragment = "" if self.fragment is None else f"#{self.fragment}"
        return f"{self.did}{self.path}{query}{fragment}"

    @staticmethod
    def parse(text: str) -> DIDURL:
        """The DID URL written as ``text``, which may be a bare DID; raises ``FormatError`` (code ``INVALID_DID_URL``)."""
        return _parse_url(text)


def _checked(text: str) -> str:
    if len(text) > MAX_DID_CHARACTERS:
        raise FormatError(f"the DID has more than {MAX_DID_CHARACTERS} characters", code="INVALID_DID")
    if not _DID.fullmatch(text):
        raise FormatError("the text is not a DID", hint="A DID reads did:method:identifier, such as did:web:board.example", code="INVALID_DID")
    return text


@lru_cache(maxsize=4096)
def _parse_did(text: str) -> DID:
    _, _, rest = _checked(text).partition(":")
    method, _, identifier = rest.partition(":")
    return DID(method, identifier)


@lru_cache(maxsize=4096)
def _parse_url(text: str) -> DIDURL:
    if len(text) > 2 * MAX_DID_CHARACTERS:
        raise FormatError(f"the DID URL has more than {2 * MAX_DID_CHARACTERS} characters", code="INVALID_DID_URL")
    did = _DELIMITER.split(text, maxsplit=1)[0]
    match = _SUFFIX.fullmatch(text, len(did))
    if not match:
        raise FormatError("the text is not a DID URL", code="INVALID_DID_URL")
    try:
        return DIDURL(DID.parse(did), *match.groups())
    except FormatError as error:
        raise FormatError(error.what, hint=error.hint, code="INVALID_DID_URL") from error


def _parameters(query: str | None) -> Mapping[str, str]:
    """The DID parameters (§3.2.1), percent-decoded once; ``+`` is no space, for a query is not a web form."""
    parameters: dict[str, str] = {}
    for part in (query or "").split("&"):
        if not part:
            continue
        name, _, value = part.partition("=")
        try:
            name, value = unquote(name, errors="strict"), unquote(value, errors="strict")
        except UnicodeDecodeError as error:
            raise FormatError("a parameter of the DID URL is not UTF-8", code="INVALID_DID_URL") from error
        if name in parameters:
            raise FormatError("the DID URL gives a parameter twice", hint="Two readers could take different ones", code="INVALID_DID_URL")
        parameters[name] = value
    return MappingProxyType(parameters)
