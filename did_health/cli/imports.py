"""What ``board import`` reads and where it puts what was issued: files in pieces, holders by their DIDs, wallets of the directory."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Final

from did_health.cli import days, session
from did_health.encoding import strict_json
from did_health.errors import FormatError
from did_health.health import jurisdictions
from did_health.health.fhir import Imported, LicenseDefaults, PharmacyDefaults, RowError, read_pharmacies, read_practitioners, read_roles
from did_health.health.fhir.resources import read_resources
from did_health.health.fhir.roles import Roles
from did_health.health.license_csv import ImportColumns, read_licenses_csv
from did_health.health.local_days import local_days
from did_health.health.pharmacy import Pharmacy
from did_health.health.physician_license import PhysicianLicense
from did_health.limits import MAX_CONFIG_BYTES, MAX_FHIR_DOCUMENT_BYTES
from did_health.roles.holder import Wallet
from did_health.roles.issuer import Issued
from did_health.roles.license_import import License
from did_health.stores.directory import Directory

_VALID_FOR: Final = timedelta(days=730)
_LONGEST_NAME: Final = 56
_CHUNK: Final = 1 << 16


def license_defaults(issued_on: str | None, valid_until: days.Given, profession: str, jurisdiction: str) -> LicenseDefaults:
    """What to say of a licence where the file does not; days are those of the board's jurisdiction."""
    now = session.now()
    return LicenseDefaults(
        original_issue_date=session.day(issued_on, "--issued-on") if issued_on else local_days(jurisdiction).day_of(now),
        valid_until=days.last_moment(valid_until, "--valid-until", jurisdiction) or now + _VALID_FOR,
        profession=profession,
        jurisdiction=None if jurisdiction == jurisdictions.NATIONWIDE else jurisdiction,
    )


def read_rows(
    file: Path, defaults: LicenseDefaults, columns: ImportColumns | None, advance: Callable[[int], None], *, mint_test_npi: bool
) -> Iterator[Imported[PhysicianLicense] | RowError]:
    """The rows of a file: CSV with ``columns``, else FHIR. ``advance`` is told how many bytes were read.

    A FHIR file is read twice, first for its PractitionerRoles, unless it comes from standard input. Raises ``FormatError``, ``StoreError``.
    """
    if columns is not None:
        return read_licenses_csv(_chunks(file, advance), defaults=defaults, columns=columns)
    roles = Roles() if str(file) == session.STANDARD_INPUT else read_roles(_chunks(file, lambda _size: None))
    practitioners = read_practitioners(_chunks(file, advance), defaults=defaults, mint_test_npi=mint_test_npi, roles=roles)
    return chain(roles.errors, practitioners)


def holds_pharmacies(file: Path, *, beside_practitioners: bool) -> bool:
    """Whether a FHIR file is one of pharmacies: it has Organizations, and no Practitioner unless ``beside_practitioners``.

    Standard input is read once, so that this answers ``beside_practitioners`` for it. Raises ``StoreError``.
    """
    if str(file) == session.STANDARD_INPUT:
        return beside_practitioners
    deciding = "Organization" if beside_practitioners else "Practitioner"
    found = False
    for resource in read_resources(_chunks(file, lambda _size: None)):
        if not isinstance(resource, RowError):
            if resource.type == deciding:
                return beside_practitioners
            found = found or resource.type == "Organization"
    return found


def read_pharmacy_rows(
    file: Path, jurisdiction: str, valid_until: datetime, advance: Callable[[int], None]
) -> Iterator[Imported[Pharmacy] | RowError]:
    """The pharmacies of a FHIR file, with the board's state where it has none. Raises ``StoreError``."""
    defaults = PharmacyDefaults(valid_until, jurisdiction=jurisdiction)
    return read_pharmacies(_chunks(file, advance), defaults=defaults)


def read_columns(file: Path) -> ImportColumns:
    """How the columns of a CSV are named. Raises ``FormatError`` with the file's name, ``StoreError``."""
    return session.at_file(file, lambda: ImportColumns.parse(session.read_file(file, max_bytes=MAX_CONFIG_BYTES)))


class NamedHolders:
    """Holders by their DIDs: that in the row, or that of the licence number in ``dids``."""

    def __init__(self, dids: Mapping[str, str]) -> None:
        self._dids = dids

    def knows(self, row: License) -> bool:
        return bool(row.holder or row.claims.number in self._dids)

    def did(self, row: License) -> str:
        return row.holder or self._dids[row.claims.number]

    def keep(self, row: License, issued: Issued) -> None:
        """Nothing: they find their credentials with the board, by ``board list --credential`` or in its directory."""

    def wallet(self, row: License) -> str:  # noqa: ARG002  # none of them has one here
        return ""


class WalletHolders:
    """A wallet of the directory for every licence number."""

    def __init__(self, directory: Directory, board: str) -> None:
        self._directory, self._board = directory, board

    def knows(self, row: License) -> bool:
        return not row.holder

    def did(self, row: License) -> str:
        name = self.wallet(row)
        return (self._directory.wallet(name) if name in self._directory.wallets else self._directory.create_wallet(name)).did

    def keep(self, row: License, issued: Issued) -> None:
        name = self.wallet(row)
        # A wallet that is gone is not made anew: it would have another key.
        if name not in self._directory.wallets:
            return
        wallet: Wallet = self._directory.wallet(name)
        if all(one.id != issued.id for one in wallet.credentials) and issued.credential["credentialSubject"]["id"] == wallet.did:
            wallet.add(issued)
            self._directory.save_wallet(name, wallet)

    def wallet(self, row: License) -> str:
        return wallet_name(self._board, row.claims.number)


def wallet_name(board: str, number: str) -> str:
    """The wallet for a licence number: always the same, and another one for every other number of the board."""
    words = re.sub(r"[^a-z0-9]+", "-", number.lower()).strip("-")
    name = f"{board}-{words}"
    if words == number and len(name) <= _LONGEST_NAME:
        return name
    return f"{name[:_LONGEST_NAME]}-{hashlib.sha256(number.encode()).hexdigest()[:6]}"


def read_holders(file: Path) -> dict[str, str]:
    """The DID of the holder for each licence number. Raises ``FormatError`` with the file's name, ``StoreError``."""

    def parse() -> dict[str, str]:
        data = session.read_file(file, max_bytes=MAX_FHIR_DOCUMENT_BYTES)
        document = strict_json.loads_object(data, what="file of holders", max_bytes=MAX_FHIR_DOCUMENT_BYTES)
        if not all(isinstance(did, str) and did.startswith("did:") for did in document.values()):
            raise FormatError("a holder is not a DID", hint='Write it as {"12345": "did:key:z6Mk…"}')
        for number, did in document.items():
            session.require_holder(did, where=f"{file} {number}")
        return document

    return session.at_file(file, parse)


def _chunks(file: Path, advance: Callable[[int], None]) -> Iterator[bytes]:
    """The file in pieces, so that a register of any size is read in constant memory."""
    if str(file) == session.STANDARD_INPUT or file.is_dir() or not file.exists():
        yield session.read_file(file, max_bytes=MAX_FHIR_DOCUMENT_BYTES)
        return
    from did_health.stores.files import store_error

    try:
        with file.open("rb") as opened:
            while chunk := opened.read(_CHUNK):
                advance(len(chunk))
                yield chunk
    except OSError as error:
        raise store_error(error, file) from error
