"""Terms of N-Quads in canonical form (RDFC-1.0 §5): IRIs, literals, and what of JSON-LD may become one."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

from did_health.encoding.strict_json import JSON

RELATIVE_BASE: Final = "relative-reference://document/"
"""PyLD invents a base for relative references when it is given none; under this one they are recognised and refused."""
RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"
LANGUAGE_TAG: Final = re.compile(r"[A-Za-z]+(?:-[A-Za-z0-9]+)*")

_RELATIVE_SCHEME: Final = "relative-reference:"
# N-Quads §4 IRIREF: anything else could end the term early and smuggle statements in.
_IRI: Final = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>"{}|^`\\]*')
# RDFC-1.0 §5: these seven by letter, the other control characters by number.
_ESCAPES: Final = MappingProxyType(
    {code: f"\\u{code:04X}" for code in (*range(0x20), 0x7F)}
    | {ord(raw): f"\\{letter}" for raw, letter in zip('\b\t\n\f\r"\\', 'btnfr"\\', strict=True)}
)


def is_absolute(reference: JSON) -> bool:
    """Whether ``reference`` is the text of an absolute IRI or of a blank node."""
    if not isinstance(reference, str) or reference.startswith(_RELATIVE_SCHEME):
        return False
    return reference.startswith("_:") or _IRI.fullmatch(reference) is not None


def literal(text: str) -> str:
    """``text`` as a quoted literal, without language and datatype."""
    # Whatever has to be escaped, and some more, is not printable, but for these two.
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return f'"{text.translate(_ESCAPES)}"'
