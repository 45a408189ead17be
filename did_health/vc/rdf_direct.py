"""From a plain JSON-LD document straight to its RDF statements, by compiled contexts; whatever is not plain has to go the general way.

Expansion (JSON-LD 1.1 API §5.1) and conversion to RDF (§8.1) in one pass, for documents in which nothing is dropped, nothing is
relative and nothing depends on the order of members: terms of packed contexts, texts, safe integers, booleans, objects, lists, graphs,
language maps. A property test holds its statements against PyLD's.
"""

from __future__ import annotations

import re
from typing import Final

from did_health.encoding.strict_json import JSON, JSONObject
from did_health.limits import MAX_COMPILED_DEPTH
from did_health.vc.rdf_canon import Quad
from did_health.vc.rdf_compiled import Container, Form, Scope, Term, Uncompiled, root_scope
from did_health.vc.rdf_terms import LANGUAGE_TAG, RDF, RELATIVE_BASE, XSD, literal

_TYPE: Final = f"<{RDF}type>"
_FIRST: Final = f"<{RDF}first>"
_REST: Final = f"<{RDF}rest>"
_NIL: Final = f"<{RDF}nil>"
# A member of an enumeration takes longer to look up than all that is done with it.
_ID, _TYPE_FORM, _LITERAL, _REFERENCE = Form.ID, Form.TYPE, Form.LITERAL, Form.REFERENCE
_SET, _LIST, _GRAPH = Container.SET, Container.LIST, Container.GRAPH
_MAX_SAFE_INTEGER: Final = (1 << 53) - 1
# Without the letters beyond ASCII, of which PyLD takes some for white space.
_PLAIN_IRI: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):[!#-;=?-\[\]_a-z~]*")
_RELATIVE_SCHEME: Final = RELATIVE_BASE.partition(":")[0]


def direct_quads(document: JSONObject) -> list[Quad] | None:
    """The RDF dataset of ``document``, its blank nodes labelled arbitrarily; None for a document that must go the general way.

    A document that is read here is also plain in the sense of ``plain_json``. Needs PyLD.
    """
    if type(document) is not dict:
        return None
    reading = _Reading()
    try:
        reading.node(document, root_scope(), "", 0)
    except Uncompiled:
        return None
    return reading.quads


class _Reading:
    """The statements of one document so far."""

    __slots__ = ("blank_nodes", "quads")

    def __init__(self) -> None:
        self.quads: list[Quad] = []
        self.blank_nodes = 0

    def blank(self) -> str:
        self.blank_nodes += 1
        return f"_:b{self.blank_nodes}"

    def node(self, members: JSONObject, scope: Scope, graph: str, depth: int) -> str:
        """The statements about a node object; its subject."""
        if depth > MAX_COMPILED_DEPTH:
            raise Uncompiled
        if "@context" in members:
            scope = scope.under_contexts(_names(members["@context"]))
        types: tuple[str, ...] = ()
        type_name = id_name = ""
        for name in scope.type_names:
            if name in members:
                type_name = name
                scope, types = scope.of_types(_names(members[name]))
                break
        for name in scope.id_names:
            if name in members:
                id_name = name
                subject = _iri(members[name], scope)
                break
        else:
            subject = self.blank()
        quads = self.quads
        for iri in types:
            quads.append((subject, _TYPE, iri, graph))
        terms = scope.terms
        for name, value in members.items():
            term = terms[name]
            if term.is_text and type(value) is str:
                quads.append((subject, term.predicate, literal(value) + term.suffix, graph))
            elif term.is_property:
                self.values(value, term, subject, graph, depth)
            elif (term.form is _ID and name != id_name) or (term.form is _TYPE_FORM and name != type_name):
                raise Uncompiled
        if type_name and terms[type_name].form is not _TYPE_FORM:
            raise Uncompiled
        return subject

    def values(self, value: JSON, term: Term, subject: str, graph: str, depth: int) -> None:
        """The statements that a member of a node object makes."""
        items = value if type(value) is list else [value]
        # An empty array says something to those who read the JSON, and nothing in RDF.
        if not items:
            raise Uncompiled
        if len(items) > 1:
            _refuse_same_ids(items)
        quads, predicate = self.quads, term.predicate
        if term.container is _SET:
            for item in items:
                quads.append((subject, predicate, self.object(item, term, graph, depth), graph))
        elif term.container is _GRAPH:
            for item in items:
                inner = self.blank()
                quads.append((subject, predicate, inner, graph))
                self.graph(item, term, inner, depth)
        elif term.container is _LIST:
            quads.append((subject, predicate, self.list(items, term, graph, depth), graph))
        else:
            for item in items:
                if type(item) is dict and type(value) is dict:
                    quads.extend((subject, predicate, text, graph) for text in _tagged(item, term))
                else:
                    quads.append((subject, predicate, self.object(item, term, graph, depth), graph))

    def object(self, value: JSON, term: Term, graph: str, depth: int) -> str:
        """What a single value is as the object of a statement, after the statements about it."""
        kind = type(value)
        if kind is dict:
            if "@value" in value:
                return _value_object(value)
            alone = len(value) == 1 and not term.values.id_names.isdisjoint(value)
            return self.node(value, term.inner(alone=alone), graph, depth + 1)
        if kind is str:
            if term.form is _LITERAL:
                return literal(value) + term.suffix
            return _iri(value, term.values) if term.form is _REFERENCE else term.values.iri(value)
        if term.form is not _LITERAL:
            raise Uncompiled
        return _native(value, term)

    def graph(self, value: JSON, term: Term, name: str, depth: int) -> None:
        if type(value) is not dict or "@value" in value or len(value) == 1:
            raise Uncompiled
        self.node(value, term.inner(), name, depth + 1)

    def list(self, items: list[JSON], term: Term, graph: str, depth: int) -> str:
        """The head of an RDF collection (§8.3)."""
        following = _NIL
        for item in reversed(items):
            cell = self.blank()
            self.quads.append((cell, _FIRST, self.object(item, term, graph, depth), graph))
            self.quads.append((cell, _REST, following, graph))
            following = cell
        return following


def _names(value: JSON) -> tuple[str, ...]:
    """One text or an array of them."""
    if type(value) is str:
        return (value,)
    if type(value) is not list or not value or not all(type(name) is str for name in value):
        raise Uncompiled
    return tuple(value)


def _iri(value: JSON, scope: Scope) -> str:
    found = _PLAIN_IRI.fullmatch(value) if type(value) is str else None
    if found is None or (scheme := found[1]) == _RELATIVE_SCHEME or scheme in scope.prefixes:
        raise Uncompiled
    return f"<{value}>"


def _native(value: JSON, term: Term) -> str:
    """A boolean or an integer; other numbers have more than one way to be written."""
    if type(value) is bool:
        return ('"true"' if value else '"false"') + (term.suffix if term.is_typed else f"^^<{XSD}boolean>")
    if type(value) is not int or not -_MAX_SAFE_INTEGER <= value <= _MAX_SAFE_INTEGER:
        raise Uncompiled
    return f'"{value}"' + (term.suffix if term.is_typed else f"^^<{XSD}integer>")


def _value_object(value: JSONObject) -> str:
    """A text, with its language."""
    text = value["@value"]
    if type(text) is not str or len(value) > 2:
        raise Uncompiled
    if len(value) == 1:
        return literal(text)
    return literal(text) + _tag(value.get("@language"))


def _tag(language: JSON) -> str:
    if type(language) is not str or not LANGUAGE_TAG.fullmatch(language):
        raise Uncompiled
    return f"@{language.lower()}"


def _tagged(values: JSONObject, term: Term) -> list[str]:
    """The texts of a language map."""
    texts: list[str] = []
    for language, text in values.items():
        tag = _tag(language)
        found = text if type(text) is list else [text]
        if language in term.values.active["mappings"] or not all(type(item) is str for item in found):
            raise Uncompiled
        texts += [literal(item) + tag for item in found]
    return texts


def _refuse_same_ids(items: list[JSON]) -> None:
    """As ``plain_json`` does, but for the explanation."""
    ids = [item["id"] for item in items if type(item) is dict and type(item.get("id")) is str]
    if len(set(ids)) != len(ids):
        raise Uncompiled
