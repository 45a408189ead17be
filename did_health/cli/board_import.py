"""The part of ``did-health board`` that brings a register up to a file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import days, options, session
from did_health.cli.board import BoardArgument
from did_health.cli.board_accredit import GROUP as app
from did_health.cli.exits import FAILED, UsageError
from did_health.cli.options import DirectoryOption, JSONOption, PassphraseFileOption, example
from did_health.cli.output import Output, note

if TYPE_CHECKING:
    from did_health.cli.imports import Row
    from did_health.errors import FormatError
    from did_health.health.pharmacy import Pharmacy
    from did_health.health.physician_license import PhysicianLicense
    from did_health.roles.license_import import LicenseImport, RowResult

GROUP: typer.Typer = app
"""The group ``board``, with the command of this module in it."""


@app.command("import", epilog=example(
    "did-health board import nc-medical licences.csv --dry-run",
    "did-health board import nc-medical licences.csv --columns columns.toml --results results.csv",
    "did-health board import nc-medical practitioners.ndjson --wallets",
))
def import_(
    name: BoardArgument,
    file: Annotated[Path, typer.Argument(help="CSV (by its name, or with --columns), or FHIR R4 Practitioners or pharmacy Organizations: NDJSON, a Bundle.")],
    wallets: Annotated[bool, typer.Option("--wallets", help="Make a wallet in the directory for each physician or pharmacy.")] = False,
    holders: Annotated[Path | None, typer.Option("--holders", help='JSON that gives the DID for each licence number: {"12345": "did:…"}.')] = None,
    columns: Annotated[Path | None, typer.Option("--columns", help="TOML that says how the columns of a CSV are named, and its days written.")] = None,
    results: Annotated[Path | None, typer.Option("--results", help="Write a line of CSV for each row: what became of it, and why.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge every row and write nothing.")] = False,
    issued_on: Annotated[str | None, typer.Option("--issued-on", help="The day of a physician's first issue if the file has none; by default today.")] = None,
    valid_until: Annotated[str | None, typer.Option("--valid-until", help="The end of validity where the file has none; by default in two years.")] = None,
    profession: Annotated[str | None, typer.Option("--profession", help="A physician's where the file has none: MD, which is the default, or DO.")] = None,
    mint_test_npi: Annotated[
        bool, typer.Option("--mint-test-npi", help="Replace invalid NPIs of FHIR Practitioners by valid test numbers: for test data only.")
    ] = False,
    batch: Annotated[int, typer.Option("--batch", min=1, max=10_000, help="How many rows share one entry of the ledger.")] = 500,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Issue a licence for every row of a file, issue anew what has changed, and say for each row what became of it.

    A FHIR file may have physicians and pharmacies: those are imported that the registry lets the board license, the others passed over.
    A Practitioner has a row for every licence. Run it again after an interruption: what is issued already is reported as unchanged.
    The status is 1 if a row was refused.
    """
    from did_health.cli.imports import NamedHolders, RegisterFile, WalletHolders, license_defaults, of_file, read_columns, read_fhir, read_holders
    from did_health.cli.imports_output import Tally, results_file, show_import
    from did_health.cli.progress import READING, importing
    from did_health.health.fhir.register import PHYSICIAN, kinds_in
    from did_health.health.license_csv import ImportColumns, read_licenses_csv
    from did_health.health.pharmacy import Pharmacy
    from did_health.roles.license_import import LicenseImport, professions_of, record_of
    from did_health.roles.license_rules import PharmacyRules, PhysicianRules

    register = RegisterFile(file)
    is_csv = columns is not None or register.is_csv
    if (wallets and holders is not None) or not (wallets or holders is not None or is_csv):
        raise UsageError("a licence needs a holder", hint="Give either --wallets or --holders FILE; a CSV may have a column holder")
    end = days.given(valid_until, "--valid-until")
    described = read_columns(columns) if columns is not None else ImportColumns()
    found = {} if holders is None else read_holders(holders)
    of_physicians = [option for option, given in (("--issued-on", issued_on), ("--profession", profession), ("--mint-test-npi", mint_test_npi)) if given]
    tally = Tally()
    with session.open_existing(directory, passphrase_file) as opened:
        board = opened.board(name)
        defaults = license_defaults(issued_on, end, profession or "MD", board.details.jurisdiction)
        days.tell(board.details.jurisdiction, "The file's dates")
        institution, authority = board.institution, opened.policy.registry_authority
        licensed, permits = professions_of(institution, authority), record_of(institution, authority, Pharmacy.credential_type)
        kinds = frozenset((PHYSICIAN,)) if is_csv else _kinds(kinds_in(register.chunks()), physicians=bool(licensed), pharmacies=permits is not None, file=file)
        _require_applicable(of_physicians, kinds, is_csv=is_csv)
        with results_file(results) as write, importing(file, quiet=as_json) as advance:
            to = WalletHolders(opened, name, ready=partial(advance, "Wallets ready", 1)) if wallets else NamedHolders(found)
            physicians = LicenseImport(board, PhysicianRules(licensed), to, dry_run=dry_run)
            pharmacies = LicenseImport(board, PharmacyRules(permits is not None), to, dry_run=dry_run)
            read = partial(advance, READING)
            rows: Iterator[Row] = (
                read_licenses_csv(register.chunks(read), defaults=defaults, columns=described)
                if is_csv
                else read_fhir(register, kinds, defaults, board.details.jurisdiction, read, mint_test_npi=mint_test_npi)
            )
            for result in _results(physicians, pharmacies, of_file(file, rows), batch):
                write(result)
                tally.add(result)
                advance("Rows done", 1)
            if not tally.total:
                raise _nothing_in(file, is_csv=is_csv)
    show_import(Output(as_json), tally, dry_run=dry_run, results=results)
    if any(tally.refused):
        raise typer.Exit(FAILED)


def _kinds(there: frozenset[str], *, physicians: bool, pharmacies: bool, file: Path) -> frozenset[str]:
    """Which kinds of a FHIR file's resources are rows: a register of physicians may name organisations beside them, and the other way round."""
    from did_health.health.fhir.register import PHARMACY, PHYSICIAN

    if len(there) < 2 or (physicians and pharmacies):
        # A file of one kind is a board's own whatever it may license: each row then says what is wrong.
        return there
    kind, other, what = (PHARMACY, PHYSICIAN, "physicians") if pharmacies else (PHYSICIAN, PHARMACY, "pharmacies")
    note(f"The {other}s of {file} are passed over: the registry does not let this board license {what}.", "yellow")
    return frozenset((kind,))


def _require_applicable(options: list[str], kinds: frozenset[str], *, is_csv: bool) -> None:
    """Raises ``UsageError`` for ``options`` of physicians where none are imported, and for one of FHIR with a CSV."""
    from did_health.health.fhir.register import PHARMACY

    if is_csv and "--mint-test-npi" in options:
        raise UsageError("only the NPIs of FHIR are replaced", where="--mint-test-npi", hint="Correct them in the CSV, or leave its cells empty")
    if options and kinds == {PHARMACY}:
        hint = "Leave it out: the file has pharmacies only, whose permits say nothing of it"
        raise UsageError(f"{', '.join(options)} {'is' if len(options) == 1 else 'are'} for physicians", where=options[0], hint=hint)


def _nothing_in(file: Path, *, is_csv: bool) -> FormatError:
    from did_health.errors import FormatError

    what = "no line below the names of the columns" if is_csv else "no Practitioner and no Organization"
    return FormatError(f"there is {what} in the file", where=str(file), hint="CSV or FHIR R4 JSON is read: NDJSON, a Bundle, or one resource")


def _results(
    physicians: LicenseImport[PhysicianLicense], pharmacies: LicenseImport[Pharmacy], rows: Iterator[Row], batch: int
) -> Iterator[RowResult]:
    """The results of all rows in their order; those of a window that are of one kind are issued together."""
    from did_health.cli.imports import is_license, is_permit

    while window := list(islice(rows, batch)):
        permitted = pharmacies.run([row for row in window if is_permit(row)])
        done = physicians.run([row for row in window if is_license(row)])
        for row in window:
            yield next(permitted if is_permit(row) else done)
