"""Packed JSON-LD contexts, compiled: what each term means in each place of a document, as tables that are looked up.

PyLD processes the contexts (JSON-LD 1.1 API §4), so that they mean here what they mean there; what it makes of them is read once and
remembered: a scope is one active context, and the scopes that follow from it (by a type, by a property, by a nested ``@context``) are
worked out when a document first leads into them. What is not simple has no entry: ``Uncompiled`` sends the document the general way.
"""

from __future__ import annotations

import threading
from enum import IntEnum
from typing import Any, Final

from did_health.errors import FormatError
from did_health.limits import MAX_COMPILED_SCOPES
from did_health.vc.contexts import CONTEXTS
from did_health.vc.rdf_loader import closed_loader
from did_health.vc.rdf_terms import RELATIVE_BASE, XSD, is_absolute

_MAX_NAMES: Final = 16
_LOCK: Final = threading.RLock()
# An active context of PyLD: "mappings" of terms to their definitions, "previousContext", and the defaults.
_Active = Any


class Uncompiled(Exception):
    """Inside a document: it is not of the compiled shapes. Never seen by callers."""


class Form(IntEnum):
    """What the value of a term becomes."""

    CONTEXT = 0
    ID = 1
    TYPE = 2
    LITERAL = 3
    REFERENCE = 4
    """An IRI, for the definition says ``"@type": "@id"``."""
    TERM = 5
    """A term of the context, for the definition says ``"@type": "@vocab"``."""


class Container(IntEnum):
    """How the values of a term are held together."""

    SET = 0
    LIST = 1
    GRAPH = 2
    LANGUAGE = 3


class Term:
    """A term in a scope: ``predicate`` and ``suffix`` (what follows a quoted literal: its datatype) are N-Quads."""

    __slots__ = ("_inner", "_values", "container", "form", "is_property", "is_text", "is_typed", "name", "predicate", "scope", "suffix")

    def __init__(self, scope: Scope, name: str, form: Form, *, predicate: str = "", container: Container = Container.SET) -> None:
        self.scope, self.name, self.form = scope, name, form
        self.predicate, self.container = predicate, container
        self.suffix = ""
        self.is_typed = False
        # What is asked of every member is worked out beforehand.
        self.is_property = form > Form.TYPE
        self.is_text = False
        self._values: Scope | None = None
        self._inner: dict[bool, Scope] = {}

    @property
    def values(self) -> Scope:
        """The scope of texts under this term (API §5.1.2 step 4)."""
        if self._values is None:
            self._values = self.scope.under_property(self.name)
        return self._values

    def inner(self, *, alone: bool = False) -> Scope:
        """The scope of objects under this term (§5.1.2 steps 7 and 8); ``alone`` if such an object consists of its id."""
        found = self._inner.get(alone)
        if found is None:
            # A type's own terms do not reach into further objects, but for mere references.
            outer = self.values if alone else self.values.previous
            found = self._inner[alone] = outer.under_property(self.name, defined_in=self.values)
        return found


class _Terms(dict[str, Term]):
    """The terms of a scope that documents have used."""

    __slots__ = ("scope",)

    def __init__(self, scope: Scope) -> None:
        super().__init__({"@context": Term(scope, "@context", Form.CONTEXT)})
        self.scope = scope

    def __missing__(self, name: str) -> Term:
        self[name] = term = _compiled(self.scope, name)
        return term


class Scope:
    """One active context, and its tables."""

    __slots__ = ("_following", "_table", "active", "id_names", "prefixes", "previous", "terms", "type_names")

    def __init__(self, table: _Table, active: _Active, previous: Scope | None) -> None:
        self._table, self.active = table, active
        self.previous = previous or self
        self._following: dict[tuple[str, ...], tuple[Scope, tuple[str, ...]]] = {}
        defined = {name: mapping for name, mapping in active["mappings"].items() if mapping and not name.startswith("@")}
        self.id_names = frozenset(name for name, mapping in defined.items() if mapping.get("@id") == "@id")
        self.type_names = tuple(name for name, mapping in defined.items() if mapping.get("@id") == "@type")
        self.prefixes = frozenset(name for name, mapping in defined.items() if mapping.get("_prefix"))
        self.terms = _Terms(self)

    def iri(self, term: str) -> str:
        """The IRI of a term that stands as a value, in angle brackets."""
        mapping = self.active["mappings"].get(term)
        if not mapping or not isinstance(mapping.get("@id"), str) or mapping["@id"].startswith(("@", "_:")) or not is_absolute(mapping["@id"]):
            raise Uncompiled
        return f"<{mapping['@id']}>"

    def of_types(self, types: tuple[str, ...]) -> tuple[Scope, tuple[str, ...]]:
        """``(the scope inside an object of these types, their IRIs)`` (§5.1.2 step 11)."""
        key = ("@type", *types)
        found = self._following.get(key)
        if found is None:
            self._table.remember(types)
            iris = tuple(self.iri(name) for name in types)
            active = self.active
            for name in sorted(types):
                local = self.active["mappings"][name].get("@context")
                if local is not None and local is not False:
                    active = self._table.process(active, local, propagate=False)
            found = self._following[key] = (self._following_scope(active), iris)
        return found

    def under_contexts(self, urls: tuple[str, ...]) -> Scope:
        """The scope inside an object with this ``@context`` (§5.1.2 step 9)."""
        key = ("@context", *urls)
        found = self._following.get(key)
        if found is None:
            self._table.remember(urls)
            if not urls or not all(url in CONTEXTS for url in urls):
                raise Uncompiled
            found = self._following[key] = (self._following_scope(self._table.process(self.active, list(urls))), ())
        return found[0]

    def under_property(self, name: str, *, defined_in: Scope | None = None) -> Scope:
        """The scope that the definition of the term ``name`` opens for its values."""
        mapping = (defined_in or self).active["mappings"].get(name)
        local = mapping.get("@context") if mapping else None
        if local is None:
            return self
        return self._following_scope(self._table.process(self.active, local, override_protected=True))

    def _following_scope(self, active: _Active) -> Scope:
        if active is self.active:
            return self
        before = active.get("previousContext")
        known = (scope for scope in (self, self.previous) if scope.active is before)
        return self._table.scope(active, None if before is None else next(known, None) or self._table.scope(before, None))


class _Table:
    """All scopes since the last clearing, and PyLD with its own memory of the contexts."""

    def __init__(self) -> None:
        from pyld import ContextResolver, jsonld

        self._error: type[Exception] = jsonld.JsonLdError
        self._processor = jsonld.JsonLdProcessor()
        loader = closed_loader()
        self._options = {
            "base": RELATIVE_BASE,
            "contextResolver": ContextResolver({}, loader),
            "documentLoader": loader,
            "processingMode": "json-ld-1.1",
        }
        self._remembered = 0
        self.root = Scope(self, self._processor.process_context(None, None, self._options), None)

    @property
    def full(self) -> bool:
        """Whether nothing more may be compiled into it."""
        return self._remembered >= MAX_COMPILED_SCOPES

    def remember(self, names: tuple[str, ...] = ()) -> None:
        """Count what is about to be remembered, under so many names; raises ``Uncompiled`` where that is too much."""
        if self.full or len(names) > _MAX_NAMES:
            raise Uncompiled
        self._remembered += 1

    def scope(self, active: _Active, previous: Scope | None) -> Scope:
        """A new scope."""
        self.remember()
        return Scope(self, active, previous)

    def process(self, active: _Active, local: Any, **options: bool) -> _Active:
        """The active context after ``local`` (§4.1.2)."""
        # PyLD's memory is not made for several threads.
        with _LOCK:
            try:
                return self._processor._process_context(active, local, self._options, **options)
            # It explains itself better when it has the whole document.
            except (self._error, FormatError, LookupError, TypeError, ValueError, AttributeError) as error:
                raise Uncompiled from error


class _Memory:
    """The table in use, begun anew when documents have led into too many scopes."""

    table: _Table | None = None


def root_scope() -> Scope:
    """The scope before any context; forgets everything that was compiled when that has become ``MAX_COMPILED_SCOPES``."""
    table = _Memory.table
    if table is None or table.full:
        with _LOCK:
            table = _Memory.table = _Table()
    return table.root


def _compiled(scope: Scope, name: str) -> Term:
    mapping = scope.active["mappings"].get(name)
    # Colons: see plain_json. Keywords other than these two, reversed and nested properties stay outside.
    if not mapping or ":" in name or name.startswith("@") or mapping.get("reverse") or "@nest" in mapping or not isinstance(mapping.get("@id"), str):
        raise Uncompiled
    iri = mapping["@id"]
    if iri in ("@id", "@type"):
        if "@context" in mapping:
            raise Uncompiled
        return Term(scope, name, Form.ID if iri == "@id" else Form.TYPE)
    if iri.startswith(("@", "_:")) or not is_absolute(iri):
        raise Uncompiled
    return _property(scope, name, iri, mapping)


def _property(scope: Scope, name: str, iri: str, mapping: Any) -> Term:
    term = Term(scope, name, Form.LITERAL, predicate=f"<{iri}>", container=_container(frozenset(mapping.get("@container", ())) - {"@set"}))
    values = term.values.active
    if any(defaults.get(part) for defaults in (values, mapping) for part in ("@language", "@direction")):
        raise Uncompiled
    within = values["mappings"].get(name)
    if within is None and term.container is Container.GRAPH:
        # The term means nothing under its own context, so that its values are objects, each with its own context.
        return term
    # Under the term's own context the definition may be another one: then nothing is simple.
    if within is None or any(within.get(part) != mapping.get(part) for part in _DEFINING):
        raise Uncompiled
    datatype = mapping.get("@type")
    if datatype == "@id":
        term.form = Form.REFERENCE
    elif datatype == "@vocab":
        term.form = Form.TERM
    elif datatype is not None:
        # JSON literals, and numbers that have a canonical form, are work for PyLD.
        if datatype.startswith("@") or datatype == f"{XSD}double" or not is_absolute(datatype):
            raise Uncompiled
        term.suffix = "" if datatype == f"{XSD}string" else f"^^<{datatype}>"
    term.is_typed = datatype is not None
    term.is_text = term.form is Form.LITERAL and term.container is Container.SET
    return term


_DEFINING: Final = ("@id", "@type", "@container", "@language", "@direction", "@context")
_CONTAINERS: Final = {
    frozenset[str](): Container.SET,
    frozenset({"@list"}): Container.LIST,
    frozenset({"@graph"}): Container.GRAPH,
    frozenset({"@language"}): Container.LANGUAGE,
}


def _container(names: frozenset[str]) -> Container:
    if names not in _CONTAINERS:
        raise Uncompiled
    return _CONTAINERS[names]
