"""Whatever comes in: claims are refused with ``FormatError``, rows become ``RowError``; nothing else escapes."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.errors import FormatError
from did_health.health import dea, jurisdictions, npi, nucc, sample
from did_health.health.assurance import Assurance
from did_health.health.board_accreditation import BoardAccreditation
from did_health.health.fhir import Imported, LicenseDefaults, RowError, read_patients, read_practitioners
from did_health.health.issuer_details import Issuer
from did_health.health.patient_identity import PatientIdentity
from did_health.health.person_name import PersonName
from did_health.health.pharmacy import Pharmacy
from did_health.health.physician_license import PhysicianLicense

UNTIL = datetime(2027, 12, 31, tzinfo=UTC)
ASSURANCE = Assurance("HL7", "IDIAL1.8", date(2025, 6, 1), "remote")
NAME = PersonName("A", "B")
BOARD = Issuer("did:web:board.example", "Board", "US-NC")
DEFAULTS = LicenseDefaults(date(2020, 1, 1), UNTIL)
CLAIMS: tuple[Any, ...] = (
    PhysicianLicense(name=NAME, profession="MD", license_number="1", original_issue_date=date(2019, 4, 1), valid_until=UNTIL),
    PatientIdentity(name=NAME, birth_date=date(1990, 2, 3), assurance=ASSURANCE, valid_until=UNTIL),
    BoardAccreditation(name="A", entity_type="medical_board", jurisdiction="US-NC", resource="PhysicianLicenseCredential", valid_until=UNTIL),
    Pharmacy(name="A", license_number="1", jurisdiction="US-NC", valid_until=UNTIL),
)
SUBJECTS = [(type(claims), claims.to_subject("did:key:z6Mk", BOARD)) for claims in CLAIMS]
OPTIONAL = [
    "npi", "fid", "degree", "taxonomy", "restrictions", "boardOrderRefs", "compact", "address", "phone", "email", "portraitDigest",
    "idDocument", "ageOver18", "digitalIdentifier", "ncpdpId", "dea", "professions",
]  # fmt: skip

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(codec=None), max_size=12)
words = st.sampled_from([
    "id", "family", "given", "code", "text", "from", "to", "name", "role", "splLicense", "line", "state", "type", "coding", "system", "value", "use",
])
anything = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words | st.text(max_size=4), inner, max_size=4), max_leaves=8)
quick = settings(max_examples=150, deadline=None)


@quick
@given(st.sampled_from(SUBJECTS), st.data())
def test_a_subject_with_anything_in_it_is_read_or_refused_with_a_format_error(case: tuple[Any, dict[str, Any]], data: st.DataObject) -> None:
    kind, subject = case
    changed = subject | data.draw(st.dictionaries(st.sampled_from([*subject, *OPTIONAL]), anything, min_size=1, max_size=3))
    try:
        claims = kind.from_subject(changed, valid_until=UNTIL)
    except FormatError:
        return
    again = kind.from_subject(claims.to_subject("did:key:z6Mk", BOARD), valid_until=UNTIL)
    assert again == claims


@quick
@given(anything)
def test_numbers_of_any_kind_are_checked_or_refused_with_a_format_error(value: Any) -> None:
    for check in (npi.check, dea.check, nucc.check, jurisdictions.check):
        with suppress(FormatError):
            assert check(value) == value


@quick
@given(st.binary(max_size=60))
def test_a_taxonomy_file_of_any_bytes_is_loaded_or_refused_with_a_format_error(data: bytes) -> None:
    for prefix in (b"", b"Code,Display Name\n"):
        with suppress(FormatError):
            nucc.load_csv(prefix + data)


@quick
@given(st.text(st.characters(codec=None), max_size=30))
def test_a_state_of_any_text_is_a_code_or_none(text: str) -> None:
    code = jurisdictions.code_of(text)
    assert code is None or code in jurisdictions.names()


@given(st.integers(0, npi.MAX_TEST_NUMBER), st.integers(0, 9), st.integers(0, 9))
@settings(max_examples=200, deadline=None)
def test_one_wrong_digit_makes_an_npi_invalid(number: int, place: int, digit: int) -> None:
    good = npi.mint_test_npi(number)
    changed = good[:place] + str(digit) + good[place + 1 :]
    assert npi.is_valid(changed) is (changed == good)


pieces = st.sampled_from([b"\n", b"{", b"}", b'{"resourceType":"Patient"}', b'{"resourceType":"Bundle","entry":['])


@quick
@given(st.lists(st.binary(max_size=30) | pieces, max_size=12))
def test_a_file_of_any_bytes_is_read_row_by_row(chunks: list[bytes]) -> None:
    for data in (chunks, b"".join(chunks)):
        for row in read_practitioners(data, defaults=DEFAULTS):
            assert isinstance(row, Imported | RowError)
        for entry in read_patients(data, assurance=ASSURANCE, valid_until=UNTIL):
            assert isinstance(entry, Imported | RowError)


PRACTITIONER = json.loads(sample.practitioners().splitlines()[0])
PATIENT = json.loads(sample.patients().splitlines()[6])


@pytest.mark.parametrize("resource", [PRACTITIONER, PATIENT], ids=["Practitioner", "Patient"])
@quick
@given(data=st.data())
def test_a_resource_with_anything_in_it_gives_exactly_one_row(resource: dict[str, Any], data: st.DataObject) -> None:
    changed = json.loads(json.dumps(resource))
    target: Any = changed
    for _ in range(data.draw(st.integers(0, 5))):
        if isinstance(target, dict | list) and target:
            key = data.draw(st.sampled_from(sorted(target) if isinstance(target, dict) else list(range(len(target)))))
            if isinstance(target[key], dict | list) and target[key]:
                target = target[key]
    key = data.draw(st.sampled_from(sorted(target) if isinstance(target, dict) else list(range(len(target)))))
    target[key] = data.draw(anything)
    document = json.dumps(changed).encode(errors="replace")
    rows: list[Any]
    if resource is PATIENT:
        rows = list(read_patients(document, assurance=ASSURANCE, valid_until=UNTIL))
    else:
        rows = list(read_practitioners(document, defaults=DEFAULTS))
    if changed.get("resourceType") == resource["resourceType"]:
        assert len(rows) == 1
    for row in rows:
        if isinstance(row, Imported):
            board = Issuer(BOARD.id, BOARD.name, getattr(row.claims, "jurisdiction", None) or "US-NC")
            subject = row.claims.to_subject("did:key:z6Mk", board)
            assert type(row.claims).from_subject(subject, valid_until=row.claims.valid_until).name == row.claims.name
