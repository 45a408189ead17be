"""``board import``: FHIR Practitioners become licences, in batches, each of which a crash can cut off without harm.

For every batch: the holders' wallets are written first (nobody is licensed whose key is lost), then the batch is issued, then the
credentials are put into the wallets. A run after a crash finds the wallets, reports what is issued as unchanged, and makes up for what
the last batch's wallets lack.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from did_health.cli import session
from did_health.encoding import strict_json
from did_health.errors import FormatError
from did_health.health.fhir import Imported, LicenseDefaults, RowError, read_practitioners
from did_health.health.physician_license import PhysicianLicense
from did_health.limits import MAX_FHIR_DOCUMENT_BYTES
from did_health.roles.holder import Wallet
from did_health.roles.issuer import Board, Issued
from did_health.roles.register import IssuedCredential
from did_health.stores.directory import Directory

Licence = Imported[PhysicianLicense]

ISSUED: Final = "issued"
UNCHANGED: Final = "unchanged"
SKIPPED: Final = "skipped"
_VALID_FOR: Final = timedelta(days=730)
_LONGEST_NAME: Final = 56
_CHUNK: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one row: ``outcome`` is issued, unchanged or skipped; ``problem`` says why it was skipped."""

    row: int
    outcome: str
    number: str = ""
    credential: str = ""
    wallet: str = ""
    problem: str = ""
    notes: tuple[str, ...] = ()

    @property
    def skipped(self) -> bool:
        """Whether there is no credential for the row."""
        return self.outcome == SKIPPED


def license_defaults(issued_on: str | None, valid_until: str | None, profession: str) -> LicenseDefaults:
    """What to say of a licence where FHIR does not."""
    now = session.now()
    return LicenseDefaults(
        original_issue_date=session.day(issued_on, "--issued-on") if issued_on else now.date(),
        valid_until=session.moment(valid_until, "--valid-until") or now + _VALID_FOR,
        profession=profession,
    )


class Import:
    """One import into one board. ``holders`` gives the DID for each licence number; ``None`` makes a wallet for each."""

    def __init__(
        self, directory: Directory, board: str, defaults: LicenseDefaults, holders: Mapping[str, str] | None, *, batch: int, mint_test_npi: bool
    ) -> None:
        self.directory, self.name, self.holders, self.batch = directory, board, holders, batch
        self.board: Board = directory.board(board)
        self._defaults, self._mint_test_npi = defaults, mint_test_npi
        self._issued: dict[str, str] = {}
        self._last_batch: set[str] = set()
        self._remember()

    def _remember(self) -> None:
        latest: datetime | None = None
        for row in self.board.all():
            if row.type != PhysicianLicense.credential_type:
                continue
            self._issued[row.number] = row.id
            if latest is None or row.issued_at > latest:
                latest, self._last_batch = row.issued_at, set()
            if row.issued_at == latest:
                self._last_batch.add(row.id)

    def run(self, file: Path, *, quiet: bool) -> list[RowResult]:
        """Import the file, one result for each row in the order of the rows; ``quiet`` shows no progress."""
        from did_health.cli.progress import counting

        results: list[RowResult] = []
        waiting: list[tuple[Licence, str]] = []
        seen: dict[str, int] = {}
        with counting("Importing", quiet=quiet) as advance:
            for row in read_practitioners(_chunks(file), defaults=self._defaults, mint_test_npi=self._mint_test_npi):
                result = self._judged(row, seen)
                if isinstance(result, RowResult):
                    results.append(result)
                    advance(1)
                else:
                    waiting.append(result)
                if len(waiting) == self.batch:
                    results += self._issue(waiting)
                    advance(len(waiting))
                    waiting.clear()
            results += self._issue(waiting)
            advance(len(waiting))
        if not results:
            raise FormatError("there is no Practitioner in the file", where=str(file), hint="FHIR R4 JSON is read: NDJSON, a Bundle, or one resource")
        return sorted(results, key=lambda result: result.row)

    def _judged(self, row: Licence | RowError, seen: dict[str, int]) -> RowResult | tuple[Licence, str]:
        """The row's result, or what is to be issued and to whom (the wallet's name or the DID)."""
        if isinstance(row, RowError):
            place = f"{row.field}: " if row.field else ""
            return RowResult(row.row, SKIPPED, problem=f"{place}{row.problem}{f'. {row.hint}' if row.hint else ''}")
        number = row.claims.number
        notes = notes_of(row)
        first = seen.setdefault(number, row.row)
        if first != row.row:
            return RowResult(row.row, SKIPPED, number, problem=f"the same licence number stands in row {first}", notes=notes)
        wallet = "" if self.holders is not None else wallet_name(self.name, number)
        if number in self._issued:
            credential = self._issued[number]
            if wallet and credential in self._last_batch:
                self._make_up(wallet, self.board.issued(credential))
            return RowResult(row.row, UNCHANGED, number, credential, wallet, notes=notes)
        holder = wallet or (self.holders or {}).get(number, "")
        if not holder:
            return RowResult(row.row, SKIPPED, number, problem="the file of holders names nobody for this licence number", notes=notes)
        try:
            # What the board cannot state must not stop the batch; the DID is replaced by the wallet's own later.
            row.claims.to_subject(holder if not wallet else "did:key:placeholder", self.board.details)
        except FormatError as error:
            return RowResult(row.row, SKIPPED, number, problem=str(error), notes=notes)
        return row, holder

    def _make_up(self, name: str, issued: IssuedCredential) -> None:
        """Put a credential of the last batch into its wallet, if a crash came before that."""
        if name not in self.directory.wallets:
            return
        wallet = self.directory.wallet(name)
        if wallet.did == issued.subject and all(one.id != issued.id for one in wallet.credentials):
            wallet.add(Issued(strict_json.loads_object(issued.document), strict_json.loads_object(issued.receipt)))
            self.directory.save_wallet(name, wallet)

    def _issue(self, rows: list[tuple[Licence, str]]) -> Iterator[RowResult]:
        wallets = {holder: self._wallet(holder) for _, holder in rows} if self.holders is None else {}
        orders = [(row.claims, wallets[holder].did if wallets else holder) for row, holder in rows]
        credentials = self.board.issue_many(orders)
        for (row, holder), issued in zip(rows, credentials, strict=True):
            if wallets:
                wallets[holder].add(issued)
                self.directory.save_wallet(holder, wallets[holder])
            yield RowResult(row.row, ISSUED, row.claims.number, issued.id, holder if wallets else "", notes=notes_of(row))

    def _wallet(self, name: str) -> Wallet:
        return self.directory.wallet(name) if name in self.directory.wallets else self.directory.create_wallet(name)


def notes_of(row: Licence) -> tuple[str, ...]:
    """The row's notes in sentences."""
    return tuple(f"{note.field}: {note.note}" for note in row.notes)


def wallet_name(board: str, number: str) -> str:
    """The wallet for a licence number: always the same, and another one for every other number of the board."""
    words = re.sub(r"[^a-z0-9]+", "-", number.lower()).strip("-")
    name = f"{board}-{words}"
    if words == number and len(name) <= _LONGEST_NAME:
        return name
    return f"{name[:_LONGEST_NAME]}-{hashlib.sha256(number.encode()).hexdigest()[:6]}"


def _chunks(file: Path) -> Iterator[bytes]:
    """The file in pieces, so that a register of any size is read in constant memory."""
    if str(file) == session.STANDARD_INPUT or file.is_dir() or not file.exists():
        yield session.read_file(file, max_bytes=MAX_FHIR_DOCUMENT_BYTES)
        return
    from did_health.stores.files import store_error

    try:
        with file.open("rb") as opened:
            while chunk := opened.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise store_error(error, file) from error


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
