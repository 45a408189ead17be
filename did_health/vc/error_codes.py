"""The codes of VC Data Model 2.0 §7.2 (problem details) that the enveloping mechanisms give."""

from __future__ import annotations

from typing import Final

PARSING: Final = "PARSING_ERROR"
"""The bytes could not be read."""
CRYPTOGRAPHIC_SECURITY: Final = "CRYPTOGRAPHIC_SECURITY_ERROR"
"""The securing mechanism does not hold: a signature, an algorithm, a digest."""
RANGE: Final = "RANGE_ERROR"
"""A value is out of its range, such as a time before which or after which a token is not valid."""
