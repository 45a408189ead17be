"""Media types of credentials and presentations (VC Data Model 2.0 §6.2), and what may stand for them."""

from __future__ import annotations

from typing import Final

CREDENTIAL: Final = "application/vc"
PRESENTATION: Final = "application/vp"

# §6.2.1: less precise types may be used where the payload tells what it is; the last two are those of the drafts before 2.0.
_IMPRECISE: Final = frozenset({"", "application/json", "application/ld+json", "application/octet-stream", "text/plain"})
_FORMER: Final = {CREDENTIAL: "application/vc+ld+json", PRESENTATION: "application/vp+ld+json"}


def may_be(content_type: str, wanted: str) -> bool:
    """Whether a document sent with the header ``content_type`` (empty if it has none) may be of the type ``wanted``, one of the two above.

    The document itself has to tell: its first context and its type.
    """
    essence = content_type.partition(";")[0].strip().lower()
    return essence in (wanted, _FORMER[wanted]) or essence in _IMPRECISE
