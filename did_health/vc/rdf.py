"""A JSON-LD document as canonical N-Quads: expansion with a closed loader, no data loss, then RDFC-1.0.

Nothing is ever fetched: a context is packed, or handed over by the caller, or an error. Whatever a JSON-LD processor would drop in
silence, and a signature would therefore not cover, is an error as well (Data Integrity 1.0 §2.4.2): undefined terms, relative
references, index keys, base directions. PyLD is an optional package, imported when it is first needed.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any, Final

from did_health.encoding import strict_json
from did_health.encoding.data_integrity import HashName
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, UnsupportedError
from did_health.vc.contexts import CONTEXTS, Contexts
from did_health.vc.rdf_canon import Quad, canonicalize

_LOSS: Final = "DATA_LOSS_DETECTION_ERROR"
_TRANSFORMATION: Final = "PROOF_TRANSFORMATION_ERROR"
_NO_CONTEXTS: Final[Contexts] = MappingProxyType({})
# N-Quads §4 IRIREF: anything else could end the term early and smuggle statements in.
_IRI: Final = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>"{}|^`\\]*')
_LANGUAGE: Final = re.compile(r"[A-Za-z]+(?:-[A-Za-z0-9]+)*")
# PyLD invents a base for relative references when it is given none; under this one they are recognised and refused.
_RELATIVE: Final = "relative-reference://document/"
_RELATIVE_SCHEME: Final = "relative-reference:"
_XSD_STRING: Final = "http://www.w3.org/2001/XMLSchema#string"
# RDFC-1.0 §5: these seven by letter, the other control characters by number.
_ESCAPES: Final = MappingProxyType(
    {code: f"\\u{code:04X}" for code in (*range(0x20), 0x7F)}
    | {ord(raw): f"\\{letter}" for raw, letter in zip('\b\t\n\f\r"\\', 'btnfr"\\', strict=True)}
)
_CONTAINERS: Final = frozenset({"@list", "@set", "@graph", "@included"})
_PROCESSED = threading.local()


def canonical_nquads(document: JSONObject, *, contexts: Contexts = _NO_CONTEXTS, hash_name: HashName = "sha256") -> str:
    """The canonical N-Quads of a JSON-LD document; ``contexts`` are known besides the packed ones.

    Raises ``FormatError`` for an unknown context, for data that would be lost (``DATA_LOSS_DETECTION_ERROR``) and for anything else that
    is not JSON-LD or too much of it (``PROOF_TRANSFORMATION_ERROR``); ``UnsupportedError`` without the optional package.
    """
    try:
        text = canonicalize(quads(document, contexts), hash_name)[0]
        text.encode()
    except UnicodeEncodeError as error:
        raise FormatError("the document holds a lone surrogate", code=_TRANSFORMATION) from error
    return text


def quads(document: JSONObject, contexts: Contexts = _NO_CONTEXTS) -> list[Quad]:
    """The RDF dataset of a JSON-LD document, its blank nodes labelled arbitrarily; raises as ``canonical_nquads``."""
    try:
        from pyld import ContextResolver, jsonld
    except ImportError as error:
        raise UnsupportedError("this cryptosuite needs JSON-LD", hint="pip install 'did-health[rdf]'") from error

    if not isinstance(document, dict):  # PyLD would take a text for the URL of a document
        raise FormatError("the document is not a JSON object", code=_TRANSFORMATION)
    load = _closed_loader(contexts)
    options = {"documentLoader": load, "base": _RELATIVE}
    try:
        resolver = ContextResolver({} if contexts else _processed_contexts(), load)
        expanded = jsonld.expand(document, {**options, "contextResolver": resolver}, on_property_dropped=_refuse_dropped)
        _refuse_losses(expanded)
        dataset = jsonld.to_rdf(expanded, {**options, "contextResolver": resolver})
    except FormatError:
        raise
    # On malformed input PyLD raises its own error for what it checks, and these for what it does not.
    except (jsonld.JsonLdError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise _our_own(error) or FormatError(f"the document is not JSON-LD{_json_ld_code(error)}", code=_TRANSFORMATION) from error
    return list(_terms(dataset))


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


def _closed_loader(contexts: Contexts) -> Callable[[str, JSON], JSONObject]:
    def load(url: str, _options: JSON) -> JSONObject:
        known = CONTEXTS if url in CONTEXTS else contexts
        if url not in known:
            raise FormatError(
                f"the JSON-LD context {url[:200]} is not known",
                hint="Contexts are never fetched: hand it over, or use a cryptosuite with JCS",
                code=_TRANSFORMATION,
            )
        # A copy, for PyLD edits what it is given.
        document = strict_json.loads(strict_json.dumps(known[url]))
        return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": document, "tag": "static"}

    return load


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
            if name in ("@index", "@direction"):
                raise FormatError(f"{name} has no place in RDF", hint="No signature would cover it", code=_LOSS)
            if name in ("@id", "@type"):
                for reference in value if isinstance(value, list) else [value]:
                    if reference != "@json" and not _is_absolute(reference):
                        # A type is a term and may be named; an id may be a claim.
                        what = f"the type {str(reference).removeprefix(_RELATIVE)[:200]!r}" if name == "@type" else "an id"
                        raise FormatError(f"{what} is neither defined by the document's contexts nor a URL", hint="No signature would cover it", code=_LOSS)
            elif name == "@reverse":
                for reverse, items in value.items():
                    _refuse_losses({reverse: items})
            elif name in _CONTAINERS or not name.startswith("@"):
                if name not in _CONTAINERS and (name.startswith("_:") or not _is_absolute(name)):
                    raise FormatError(f"the property {name.removeprefix(_RELATIVE)[:200]!r} is not a URL", hint="No signature would cover it", code=_LOSS)
                _refuse_losses(value)


def _is_absolute(reference: JSON) -> bool:
    if not isinstance(reference, str) or reference.startswith(_RELATIVE_SCHEME):
        return False
    return reference.startswith("_:") or _IRI.fullmatch(reference) is not None


def _terms(dataset: JSON) -> Iterator[Quad]:
    for graph, triples in dataset.items():
        graph_term = "" if graph == "@default" else _resource(graph)
        for triple in triples:
            yield _resource(triple["subject"]["value"]), _resource(triple["predicate"]["value"]), _object(triple["object"]), graph_term


def _object(term: JSON) -> str:
    if term["type"] != "literal":
        return _resource(term["value"])
    literal = f'"{term["value"].translate(_ESCAPES)}"'
    if "language" in term:
        if not _LANGUAGE.fullmatch(term["language"]):
            raise FormatError("a language tag is malformed", code=_TRANSFORMATION)
        return f"{literal}@{term['language']}"
    return literal if term["datatype"] == _XSD_STRING else f"{literal}^^{_resource(term['datatype'])}"


def _resource(value: str) -> str:
    if value.startswith("_:"):
        return value
    if not _is_absolute(value):
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
