"""PyLD's document loader, closed: a context is packed, or handed over by the caller, or an error."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError
from did_health.vc.contexts import CONTEXTS, Contexts

NO_CONTEXTS: Final[Contexts] = MappingProxyType({})


def closed_loader(contexts: Contexts = NO_CONTEXTS) -> Callable[[str, JSON], JSONObject]:
    """A loader of the packed contexts and of ``contexts``, which cannot replace a packed one.

    It raises ``FormatError`` (``PROOF_TRANSFORMATION_ERROR``) for every other URL.
    """

    def load(url: str, _options: JSON) -> JSONObject:
        known = CONTEXTS if url in CONTEXTS else contexts
        if url not in known:
            raise FormatError(
                f"the JSON-LD context {url[:200]} is not known",
                hint="Contexts are never fetched: hand it over, or use a cryptosuite with JCS",
                code="PROOF_TRANSFORMATION_ERROR",
            )
        # A copy, for PyLD edits what it is given.
        document = strict_json.loads(strict_json.dumps(known[url]))
        return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": document, "tag": "static"}

    return load
