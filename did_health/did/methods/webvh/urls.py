"""The did:webvh identifier and where its log is published (did:webvh 1.0, "Method-Specific Identifier", "The DID to HTTPS Transformation").

What could send a resolver elsewhere than to the named host is refused here, before any request: IP addresses, dot segments,
percent-encoded separators, queries and fragments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from did_health.errors import FormatError
from did_health.limits import MAX_DID_CHARACTERS, MAX_URL_CHARACTERS

PREFIX = "did:webvh:"
SCID_PLACEHOLDER = "{SCID}"
_SCID = re.compile(r"[1-9A-HJ-NP-Za-km-z]{46}", re.ASCII)
_AUTHORITY = re.compile(r"([^%]+)(?:%3A([1-9][0-9]{1,4}))?", re.ASCII | re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_FORBIDDEN_IN_SEGMENT = re.compile(r"[\x00-\x1f\x7f/\\]")
_NOT_IN_A_DID = re.compile(r"[\x00-\x20\x7f/?#\[\]@\\<>\"^`{|}]")
_PERCENT_ENCODING = re.compile(r"%(?![0-9A-Fa-f]{2})")
_MAX_PORT = 65_535
_MAX_HOST_CHARACTERS = 253
_SEGMENT_SAFE = "-._~!$&'()*+,;=@"


@dataclass(frozen=True, slots=True)
class WebvhDID:
    """A parsed did:webvh DID: ``scid``, the host in its ASCII (punycode) form, the port if one is named, the decoded path segments."""

    text: str
    scid: str
    host: str
    port: int | None
    path: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> WebvhDID:
        """Parse a DID (not a DID URL); raises ``FormatError``."""
        if len(text) > MAX_DID_CHARACTERS:
            raise FormatError(f"the DID has more than {MAX_DID_CHARACTERS} characters")
        if not text.startswith(PREFIX):
            raise FormatError("not a did:webvh DID")
        if _NOT_IN_A_DID.search(text):
            raise FormatError("the did:webvh DID holds a character that no DID can hold", hint="A path, query or fragment is not part of the DID")
        scid, _, location = text[len(PREFIX) :].partition(":")
        require_scid(scid)
        authority, *segments = location.split(":")
        host, port = _parse_authority(authority)
        did = cls(text, scid, host, port, tuple(_parse_segment(segment) for segment in segments))
        if len(did.witness_url) > MAX_URL_CHARACTERS:
            raise FormatError(f"the URL of the did:webvh DID has more than {MAX_URL_CHARACTERS} characters")
        return did

    @property
    def base_url(self) -> str:
        """``https://host[:port]/path/`` with a slash at the end and without ``.well-known``: where the DID's resources are."""
        port = "" if self.port is None else f":{self.port}"
        return "/".join([f"https://{self.host}{port}", *(quote(segment, safe=_SEGMENT_SAFE) for segment in self.path), ""])

    def _file_url(self, name: str) -> str:
        return f"{self.base_url}{'' if self.path else '.well-known/'}{name}"

    @property
    def log_url(self) -> str:
        """Where ``did.jsonl`` is published."""
        return self._file_url("did.jsonl")

    @property
    def witness_url(self) -> str:
        """Where ``did-witness.json`` is published if the DID has witnesses."""
        return self._file_url("did-witness.json")

    @property
    def did_web(self) -> str:
        """The did:web DID of the same location ("Publishing a Parallel did:web DID")."""
        return "did:web:" + self.text[len(PREFIX) + len(self.scid) + 1 :]

    def __str__(self) -> str:
        return self.text


def did_template(location: str) -> str:
    """``did:webvh:{SCID}:…`` for a location written ``host[:port][/path]``, such as ``board.example/dids/issuer``.

    ``{SCID}`` may stand in the path too. Raises ``FormatError`` for what makes no valid DID.
    """
    authority, *segments = location.strip("/").split("/")
    host, colon, port = authority.partition(":")
    encoded = [quote(segment, safe="-._{}") for segment in segments]
    template = f"{PREFIX}{SCID_PLACEHOLDER}:" + ":".join([host + ("%3A" + port if colon else ""), *encoded])
    WebvhDID.parse(template.replace(SCID_PLACEHOLDER, "Q" * 46))
    return template


def require_scid(text: str) -> str:
    """``text`` itself; raises ``FormatError`` unless it has the form of a SCID, the base58btc of a SHA-256 multihash."""
    if not _SCID.fullmatch(text):
        raise FormatError("the SCID is not 46 base58btc characters")
    return text


def _parse_authority(authority: str) -> tuple[str, int | None]:
    match = _AUTHORITY.fullmatch(authority)
    if not match:
        raise FormatError("the did:webvh DID names no host, or percent-encodes something other than the colon before a port")
    host, port = _ascii_host(match[1]), int(match[2]) if match[2] else None
    if port is not None and port > _MAX_PORT:
        raise FormatError("the port of the did:webvh DID is beyond 65535")
    labels = host.split(".")
    if len(host) > _MAX_HOST_CHARACTERS or not all(map(_LABEL.fullmatch, labels)):
        raise FormatError("the host of the did:webvh DID is not a domain name")
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        raise FormatError("the host of the did:webvh DID is an IP address", hint="did:webvh needs a domain name")
    # The ABNF wants two labels; localhost is let through for demonstrations, and the network layer decides whether to go there.
    if len(labels) < 2 and host != "localhost":
        raise FormatError("the host of the did:webvh DID is not a fully qualified domain name")
    return host, port


def _ascii_host(host: str) -> str:
    if host.isascii():
        return host.lower()
    import idna

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    # The package lets out what its tables and codecs raise: its own error is a UnicodeError, which is a ValueError.
    except (ValueError, IndexError) as error:
        raise FormatError("the host of the did:webvh DID is not an internationalised domain name (IDNA 2008)") from error


def _parse_segment(segment: str) -> str:
    if _PERCENT_ENCODING.search(segment):
        raise FormatError("a path segment of the did:webvh DID has a broken percent-encoding")
    try:
        decoded = unquote(segment, errors="strict")
        decoded.encode()
    except UnicodeError as error:
        raise FormatError("a path segment of the did:webvh DID is not UTF-8") from error
    if decoded in ("", ".", "..") or _FORBIDDEN_IN_SEGMENT.search(decoded):
        raise FormatError("a path segment of the did:webvh DID is empty, a dot segment or holds a separator")
    return decoded
