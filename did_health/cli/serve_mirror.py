"""``did-health serve mirror``: verified copies of one log or several over HTTP, which cosign what they verified."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from did_health.cli import session
from did_health.cli.configured import ConfigOption, configured
from did_health.cli.exits import UsageError
from did_health.cli.options import JSONOption, PassphraseFileOption, example
from did_health.cli.output import Output
from did_health.cli.server_extra import require_server_extra

if TYPE_CHECKING:
    from did_health.services.sections.mirror import MirrorSettings
    from did_health.services.setting_values import Address
    from did_health.stores.witness_directory import WitnessDirectory
    from did_health.tlog.note import VerifierKey

EXAMPLE = example(
    "did-health serve mirror --name m1.example --dir m1 --print-key",
    "did-health serve mirror --name m1.example --dir m1 --log ledger.example+0f3c…+Aa… --url https://ledger.example --listen 127.0.0.1:8102",
    "did-health serve mirror --name m1.example --dir m1 --log a.example+…@https://ledgers.example/a --log b.example+…@https://ledgers.example/b",
    "did-health serve mirror --config services.toml",
)


def mirror(
    config: ConfigOption = None,
    name: Annotated[str | None, typer.Option("--name", help="The mirror's key name, such as its host.")] = None,
    folder: Annotated[Path | None, typer.Option("--dir", help="The folder of its key, its memory and the copy; made if there is none.")] = None,
    log: Annotated[
        list[str] | None,
        typer.Option("--log", help="The verifier key of the log to follow; or, repeated, several logs, each as <verifier key>@<URL>."),
    ] = None,
    url: Annotated[str | None, typer.Option("--url", help="The URL under which verifiers find the one log.")] = None,
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
    """A mirror: copies a log or several, recomputes every map head, serves what the logs serve, and cosigns as a witness that has seen it all."""
    from did_health.services.sections.mirror import MirrorSettings

    places = [one for one in log or () if "@" in one]
    keys = [one for one in log or () if "@" not in one]
    if len(keys) > 1 or (keys and places):
        raise UsageError("of several logs each needs its URL", where="--log", hint="Write each as <verifier key>@<URL>")
    settings = configured(
        config, MirrorSettings,
        name=name, dir=folder, logs=places, log=keys[0] if keys else None, url=url, source=source, allow_hosts=allow_host,
        listen=listen, poll_seconds=poll_seconds, passphrase_file=passphrase_file,
    )  # fmt: skip
    out = Output(as_json)
    directory = _directory(settings)
    try:
        if print_key:
            _tell(out, directory, None)
        else:
            _serve(settings, directory, out)
    finally:
        directory.close()


def _directory(settings: MirrorSettings) -> WitnessDirectory:
    from did_health.stores.witness_directory import KEY_FILE, WitnessDirectory

    key_file = settings.key or settings.dir / KEY_FILE
    passphrase = session.passphrase(settings.passphrase_file, new=not key_file.exists())
    logs = [*([settings.log] if settings.log else []), *(place.key for place in settings.logs)]
    return WitnessDirectory.open(settings.dir, settings.name, logs, passphrase, random=session.random_bytes, key_file=key_file)


@dataclass(frozen=True, slots=True)
class _Followed:
    """A log, where it is found and read, and the folder of its copy."""

    key: VerifierKey
    url: str
    source: str
    folder: Path


def _followed(settings: MirrorSettings) -> list[_Followed]:
    if settings.logs:
        if settings.log or settings.url or settings.source:
            raise UsageError("one log and several are configured", where="mirror.log", hint="Name all of them as <verifier key>@<URL>")
        if len({urlsplit(place.url).path for place in settings.logs}) < len(settings.logs):
            hint = "The mirror serves each at the path of its URL: follow them with a process each, or give them URLs with different paths"
            raise UsageError("two of the logs have URLs with the same path", where="mirror.logs", hint=hint)
        return [_Followed(place.key, place.url, place.url, settings.dir / "logs" / sha256(place.key.name.encode()).hexdigest()) for place in settings.logs]
    if settings.log is None or settings.url is None:
        hint = "Give its verifier key with --log and its URL with --url, or in the configuration"
        raise UsageError("the mirror follows no log", where="mirror.log" if settings.log is None else "mirror.url", hint=hint)
    return [_Followed(settings.log, settings.url, settings.source or settings.url, settings.dir)]


def _serve(settings: MirrorSettings, directory: WitnessDirectory, out: Output) -> None:
    require_server_extra()
    logs = _followed(settings)
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
    with ExitStack() as stack:
        exchange = HTTPExchange(settings.allow_hosts)
        stack.callback(exchange.close)
        followings = []
        for one in logs:
            copy = Mirror.open(one.folder, one.key, one.url, FollowedLog(one.source, exchange), clock=session.now)
            stack.callback(copy.close)
            followings.append(Following(copy, log=log, metrics=metrics, poll_seconds=settings.poll_seconds))
        listener = listening(settings.listen)
        # The address is known only now, where any free port was asked for.
        address = address_of(listener)
        app = mirror_app(followings, directory, clock=session.now, log=log, limit=RateLimit(settings.requests_per_minute), metrics=metrics)
        for following in followings:
            stack.enter_context(following)
        serve(app, listener, log=log, started=lambda: _tell(out, directory, address, logs), trusted_proxies=settings.trusted_proxies)


def _tell(out: Output, directory: WitnessDirectory, address: Address | None, logs: Sequence[_Followed] = ()) -> None:
    key = directory.witness.key
    url = f"http://{address}" if address else None
    if out.as_json:
        out.json({"name": key.name, "vkey": str(key), **({"url": url} if url else {})})
    elif url:
        followed = "\n".join(f"{one.key.name} at {one.url}" for one in logs)
        out.facts([("Mirror", key.name), ("Verifier key", key), ("Listens at", url), ("Follows", followed)])
    else:
        out.write(f"{key}\n".encode())
