"""JSON-LD contexts, packed with the library and never fetched.

The third-party ones are facts kept as normalised JSON in ``packed_contexts`` and pinned here by the SHA-256 of their JCS form; ours is
``schemas/contexts/did-health-v1.json``. Contexts that only help examples along by defining every term are not packed: with them,
nobody would notice an undefined one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, TypeAlias

from did_health.encoding import strict_json
from did_health.encoding.jcs import canonicalize
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.vc.packaged import schema_file

Contexts: TypeAlias = Mapping[str, JSONObject]
"""JSON-LD context documents by URL."""

CREDENTIALS_V1: Final = "https://www.w3.org/2018/credentials/v1"
CREDENTIALS_V2: Final = "https://www.w3.org/ns/credentials/v2"
DATA_INTEGRITY_V2: Final = "https://w3id.org/security/data-integrity/v2"
ED25519_2020_V1: Final = "https://w3id.org/security/suites/ed25519-2020/v1"
DID_HEALTH_V1: Final = "https://did-health.example/contexts/v1"

PINNED: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({
    "https://www.w3.org/2018/credentials/v1": ("credentials-v1.json", "b01e671e873981f19a9102a9a57f666dbcaeb31b99e3e124378d143e71549247"),
    "https://www.w3.org/ns/credentials/v2": ("credentials-v2.json", "b463c8d6a066214123ddd9827b135e1b50e1fc73322cc52a9b12a4f1fc7d86cf"),
    "https://w3id.org/security/data-integrity/v1": ("data-integrity-v1.json", "9505bf85338a4c2121ad03992ac90061bc85d43bcfa34d9d47b779381cf08b5f"),
    "https://w3id.org/security/data-integrity/v2": ("data-integrity-v2.json", "7ba3c50acf2689d5e07927267343eb353249c7c22a9f2d00307cc970e855e305"),
    "https://w3id.org/security/multikey/v1": ("multikey-v1.json", "be20c3ee6af6e9c4102e66a85c26617831218e32216bdf050f870e389e737cdc"),
    "https://w3id.org/security/jwk/v1": ("jwk-v1.json", "38dd329a9a011facda06afc4ba43a121980eaedbd1f974268026d157926bc086"),
    "https://www.w3.org/ns/cid/v1": ("cid-v1.json", "9fc257da5b37784ca2b07c3ad666f5ff9beea846a360ddd229fd0b44972015c8"),
    "https://www.w3.org/ns/did/v1": ("did-v1.json", "a7e146c40fcec005d3f0f14ae745665f446da58d7914a9d8f733746686fad82b"),
    "https://www.w3.org/ns/did/v1.1": ("cid-v1.json", "9fc257da5b37784ca2b07c3ad666f5ff9beea846a360ddd229fd0b44972015c8"),
    "https://www.w3.org/ns/credentials/status/v1": ("credentials-status-v1.json", "b2fcebfbaf4e6beae2be370fda8a5f9f99c28540c798a75a8cdccc0fb1a12492"),
    "https://w3id.org/vc/status-list/2021/v1": ("vc-status-list-2021-v1.json", "9768f9aa81ab6c3e2ad96b2d669eaba67afe13fff0140a853f1e3d313fab13b6"),
    "https://w3id.org/security/suites/ed25519-2020/v1": ("ed25519-2020-v1.json", "2d1dbbda79af01db58142b221b60d808559cfdb19f185ffe1346de9e25e1c90f"),
})
"""URL to ``(file, SHA-256 of the JCS form)``. DID 1.1 and Controlled Identifiers 1.0 share one document."""


class _Contexts(Mapping[str, JSONObject]):
    """Contexts by URL, each read and checked when it is first asked for."""

    def __getitem__(self, url: str) -> JSONObject:
        if url == DID_HEALTH_V1:
            return _own()
        return _packed(*PINNED[url])

    def __iter__(self) -> Iterator[str]:
        yield from PINNED
        yield DID_HEALTH_V1

    def __len__(self) -> int:
        return len(PINNED) + 1


CONTEXTS: Final[Contexts] = _Contexts()
"""Context documents by URL. What it gives is shared: read it, never change it. Raises ``FormatError`` when a file is not the pinned one."""


@cache
def _packed(name: str, digest: str) -> JSONObject:
    context = strict_json.loads_object(files("did_health.vc").joinpath("packed_contexts", name).read_bytes(), what=f"packed context {name}")
    if hashlib.sha256(canonicalize(context)).hexdigest() != digest:
        raise FormatError(f"the packed context {name} is not the pinned one", hint="Install did-health again")
    return context


@cache
def _own() -> JSONObject:
    return strict_json.loads_object(schema_file("contexts/did-health-v1.json"), what="context of did-health")
