"""The part of ``did-health board`` that brings a register up to a file."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import days, options, session
from did_health.cli.board import BoardArgument
from did_health.cli.board_publish import GROUP as app
from did_health.cli.exits import FAILED, UsageError
from did_health.cli.options import DirectoryOption, JSONOption, PassphraseFileOption, example
from did_health.cli.output import Output

if TYPE_CHECKING:
    from did_health.health.fhir.rows import Imported, RowError
    from did_health.roles.license_import import LicenseImport, RowResult
    from did_health.roles.license_rules import Claims

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
    issued_on: Annotated[str | None, typer.Option("--issued-on", help="The day of the first issue where the file has none; by default today.")] = None,
    valid_until: Annotated[str | None, typer.Option("--valid-until", help="The end of validity where the file has none; by default in two years.")] = None,
    profession: Annotated[str, typer.Option("--profession", help="The profession where the file has none: MD or DO.")] = "MD",
    mint_test_npi: Annotated[bool, typer.Option("--mint-test-npi", help="Replace invalid NPIs of FHIR by valid test numbers: for test data only.")] = False,
    batch: Annotated[int, typer.Option("--batch", min=1, max=10_000, help="How many rows share one entry of the ledger.")] = 500,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Issue a licence for every row of a file, issue anew what has changed, and say for each row what became of it.

    Run it again after an interruption: what is issued already is reported as unchanged. The status is 1 if a row was refused.
    """
    from did_health.cli.imports import (
        NamedHolders,
        WalletHolders,
        holds_pharmacies,
        license_defaults,
        read_columns,
        read_holders,
        read_pharmacy_rows,
        read_rows,
    )
    from did_health.cli.imports_output import Tally, results_file, show_import
    from did_health.cli.progress import reading
    from did_health.errors import FormatError
    from did_health.health.license_csv import ImportColumns
    from did_health.health.pharmacy import Pharmacy
    from did_health.roles.license_import import LicenseImport, professions_of, record_of
    from did_health.roles.license_rules import PharmacyRules, PhysicianRules

    is_csv = columns is not None or file.suffix.lower() == ".csv"
    if (wallets and holders is not None) or not (wallets or holders is not None or is_csv):
        raise UsageError("a licence needs a holder", hint="Give either --wallets or --holders FILE; a CSV may have a column holder")
    end = days.given(valid_until, "--valid-until")
    described = read_columns(columns) if columns is not None else ImportColumns() if is_csv else None
    found = {} if holders is None else read_holders(holders)
    tally = Tally()
    with session.open_existing(directory, passphrase_file) as opened:
        board = opened.board(name)
        defaults = license_defaults(issued_on, end, profession, board.details.jurisdiction)
        days.tell(board.details.jurisdiction, "The file's dates")
        to = WalletHolders(opened, name) if wallets else NamedHolders(found)
        institution, authority = board.institution, opened.policy.registry_authority
        licensed, permits = professions_of(institution, authority), record_of(institution, authority, Pharmacy.credential_type)
        # A register of physicians may name organisations beside them: such a file is of pharmacies only for a board that licenses nobody else.
        of_pharmacies = not is_csv and holds_pharmacies(file, beside_practitioners=permits is not None and not licensed)
        physicians = LicenseImport(board, PhysicianRules(licensed), to, dry_run=dry_run)
        pharmacies = LicenseImport(board, PharmacyRules(permits is not None), to, dry_run=dry_run)
        with results_file(results) as write, reading("Importing", file, quiet=as_json) as advance:
            if of_pharmacies:
                permit_rows = read_pharmacy_rows(file, board.details.jurisdiction, defaults.valid_until, advance)
                done = _results(pharmacies, permit_rows, batch)
            else:
                done = _results(physicians, read_rows(file, defaults, described, advance, mint_test_npi=mint_test_npi), batch)
            for result in done:
                write(result)
                tally.add(result)
            if not tally.total:
                what = "no line below the names of the columns" if is_csv else "no Practitioner and no Organization"
                hint = "CSV or FHIR R4 JSON is read: NDJSON, a Bundle, or one resource"
                raise FormatError(f"there is {what} in the file", where=str(file), hint=hint)
    show_import(Output(as_json), tally, dry_run=dry_run, results=results)
    if any(tally.refused):
        raise typer.Exit(FAILED)


def _results(importing: LicenseImport[Claims], rows: Iterator[Imported[Claims] | RowError], batch: int) -> Iterator[RowResult]:
    while window := list(islice(rows, batch)):
        yield from importing.run(window)
