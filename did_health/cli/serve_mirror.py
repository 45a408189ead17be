"""``did-health serve mirror``: a verified copy of one log over HTTP, which cosigns what it verified."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import session
from did_health.cli.exits import UsageError
from did_health.cli.options import JSONOption, PassphraseFileOption, example
from did_health.cli.output import Output

if TYPE_CHECKING:
    from did_health.services.config import MirrorSettings
    from did_health.services.settings import Address
    from did_health.stores.mirror import Mirror
    from did_health.stores.witness_directory import WitnessDirectory

EXAMPLE = example(
    "did-health serve mirror --name m1.example --dir m1 --print-key",
    "did-health serve mirror --name m1.example --dir m1 --log ledger.example+0f3c…+Aa… --url https://ledger.example --listen 127.0.0.1:8102",
    "did-health serve mirror --config services.toml",
)


def mirror(
    config: Annotated[
        Path | None, typer.Option("--config", envvar="DID_HEALTH_CONFIG", help="The services' configuration (TOML); options win over it.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="The mirror's key name, such as its host.")] = None,
    folder: Annotated[Path | None, typer.Option("--dir", help="The folder of its key, its memory and the copy; made if there is none.")] = None,
    log: Annotated[str | None, typer.Option("--log", help="The verifier key of the log to follow.")] = None,
    url: Annotated[str | None, typer.Option("--url", help="The URL under which verifiers find the log.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Where the log is read, if not at its URL.")] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", help="A host (name or name:port) at a private address or without TLS. May be repeated.")
    ] = None,
    listen: Annotated[str | None, typer.Option("--listen", help="Where it listens, as 127.0.0.1:8102; port 0 takes any that is free.")] = None,
    poll_seconds: Annotated[str | None, typer.Option("--poll-seconds", help="How often it asks the log for a new checkpoint.")] = None,
    passphrase_file: PassphraseFileOption = None,
    print_key: Annotated[bool, typer.Option("--print-key", help="Print its verifier key, which is made if there is none, and do not serve.")] = False,
    as_json: JSONOption = False,
) -> None:
    """A mirror: copies a log, recomputes every map head, serves what the log serves, and cosigns as a witness that has seen it all."""
    from did_health.services.config import load

    given = {
        "name": name, "dir": folder, "log": log, "url": url, "source": source, "allow_hosts": allow_host, "listen": listen,
        "poll_seconds": poll_seconds, "passphrase_file": passphrase_file,
    }  # fmt: skip
    chosen = {member: str(value) if isinstance(value, Path) else value for member, value in given.items() if value}
    settings = load(config, options={"mirror": chosen}).mirror
    out = Output(as_json)
    directory = _directory(settings)
    try:
        if print_key:
            _tell(out, settings, directory, None)
        else:
            _serve(settings, directory, out)
    finally:
        directory.close()


def _directory(settings: MirrorSettings) -> WitnessDirectory:
    from did_health.stores.witness_directory import KEY_FILE, WitnessDirectory

    key_file = settings.key or settings.dir / KEY_FILE
    passphrase = session.passphrase(settings.passphrase_file, new=not key_file.exists())
    logs = [settings.log] if settings.log else []
    return WitnessDirectory.open(settings.dir, settings.name, logs, passphrase, random=session.random_bytes, key_file=key_file)


def _serve(settings: MirrorSettings, directory: WitnessDirectory, out: Output) -> None:
    from did_health.cli.serve import require_server_extra

    require_server_extra()
    if settings.log is None or settings.url is None:
        hint = "Give its verifier key with --log and its URL with --url, or in the configuration"
        raise UsageError("the mirror follows no log", where="mirror.log" if settings.log is None else "mirror.url", hint=hint)
    followed, place = settings.log, settings.url
    from did_health.net.exchange import HTTPExchange
    from did_health.net.followed_log import FollowedLog
    from did_health.services.following import Following
    from did_health.services.json_log import JSONLog
    from did_health.services.metrics import Metrics
    from did_health.services.mirror_app import mirror_app
    from did_health.services.rate_limit import RateLimit
    from did_health.services.run import address_of, listening, serve
    from did_health.stores.mirror import Mirror

    log, metrics = JSONLog("mirror"), Metrics("mirror")
    exchange = HTTPExchange(settings.allow_hosts)
    copy: Mirror | None = None
    try:
        copy = Mirror.open(settings.dir, followed, place, FollowedLog(settings.source or place, exchange), clock=session.now)
        listener = listening(settings.listen)
        # The address is known only now, where any free port was asked for.
        address = address_of(listener)
        with Following(copy, log=log, metrics=metrics, poll_seconds=settings.poll_seconds) as following:
            app = mirror_app(copy, directory, following, clock=session.now, log=log, limit=RateLimit(settings.requests_per_minute), metrics=metrics)
            serve(app, listener, log=log, started=lambda: _tell(out, settings, directory, address), trusted_proxies=settings.trusted_proxies)
    finally:
        if copy is not None:
            copy.close()
        exchange.close()


def _tell(out: Output, settings: MirrorSettings, directory: WitnessDirectory, address: Address | None) -> None:
    key = directory.witness.key
    url = f"http://{address}" if address else None
    if out.as_json:
        out.json({"name": key.name, "vkey": str(key), **({"url": url} if url else {})})
    elif url:
        followed = f"{settings.log.name if settings.log else ''} at {settings.url}"
        out.facts([("Mirror", key.name), ("Verifier key", key), ("Listens at", url), ("Follows", followed)])
    else:
        out.write(f"{key}\n".encode())
