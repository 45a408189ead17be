"""Issuing an SD-JWT (RFC 9901 §4, §6): which claims are concealed is said by JSON pointers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from did_health.encoding import strict_json
from did_health.encoding.base64 import base64url_encode
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError
from did_health.keys import Signer
from did_health.limits import MAX_DECOYS, MAX_DISCLOSURES
from did_health.vc.jose.jws import JWS, sign_compact
from did_health.vc.sd_jwt.disclosure import ELLIPSIS, SD, SD_ALG, Disclosure, digest_function
from did_health.vc.sd_jwt.processing import escaped
from did_health.vc.sd_jwt.serialization import SDJWT

Random = Callable[[int], bytes]

ALWAYS_VISIBLE: Final = frozenset(("/iss", "/aud", "/exp", "/nbf", "/cnf", "/status"))
"""§9.7: a holder who could conceal these would decide about the token's validity."""
_NO_DECOYS: Final[Mapping[str, int]] = MappingProxyType({})


class Concealed(NamedTuple):
    """The payload to sign, and the disclosures of what is concealed in it."""

    payload: JSONObject
    disclosures: tuple[Disclosure, ...]


def conceal(claims: JSONObject, pointers: Collection[str], random: Random, *, decoys: Mapping[str, int] = _NO_DECOYS) -> Concealed:
    """``claims`` with a digest in the place of each member or element that ``pointers`` name; what is in a concealed value may be concealed too.

    ``decoys`` gives the number of digests of nothing to add to an object or array (§4.2.7), by its pointer; ``random`` gives salts.
    Raises ``FormatError`` for claims with reserved names, too many disclosures or decoys, and ``ValueError`` for a pointer to nothing.
    """
    wanted = set(pointers)
    if not wanted.isdisjoint(ALWAYS_VISIBLE):
        raise ValueError("a claim that decides about validity cannot be concealed")
    if len(wanted) > MAX_DISCLOSURES or sum(decoys.values()) > MAX_DECOYS:
        raise FormatError(f"more than {MAX_DISCLOSURES} disclosures or {MAX_DECOYS} decoys")
    work = _Concealment(wanted, decoys, random)
    payload = work.members(claims, "")
    if work.wanted or work.decoys:
        raise ValueError("a JSON pointer names nothing in the claims that could be concealed, or that decoys could be added to")
    if work.disclosures or decoys:
        payload[SD_ALG] = "sha-256"
    return Concealed(payload, tuple(work.disclosures))


def issue_sd_jwt(
    claims: JSONObject,
    signer: Signer,
    *,
    conceal: Collection[str],  # the argument says what the function of this name does
    random: Random,
    header: Mapping[str, JSON] | None = None,
    decoys: Mapping[str, int] = _NO_DECOYS,
) -> SDJWT:
    """A signed SD-JWT of ``claims`` with all its disclosures; raises as the function ``conceal`` and ``sign_compact`` do."""
    payload, disclosures = _conceal(claims, conceal, random, decoys=decoys)
    jwt = sign_compact(strict_json.dumps(payload), signer, header)
    return SDJWT(jwt, disclosures, None, (JWS.parse(jwt),))


_conceal = conceal


class _Concealment:
    """One walk over claims, from the innermost outwards, so that a disclosure can hold digests of others."""

    __slots__ = ("_digest", "_random", "decoys", "disclosures", "wanted")

    def __init__(self, wanted: set[str], decoys: Mapping[str, int], random: Random) -> None:
        self.wanted, self.decoys = wanted, dict(decoys)
        self._random = random
        self._digest = digest_function()
        self.disclosures: list[Disclosure] = []

    def value(self, value: JSON, where: str) -> JSON:
        if isinstance(value, dict):
            return self.members(value, where)
        if isinstance(value, list):
            return self.elements(value, where)
        return value

    def members(self, members: JSONObject, where: str) -> JSONObject:
        if not members.keys().isdisjoint((SD, ELLIPSIS)) or (not where and SD_ALG in members):
            raise FormatError("the claims have a name that SD-JWT reserves", where=where)
        result: JSONObject = {}
        digests: list[str] = []
        for name, value in members.items():
            place = f"{where}/{escaped(name)}"
            inner = self.value(value, place)
            if self._is_wanted(place):
                digests.append(self._disclose(name, inner))
            else:
                result[name] = inner
        digests += self._decoy_digests(where)
        if digests:
            # §4.2.4.1: their order must not tell that of the claims.
            result[SD] = sorted(digests)
        return result

    def elements(self, elements: list[JSON], where: str) -> list[JSON]:
        result: list[JSON] = []
        for position, element in enumerate(elements):
            place = f"{where}/{position}"
            inner = self.value(element, place)
            result.append({ELLIPSIS: self._disclose(None, inner)} if self._is_wanted(place) else inner)
        for decoy in self._decoy_digests(where):
            result.insert(int.from_bytes(self._random(8), "big") % (len(result) + 1), {ELLIPSIS: decoy})
        return result

    def _is_wanted(self, place: str) -> bool:
        wanted = place in self.wanted
        self.wanted.discard(place)
        return wanted

    def _disclose(self, name: str | None, value: JSON) -> str:
        disclosure = Disclosure.make(name, value, self._random)
        self.disclosures.append(disclosure)
        return self._digest(disclosure.text)

    def _decoy_digests(self, where: str) -> list[str]:
        return [self._digest(base64url_encode(self._random(32))) for _ in range(self.decoys.pop(where, 0))]
