"""Whatever stands in a FHIR file, reading it gives rows and errors by row, and nothing escapes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.health.fhir import (
    Imported,
    LicenseDefaults,
    PharmacyDefaults,
    PractitionerReader,
    RowError,
    kinds_in,
    read_pharmacies,
    read_practitioners,
    read_register,
    read_roles,
)

UNTIL = datetime(2028, 1, 1, tzinfo=UTC)
WORDS = st.sampled_from([
    "qualification", "identifier", "type", "coding", "system", "code", "value", "practitioner", "reference", "specialty", "period", "end", "extension", "url",
    "address", "state", "name", "active", "use", "http://hl7.org/fhir/sid/us-npi", "http://nucc.org/provider-taxonomy", "3336C0003X", "1234567893", "SL",
    "http://terminology.hl7.org/CodeSystem/v2-0203", "2026-13-45", "2026", "US-NC", "",
])  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=6) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=25,
)
RESOURCES = st.fixed_dictionaries({"resourceType": st.sampled_from(["Organization", "PractitionerRole", "Practitioner"])}).flatmap(
    lambda head: st.dictionaries(WORDS, VALUES, max_size=8).map(lambda body: {**body, **head})
)


def read_all(data: bytes) -> None:
    roles = read_roles(data)
    assert all(isinstance(error, RowError) and error.row > 0 for error in roles.errors)
    defaults = PharmacyDefaults(UNTIL, "community", "US-NC")
    for row in read_pharmacies(data, defaults=defaults):
        assert isinstance(row, Imported | RowError)
    license_defaults = LicenseDefaults(UNTIL.date(), UNTIL)
    for other in read_practitioners(data, defaults=license_defaults, roles=roles):
        assert isinstance(other, Imported | RowError)
    assert kinds_in(data) <= {"Practitioner", "Organization"}
    both = list(read_register(data, physicians=PractitionerReader(license_defaults), pharmacies=defaults))
    assert all(isinstance(one, Imported | RowError) for one in both)
    assert [one.row for one in both] == sorted(one.row for one in both)


@settings(max_examples=80, deadline=None)
@given(st.lists(RESOURCES, max_size=3))
def test_no_resource_escapes_its_row(resources: list[dict[str, Any]]) -> None:
    read_all(b"\n".join(json.dumps(one).encode() for one in resources))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_escape(data: bytes) -> None:
    read_all(data)
