"""Media types of credentials and presentations in JSON-LD (VC Data Model 2.0 §6.2)."""

from __future__ import annotations

from typing import Final

CREDENTIAL: Final = "application/vc"
PRESENTATION: Final = "application/vp"
