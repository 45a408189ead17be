"""The forms of an SD-JWT and an SD-JWT+KB: compact (RFC 9901 §4) and JWS JSON (§8)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError
from did_health.limits import MAX_DISCLOSURES, MAX_TOKEN_CHARACTERS
from did_health.vc.error_codes import PARSING
from did_health.vc.jose.jws import JWS, ascii_text
from did_health.vc.jose.jws_json import parse_json
from did_health.vc.sd_jwt.disclosure import Disclosure

_HEADER: Final = "header"
_DISCLOSURES: Final = "disclosures"
_KEY_BINDING: Final = "kb_jwt"


@dataclass(frozen=True, slots=True)
class SDJWT:
    """An SD-JWT that was read and **not** verified; with ``key_binding``, the text of its Key Binding JWT, it is an SD-JWT+KB.

    ``jwt`` is the issuer-signed JWT in compact form, ``signatures`` are those of its issuer: more than one in the general JSON form only.
    """

    jwt: str = field(repr=False)
    disclosures: tuple[Disclosure, ...]
    key_binding: str | None = field(repr=False)
    signatures: tuple[JWS, ...] = field(repr=False)

    @classmethod
    def parse(cls, token: bytes | str) -> SDJWT:
        """Read the compact form: ``jwt~disclosure~…~`` and perhaps a Key Binding JWT (§4).

        Raises ``FormatError``, and ``UnsupportedError`` as ``JWS.parse`` does.
        """
        jwt, *parts = ascii_text(token).split("~", MAX_DISCLOSURES + 2)
        if not parts:
            raise FormatError("the SD-JWT has no tilde", hint="It ends with one unless a Key Binding JWT follows", code=PARSING)
        *texts, last = parts
        return cls(jwt, _disclosures(texts), last or None, (JWS.parse(jwt),))

    @classmethod
    def parse_json(cls, source: bytes | str | JSONObject) -> SDJWT:
        """Read the general or flattened JSON form (§8); raises ``FormatError``, and ``UnsupportedError`` as ``parse_json`` of a JWS does."""
        document = source if isinstance(source, dict) else strict_json.loads_object(source, what="SD-JWT", max_bytes=MAX_TOKEN_CHARACTERS)
        signatures = parse_json(document)
        # It is a JWS, so all of these are what they have to be.
        entries = document.get("signatures", [document])
        first, *others = [entry.get(_HEADER, {}) for entry in entries]
        if any(name in header for header in others for name in (_DISCLOSURES, _KEY_BINDING)):
            raise FormatError("disclosures or kb_jwt stand in another unprotected header than the first", code=PARSING)  # §8.3
        texts, key_binding = first.get(_DISCLOSURES, []), first.get(_KEY_BINDING)
        if not isinstance(texts, list) or not (key_binding is None or isinstance(key_binding, str)):
            raise FormatError("disclosures is not a list, or kb_jwt is not a text", where=f"/{_HEADER}", code=PARSING)
        jwt = f"{entries[0]['protected']}.{document.get('payload')}.{entries[0]['signature']}"
        return cls(jwt, _disclosures(texts), key_binding, signatures)

    def with_disclosures(self, disclosures: tuple[Disclosure, ...]) -> SDJWT:
        """The same JWT with these disclosures and without key binding, which covers the disclosures."""
        return replace(self, disclosures=disclosures, key_binding=None)

    @property
    def bound_text(self) -> str:
        """What the Key Binding JWT's ``sd_hash`` covers (§4.3.1): the compact form up to the last tilde."""
        return "~".join((self.jwt, *(disclosure.text for disclosure in self.disclosures), ""))

    def __str__(self) -> str:
        return self.bound_text + (self.key_binding or "")

    def to_json(self) -> JSONObject:
        """The flattened JSON form (§8.2)."""
        protected, payload, signature = self.jwt.split(".")
        header: dict[str, JSON] = {_DISCLOSURES: [disclosure.text for disclosure in self.disclosures]}
        if self.key_binding is not None:
            header[_KEY_BINDING] = self.key_binding
        return {_HEADER: header, "payload": payload, "protected": protected, "signature": signature}


def _disclosures(texts: list[JSON]) -> tuple[Disclosure, ...]:
    if len(texts) > MAX_DISCLOSURES:
        raise FormatError(f"the SD-JWT has more than {MAX_DISCLOSURES} disclosures", code=PARSING)
    for text in texts:
        if not isinstance(text, str) or not text.isascii():
            raise FormatError("a disclosure is not base64url", code=PARSING)
    return tuple(Disclosure.parse(text) for text in texts)
