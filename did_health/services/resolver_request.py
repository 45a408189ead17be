"""What a client asks of the resolver (DID Resolution 1.0 §12.1): the DID URL, the options, and the form of the answer, from path, query, header and body.

A DID URL stands in the path as it is, up to its fragment, whose ``#`` is sent as ``%23``; or percent-encoded as a whole. Parameters of the
query that are no options belong to the DID URL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from urllib.parse import quote, unquote

from did_health.did.did import DID, DIDURL
from did_health.encoding import strict_json
from did_health.errors import FormatError, ResolutionError
from did_health.limits import MAX_DID_CHARACTERS
from did_health.services.media_ranges import media_ranges


class Form(StrEnum):
    """The media types of answers."""

    RESOLUTION = "application/did-resolution"
    DEREFERENCING = "application/did-url-dereferencing"
    DOCUMENT = "application/did"
    DOCUMENT_JSON = "application/did+json"
    DOCUMENT_JSON_LD = "application/did+ld+json"
    URI_LIST = "text/uri-list"


OPTIONS: Final = frozenset({"accept", "expandRelativeUrls", "noCache", "verificationRelationship"})
"""§4.1, §5.1, §13.2. The options that choose a version are parameters of DID URLs as well."""
_PART_PARAMETERS: Final = frozenset({"service", "serviceType", "relativeRef"})
_FORMS: Final = MappingProxyType({str(form): form for form in Form})
_WILDCARDS: Final = frozenset({"*/*", "application/*"})
_BROKEN: Final = re.compile("%(?![0-9A-Fa-f]{2})")
_DELIMITER: Final = re.compile("[/?#]")
# RFC 3986 §3.4, without what separates parameters.
_SAFE: Final = "/?:@-._~!$'()*+,;"


@dataclass(frozen=True, slots=True)
class ResolverRequest:
    """``did_url`` may be a bare DID. ``form`` is what the answer is to be."""

    did_url: str
    form: Form
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def is_dereferencing(self) -> bool:
        """Whether a part is asked for, or a service, and not a document with its metadata (§5 instead of §4)."""
        return self.form is not Form.RESOLUTION and (self.form in (Form.DEREFERENCING, Form.URI_LIST) or names_part(self.did_url))

    @property
    def accept(self) -> str:
        """The dereferencing option ``accept`` (§5.1)."""
        return str(self.form) if self.form is Form.URI_LIST else ""

    @property
    def expands(self) -> bool:
        """The option ``expandRelativeUrls`` (§4.1)."""
        return self.options.get("expandRelativeUrls") == "true"

    @classmethod
    def read(cls, path: str, query: str, accept: str, body: bytes = b"") -> ResolverRequest:
        """``path`` (what follows ``/identifiers/``) and ``query`` as they were sent, percent-encodings and all; ``body`` is that of a POST.

        Raises ``ResolutionError``: ``INVALID_DID``, ``INVALID_DID_URL``, ``INVALID_OPTIONS``,
        ``REPRESENTATION_NOT_SUPPORTED``.
        """
        options: dict[str, str] = {}
        parameters: dict[str, str] = {}
        for name, value in (*_pairs(query), *_posted(body)):
            known = options if name in OPTIONS else parameters
            if known.setdefault(name, value) != value:
                raise ResolutionError(f"the option {name[:40]} is given twice", code="INVALID_OPTIONS")
        did_url = _with_parameters(_identifier(path), parameters)
        _check(options)
        return cls(did_url, _form(options.get("accept", accept), names_part(did_url)), MappingProxyType(options))


def names_part(did_url: str) -> bool:
    """Whether a DID URL names something else than a DID document as a whole.

    Raises ``ResolutionError``: ``INVALID_DID``, ``INVALID_DID_URL``.
    """
    try:
        url = DIDURL.parse(did_url)
    except FormatError as error:
        raise ResolutionError(error.what, hint=error.hint, code=_fault(did_url)) from error
    return bool(url.path) or url.fragment is not None or not _PART_PARAMETERS.isdisjoint(url.parameters)


def _fault(did_url: str) -> str:
    try:
        DID.parse(_DELIMITER.split(did_url, maxsplit=1)[0])
    except FormatError:
        return "INVALID_DID"
    return "INVALID_DID_URL"


def _identifier(path: str) -> str:
    if len(path) > 3 * MAX_DID_CHARACTERS:
        raise ResolutionError("the DID is too long", code="INVALID_DID")
    if path.startswith("did:"):
        # These two delimiters cannot be sent in a path.
        return path.replace("%23", "#").replace("%3F", "?").replace("%3f", "?")
    return _decoded(path, "INVALID_DID")


def _decoded(text: str, code: str) -> str:
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise ResolutionError("a percent-encoding is not of UTF-8", code=code) from error
    if _BROKEN.search(text):
        raise ResolutionError("a percent-encoding is broken off", code=code)
    # DID Core 1.0 §3.2.1, DID Resolution §4.1: ASCII strings.
    if not decoded.isascii():
        raise ResolutionError("a text has characters that are not ASCII", code=code)
    return decoded


def _pairs(query: str) -> Iterator[tuple[str, str]]:
    for pair in query.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            yield _decoded(name, "INVALID_OPTIONS"), _decoded(value, "INVALID_OPTIONS")


def _posted(body: bytes) -> Iterator[tuple[str, str]]:
    if not body:
        return
    try:
        options = strict_json.loads_object(body, what="body")
    except FormatError as error:
        raise ResolutionError(error.what, code="INVALID_OPTIONS") from error
    for name, value in options.items():
        if not isinstance(value, str) or not (name + value).isascii():
            raise ResolutionError("an option in the body is not an ASCII text", code="INVALID_OPTIONS")
        yield name, value


def _with_parameters(text: str, parameters: Mapping[str, str]) -> str:
    if not parameters:
        return text
    base, hash_, fragment = text.partition("#")
    base, mark, query = base.partition("?")
    present = dict(_pairs(query))
    pairs = [query] if mark else []
    for name, value in parameters.items():
        if name not in present:
            pairs.append(f"{quote(name, safe=_SAFE)}={quote(value, safe=_SAFE)}")
        elif present[name] != value:
            raise ResolutionError("an option and the DID URL contradict each other", code="INVALID_OPTIONS")
    return f"{base}?{'&'.join(pairs)}{hash_}{fragment}"


def _check(options: Mapping[str, str]) -> None:
    for name in ("noCache", "expandRelativeUrls"):
        if options.get(name, "false") not in ("true", "false"):
            raise ResolutionError(f"{name} is neither true nor false", code="INVALID_OPTIONS")


def _form(accept: str, part: bool) -> Form:
    """RFC 9110 §12.5.1: of the forms that are accepted the one with the highest weight, and of those the first that is named."""
    best, highest = None, 0.0
    for name, weight in media_ranges(accept):
        form: Form | None = None
        if name in _WILDCARDS:
            form = Form.DEREFERENCING if part else Form.RESOLUTION
        elif name in _FORMS:
            form = _FORMS[name]
        if form is not None and weight > highest:
            best, highest = form, weight
    if best is None:
        raise ResolutionError("nothing here is of a media type that is accepted", hint=f"There are {', '.join(Form)}", code="REPRESENTATION_NOT_SUPPORTED")
    if best is Form.RESOLUTION and part:
        raise ResolutionError("a DID document as a whole has no DID URL with a path, a fragment or a service", code="INVALID_DID")
    return best
