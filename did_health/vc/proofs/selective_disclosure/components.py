"""What a proof value of selective disclosure is made of: a header of three bytes, then CBOR without tags of an array of five.

Everything raises ``FormatError`` with ``PROOF_VERIFICATION_ERROR``. The specifications do not ask for deterministic CBOR.
"""

from __future__ import annotations

from typing import Final

from did_health.encoding import cbor
from did_health.errors import FormatError, VerificationError

PROOF_VALUE: Final = "/proof/proofValue"
MALFORMED: Final = "PROOF_VERIFICATION_ERROR"


def five_components(value: bytes, header: bytes, what: str) -> list[cbor.CBOR]:
    """The array after ``header``; ``what`` says whose header it is."""
    if not value.startswith(header):
        raise malformed(f"another header than that of {what}")
    try:
        components = cbor.loads(value[len(header) :], what="proof value", max_bytes=len(value), deterministic=False)
    except FormatError as error:
        raise FormatError(error.what, where=PROOF_VALUE, code=MALFORMED) from error
    if not isinstance(components, list) or len(components) != 5:
        raise malformed("something else than an array of five")
    return components


def sized_bytes(component: cbor.CBOR, size: int) -> bytes:
    """A component of ``size`` bytes."""
    if not isinstance(component, bytes) or len(component) != size:
        raise malformed(f"something else where {size} bytes must be")
    return component


def indexes(component: cbor.CBOR, what: str) -> tuple[int, ...]:
    """A component that is an array of different places; ``what`` are they."""
    if not isinstance(component, list) or not all(is_index(index) for index in component) or len(set(component)) != len(component):
        raise malformed(f"{what} indexes that are no numbers, or not different")
    return tuple(component)


def is_index(component: cbor.CBOR) -> bool:
    """Whether a component is a place in an array, or a number of a label."""
    return type(component) is int and component >= 0


def pointer_texts(component: cbor.CBOR) -> tuple[str, ...]:
    """A component that is an array of JSON pointers, which are not parsed yet."""
    if not isinstance(component, list) or not all(isinstance(pointer, str) for pointer in component):
        raise malformed("mandatory pointers that are no texts")
    return tuple(component)


def malformed(found: str) -> FormatError:
    """The error for a proof value in which something is ``found``."""
    return FormatError(f"the proof value has {found}", where=PROOF_VALUE, code=MALFORMED)


def base_proof_shown() -> VerificationError:
    """The error for a base proof where a derived one is to be verified."""
    return VerificationError(
        "the proof is a base proof, which tells everything and is for the holder alone", where=PROOF_VALUE, hint="Derive a proof from it", code=MALFORMED
    )
