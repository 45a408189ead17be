"""Disclosures and their digests (RFC 9901 §4.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256, sha384, sha512
from types import MappingProxyType
from typing import Any, Final

from did_health.encoding import strict_json
from did_health.encoding.base64 import base64url_decode, base64url_encode
from did_health.encoding.strict_json import JSON
from did_health.errors import FormatError, UnsupportedError
from did_health.vc.error_codes import PARSING

SD: Final = "_sd"
"""The member of an object that lists the digests of its concealed members (§4.2.4.1)."""
SD_ALG: Final = "_sd_alg"
ELLIPSIS: Final = "..."
"""The only member of what stands for a concealed element of an array (§4.2.4.2)."""

Digest = Callable[[str], str]
"""From a base64url text to the base64url text of its digest (§4.2.3)."""

_HASHES: Final = MappingProxyType[str, Callable[[bytes], Any]]({"sha-256": sha256, "sha-384": sha384, "sha-512": sha512})


def digest_function(name: JSON = "sha-256") -> Digest:
    """The hash function that ``_sd_alg`` names (§4.1.1); raises ``FormatError``, or ``UnsupportedError`` for another one than SHA-2."""
    if not isinstance(name, str):
        raise FormatError("_sd_alg is not a text", where=f"/{SD_ALG}", code=PARSING)
    if name not in _HASHES:
        raise UnsupportedError("the hash algorithm of the SD-JWT is not supported", where=f"/{SD_ALG}", hint="sha-256, sha-384 and sha-512 are")
    function = _HASHES[name]
    return lambda text: base64url_encode(function(text.encode()).digest())


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One disclosure: ``text`` is what travels and what is hashed; ``name`` is ``None`` for an element of an array."""

    text: str = field(repr=False)
    name: str | None
    value: JSON = field(repr=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> Disclosure:
        """Read ``[salt, name, value]`` or ``[salt, value]`` in base64url; raises ``FormatError``."""
        try:
            content = strict_json.loads(base64url_decode(text, what="disclosure"), what="disclosure")
        except FormatError as error:
            raise FormatError(error.what, where=error.where, hint=error.hint, code=PARSING) from error
        if not isinstance(content, list) or len(content) not in (2, 3) or not isinstance(content[0], str):
            raise FormatError("a disclosure is neither [salt, name, value] nor [salt, value]", code=PARSING)
        if len(content) == 2:
            return cls(text, None, content[1])
        return cls(text, require_name(content[1]), content[2])

    @classmethod
    def make(cls, name: str | None, value: JSON, random: Callable[[int], bytes]) -> Disclosure:
        """A new disclosure with a salt of 128 bits from ``random`` (§9.3)."""
        salt = base64url_encode(random(16))
        content = [salt, value] if name is None else [salt, name, value]
        return cls(base64url_encode(strict_json.dumps(content)), name, value)


def require_name(name: JSON) -> str:
    """A claim name that may be disclosed (§4.2.1, §7.1 step 3); raises ``FormatError``."""
    if not isinstance(name, str) or name in (SD, ELLIPSIS):
        raise FormatError("a disclosure has no claim name, or a reserved one", code=PARSING)
    return name
