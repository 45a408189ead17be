"""A small fictional FHIR R4 sample, as NDJSON: 25 physicians of two states and 50 patients. Nobody in it exists.

The physicians' NPIs are valid test numbers, the phone numbers are from the 555-01xx range, the domains end in ``.example``.
"""

from __future__ import annotations

from importlib.resources import files


def practitioners() -> bytes:
    """25 Practitioners with NPIs, qualifications (MD and DO) and licence numbers of North Carolina and Virginia."""
    return files(__package__).joinpath("practitioners.ndjson").read_bytes()


def patients() -> bytes:
    """50 Patients with names, birth dates, addresses and phone numbers."""
    return files(__package__).joinpath("patients.ndjson").read_bytes()
