"""The part of ``did-health wallet`` that is about who looked: the activity log, which is no accounting of disclosures in the sense of HIPAA."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import options, session
from did_health.cli.exits import FAILED, UsageError, asking
from did_health.cli.options import DirectoryOption, JSONOption, PassphraseFileOption, example
from did_health.cli.output import Output, note, short
from did_health.cli.wallet import WalletArgument, changed_wallet, open_wallet
from did_health.cli.wallet_grants import GROUP as app

if TYPE_CHECKING:
    from collections.abc import Sequence

    from did_health.roles.received_receipt import ReceivedReceipt
    from did_health.roles.report import Report

GROUP = app
"""The group ``wallet``, with the commands of this module in it."""
_LABEL = "this log says who asked, by what they signed themselves; it is no accounting of disclosures in the sense of HIPAA"


@app.command("receive", epilog=example("did-health wallet receive adams receipt.json"))
def receive(
    name: WalletArgument,
    file: Annotated[Path, typer.Argument(help="A receipt that a verifier gave; - is standard input.")],
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Keep a receipt of a verification in the activity log. wallet activity --check verifies it."""
    from did_health.limits import MAX_DOCUMENT_BYTES
    from did_health.roles.received_receipt import ReceivedReceipt

    receipt = session.at_file(file, lambda: ReceivedReceipt.parse(session.read_file(file, max_bytes=MAX_DOCUMENT_BYTES)))
    with changed_wallet(directory, name, passphrase_file) as wallet, asking("the wallet cannot keep it", where=str(file)):
        wallet.keep_receipt(receipt)
    out = Output(as_json)
    if as_json:
        out.json({"wallet": name, "id": receipt.id, "receipts": len(wallet.activity)})
    else:
        out.line(f"Wallet {name} keeps {receipt.id}, one of {len(wallet.activity)} receipts.")


@app.command("activity", epilog=example("did-health wallet activity adams", "did-health wallet activity adams --check --csv activity.csv --fhir activity.json"))
def activity(
    name: WalletArgument,
    check: Annotated[bool, typer.Option("--check", help="Verify every receipt by the directory's ledger; status 1 if one is forged.")] = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the log to this file, as a table.")] = None,
    fhir: Annotated[Path | None, typer.Option("--fhir", help="Write the log to this file, as a FHIR R4 Bundle of AuditEvents.")] = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """The activity log: who looked at this holder's claims, when and for what."""
    from did_health.encoding import strict_json
    from did_health.health.activity_table import COLUMNS, activity_csv, activity_row
    from did_health.health.fhir.audit_events import activity_bundle
    from did_health.roles.report import Verdict

    wallet, _ = open_wallet(directory, name, passphrase_file)
    kept = sorted(wallet.activity, key=lambda one: one.receipt.at)
    reports = _checked(kept, directory, passphrase_file) if check else [None] * len(kept)
    if csv is not None:
        session.write_file(csv, activity_csv(one.receipt for one in kept).encode(), secret=True)
    if fhir is not None:
        session.write_file(fhir, strict_json.dumps(activity_bundle((one.receipt, one.subject) for one in kept), indent=True) + b"\n", secret=True)
    out = Output(as_json)
    if as_json:
        rows = [{**dict(zip(COLUMNS, activity_row(one.receipt), strict=True)), **_outcome(report)} for one, report in zip(kept, reports, strict=True)]
        out.json({"name": name, "activity": rows})
    else:
        out.heading(f"Activity log of {name}")
        rows_shown = [
            (row[0], short(row[1]), row[2], row[4].replace(" ", ", "), row[5], _words(report))
            for row, report in ((activity_row(one.receipt), report) for one, report in zip(kept, reports, strict=True))
        ]
        if rows_shown:
            out.table(("When", "Who looked", "For what", "What was shown", "Verdict", "Receipt"), rows_shown)
        else:
            out.line("Nobody has given a receipt yet.")
        note(f"Note: {_LABEL}.")
    if any(report is not None and report.verdict is Verdict.REFUSE for report in reports):
        raise typer.Exit(FAILED)


def _checked(kept: Sequence[ReceivedReceipt], directory: Path, passphrase_file: Path | None) -> Sequence[Report]:
    from did_health.net.verifiers import embedded_verifier
    from did_health.roles.receipts import verify_receipt

    if not (directory / "ledger.sqlite").exists():
        raise UsageError("there is no ledger here to check receipts by", where=str(directory))
    with session.open_existing(directory, passphrase_file) as opened:
        verifier = embedded_verifier(opened)
        return [verify_receipt(one, verifier) for one in kept]


def _outcome(report: Report | None) -> dict[str, object]:
    return {} if report is None else {"receiptVerdict": report.verdict, "receiptCodes": list(report.codes)}


def _words(report: Report | None) -> str:
    if report is None:
        return "not checked"
    if "key_retired" in report.codes:
        return "by a key replaced since, not logged in time"
    return {"accept": "signed, on the ledger", "conditional": "signed, not on the ledger", "refuse": "FORGED"}.get(report.verdict, "cannot be told now")
