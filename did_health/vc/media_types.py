"""Media types of credentials and presentations in JSON-LD (VC Data Model 2.0 §6.2)."""

from __future__ import annotations

from typing import Final

CREDENTIAL: Final = "application/vc"
PRESENTATION: Final = "application/vp"
CREDENTIAL_FORMS: Final = (CREDENTIAL, "application/ld+json", "application/json")
"""What a credential with an embedded proof may be called, the precise one first: the others are true of it too (§6.2.1)."""
