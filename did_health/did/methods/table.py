"""The read-only table of DID methods. A new method is one module and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from did_health.did.method import Method
from did_health.did.methods import jwk, key, web
from did_health.did.methods.webvh.method import METHOD as WEBVH

_METHODS: Final[tuple[Method, ...]] = (
    key.METHOD,
    jwk.METHOD,
    web.METHOD,
    WEBVH,
)

METHODS: Final[Mapping[str, Method]] = MappingProxyType({method.name: method for method in _METHODS})
