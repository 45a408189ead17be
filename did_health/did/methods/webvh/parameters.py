"""The parameters of a log entry and the active set that results (did:webvh 1.0, "DID Method Parameters", "Witness Lists")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from did_health.did.methods.webvh.proof import key_of_did_key
from did_health.did.methods.webvh.urls import require_scid
from did_health.encoding import multikey
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, UnsupportedError
from did_health.limits import MAX_DID_WITNESSES

METHOD: Final = "did:webvh:1.0"
DEFAULT_TTL: Final = 3600
_MAX_TTL: Final = 1 << 31


@dataclass(frozen=True, slots=True)
class WitnessList:
    """Who must approve entries: ``threshold`` of the did:key DIDs ``witnesses``. False (in a condition) when there are none."""

    threshold: int = 0
    witnesses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.witnesses and not self.threshold:
            return
        if len(self.witnesses) > MAX_DID_WITNESSES:
            raise FormatError(f"there are more than {MAX_DID_WITNESSES} witnesses", where="/witness/witnesses")
        if len(set(self.witnesses)) != len(self.witnesses):
            raise FormatError("a witness is named twice", where="/witness/witnesses", hint="One witness would count as two")
        if not 1 <= self.threshold <= len(self.witnesses):
            raise FormatError("the witness threshold is not between 1 and the number of witnesses", where="/witness/threshold")
        for witness in self.witnesses:
            key_of_did_key(witness)

    @classmethod
    def parse(cls, value: JSON) -> WitnessList:
        """The value of the ``witness`` parameter; ``{}`` is nobody. Raises ``FormatError``."""
        if value == {}:
            return NO_WITNESSES
        if not isinstance(value, dict) or set(value) != {"threshold", "witnesses"}:
            raise FormatError("the witness parameter is not {} and does not hold just threshold and witnesses", where="/witness")
        if type(value["threshold"]) is not int or not isinstance(value["witnesses"], list) or not value["witnesses"]:
            raise FormatError("the witness parameter does not hold an integer and a list", where="/witness")
        for witness in value["witnesses"]:
            # Weights were a rule of version 0.5; to ignore one would misread what the controller wanted.
            if not isinstance(witness, dict) or set(witness) != {"id"} or not isinstance(witness["id"], str):
                raise FormatError("a witness is not an object with just an id", where="/witness/witnesses")
        return cls(value["threshold"], tuple(witness["id"] for witness in value["witnesses"]))

    def to_json(self) -> JSONObject:
        """The value of the ``witness`` parameter."""
        return {"threshold": self.threshold, "witnesses": [{"id": witness} for witness in self.witnesses]} if self else {}

    def __bool__(self) -> bool:
        return bool(self.witnesses)


NO_WITNESSES: Final = WitnessList()


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters in force after an entry, defaults included; ``ttl`` in seconds."""

    method: str
    scid: str
    update_keys: tuple[str, ...]
    next_key_hashes: tuple[str, ...] = ()
    witness: WitnessList = NO_WITNESSES
    watchers: tuple[str, ...] = ()
    portable: bool = False
    deactivated: bool = False
    ttl: int = DEFAULT_TTL

    @property
    def pre_rotation(self) -> bool:
        """Whether the next entry must use keys committed to in ``next_key_hashes``."""
        return bool(self.next_key_hashes)


@dataclass(frozen=True, slots=True)
class ParameterChanges:
    """The ``parameters`` member of one entry: only what it sets; ``None`` means "not set here"."""

    method: str | None = None
    scid: str | None = None
    update_keys: tuple[str, ...] | None = None
    next_key_hashes: tuple[str, ...] | None = None
    witness: WitnessList | None = None
    watchers: tuple[str, ...] | None = None
    portable: bool | None = None
    deactivated: bool | None = None
    ttl: int | None = None

    @classmethod
    def parse(cls, value: JSON) -> ParameterChanges:
        """Raises ``FormatError`` for an undefined parameter or a value out of its domain, ``UnsupportedError`` for another method version."""
        if not isinstance(value, dict):
            raise FormatError("the parameters are not a JSON object")
        changes: dict[str, Any] = {}
        for name, member in value.items():
            if name not in _PARSERS:
                raise FormatError(f"a parameter is not defined by {METHOD}")
            attribute, parse = _PARSERS[name]
            # Deprecated: null in place of the default of some parameters (note in "General Rules for Parameters").
            changes[attribute] = _DEFAULTS[name] if member is None and name in _DEFAULTS else parse(member, f"/{name}")
        return cls(**changes)

    def to_json(self) -> JSONObject:
        """The ``parameters`` member that says this."""
        result: JSONObject = {}
        for name, (attribute, _) in _PARSERS.items():
            member = getattr(self, attribute)
            if member is not None:
                result[name] = list(member) if isinstance(member, tuple) else member.to_json() if isinstance(member, WitnessList) else member
        return result

    def begin(self) -> Parameters:
        """The active set after the first entry; raises ``FormatError`` if a required parameter is missing."""
        if self.method is None or self.scid is None or self.update_keys is None:
            raise FormatError("the first entry does not set method, scid and updateKeys")
        return Parameters(**self._set())

    def apply(self, previous: Parameters) -> Parameters:
        """The active set after a later entry.

        Raises ``FormatError`` for what only the first entry may set and for what pre-rotation demands and this entry lacks.
        """
        if self.scid is not None:
            raise FormatError("the scid stands in the first entry only", where="/scid")
        if self.portable and not previous.portable:
            raise FormatError("a DID becomes portable in its first entry or never", where="/portable")
        if previous.pre_rotation and (self.update_keys is None or self.next_key_hashes is None):
            raise FormatError("pre-rotation is active and the entry does not set both updateKeys and nextKeyHashes", where="/nextKeyHashes")
        return replace(previous, **self._set())

    def _set(self) -> dict[str, Any]:
        return {field.name: member for field in fields(self) if (member := getattr(self, field.name)) is not None}


def _parse_method(value: JSON, where: str) -> str:
    if not isinstance(value, str):
        raise FormatError("the method is not a text", where=where)
    if value != METHOD:
        raise UnsupportedError(f"only {METHOD} is spoken here", where=where)
    return value


def _parse_scid(value: JSON, where: str) -> str:
    if not isinstance(value, str):
        raise FormatError("the scid is not a text", where=where)
    return require_scid(value)


def _parse_flag(value: JSON, where: str) -> bool:
    if not isinstance(value, bool):
        raise FormatError("the parameter is not true or false", where=where)
    return value


def _parse_texts(value: JSON, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise FormatError("the parameter is not a list of texts", where=where)
    if len(set(value)) != len(value):
        raise FormatError("the parameter holds a text twice", where=where)
    return tuple(value)


def _parse_keys(value: JSON, where: str) -> tuple[str, ...]:
    keys = _parse_texts(value, where)
    for key in keys:
        _require_multikey(key)
    return keys


@lru_cache(maxsize=4096)
def _require_multikey(text: str) -> None:
    """Any known kind of key may be listed, although only Ed25519 keys can sign an entry."""
    multikey.decode(text)


def _parse_ttl(value: JSON, where: str) -> int:
    if type(value) is not int or not 0 <= value <= _MAX_TTL:
        raise FormatError("the ttl is not an integer from 0 to 2^31", where=where)
    return value


_PARSERS: Final[Mapping[str, tuple[str, Callable[[JSON, str], object]]]] = MappingProxyType({
    "method": ("method", _parse_method),
    "scid": ("scid", _parse_scid),
    "updateKeys": ("update_keys", _parse_keys),
    "nextKeyHashes": ("next_key_hashes", _parse_texts),
    "witness": ("witness", lambda value, _: WitnessList.parse(value)),
    "watchers": ("watchers", _parse_texts),
    "portable": ("portable", _parse_flag),
    "deactivated": ("deactivated", _parse_flag),
    "ttl": ("ttl", _parse_ttl),
})
_DEFAULTS: Final[Mapping[str, object]] = MappingProxyType({
    "updateKeys": (), "nextKeyHashes": (), "witness": NO_WITNESSES, "watchers": (), "ttl": DEFAULT_TTL
})
