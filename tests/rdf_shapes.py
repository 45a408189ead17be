"""JSON-LD documents on the border of what compiled contexts cover, drawn along the terms that each place of a document knows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from hypothesis import strategies as st

from did_health.vc import contexts, rdf, rdf_compiled, rdf_loader
from did_health.vc.rdf_compiled import Scope, Uncompiled, root_scope

SHAPES = "https://shapes.example/v1"
MORE = "https://shapes.example/more"
XSD = "http://www.w3.org/2001/XMLSchema#"
CONTEXTS = {
    SHAPES: {
        "@context": {
            "@version": 1.1,
            "id": "@id",
            "type": "@type",
            "kind": "@type",
            "text": "urn:s:text",
            "string": {"@id": "urn:s:string", "@type": f"{XSD}string"},
            "number": {"@id": "urn:s:number", "@type": f"{XSD}integer"},
            "double": {"@id": "urn:s:double", "@type": f"{XSD}double"},
            "when": {"@id": "urn:s:when", "@type": f"{XSD}dateTime"},
            "link": {"@id": "urn:s:link", "@type": "@id"},
            "links": {"@id": "urn:s:link", "@type": "@id", "@container": "@set"},
            "choice": {"@id": "urn:s:choice", "@type": "@vocab"},
            "sequence": {"@id": "urn:s:sequence", "@container": "@list"},
            "route": {"@id": "urn:s:route", "@type": "@id", "@container": "@list"},
            "title": {"@id": "urn:s:title", "@container": "@language"},
            "titles": {"@id": "urn:s:titles", "@container": ["@language", "@set"]},
            "scroll": {"@id": "urn:s:scroll", "@type": "@json"},
            "part": {"@id": "urn:s:part", "@type": "@id", "@container": "@graph"},
            "parts": {"@id": "urn:s:parts", "@container": ["@graph", "@set"]},
            "fresh": {"@id": "urn:s:fresh", "@context": None},
            "freshPart": {"@id": "urn:s:freshPart", "@type": "@id", "@container": "@graph", "@context": None},
            "deep": {"@id": "urn:s:deep", "@context": {"text": "urn:deep:text", "inside": "urn:deep:inside", "Thing": "urn:deep:Thing"}},
            "deepChoice": {"@id": "urn:s:deepChoice", "@type": "@vocab", "@context": {"north": "urn:deep:north", "choice": {"@id": "urn:x", "@type": "@id"}}},
            "changing": {"@id": "urn:s:changing", "@context": {"changing": {"@id": "urn:s:changed", "@type": "@id"}}},
            "tongued": {"@id": "urn:s:tongued", "@context": {"@language": "fr"}},
            "renamed": {"@id": "urn:s:renamed", "@context": {"id": "urn:s:id", "key": "@id", "type": "urn:s:type", "class": "@type"}},
            "Thing": {"@id": "urn:s:Thing", "@context": {"text": "urn:thing:text", "own": {"@id": "urn:thing:own", "@type": "@id"}, "id": "@id"}},
            "Other": {"@id": "urn:s:Other", "@context": {"own": "urn:other:own", "choice": {"@id": "urn:other:choice", "@container": "@list"}}},
            "Flow": {"@id": "urn:s:Flow", "@context": {"@propagate": True, "flowing": "urn:s:flowing"}},
            "Keyed": {"@id": "urn:s:Keyed", "@context": {"key": "@id", "link": None, "did": {"@id": "https://did.example/", "@prefix": True}}},
            "Untyped": {"@id": "urn:s:Untyped", "@context": {"type": "urn:s:type"}},
            "identity": {"@id": "@id", "@context": {"text": "urn:identity:text"}},
            "Plain": "urn:s:Plain",
            "pre": {"@id": "https://pre.example/", "@prefix": True},
            "indexed": {"@id": "urn:s:indexed", "@container": "@index"},
            "back": {"@reverse": "urn:s:back"},
            "bundle": "@nest",
            "bundled": {"@id": "urn:s:bundled", "@nest": "bundle"},
            "label": {"@id": "urn:s:label", "@language": "en"},
            "tilted": {"@id": "urn:s:tilted", "@direction": "rtl"},
            "any": {"@id": "urn:s:any", "@type": "@none"},
            "blank": "_:property",
            "nothing": None,
            "contents": "@graph",
            "value": "@value",
            "https": "urn:s:https",
            "urn:s:written": "urn:s:written",
        }
    },
    MORE: {"@context": {"text": "urn:more:text", "guarded": {"@id": "urn:more:guarded", "@protected": True}, "link": "urn:more:link"}},
}
EVERY = {**dict(contexts.CONTEXTS), **CONTEXTS}

AMBIGUOUS = {"text", "link", "own", "choice", "guarded", "changing", "deep", "deepChoice", "part", "freshPart", "links", "title", "sequence"} | {
    "credentialSubject", "evidence", "issuer", "name", "proof", "proofPurpose", "restrictions", "credentialStatus", "verifiableCredential", "holder"
}
"""Terms that mean different things in different places, or lead to places where others do."""

odd_names = st.sampled_from(["undefined", "pre:x", "urn:p", "@id", "@type", "@graph", "@value", "@language", "@index", "@included", "kind", "nothing", ""])
iris = st.sampled_from(["urn:a", "urn:b", "https://a.example/#x", "did:key:z6Mk#z6Mk", "mailto:a@b.example", "pre://x", "pre:x", "https://a.example/?b='e'"])
odd_texts = st.sampled_from(
    ["", "x", "_:b0", "@id", "@none", "/path", "relative-reference://document/x", "urn:\u00a0", "urn:a b", "urn:é", "Thing", "urn:<", "1", "\ud800"]
)
texts = st.sampled_from(["MD", "Ärztin", "2026-01-01T00:00:00Z", 'a "quoted" \\ one', "line\nbreak\x7f", "\u2028", "5"]) | st.text(max_size=6)
numbers = st.sampled_from([0, 1, -7, 2**53 - 1, 2**53, -(2**53), 10**21, True, False, 1.0, 1.5, 1e300])
languages = st.sampled_from(["en", "de-AT", "EN", "x_y", "", "@none", "text", "urn"])


@contextmanager
def more_contexts() -> Iterator[None]:
    """Both contexts of ``CONTEXTS`` as if they were packed, and nothing compiled so far."""
    with ExitStack() as patches:
        for module in (rdf, rdf_compiled, rdf_loader):
            patches.enter_context(mock.patch.object(module, "CONTEXTS", EVERY))
        patches.enter_context(mock.patch.object(rdf, "_PROCESSED", threading.local()))
        # What is drawn must not depend on what was compiled before.
        patches.enter_context(mock.patch.object(rdf_compiled, "MAX_COMPILED_SCOPES", 1 << 20))
        patches.enter_context(mock.patch.object(rdf_compiled._Memory, "table", None))
        yield


@st.composite
def documents(draw: st.DrawFn, known: tuple[str, ...]) -> dict[str, Any]:
    """A document under one to three of the contexts ``known``, most of it in the compiled shapes."""
    urls = draw(st.lists(st.sampled_from(known), min_size=1, max_size=3))
    try:
        scope = root_scope().under_contexts(tuple(urls))
    except Uncompiled:
        return {"@context": urls, "id": "urn:a", "type": "Thing"}
    return {"@context": urls if len(urls) > 1 or draw(st.booleans()) else urls[0], **_members(draw, scope, known, 3)}


def _members(draw: st.DrawFn, scope: Scope, known: tuple[str, ...], depth: int) -> dict[str, Any]:
    members: dict[str, Any] = {}
    if scope.type_names and draw(st.booleans()):
        names = sorted(name for name, mapping in scope.active["mappings"].items() if mapping and name[0].isupper())
        types = draw(st.lists(st.sampled_from(names) if names and not _seldom(draw) else odd_texts, min_size=1, max_size=3))
        members[draw(st.sampled_from(sorted(scope.type_names)))] = types[0] if len(types) == 1 else types
        try:
            scope = scope.of_types(tuple(types))[0]
        except (Uncompiled, LookupError):
            return members
    if scope.id_names and draw(st.booleans()):
        members[draw(st.sampled_from(sorted(scope.id_names)))] = draw(odd_texts if _seldom(draw) else iris)
    names = sorted(name for name, mapping in scope.active["mappings"].items() if mapping and mapping["@id"] not in ("@id", "@type"))
    known_names = [name for name in names if _is_compiled(scope, name)]
    ambiguous = [name for name in known_names if name in AMBIGUOUS]
    for _ in range(draw(st.integers(0, 3))):
        choice = ambiguous if ambiguous and draw(st.booleans()) else known_names
        name = draw(odd_names | st.sampled_from(names or [""]) if _seldom(draw) or not choice else st.sampled_from(choice))
        members[name] = _value(draw, scope, name, known, depth)
    return members


def _is_compiled(scope: Scope, name: str) -> bool:
    try:
        return bool(scope.terms[name].name)
    except Uncompiled:
        return False


def _value(draw: st.DrawFn, scope: Scope, name: str, known: tuple[str, ...], depth: int) -> Any:
    mapping = scope.active["mappings"].get(name) or {}
    size = draw(st.sampled_from([None, None, None, 1, 2, 3, 0] if _seldom(draw) else [None, None, None, 1, 2, 3]))
    one = [_single(draw, scope, name, mapping, known, depth) for _ in range(size or 1)]
    return one[0] if size is None else one[:size]


def _single(draw: st.DrawFn, scope: Scope, name: str, mapping: dict[str, Any], known: tuple[str, ...], depth: int) -> Any:
    if _seldom(draw):
        return draw(numbers | odd_texts | st.none())
    if "@language" in mapping.get("@container", ()) and draw(st.booleans()):
        return draw(st.dictionaries(languages, texts | st.lists(texts, max_size=2), max_size=2))
    wants_object = "@graph" in mapping.get("@container", ()) or draw(st.integers(0, 2)) == 0
    if wants_object and depth:
        return _object(draw, scope, name, known, depth)
    if mapping.get("@type") == "@id":
        return draw(iris)
    if mapping.get("@type") == "@vocab":
        return draw(st.sampled_from(["Thing", "Other", "Plain", "north", "choice", "assertionMethod", "authentication"]))
    return draw(texts | numbers if _seldom(draw) else texts)


def _object(draw: st.DrawFn, scope: Scope, name: str, known: tuple[str, ...], depth: int) -> Any:
    if _seldom(draw):
        return {"@value": draw(texts), **draw(st.dictionaries(st.sampled_from(["@language", "@type", "@direction"]), languages, max_size=1))}
    try:
        inner = scope.terms[name].inner()
    except Uncompiled:
        inner = scope
    nested = {}
    if draw(st.integers(0, 7)) == 0 or not inner.active["mappings"]:
        urls = draw(st.lists(st.sampled_from(known), min_size=1, max_size=2))
        nested = {"@context": urls}
        try:
            inner = inner.under_contexts(tuple(urls))
        except Uncompiled:
            return nested
    return {**nested, **_members(draw, inner, known, depth - 1)}


def _seldom(draw: st.DrawFn) -> bool:
    return draw(st.integers(0, 24)) == 0
