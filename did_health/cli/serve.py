"""``did-health serve``: one command for each service; each runs until SIGTERM or Ctrl-C. Services need the ``server`` extra."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import options, serve_board, serve_ledger, serve_mirror, serve_registry, serve_resolver, serve_vc_api, session
from did_health.cli.configured import ConfigOption, configured
from did_health.cli.exits import UsageError
from did_health.cli.options import JSONOption, PassphraseFileOption, example
from did_health.cli.output import Output
from did_health.cli.server_extra import require_server_extra

if TYPE_CHECKING:
    from did_health.services.sections.witness import WitnessSettings
    from did_health.services.setting_values import Address
    from did_health.stores.witness_directory import WitnessDirectory

app = options.group("serve", "Run a service until it is told to end.")

ListenOption = Annotated[str | None, typer.Option("--listen", help="Where it listens, as 127.0.0.1:8101; port 0 takes any that is free.")]


app.command("ledger", epilog=serve_ledger.EXAMPLE)(serve_ledger.ledger)
app.command("mirror", epilog=serve_mirror.EXAMPLE)(serve_mirror.mirror)
app.command("vc-api", epilog=serve_vc_api.EXAMPLE)(serve_vc_api.vc_api)
app.command("board", epilog=serve_board.EXAMPLE)(serve_board.board)
app.command("registry", epilog=serve_registry.EXAMPLE)(serve_registry.registry)
app.command("resolver", epilog=serve_resolver.EXAMPLE)(serve_resolver.resolver)


@app.command("witness", epilog=example(
    "did-health serve witness --name w1.example --dir w1 --print-key",
    "did-health serve witness --name w1.example --dir w1 --log ledger.example+0f3c…+Aa… --listen 127.0.0.1:8101",
    "did-health serve witness --config services.toml",
))
def witness(
    config: ConfigOption = None,
    name: Annotated[str | None, typer.Option("--name", help="The witness's key name, such as its host.")] = None,
    folder: Annotated[Path | None, typer.Option("--dir", help="The folder of its key and memory; made if there is none.")] = None,
    key: Annotated[Path | None, typer.Option("--key", help="Its sealed key, made if there is none; by default witness.key in its folder.")] = None,
    log: Annotated[list[str] | None, typer.Option("--log", help="The verifier key of a log to follow. May be repeated.")] = None,
    listen: ListenOption = None,
    prefix: Annotated[str | None, typer.Option("--prefix", help="The path below which it answers, as /witness.")] = None,
    passphrase_file: PassphraseFileOption = None,
    print_key: Annotated[bool, typer.Option("--print-key", help="Print its verifier key, which is made if there is none, and do not serve.")] = False,
    as_json: JSONOption = False,
) -> None:
    """A C2SP witness: cosigns the checkpoints of logs that only grow, and remembers what it cosigned before it answers."""
    from did_health.services.sections.witness import WitnessSettings

    settings = configured(config, WitnessSettings, name=name, dir=folder, key=key, logs=log, listen=listen, prefix=prefix, passphrase_file=passphrase_file)
    directory = _witness_directory(settings)
    out = Output(as_json)
    try:
        if print_key:
            _tell_witness(out, directory, None)
            return
        if not settings.logs:
            raise UsageError("the witness follows no log", where="witness.logs", hint="Name the verifier key of each log, with --log or in the configuration")
        _serve_witness(settings, directory, lambda address: _tell_witness(out, directory, address, settings.prefix))
    finally:
        directory.close()


def _witness_directory(settings: WitnessSettings) -> WitnessDirectory:
    from did_health.stores.witness_directory import KEY_FILE, WitnessDirectory

    key_file = settings.key or settings.dir / KEY_FILE
    passphrase = session.passphrase(settings.passphrase_file, new=not key_file.exists())
    return WitnessDirectory.open(settings.dir, settings.name, settings.logs, passphrase, random=session.random_bytes, key_file=key_file)


def _serve_witness(settings: WitnessSettings, directory: WitnessDirectory, tell: Callable[[Address], None]) -> None:
    require_server_extra()
    from did_health.services.json_log import JSONLog
    from did_health.services.rate_limit import RateLimit
    from did_health.services.run import address_of, listening, serve
    from did_health.services.witness_app import witness_app

    log = JSONLog("witness")
    app = witness_app(directory, clock=session.now, log=log, limit=RateLimit(settings.requests_per_minute), prefix=settings.prefix)
    listener = listening(settings.listen)
    # The address is known only now, where any free port was asked for.
    address = address_of(listener)
    serve(app, listener, log=log, started=lambda: tell(address), trusted_proxies=settings.trusted_proxies)


def _tell_witness(out: Output, directory: WitnessDirectory, address: Address | None, prefix: str = "") -> None:
    key = directory.witness.key
    url = f"http://{address}{prefix}" if address else None
    if out.as_json:
        out.json({"name": key.name, "vkey": str(key), **({"url": url} if url else {})})
    elif url:
        out.facts([("Witness", key.name), ("Verifier key", key), ("Listens at", url), ("Follows", ", ".join(directory.known_logs))])
    else:
        out.write(f"{key}\n".encode())
