"""A JSON-LD document as canonical N-Quads: expansion with a closed loader, no data loss, then RDFC-1.0.

Nothing is ever fetched: a context is packed, or handed over by the caller, or an error. Whatever a JSON-LD processor would drop in
silence, and a signature would therefore not cover, is an error as well (Data Integrity 1.0 §2.4.2): undefined terms, relative
references, index keys. A base direction is kept in the literal's datatype (JSON-LD 1.1 API §8.2, ``i18n-datatype``), which the RDFC suites
do not say, and their implementations do. PyLD is an optional package, imported when it is first needed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any, Final

from did_health.encoding.data_integrity import HashName
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, UnsupportedError
from did_health.vc.contexts import CONTEXTS, Contexts
from did_health.vc.rdf_canon import Quad, canonicalize
from did_health.vc.rdf_direct import direct_quads
from did_health.vc.rdf_loader import NO_CONTEXTS, closed_loader
from did_health.vc.rdf_terms import LANGUAGE_TAG, RELATIVE_BASE, XSD, is_absolute, literal

_LOSS: Final = "DATA_LOSS_DETECTION_ERROR"
_TRANSFORMATION: Final = "PROOF_TRANSFORMATION_ERROR"
_CONTAINERS: Final = frozenset({"@list", "@set", "@graph", "@included"})
_PROCESSED = threading.local()


def canonical_nquads(document: JSONObject, *, contexts: Contexts = NO_CONTEXTS, hash_name: HashName = "sha256") -> str:
    """The canonical N-Quads of a JSON-LD document; ``contexts`` are known besides the packed ones.

    Raises ``FormatError`` for an unknown context, for data that would be lost (``DATA_LOSS_DETECTION_ERROR``) and for anything else that
    is not JSON-LD or too much of it (``PROOF_TRANSFORMATION_ERROR``); ``UnsupportedError`` without the optional package.
    """
    return canonical_form(quads(document, contexts), hash_name)


def canonical_form(dataset: Iterable[Quad], hash_name: HashName = "sha256") -> str:
    """The canonical N-Quads of a dataset; raises ``FormatError`` (``PROOF_TRANSFORMATION_ERROR``) for too much of it, and for lone surrogates."""
    try:
        text = canonicalize(dataset, hash_name)[0]
        text.encode()
    except UnicodeEncodeError as error:
        raise FormatError("the document holds a lone surrogate", code=_TRANSFORMATION) from error
    return text


def quads(document: JSONObject, contexts: Contexts = NO_CONTEXTS) -> list[Quad]:
    """The RDF dataset of a JSON-LD document, its blank nodes labelled arbitrarily; raises as ``canonical_nquads``."""
    _pyld()
    found = direct_quads(document)
    return general_quads(document, contexts) if found is None else found


def general_quads(document: JSONObject, contexts: Contexts = NO_CONTEXTS) -> list[Quad]:
    """As ``quads``, by PyLD for every document, also for those that ``rdf_direct`` could read."""
    pyld = _pyld()
    jsonld = pyld.jsonld
    if not isinstance(document, dict):  # PyLD would take a text for the URL of a document
        raise FormatError("the document is not a JSON object", code=_TRANSFORMATION)
    load = closed_loader(contexts)
    options = {"documentLoader": load, "base": RELATIVE_BASE}
    try:
        resolver = pyld.ContextResolver({} if contexts else _processed_contexts(), load)
        expanded = jsonld.expand(document, {**options, "contextResolver": resolver}, on_property_dropped=_refuse_dropped)
        _refuse_losses(expanded)
        dataset = jsonld.to_rdf(expanded, {**options, "rdfDirection": "i18n-datatype", "contextResolver": resolver})
    except FormatError:
        raise
    # On malformed input PyLD raises its own error for what it checks, and these for what it does not.
    except (jsonld.JsonLdError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise _our_own(error) or FormatError(f"the document is not JSON-LD{_json_ld_code(error)}", code=_TRANSFORMATION) from error
    return list(_terms(dataset))


def _pyld() -> Any:
    try:
        import pyld
    except ImportError as error:
        raise UnsupportedError("this cryptosuite needs JSON-LD", hint="pip install 'did-health[rdf]'") from error
    return pyld


class _KnownContexts(dict[str, Any]):
    """PyLD's cache of processed contexts, kept to the packed ones: what documents bring along is not remembered."""

    def __setitem__(self, key: str, value: Any) -> None:
        if key in CONTEXTS:
            super().__setitem__(key, value)


def _processed_contexts() -> _KnownContexts:
    # One a thread: the caches inside are not made for several.
    if not hasattr(_PROCESSED, "contexts"):
        _PROCESSED.contexts = _KnownContexts()
    contexts: _KnownContexts = _PROCESSED.contexts
    return contexts


def _refuse_dropped(term: str | None) -> None:
    name = f"the term {term[:200]!r} is" if term else "a term is"
    raise FormatError(f"{name} not defined by the document's contexts", hint="No signature would cover it", code=_LOSS)


def _refuse_losses(node: JSON) -> None:
    """Refuse what expansion kept and the step to RDF would drop: everything that is not named by an absolute IRI."""
    if isinstance(node, list):
        for item in node:
            _refuse_losses(item)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name == "@index":
                raise FormatError(f"{name} has no place in RDF", hint="No signature would cover it", code=_LOSS)
            if name in ("@id", "@type"):
                for reference in value if isinstance(value, list) else [value]:
                    if reference != "@json" and not is_absolute(reference):
                        # A type is a term and may be named; an id may be a claim.
                        what = f"the type {str(reference).removeprefix(RELATIVE_BASE)[:200]!r}" if name == "@type" else "an id"
                        raise FormatError(f"{what} is neither defined by the document's contexts nor a URL", hint="No signature would cover it", code=_LOSS)
            elif name == "@reverse":
                for reverse, items in value.items():
                    _refuse_losses({reverse: items})
            elif name in _CONTAINERS or not name.startswith("@"):
                if name not in _CONTAINERS and (name.startswith("_:") or not is_absolute(name)):
                    raise FormatError(f"the property {name.removeprefix(RELATIVE_BASE)[:200]!r} is not a URL", hint="No signature would cover it", code=_LOSS)
                _refuse_losses(value)


def _terms(dataset: JSON) -> Iterator[Quad]:
    for graph, triples in dataset.items():
        graph_term = "" if graph == "@default" else _resource(graph)
        for triple in triples:
            yield _resource(triple["subject"]["value"]), _resource(triple["predicate"]["value"]), _object(triple["object"]), graph_term


def _object(term: JSON) -> str:
    if term["type"] != "literal":
        return _resource(term["value"])
    text = literal(term["value"])
    if "language" in term:
        if not LANGUAGE_TAG.fullmatch(term["language"]):
            raise FormatError("a language tag is malformed", code=_TRANSFORMATION)
        return f"{text}@{term['language']}"
    return text if term["datatype"] == f"{XSD}string" else f"{text}^^{_resource(term['datatype'])}"


def _resource(value: str) -> str:
    if value.startswith("_:"):
        return value
    if not is_absolute(value):
        raise FormatError("a reference in the document is not an absolute IRI", code=_TRANSFORMATION)
    return f"<{value}>"


def _our_own(error: BaseException) -> FormatError | None:
    """The loader's error, which PyLD wraps in one of its own."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, FormatError):
        cause = cause.__cause__ or cause.__context__
    return cause


def _json_ld_code(error: BaseException) -> str:
    """The error code of JSON-LD 1.1 (API §9.2), which is the innermost one, in brackets; nothing if there is none."""
    code = ""
    cause: BaseException | None = error
    while cause is not None:
        code = str(getattr(cause, "code", None) or code)
        cause = cause.__cause__
    return f" ({code})" if code else ""
