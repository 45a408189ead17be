"""The part of ``did-health board`` that publishes licences as files, where no service of the board's answers."""

from __future__ import annotations

from typing import Annotated

import typer

from did_health.cli import options, session
from did_health.cli.board import BoardArgument
from did_health.cli.board_docket import GROUP as app
from did_health.cli.options import DirectoryOption, JSONOption, PassphraseFileOption, example
from did_health.cli.output import Output

GROUP: typer.Typer = app
"""The group ``board``, with the command of this module in it."""


@app.command("publish", epilog=example("did-health board publish nc-medical", "did-health board publish nc-medical --stop"))
def publish(
    name: BoardArgument,
    stop: Annotated[bool, typer.Option("--stop", help="Publish nothing more from now on; what is published stays.")] = False,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Have the ledger serve every licence that the board issued at its own URL, with its receipt, and from now on each new one when it is issued.

    Patients' credentials are never published.
    """
    from did_health.cli.progress import counting
    from did_health.roles.board_directory import publish_public

    count = 0
    out = Output(as_json)
    with session.open_existing(directory, passphrase_file) as opened:
        if stop:
            opened.set_publishing(name, on=False)
            if as_json:
                out.json({"publishing": False})
            else:
                out.line("From now on nothing more is published.")
            return
        board = opened.board(name)
        below = f"{board.institution.base_url}/licenses/"
        with counting("Publishing", quiet=as_json) as advance:
            for _ in publish_public(board):
                count += 1
                advance(1)
        opened.set_publishing(name, on=True)
    if as_json:
        out.json({"published": count, "below": below, "publishing": True})
    else:
        out.facts([("Published", count), ("Below", below), ("From now on", "each licence is published when it is issued")])
