"""The command ``did-health``: puts the command groups together, and turns every error of the tree into sentences and an exit status.

Modules of commands import only Typer and each other; what a command needs of the library it imports when it runs, so that help is quick.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli.exits import exit_code
from did_health.cli.output import report_error
from did_health.errors import DidHealthError

if TYPE_CHECKING:
    from typer.core import TyperGroup

PROGRAM = "did-health"


def run(arguments: Sequence[str] | None = None) -> None:
    """Run one command line (by default the process's own) and leave with its exit status (``SystemExit``)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        command().main(args=given, prog_name=PROGRAM)
    except DidHealthError as error:
        report_error(error, as_json="--json" in given)
        raise SystemExit(exit_code(error)) from None


def command() -> TyperGroup:
    """The whole command, built anew."""
    from typer.main import get_command

    return get_command(build())  # type: ignore[return-value]  # an app with several commands is a group


def build() -> typer.Typer:
    """The Typer application with all groups."""
    from did_health.cli import (
        bench,
        board_import,
        bundle,
        config,
        demo,
        did,
        federation,
        inspect,
        ledger,
        monitor,
        pickup,
        prescriber,
        roster,
        serve,
        tables,
        verifier_log,
        verify,
        wallet_activity,
    )

    app = typer.Typer(name=PROGRAM, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, callback=_root)
    # board_import adds its commands to the group of board, and so on.
    counters = (pickup.app, prescriber.app, verifier_log.app)
    groups = (did.app, board_import.GROUP, wallet_activity.GROUP, *counters, roster.app, ledger.app, bundle.app, serve.app, federation.app, config.app)
    for group in groups:
        app.add_typer(group)
    app.command("monitor", epilog=monitor.EXAMPLE)(monitor.monitor)
    app.command("demo", epilog=demo.EXAMPLE)(demo.demo)
    app.command("verify", epilog=verify.EXAMPLE)(verify.verify)
    app.command("tables", epilog=tables.EXAMPLE)(tables.tables)
    app.command("inspect", epilog=inspect.EXAMPLE)(inspect.inspect)
    app.command("bench", epilog=bench.EXAMPLE)(bench.bench)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        from did_health import __version__

        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


def _root(
    _version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Identity and verifiable credentials for US healthcare, anchored on witnessed transparency logs.

    Exit status: 0 done or accepted, 1 failed or refused, 2 wrong usage or malformed input, 3 indeterminate, 4 conditional.
    """
