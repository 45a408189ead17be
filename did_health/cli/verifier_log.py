"""``did-health verifier-log``: what an institution verified, its receipts, and whether anything of it has gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import options, session
from did_health.cli.exits import FAILED, UsageError, asking
from did_health.cli.options import DirectoryOption, JSONOption, OutputFileOption, PassphraseFileOption, example
from did_health.cli.output import Output, note

if TYPE_CHECKING:
    from did_health.encoding.strict_json import JSONObject
    from did_health.roles.receipts import ReceiptBook
    from did_health.roles.received_receipt import ReceivedReceipt
    from did_health.stores.directory import Directory
    from did_health.stores.verifier_records import SQLVerifierRecords

app = options.group("verifier-log", "What an institution verified: its log, its receipts, and whether anything has gone.")

VerifierArgument = Annotated[str, typer.Argument(metavar="NAME", help="The institution's name in the directory.")]


@app.command("show", epilog=example("did-health verifier-log show main-street"))
def show(
    name: VerifierArgument,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Every row: date, recipient, description, purpose (names of claims), and what came of it."""
    with _opened(name, directory, passphrase_file) as (_, book, records):
        verifier = book.verifier
        rows = [(row.position, row.document) for row in records.rows(book.verifier)]
    places = {str(document.get("id")): position for position, document in rows}
    out = Output(as_json)
    if as_json:
        out.json([{"row": position, **document} for position, document in rows])
        return
    # Every row of a log has the same recipient.
    columns = ("Row", "Date", "Description", "Purpose", "Verdict", "Why")
    out.table(
        columns,
        [(position, one["date"], _described(one), one["purpose"], one["verdict"], _why(one, places)) for position, one in rows],
        title=f"{len(rows)} rows; recipient: {verifier}",
    )


def _described(row: JSONObject) -> str:
    """The names of the claims, a line for each credential."""
    by_credential: dict[str, list[str]] = {}
    for name in row["description"]:
        credential, _, claim = str(name).partition(".")
        by_credential.setdefault(credential.removesuffix("Credential"), []).append(claim)
    return "\n".join(f"{credential}: {' '.join(claims)}" for credential, claims in by_credential.items()) or "-"


def _why(row: JSONObject, places: dict[str, int]) -> str:
    words = [str(code) for code in row["reasons"]]
    if row.get("override"):
        words.append(f"[override: {row['override']['reason']}]")
    if row.get("recheckOf"):
        words.append(f"[row {places.get(str(row['recheckOf']), '?')} checked again]")
    return " ".join(words) or "-"


@app.command("publish", epilog=example("did-health verifier-log publish main-street"))
def publish(
    name: VerifierArgument,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Put the receipts that are new, and the log's newest head, on the ledger under one root. Run it every few minutes, by cron or a timer."""
    with _opened(name, directory, passphrase_file) as (_, book, _records):
        count = book.publish()
    out = Output(as_json)
    if as_json:
        out.json({"published": count})
    else:
        out.line(f"{count} receipts were put on the ledger.")


@app.command("check", epilog=example("did-health verifier-log check main-street", "did-health verifier-log check main-street --held receipt.json"))
def check(
    name: VerifierArgument,
    held: Annotated[list[Path] | None, typer.Option("--held", help="A receipt that its holder brought: its row must be there. May be repeated.")] = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Recompute the log's chain and hold it against the ledger, and against receipts that holders have.

    Status 1: a row, a receipt or a batch was changed or has gone.
    """
    from did_health.roles.log_review import review_log

    brought = [(file, _received(file)) for file in held or ()]
    with _opened(name, directory, passphrase_file) as (opened, book, records):
        policy = opened.policy.ledger
        if policy is None:
            raise UsageError("the directory's trust policy names no ledger", where=str(directory))
        for file, one in brought:
            _require_own(file, one, opened, book.verifier)
        review = review_log(records, book.verifier, opened.ledger, policy, [one for _, one in brought])
    out = Output(as_json)
    if as_json:
        findings = [{"code": one.code, "sentence": one.sentence, "where": one.where} for one in review.findings]
        out.json({"whole": review.is_whole, "rows": review.rows, "batches": review.batches, "coveredRow": review.covered, "findings": findings})
    else:
        covered = "none yet" if review.covered < 0 else f"up to row {review.covered}"
        out.line("Nothing was changed, and nothing has gone." if review.is_whole else "Something was changed, or has gone.", "bold")
        out.facts([("Rows", review.rows), ("Batches on the ledger", review.batches), ("Vouched for by the ledger", covered)])
        if review.findings:
            out.table(("Where", "What", "Code"), [(one.where, one.sentence, one.code) for one in review.findings])
    if not review.is_whole:
        raise typer.Exit(FAILED)


@app.command("receipt", epilog=example("did-health verifier-log receipt main-street urn:uuid:… -o receipt.json"))
def receipt(
    name: VerifierArgument,
    receipt_id: Annotated[str, typer.Argument(metavar="ID", help="The receipt credential's id, as pickup check told it.")],
    output: OutputFileOption = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """A receipt for its holder, with the proof that it is on the ledger once it was published."""
    with _opened(name, directory, passphrase_file) as (_, book, _records), asking("no such receipt was ever signed here", where=receipt_id):
        found = book.receipt(receipt_id)
    out = Output(as_json)
    if output is None:
        out.write(found.to_json() + b"\n")
        return
    session.write_file(output, found.to_json() + b"\n", secret=True)
    if as_json:
        out.json({"file": str(output), "id": found.id, "logged": found.proof is not None})
    else:
        note(f"Written to {output}, {'with the proof that it is on the ledger' if found.proof else 'not on the ledger yet'}.")


def _received(file: Path) -> ReceivedReceipt:
    from did_health.limits import MAX_DOCUMENT_BYTES
    from did_health.roles.received_receipt import ReceivedReceipt

    return session.at_file(file, lambda: ReceivedReceipt.parse(session.read_file(file, max_bytes=MAX_DOCUMENT_BYTES)))


def _require_own(file: Path, received: ReceivedReceipt, opened: Directory, verifier: str) -> None:
    """Raises ``UsageError`` for a receipt that says nothing about this log."""
    from did_health.net.verifiers import embedded_verifier
    from did_health.roles.receipts import verify_receipt

    report = verify_receipt(received, embedded_verifier(opened))
    if received.receipt.verifier != verifier or report.verdict not in ("accept", "conditional"):
        reason = ", ".join(report.codes) or "another verifier's"
        raise UsageError("the receipt proves nothing about this log", where=str(file), hint=f"It is not this verifier's, or does not hold: {reason}")


@contextmanager
def _opened(name: str, directory: Path, passphrase_file: Path | None) -> Iterator[tuple[Directory, ReceiptBook, SQLVerifierRecords]]:
    from did_health.roles.receipts import ReceiptBook
    from did_health.stores.verifier_records import SQLVerifierRecords

    with session.open_existing(directory, passphrase_file) as opened:
        records = SQLVerifierRecords(opened.verifier_database(name))
        yield opened, ReceiptBook(opened.institution(name), records), records
