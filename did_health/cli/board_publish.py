"""The part of ``did-health board`` that publishes licences as files, where no service of the board's answers."""

from __future__ import annotations

import typer

from did_health.cli import options, session
from did_health.cli.board import BoardArgument
from did_health.cli.board_docket import GROUP as app
from did_health.cli.options import DirectoryOption, JSONOption, PassphraseFileOption, example
from did_health.cli.output import Output

GROUP: typer.Typer = app
"""The group ``board``, with the command of this module in it."""


@app.command("publish", epilog=example("did-health board publish nc-medical"))
def publish(
    name: BoardArgument,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Have the ledger serve every licence that the board issued at its own URL, with its receipt. Patients' credentials are never published."""
    from did_health.cli.progress import counting
    from did_health.roles.board_directory import publish_public

    count = 0
    with session.open_existing(directory, passphrase_file) as opened:
        board = opened.board(name)
        below = f"{board.institution.base_url}/licenses/"
        with counting("Publishing", quiet=as_json) as advance:
            for _ in publish_public(board):
                count += 1
                advance(1)
    out = Output(as_json)
    if as_json:
        out.json({"published": count, "below": below})
    else:
        out.facts([("Published", count), ("Below", below)])
