"""The part of ``did-health board`` that keeps its docket: approvals, what is withdrawn or undone, and what is due."""

from __future__ import annotations

from typing import Annotated

import typer

from did_health.cli import options, session
from did_health.cli.board import BoardArgument
from did_health.cli.board_decisions import GROUP as app
from did_health.cli.decisions import ByOption, by_board, find_credential, show_decisions
from did_health.cli.options import DirectoryOption, JSONOption, PassphraseFileOption, example
from did_health.cli.output import Output

GROUP = app
"""The group ``board``, with the commands of this module in it."""
DecisionArgument = Annotated[str, typer.Argument(metavar="DECISION", help="The decision's id, as board docket shows it.")]
WhyOption = Annotated[str, typer.Option("--why", help="Why: kept in the board's register.")]


@app.command("approve", epilog=example("did-health board approve nc-medical urn:uuid:… --by director"))
def approve(
    name: BoardArgument,
    decision: DecisionArgument,
    by: Annotated[str, typer.Option("--by", help="The second person.")],
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Approve a decision as the second person; it is carried out if its day has come."""
    show_decisions(Output(as_json), by_board(name, directory, passphrase_file, lambda board: [board.docket.approve(decision, by=by)]))


@app.command("withdraw", epilog=example('did-health board withdraw nc-medical urn:uuid:… --why "entered twice"'))
def withdraw(
    name: BoardArgument,
    decision: DecisionArgument,
    why: WhyOption,
    by: ByOption = "",
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Take back a decision that is not carried out yet."""
    show_decisions(Output(as_json), by_board(name, directory, passphrase_file, lambda board: [board.docket.withdraw(decision, by=by, why=why)]))


@app.command("undo", epilog=example('did-health board undo nc-medical urn:uuid:… --why "wrong licence"'))
def undo(
    name: BoardArgument,
    decision: DecisionArgument,
    why: WhyOption,
    by: ByOption = "",
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Take back a decision that was carried out, within the window that the board allows itself (board init --undo-hours)."""
    show_decisions(Output(as_json), by_board(name, directory, passphrase_file, lambda board: [board.docket.undo(decision, by=by, why=why)]))


@app.command("tick", epilog=example("did-health board tick nc-medical"))
def tick(
    name: BoardArgument,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Carry out what is due and end what is over. Run it every few minutes, by cron or a timer."""
    show_decisions(Output(as_json), by_board(name, directory, passphrase_file, lambda board: board.docket.tick()), "Nothing was due.")


@app.command("docket", epilog=example("did-health board docket nc-medical", "did-health board docket nc-medical 12345"))
def docket(
    name: BoardArgument,
    credential: Annotated[str | None, typer.Argument(metavar="CREDENTIAL", help="All history of this one: its id, or the licence number.")] = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    as_json: JSONOption = False,
) -> None:
    """What waits for its day or for a second person; or the whole history of one licence. Needs no passphrase."""
    with session.register(directory, name) as (institution, register):
        if credential is None:
            found = [decision for decision in register.open(institution.did) if not decision.is_in_force]
        else:
            row = register.get(find_credential(directory, name, credential))
            # All that was issued under its number: what was decided about one, holds for what it was issued anew as.
            alike = () if row is None else (row,) if not row.number else reversed(register.find(institution.did, number=row.number))
            found = [decision for one in alike if row is not None and one.type == row.type for decision in register.of_credential(one.id)]
    nothing = "Nothing is pending." if credential is None else "Nothing was ever decided about it."
    show_decisions(Output(as_json), found, nothing, history=credential is not None)
