"""JSON-LD that says in its JSON what it says in RDF.

An RDFC proof covers statements, not member names: whoever holds the document can write the same statements otherwise, so that software
which reads the JSON misses a restriction or takes one claim for another, and the proof still verifies. Data Integrity 1.0 §2.4.1 and §4.6
leave the remedy to the application. Ours is to refuse those ways of writing: contexts inside the document, full IRIs and keywords as
member names, and one thing described twice in an array.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError
from did_health.vc.contexts import Contexts

_KEYWORDS: Final = frozenset({"@context", "@value", "@language", "@direction"})
_NO_CONTEXTS: Final[Contexts] = MappingProxyType({})
_CODE: Final = "PROOF_TRANSFORMATION_ERROR"


class UnsafeInlineContexts(Mapping[str, JSONObject]):
    """Contexts to know besides the packed ones, and leave for a document to bring its own in its outermost ``@context``.

    Those are under no signature: whoever holds the document can write others in their place that turn other members into the same
    statements. For those who read what was verified as RDF, and for conformance tests.
    """

    __slots__ = ("_contexts",)

    def __init__(self, contexts: Contexts | None = None) -> None:
        self._contexts = {} if contexts is None else dict(contexts)

    def __getitem__(self, url: str) -> JSONObject:
        return self._contexts[url]

    def __iter__(self) -> Iterator[str]:
        return iter(self._contexts)

    def __len__(self) -> int:
        return len(self._contexts)


def require_plain_json(document: JSONObject, contexts: Contexts = _NO_CONTEXTS) -> None:
    """Raise ``FormatError`` unless every member is named by a term of a context that is referred to by URL.

    Under ``UnsafeInlineContexts`` the outermost contexts may be written out.
    """
    queue: list[JSON] = [{**document, "@context": []} if isinstance(contexts, UnsafeInlineContexts) else document]
    for value in queue:
        if isinstance(value, dict):
            _require_terms(value)
            queue += value.values()
        elif isinstance(value, list):
            ids = [item["id"] for item in value if isinstance(item, dict) and isinstance(item.get("id"), str)]
            if len(set(ids)) != len(ids):
                raise FormatError("two objects of one array have the same id", hint="Their claims could be read apart", code=_CODE)
            queue += value


def _require_terms(node: dict[str, JSON]) -> None:
    for name, value in node.items():
        if name == "@context":
            contexts = value if isinstance(value, list) else [value]
            if not all(isinstance(context, str) for context in contexts):
                raise FormatError("a context is written into the document", hint="Refer to contexts by URL, or sign with a JCS suite", code=_CODE)
        elif ":" in name or (name.startswith("@") and name not in _KEYWORDS and not (name == "@type" and "@value" in node)):
            raise FormatError(f"the member {name[:200]!r} is not named by a term", hint="Software that reads the JSON would miss it", code=_CODE)
