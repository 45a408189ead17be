"""Who takes part: licences and identities made from FHIR, with a row by row account of what could not be taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health import sample
from did_health.health.assurance import Assurance
from did_health.health.fhir import Imported, LicenseDefaults, RowError, RowNote, read_patients, read_practitioners
from did_health.health.patient_identity import PatientIdentity
from did_health.health.physician_license import PhysicianLicense

DEFAULT_JURISDICTION: Final = "US-NC"
"""Where a practitioner is licensed who names no state."""
LICENSED_FOR: Final = timedelta(days=2 * 365)
IDENTIFIED_FOR: Final = timedelta(days=365)
_PROOFED_AGO: Final = timedelta(days=30)
_NOT_READ: Final = frozenset({"", "entry", "resource"})
"""Where an error stands that is about the input's form, not about a person in it."""
_ESTABLISHED: Final = date(2015, 1, 1)
_FEWEST: Final = 4
"""The demo disciplines two physicians and shows others that are in good standing."""


@dataclass(frozen=True, slots=True)
class Account:
    """What became of one input: rows ``taken``, rows ``skipped`` with the reason, ``notes`` on taken ones, and ``stand_ins`` from the sample."""

    what: str
    taken: int
    skipped: tuple[RowError, ...]
    notes: tuple[RowNote, ...]
    stand_ins: int = 0

    def to_json(self) -> JSONObject:
        """Rows and fields, never a value."""
        return {
            "taken": self.taken,
            "skipped": [{"row": row.row, "field": row.field, "problem": row.problem, "hint": row.hint} for row in self.skipped],
            "notes": [{"row": note.row, "field": note.field, "note": note.note} for note in self.notes],
            "standIns": self.stand_ins,
        }


@dataclass(frozen=True, slots=True)
class People:
    """The physicians' licences (each with its jurisdiction) and the patients' identities to issue."""

    licenses: tuple[PhysicianLicense, ...]
    identities: tuple[PatientIdentity, ...]
    accounts: tuple[Account, Account]


def read_people(practitioners: bytes | Iterable[bytes] | None, patients: bytes | Iterable[bytes] | None, *, mint_test_npi: bool, now: datetime) -> People:
    """Read both inputs; ``None`` is the sample of this package. Where an input yields too few people, some of the sample stand in.

    Raises ``FormatError`` for an input without any row of its kind: it is likely the wrong file, and nobody should stand in for that.
    """
    licenses, licensed = _licenses(sample.practitioners() if practitioners is None else practitioners, mint_test_npi, now)
    _require_rows(licensed, "Practitioner")
    if len(licenses) < _FEWEST:
        taken = {(one.jurisdiction, one.license_number) for one in licenses}
        spare = [one for one in _licenses(sample.practitioners(), False, now)[0] if (one.jurisdiction, one.license_number) not in taken]
        stand_ins = spare[:_FEWEST]
        licenses, licensed = licenses + stand_ins, replace(licensed, stand_ins=len(stand_ins))
    identities, identified = _identities(sample.patients() if patients is None else patients, now)
    _require_rows(identified, "Patient")
    if not identities:
        identities = _identities(sample.patients(), now)[0][:_FEWEST]
        identified = replace(identified, stand_ins=len(identities))
    return People(tuple(licenses), tuple(identities), (licensed, identified))


def _require_rows(account: Account, kind: str) -> None:
    if account.taken or any(row.field not in _NOT_READ for row in account.skipped):
        return
    problem = f": {account.skipped[0].problem}" if account.skipped else ""
    raise FormatError(f"there is no {kind} in the input{problem}", where=f"--{account.what}", hint="FHIR R4 JSON is read: NDJSON, a Bundle, or one resource")


def _licenses(data: bytes | Iterable[bytes], mint_test_npi: bool, now: datetime) -> tuple[list[PhysicianLicense], Account]:
    defaults = LicenseDefaults(_ESTABLISHED, now + LICENSED_FOR, jurisdiction=DEFAULT_JURISDICTION)
    claims: list[PhysicianLicense] = []
    skipped: list[RowError] = []
    notes: list[RowNote] = []
    for row in _issuable(read_practitioners(data, defaults=defaults, mint_test_npi=mint_test_npi), now):
        if isinstance(row, RowError):
            skipped.append(row)
        else:
            claims.append(row.claims)
            notes.extend(row.notes)
    return claims, Account("practitioners", len(claims), tuple(skipped), tuple(notes))


def _issuable(rows: Iterable[Imported[PhysicianLicense] | RowError], now: datetime) -> Iterator[Imported[PhysicianLicense] | RowError]:
    """Turn rows into errors that no board would issue: one of them would keep its whole batch from being issued."""
    numbers: set[tuple[str | None, str]] = set()
    for row in rows:
        if isinstance(row, RowError):
            yield row
        elif row.claims.valid_until <= now:
            yield RowError(row.row, "qualification.period.end", "the licence has ended")
        elif (key := (row.claims.jurisdiction, row.claims.license_number)) in numbers:
            yield RowError(row.row, "qualification.identifier", "another row has the same licence number", "Each licence is issued once")
        else:
            numbers.add(key)
            yield row


def _identities(data: bytes | Iterable[bytes], now: datetime) -> tuple[list[PatientIdentity], Account]:
    assurance = Assurance("NIST SP 800-63-3", "IAL2", (now - _PROOFED_AGO).date(), "supervised remote")
    claims: list[PatientIdentity] = []
    skipped: list[RowError] = []
    notes: list[RowNote] = []
    for row in read_patients(data, assurance=assurance, valid_until=now + IDENTIFIED_FOR):
        if isinstance(row, RowError):
            skipped.append(row)
        else:
            claims.append(row.claims)
            notes.extend(row.notes)
    return claims, Account("patients", len(claims), tuple(skipped), tuple(notes))
