"""From the issuer-signed payload and the disclosures to the processed payload (RFC 9901 §7.1 steps 3 to 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, VerificationError
from did_health.limits import MAX_DOCUMENT_DEPTH
from did_health.vc.error_codes import CRYPTOGRAPHIC_SECURITY, PARSING
from did_health.vc.sd_jwt.disclosure import ELLIPSIS, SD, SD_ALG, Digest, Disclosure, digest_function


@dataclass(frozen=True, slots=True)
class Processed:
    """The processed payload, and where in it each disclosure put its value, by JSON pointer in the order of nesting."""

    payload: JSONObject = field(repr=False)
    placed: tuple[tuple[str, Disclosure], ...]
    digest: Digest = field(repr=False)


def process(payload: JSONObject, disclosures: Sequence[Disclosure]) -> Processed:
    """Put the disclosed values in their places and take all digests out.

    Raises ``FormatError`` for a payload that holds ``_sd``, ``...`` or ``_sd_alg`` as it must not, ``UnsupportedError`` for another hash
    algorithm, and ``VerificationError`` for a disclosure that belongs nowhere, a digest that comes twice, or a name that is taken.
    """
    digest = digest_function(payload.get(SD_ALG, "sha-256"))
    known = {digest(disclosure.text): disclosure for disclosure in disclosures}
    if len(known) != len(disclosures):
        raise VerificationError("the SD-JWT has a disclosure twice", code=CRYPTOGRAPHIC_SECURITY)
    walk = _Walk(known)
    processed = walk.members(payload, "", 1)
    if len(walk.placed) != len(disclosures):
        raise VerificationError("a disclosure does not belong to the SD-JWT", code=CRYPTOGRAPHIC_SECURITY)  # step 5
    processed.pop(SD_ALG, None)
    return Processed(processed, tuple(walk.placed), digest)


class _Walk:
    """One pass over a payload, into the disclosed values too."""

    __slots__ = ("_known", "_seen", "placed")

    def __init__(self, known: dict[str, Disclosure]) -> None:
        self._known = known
        self._seen: set[str] = set()
        self.placed: list[tuple[str, Disclosure]] = []

    def value(self, value: JSON, where: str, depth: int) -> JSON:
        if type(value) is dict:
            return self.members(value, where, depth + 1)
        if type(value) is list:
            return self.elements(value, where, depth + 1)
        return value

    def members(self, members: JSONObject, where: str, depth: int) -> JSONObject:
        _check_depth(depth)
        if ELLIPSIS in members:
            raise FormatError("the SD-JWT has a member ... that is no digest of an array's element", where=where, code=PARSING)
        result = {name: self.value(value, f"{where}/{escaped(name)}", depth) for name, value in members.items() if name != SD}
        digests = members.get(SD, [])
        if not isinstance(digests, list) or not all(isinstance(digest, str) for digest in digests):
            raise FormatError("_sd is not a list of digests", where=where, code=PARSING)
        for digest in digests:
            disclosure = self._disclosed(digest)
            if disclosure is None:
                continue
            name = disclosure.name
            if name is None:
                raise VerificationError("a disclosure of an array's element stands for a member of an object", where=where, code=CRYPTOGRAPHIC_SECURITY)
            if name in result:
                raise VerificationError("a disclosed claim is there already", where=where, code=CRYPTOGRAPHIC_SECURITY)
            place = f"{where}/{escaped(name)}"
            self.placed.append((place, disclosure))
            result[name] = self.value(disclosure.value, place, depth)
        return result

    def elements(self, elements: list[JSON], where: str, depth: int) -> list[JSON]:
        _check_depth(depth)
        result: list[JSON] = []
        for element in elements:
            place = f"{where}/{len(result)}"
            if type(element) is not dict or ELLIPSIS not in element:
                result.append(self.value(element, place, depth))
                continue
            if len(element) != 1 or not isinstance(element[ELLIPSIS], str):
                raise FormatError("what stands for an array's element is not one digest", where=place, code=PARSING)
            disclosure = self._disclosed(element[ELLIPSIS])
            if disclosure is None:
                continue
            if disclosure.name is not None:
                raise VerificationError("a disclosure of an object's member stands for an array's element", where=place, code=CRYPTOGRAPHIC_SECURITY)
            self.placed.append((place, disclosure))
            result.append(self.value(disclosure.value, place, depth))
        return result

    def _disclosed(self, digest: str) -> Disclosure | None:
        """Step 4: a digest may be there once only, so that what it stands for has one place."""
        if digest in self._seen:
            raise VerificationError("the SD-JWT has a digest twice", code=CRYPTOGRAPHIC_SECURITY)
        self._seen.add(digest)
        return self._known.get(digest)


def escaped(name: str) -> str:
    """A member's name as a token of a JSON pointer (RFC 6901 §3)."""
    return name.replace("~", "~0").replace("/", "~1")


def _check_depth(depth: int) -> None:
    if depth > MAX_DOCUMENT_DEPTH:
        raise FormatError(f"the processed SD-JWT is nested deeper than {MAX_DOCUMENT_DEPTH} levels", code=PARSING)
