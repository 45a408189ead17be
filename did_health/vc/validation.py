"""The rules of the Verifiable Credentials Data Model for single members: 2.0 in full, 1.1 as far as it is read.

Pure structure: what JSON-LD means by a term is the business of ``vc.rdf``, what a proof is worth that of ``vc.proofs``. Every refusal is a
``FormatError`` with the code ``MALFORMED_VALUE_ERROR`` (VC Data Model 2.0 §7.2) and a JSON pointer; values are never quoted.

One rule runs on every verification, so each looks at the common shape first and builds a pointer only when it refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from did_health.encoding import timestamps
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError
from did_health.limits import MAX_PROOFS, MAX_STATUS_ENTRIES, MAX_URL_CHARACTERS
from did_health.vc.integrity import MALFORMED_VALUE, check_digests, mismatch
from did_health.vc.published_contexts import published_digests

CONTEXT_V2: Final = "https://www.w3.org/ns/credentials/v2"
CONTEXT_V1: Final = "https://www.w3.org/2018/credentials/v1"


class DataModel(StrEnum):
    """The version of the data model, which the first context tells."""

    V2_0 = "2.0"
    V1_1 = "1.1"


# To look up a member of an enumeration takes as long as a call.
V2_0: Final = DataModel.V2_0
V1_1: Final = DataModel.V1_1

Rule = Callable[[JSON, str], None]
"""Looks at a member's value at a JSON pointer; raises ``FormatError``."""

# The URL Standard's code points after a scheme; http and https need a host. The first alternatives are the usual ones.
_URL: Final = re.compile(
    r"(?:did:|urn:|https?://(?![/?#])|(?!https?:)[A-Za-z][A-Za-z0-9+.-]*:)[!#-;=?-\[\]_a-z~\u00a0-\U0010ffff]+"
)
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)
_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}(?:[ \t]*;.+)?", re.ASCII)
_OFFSET: Final = re.compile(r"(?:Z|[+-]\d\d:\d\d)\Z", re.ASCII)
_LANGUAGE_VALUE_MEMBERS: Final = frozenset(("@value", "@language", "@direction"))
_match_url: Final = _URL.fullmatch


def refusal(what: str, where: str) -> FormatError:
    """The error of this module: ``what`` is wrong at the JSON pointer ``where``."""
    return FormatError(what, where=where, code=MALFORMED_VALUE)


def is_url(value: JSON) -> bool:
    """Whether ``value`` is an absolute URL (DIDs, URNs and data URLs included) of at most ``MAX_URL_CHARACTERS``."""
    return type(value) is str and len(value) <= MAX_URL_CHARACTERS and _match_url(value) is not None


def is_common_url(value: JSON) -> bool:
    """As ``is_url``, for what comes again and again, such as issuers, schemas and status lists: the last few are remembered."""
    return type(value) is str and len(value) <= MAX_URL_CHARACTERS and _matches_url(value)


@lru_cache(maxsize=256)
def _matches_url(text: str) -> bool:
    return _match_url(text) is not None


def data_model(document: JSONObject) -> DataModel:
    """The data model of a credential or presentation, by its first context (§4.3; 1.1 §4.1).

    Every further item must be a URL or an object, and no URL may come twice (it is an ordered set).
    """
    context = document.get("@context")
    if type(context) is not list:
        # A lone string is the compacted form of a set of one.
        context = [context]
    first = context[0] if context else None
    if first == CONTEXT_V2:
        model = V2_0
    elif first == CONTEXT_V1:
        model = V1_1
    else:
        raise refusal("the first context is not that of the Verifiable Credentials data model 2.0 or 1.1", "/@context")
    for position in range(1, len(context)):
        item = context[position]
        if type(item) is not dict and not is_common_url(item):
            raise refusal("a context is neither a URL nor an object", f"/@context/{position}")
        if context.index(item) != position:
            raise refusal("a context comes twice", f"/@context/{position}")
    return model


def types(document: JSONObject, required: str) -> tuple[str, ...]:
    """The values of ``type``, of which one must be ``required`` (§4.5)."""
    value = document.get("type")
    names = type_names(value)
    if names is None:
        raise refusal("type is neither a name nor a list of names", "/type")
    if required not in names:
        raise refusal(f"type does not include {required}", "/type")
    return names


def type_names(value: JSON) -> tuple[str, ...] | None:
    """``value`` as the names of a ``type`` member, one or more, each a term or an absolute URL (§4.5); ``None`` if it is anything else."""
    if type(value) is str:
        return (value,) if _is_type_name(value) else None
    if type(value) is not list or not value:
        return None
    for name in value:
        if not _is_type_name(name):
            return None
    return tuple(value)


def _is_type_name(name: JSON) -> bool:
    # JSON-LD 1.1 §3.1: what looks like a keyword is no term, and a colon makes an IRI of it.
    return type(name) is str and name != "" and name[0] != "@" and (":" not in name or is_common_url(name))


def identifier(value: JSON, where: str) -> None:
    """An ``id``: a single URL (§4.4)."""
    if not is_url(value):
        raise refusal("not a single URL", where)


def party(value: JSON, where: str) -> str:
    """The identifier of an issuer (§4.7) or holder (§4.13): a URL, or an object whose ``id`` is one."""
    if type(value) is dict:
        for member in ("name", "description"):
            if member in value:
                language_values(value[member], f"{where}/{member}")
        value, where = value.get("id"), f"{where}/id"
    if not is_common_url(value):
        raise refusal("not a URL, nor an object with a URL as its id", where)
    return str(value)


def language_values(value: JSON, where: str) -> None:
    """A ``name`` or ``description``: a string, or language value objects, one or more (§4.6, §11.1)."""
    if type(value) is str:
        return
    for position, item in enumerate(value if type(value) is list and value else (value,)):
        place = f"{where}/{position}" if item is not value else where
        if type(item) is str and item is not value:
            continue
        if type(item) is not dict or type(item.get("@value")) is not str:
            raise refusal("neither a string nor a language value object", place)
        if not item.keys() <= _LANGUAGE_VALUE_MEMBERS:
            raise refusal("a language value object has other members than @value, @language and @direction", place)
        language, direction = item.get("@language", "en"), item.get("@direction", "ltr")
        if type(language) is not str or not _LANGUAGE.fullmatch(language):
            raise refusal("not a language tag", f"{place}/@language")
        if direction not in ("ltr", "rtl"):
            raise refusal("neither ltr nor rtl", f"{place}/@direction")


def instant(value: JSON, where: str) -> datetime:
    """A point in time (§4.9), in UTC. A missing offset, which nobody should leave out, means UTC (§5.8)."""
    if type(value) is not str:
        raise refusal("not a timestamp", where)
    if not value.endswith("Z") and not _OFFSET.search(value):
        value += "Z"
    try:
        return timestamps.parse(value)
    except FormatError as error:
        raise FormatError(error.what, where=where, hint=error.hint, code=MALFORMED_VALUE) from error


def validity(document: JSONObject, model: DataModel) -> tuple[datetime | None, datetime | None]:
    """``(validFrom, validUntil)``, of which the first may not be the later one (§4.9); in 1.1 issuanceDate (required) and expirationDate (§4.5, §4.6)."""
    if model is V2_0:
        start_name, end_name = "validFrom", "validUntil"
    else:
        start_name, end_name = "issuanceDate", "expirationDate"
        if start_name not in document:
            raise refusal("the credential has no issuanceDate", "")
    start = instant(document[start_name], "/" + start_name) if start_name in document else None
    end = instant(document[end_name], "/" + end_name) if end_name in document else None
    if start and end and start > end:
        raise refusal(f"{end_name} is before {start_name}", "/" + end_name)
    return start, end


def objects(value: JSON, where: str) -> Sequence[JSONObject]:
    """One object or a list of one or more, as a sequence."""
    if type(value) is dict:
        return (value,)
    if type(value) is not list or not value:
        raise refusal("neither an object nor a list of one or more objects", where)
    for position, item in enumerate(value):
        if type(item) is not dict:
            raise refusal("not an object", f"{where}/{position}")
    return value


def subjects(document: JSONObject) -> None:
    """``credentialSubject``: one object or more, each of which makes a claim (§4.8)."""
    if "credentialSubject" not in document:
        raise refusal("the credential has no credentialSubject", "")
    value = document["credentialSubject"]
    for subject in objects(value, "/credentialSubject"):
        if not subject:
            raise refusal("a credentialSubject makes no claim", _place(value, "/credentialSubject", subject))
        if "id" in subject and not is_url(subject["id"]):
            raise refusal("not a single URL", _place(value, "/credentialSubject", subject, "/id"))


def _place(value: JSON, where: str, item: JSON, member: str = "") -> str:
    """The JSON pointer of ``member`` of ``item``, which is ``value`` itself or one of a list."""
    if value is item:
        return where + member
    position = next(position for position, other in enumerate(value) if other is item)
    return f"{where}/{position}{member}"


def _typed(*, id_required: bool = False, at_most: int | None = None) -> Rule:
    """The rule for objects with a ``type`` and perhaps an ``id``, as most extension points have it."""

    def rule(value: JSON, where: str) -> None:
        found = objects(value, where)
        if at_most is not None and len(found) > at_most:
            raise refusal(f"more than {at_most} objects", where)
        for item in found:
            name = item.get("type")
            if not _is_type_name(name) and type_names(name) is None:
                raise refusal("the object has no type", _place(value, where, item, "/type" if "type" in item else ""))
            if "id" in item:
                if not is_common_url(item["id"]):
                    raise refusal("not a single URL", _place(value, where, item, "/id"))
            elif id_required:
                raise refusal("the object has no id", _place(value, where, item))
            if "digestSRI" in item or "digestMultibase" in item:
                check_digests(item, _place(value, where, item))

    return rule


def _related_resources(value: JSON, where: str) -> None:
    """``relatedResource`` (§5.3): an id of its own each, and a digest."""
    seen: set[str] = set()
    for item in objects(value, where):
        place = _place(value, where, item)
        identifier(item.get("id"), f"{place}/id")
        if item["id"] in seen:
            raise refusal("a related resource comes twice", f"{place}/id")
        seen.add(item["id"])
        if "digestSRI" not in item and "digestMultibase" not in item:
            raise refusal("a related resource has neither digestSRI nor digestMultibase", place)
        check_digests(item, place)
        if "mediaType" in item and (type(item["mediaType"]) is not str or not _MEDIA_TYPE.fullmatch(item["mediaType"])):
            raise refusal("not a media type", f"{place}/mediaType")
        # The packed contexts stand for the published ones, and whoever makes use of a resource has to compute its digest.
        published = published_digests(item["id"])
        if published is not None and (member := mismatch(item, published, place, unknown_fits=True)) is not None:
            raise refusal("the published context has another digest", f"{place}/{member}")


_PROOF: Final = _typed(at_most=MAX_PROOFS)

Rules = tuple[tuple[str, str, Rule], ...]
"""Which members of a document must be what: (name, JSON pointer, rule)."""


def _rules(**rules: Rule) -> Rules:
    return tuple((name, "/" + name, rule) for name, rule in rules.items())


CREDENTIAL_RULES: Final[Mapping[DataModel, Rules]] = MappingProxyType({
    DataModel.V2_0: _rules(
        id=identifier,
        name=language_values,
        description=language_values,
        credentialStatus=_typed(at_most=MAX_STATUS_ENTRIES),  # §4.10
        credentialSchema=_typed(id_required=True),  # §4.11
        proof=_PROOF,  # §4.12
        relatedResource=_related_resources,
        refreshService=_typed(),  # §5.4
        termsOfUse=_typed(),  # §5.5
        evidence=_typed(),  # §5.6
        confidenceMethod=_typed(),  # §5.10
        renderMethod=_typed(),  # §5.10
    ),
    # 1.1 wants an id of a status (§4.9) and a refresh service (§5.3) too, and knows no names, descriptions or related resources.
    DataModel.V1_1: _rules(
        id=identifier,
        credentialStatus=_typed(id_required=True, at_most=MAX_STATUS_ENTRIES),
        credentialSchema=_typed(id_required=True),
        proof=_PROOF,
        refreshService=_typed(id_required=True),
        termsOfUse=_typed(),
        evidence=_typed(),
    ),
})
"""What each optional member of a credential must be; every other member is the issuer's own."""

PRESENTATION_RULES: Final[Rules] = _rules(
    id=identifier,
    proof=_PROOF,
    relatedResource=_related_resources,
    refreshService=_typed(),  # §5.4: for the holder's own use
    termsOfUse=_typed(),
    renderMethod=_typed(),
)
"""The same for presentations (§4.13)."""


def members(document: JSONObject, rules: Rules) -> None:
    """Apply ``rules`` to the members that are there."""
    for name, where, rule in rules:
        if name in document:
            rule(document[name], where)
