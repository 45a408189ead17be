"""What ``board import`` reads and where it puts what was issued: files in pieces, holders by their DIDs, wallets of the directory."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Final, TypeGuard

from did_health.cli import days, session
from did_health.encoding import strict_json
from did_health.errors import FormatError
from did_health.health import jurisdictions
from did_health.health.fhir import Imported, LicenseDefaults, PharmacyDefaults, PractitionerReader, Roles, RowError, read_register, read_roles
from did_health.health.fhir.register import PHARMACY, PHYSICIAN
from did_health.health.license_csv import ImportColumns
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

Row = Imported[PhysicianLicense] | Imported[Pharmacy] | RowError


def is_permit(row: Row) -> TypeGuard[Imported[Pharmacy]]:
    """Whether a row is a pharmacy's."""
    return isinstance(row, Imported) and isinstance(row.claims, Pharmacy)


def is_license(row: Row) -> TypeGuard[Imported[PhysicianLicense] | RowError]:
    """Whether it is not."""
    return not is_permit(row)


def license_defaults(issued_on: str | None, valid_until: days.Given, profession: str, jurisdiction: str) -> LicenseDefaults:
    """What to say of a licence where the file does not; days are those of the board's jurisdiction."""
    now = session.now()
    return LicenseDefaults(
        original_issue_date=session.day(issued_on, "--issued-on") if issued_on else local_days(jurisdiction).day_of(now),
        valid_until=days.last_moment(valid_until, "--valid-until", jurisdiction) or now + _VALID_FOR,
        profession=profession,
        jurisdiction=None if jurisdiction == jurisdictions.NATIONWIDE else jurisdiction,
    )


class RegisterFile:
    """A file to import, which is read as often as it takes; standard input is kept in memory. Reading raises ``StoreError``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept: bytes | None = None

    @property
    def is_csv(self) -> bool:
        """Whether its name says so."""
        return self._path.suffix.lower() == ".csv"

    def chunks(self, advance: Callable[[int], None] = lambda _size: None) -> Iterator[bytes]:
        """The file in pieces, so that a register of any size is read in constant memory; ``advance`` is told how many bytes were read."""
        if str(self._path) == session.STANDARD_INPUT or self._path.is_dir() or not self._path.exists():
            if self._kept is None:
                self._kept = session.read_file(self._path, max_bytes=MAX_FHIR_DOCUMENT_BYTES)
            yield self._kept
            return
        from did_health.stores.files import store_error

        try:
            with self._path.open("rb") as opened:
                while chunk := opened.read(_CHUNK):
                    advance(len(chunk))
                    yield chunk
        except OSError as error:
            raise store_error(error, self._path) from error


def read_fhir(
    file: RegisterFile, kinds: Collection[str], defaults: LicenseDefaults, state: str, advance: Callable[[int], None], *, mint_test_npi: bool
) -> Iterator[Row]:
    """The rows of ``kinds`` (of ``health.fhir.register``) in a FHIR file; a pharmacy that names no state is in ``state``.

    For physicians it is read twice, first for its PractitionerRoles. Raises ``FormatError``, ``StoreError``.
    """
    roles = read_roles(file.chunks()) if PHYSICIAN in kinds else Roles()
    physicians = PractitionerReader(defaults, mint_test_npi=mint_test_npi, roles=roles) if PHYSICIAN in kinds else None
    pharmacies = PharmacyDefaults(defaults.valid_until, jurisdiction=state) if PHARMACY in kinds else None
    return chain(roles.errors, read_register(file.chunks(advance), physicians=physicians, pharmacies=pharmacies))


def of_file(file: Path, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows; what ends the reading of them (``FormatError``) names the file."""
    try:
        yield from rows
    except FormatError as error:
        error.where = f"{file} {error.where}".rstrip()
        raise


def read_columns(file: Path) -> ImportColumns:
    """How the columns of a CSV are named. Raises ``FormatError`` with the file's name, ``StoreError``."""
    return session.at_file(file, lambda: ImportColumns.parse(session.read_file(file, max_bytes=MAX_CONFIG_BYTES)))


class NamedHolders:
    """Holders by their DIDs: that in the row, or that of the licence number in ``dids``."""

    def __init__(self, dids: Mapping[str, str]) -> None:
        self._dids = dids
        self._kinds: dict[str, str] = {}

    def knows(self, row: License) -> bool:
        if row.holder or row.claims.number not in self._dids:
            return bool(row.holder)
        if self._kinds.setdefault(row.claims.number, row.claims.credential_type) != row.claims.credential_type:
            hint = "Leave one of the two out, and import it by itself with a file of holders of its own"
            raise FormatError("a physician and a pharmacy have this number, and the file of holders names one DID for it", where="holder", hint=hint)
        return True

    def did(self, row: License) -> str:
        return row.holder or self._dids[row.claims.number]

    def keep(self, row: License, issued: Issued) -> None:
        """Nothing: they find their credentials with the board, by ``board list --credential`` or in its directory."""

    def wallet(self, row: License) -> str:  # noqa: ARG002  # none of them has one here
        return ""


class WalletHolders:
    """A wallet of the directory for every licence number of a kind; ``ready`` is called after each that was made or opened, which takes a while."""

    def __init__(self, directory: Directory, board: str, *, ready: Callable[[], None] = lambda: None) -> None:
        self._directory, self._board, self._ready = directory, board, ready

    def knows(self, row: License) -> bool:
        return not row.holder

    def did(self, row: License) -> str:
        name = self.wallet(row)
        wallet = self._directory.wallet(name) if name in self._directory.wallets else self._directory.create_wallet(name)
        self._ready()
        return wallet.did

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
        return wallet_name(self._board, row.claims.number, of_pharmacy=isinstance(row.claims, Pharmacy))


def wallet_name(board: str, number: str, *, of_pharmacy: bool = False) -> str:
    """The wallet for a licence number: always the same, and another one for every other number of the board, and for a pharmacy's of the same number."""
    words = re.sub(r"[^a-z0-9]+", "-", number.lower()).strip("-")
    name = f"{board}-{words}"
    if words == number and len(name) <= _LONGEST_NAME and not of_pharmacy:
        return name
    digested = f"pharmacy {number}" if of_pharmacy else number
    return f"{name[:_LONGEST_NAME]}-{hashlib.sha256(digested.encode()).hexdigest()[:6]}"


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
