"""``did-health serve board``: the public directory of a board."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import session
from did_health.cli.configured import ConfigOption, configured
from did_health.cli.options import DIRECTORY_VARIABLE, JSONOption, example
from did_health.cli.output import Output

if TYPE_CHECKING:
    from did_health.roles.board_directory import BoardDirectory
    from did_health.services.sections.board import BoardSettings
    from did_health.stores.register_store import SQLRegister

EXAMPLE = example(
    "did-health serve board --name nc-medical --listen 127.0.0.1:8110",
    "did-health serve board --config services.toml",
)


def board(
    config: ConfigOption = None,
    name: Annotated[str | None, typer.Option("--name", help="The board's short name in the directory.")] = None,
    folder: Annotated[Path | None, typer.Option("--dir", envvar=DIRECTORY_VARIABLE, help="Its register and its ledger; by default did-health.")] = None,
    policy: Annotated[Path | None, typer.Option("--policy", help="The trust policy that evidence is gathered for; by default the directory's own.")] = None,
    listen: Annotated[str | None, typer.Option("--listen", help="Where it listens, as 127.0.0.1:8110; port 0 takes any that is free.")] = None,
    prefix: Annotated[str | None, typer.Option("--prefix", help="The path below which it answers, as /nc-medical.")] = None,
    as_json: JSONOption = False,
) -> None:
    """Answers look-ups of a board's licences by NPI, number or name, with receipts and proofs. Needs no passphrase; shows public types only."""
    from did_health.cli.server_extra import require_server_extra
    from did_health.services.sections.board import BoardSettings

    require_server_extra()
    settings = configured(config, BoardSettings, name=name, dir=folder, policy=policy, listen=listen, prefix=prefix)
    with opened_directory(settings) as (directory, register):
        _serve(settings, directory, register, Output(as_json))


@contextmanager
def opened_directory(settings: BoardSettings) -> Iterator[tuple[BoardDirectory, SQLRegister]]:
    """The directory of the board, with evidence from the ledger beside it. Raises ``StoreError``, ``FormatError``."""
    from did_health.roles.board_directory import BoardDirectory
    from did_health.roles.verifier import Verifier
    from did_health.services.board_app import LedgerEvidence
    from did_health.stores.front_end import FrontEnd

    trusted = session.read_policy(settings.policy, settings.dir)
    with session.register(settings.dir, settings.name) as (institution, register), closing(FrontEnd.open(settings.dir, clock=session.now)) as ledger:
        evidence = LedgerEvidence(ledger, ledger.url, Verifier(trusted, clock=session.now), session.now)
        yield BoardDirectory(institution.did, institution.base_url, register, evidence), register


def _serve(settings: BoardSettings, directory: BoardDirectory, register: SQLRegister, out: Output) -> None:
    from did_health.services.board_app import board_app
    from did_health.services.json_log import JSONLog
    from did_health.services.metrics import Metrics
    from did_health.services.rate_limit import RateLimit
    from did_health.services.run import address_of, listening, serve

    log = JSONLog("board")

    def ready() -> None:
        register.get("")

    app = board_app(
        directory, ready=ready, log=log, limit=RateLimit(settings.requests_per_minute), metrics=Metrics("board"), prefix=settings.prefix
    )
    listener = listening(settings.listen)
    url = f"http://{address_of(listener)}{settings.prefix}"

    def tell() -> None:
        if out.as_json:
            out.json({"issuer": directory.issuer, "url": url, "publishesBelow": directory.base_url})
        else:
            out.facts([("Directory of", directory.issuer), ("Answers at", f"{url}/licenses"), ("Publishes below", directory.base_url)])

    serve(app, listener, log=log, started=tell, trusted_proxies=settings.trusted_proxies)
