"""``did-health serve ledger``: a log with its map over HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import session
from did_health.cli.configured import ConfigOption, configured
from did_health.cli.exits import UsageError
from did_health.cli.options import JSONOption, PassphraseFileOption, example
from did_health.cli.output import Output
from did_health.cli.server_extra import require_server_extra
from did_health.errors import StoreError

if TYPE_CHECKING:
    from did_health.ledger.witness import Asking, Cosigner
    from did_health.services.sections.ledger import LedgerSettings
    from did_health.services.setting_values import Address
    from did_health.stores.embedded import EmbeddedLedger

EXAMPLE = example(
    "did-health serve ledger --name ledger.example --url https://ledger.example --dir ledger --print-key",
    "did-health serve ledger --dir ledger --listen 127.0.0.1:8100",
    "did-health serve ledger --dir ledger --witness w1.example+0f3c…+BA…@https://w1.example",
    "did-health serve ledger --dir ledger --witness w1.example+0f3c…+BA…@https://w1.example --mirror m1.example+…@https://m1.example",
    "did-health serve ledger --dir front --read-only --listen 127.0.0.1:8110",
    "did-health serve ledger --config services.toml",
)
_OWN_WITNESSES = 4
_WITNESS_SECONDS = 3.0
"""How long a batch waits for one witness: those that are slow are not of its quorum."""


def ledger(
    config: ConfigOption = None,
    folder: Annotated[Path | None, typer.Option("--dir", help="The folder of its database, keys and files; made if there is none and --name is given.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="The log's name (origin), such as its host; needed to make one.")] = None,
    url: Annotated[str | None, typer.Option("--url", help="The URL under which verifiers find it; needed to make one.")] = None,
    witness: Annotated[
        list[str] | None, typer.Option("--witness", help="A witness, as <verifier key>@<URL>. May be repeated; without any the ledger brings its own four.")
    ] = None,
    quorum: Annotated[
        str | None, typer.Option("--quorum", help="How many witnesses must cosign; by default so many that two quorums share an honest one.")
    ] = None,
    mirror: Annotated[
        list[str] | None, typer.Option("--mirror", help="A mirror whose cosignature is demanded, as <verifier key>@<URL>. May be repeated.")
    ] = None,
    mirror_quorum: Annotated[str | None, typer.Option("--mirror-quorum", help="How many mirrors must cosign; by default all but one.")] = None,
    registry_authority: Annotated[
        list[str] | None, typer.Option("--registry-authority", help="A DID whose registry records are taken from now on. May be repeated.")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", help="A witness's host (name or name:port) at a private address or without TLS. May be repeated.")
    ] = None,
    listen: Annotated[str | None, typer.Option("--listen", help="Where it listens, as 127.0.0.1:8100; port 0 takes any that is free.")] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Only read what another process writes to the same database: no key, no witness, no submissions.")
    ] = False,
    heartbeat_seconds: Annotated[
        str | None, typer.Option("--heartbeat-seconds", help="After how many quiet seconds the checkpoint is cosigned anew.")
    ] = None,
    passphrase_file: PassphraseFileOption = None,
    print_key: Annotated[
        bool, typer.Option("--print-key", help="Print its verifier key, or with --json its policy too; it is made if there is none. Do not serve.")
    ] = False,
    as_json: JSONOption = False,
) -> None:
    """A ledger: logs entries, proves what is newest, has it witnessed, and hosts the DIDs and status lists that were logged."""
    from did_health.services.sections.ledger import LedgerSettings

    settings = configured(
        config, LedgerSettings,
        dir=folder, name=name, url=url, witnesses=witness, quorum=quorum, mirrors=mirror,
        mirror_quorum=mirror_quorum, registry_authorities=registry_authority,
        allow_hosts=allow_host, listen=listen, heartbeat_seconds=heartbeat_seconds, read_only=read_only,
        passphrase_file=passphrase_file,
    )  # fmt: skip
    out = Output(as_json)
    if settings.read_only:
        _serve_front_end(settings, out)
        return
    with _opened(settings, standing_by=not print_key) as opened:
        for authority in settings.registry_authorities:
            if authority not in opened.registry_authorities:
                opened.accept_authority(authority)
        if print_key:
            _tell(out, opened, None)
        else:
            _serve(settings, opened, out)


@contextmanager
def _opened(settings: LedgerSettings, *, standing_by: bool) -> Iterator[EmbeddedLedger]:
    from did_health.ledger.witness import in_turn
    from did_health.net.exchange import HTTPExchange
    from did_health.net.witness_client import HTTPCosigner
    from did_health.stores.asking import AtOnce

    exchange = HTTPExchange(settings.allow_hosts, timeout_seconds=_WITNESS_SECONDS)
    cosigners = [HTTPCosigner(one.key, one.url, exchange) for one in settings.witnesses]
    mirrors = [HTTPCosigner(one.key, one.url, exchange) for one in settings.mirrors]
    passphrase = session.passphrase(settings.passphrase_file, new=not (settings.dir / "keys" / "log.key").exists())
    # One deadline for all of them; a ledger that brings its own asks those in its own process, one after another.
    asking = AtOnce(_WITNESS_SECONDS) if cosigners or mirrors else None
    try:
        opened = _open_or_make(settings, cosigners, mirrors, asking or in_turn, passphrase, standing_by=standing_by)
        try:
            yield opened
        finally:
            opened.close()
    finally:
        if asking is not None:
            asking.close()
        exchange.close()


def _open_or_make(
    settings: LedgerSettings, cosigners: Sequence[Cosigner], mirrors: Sequence[Cosigner], asking: Asking, passphrase: str, *, standing_by: bool
) -> EmbeddedLedger:
    from did_health.stores.embedded import EmbeddedLedger

    database = settings.database.reveal() if settings.database else None
    try:
        opened = EmbeddedLedger.open(
            settings.dir, clock=session.now, random=session.random_bytes, passphrase=passphrase, cosigners=[*cosigners, *mirrors], asking=asking,
            database_url=database, standing_by=standing_by,
        )  # fmt: skip
    except StoreError as error:
        if error.code != "store_missing" or not settings.name or not settings.url:
            raise
    else:
        for given, kept, option in ((settings.name, opened.origin, "--name"), (settings.url, opened.url, "--url")):
            if given and given != kept:
                opened.close()
                raise UsageError(f"the ledger in this folder is another: its own is {kept}", where=option, hint="Leave the option out, or choose another --dir")
        return opened
    count = len(cosigners) or _OWN_WITNESSES
    # 1 + floor(2n/3): any two quorums then share an honest witness.
    quorum = settings.quorum or 1 + 2 * count // 3
    if quorum > count:
        raise UsageError(f"a quorum of {quorum} cannot be had of {count} witnesses", where="--quorum")
    # One of them may be out.
    mirror_quorum = settings.mirror_quorum or max(1, len(mirrors) - 1)
    if mirrors and mirror_quorum > len(mirrors):
        raise UsageError(f"a quorum of {mirror_quorum} cannot be had of {len(mirrors)} mirrors", where="--mirror-quorum")
    return EmbeddedLedger.create(
        settings.dir,
        origin=settings.name,
        url=settings.url,
        clock=session.now,
        random=session.random_bytes,
        passphrase=passphrase,
        witness_names=[f"{settings.name}/witness-{number}" for number in range(1, count + 1)],
        quorum=quorum,
        cosigners=cosigners,
        mirrors=mirrors,
        mirror_quorum=mirror_quorum,
        asking=asking,
        database_url=database,
    )


def _serve(settings: LedgerSettings, opened: EmbeddedLedger, out: Output) -> None:
    require_server_extra()
    from did_health.services.json_log import JSONLog
    from did_health.services.ledger_app import ledger_app
    from did_health.services.metrics import Metrics
    from did_health.services.rate_limit import RateLimit
    from did_health.services.run import address_of, listening, serve
    from did_health.services.sequencing import Sequencing

    log, metrics = JSONLog("ledger"), Metrics("ledger")
    listener = listening(settings.listen)
    address = address_of(listener)
    leader = opened.leader()
    with Sequencing(opened, log=log, metrics=metrics, heartbeat_seconds=settings.heartbeat_seconds, leader=leader) as sequencing:
        app = ledger_app(opened, sequencing, clock=session.now, log=log, limit=RateLimit(settings.requests_per_minute), metrics=metrics)
        serve(app, listener, log=log, started=lambda: _tell(out, opened, address), trusted_proxies=settings.trusted_proxies)


def _serve_front_end(settings: LedgerSettings, out: Output) -> None:
    require_server_extra()
    from did_health.services.json_log import JSONLog
    from did_health.services.ledger_app import front_end_app
    from did_health.services.metrics import Metrics
    from did_health.services.rate_limit import RateLimit
    from did_health.services.run import address_of, listening, serve
    from did_health.stores.front_end import FrontEnd

    log, metrics = JSONLog("ledger"), Metrics("ledger")
    opened = FrontEnd.open(settings.dir, clock=session.now, database_url=settings.database.reveal() if settings.database else None)
    with closing(opened):
        listener = listening(settings.listen)
        address = address_of(listener)
        (found,) = opened.policy.logs
        document = {"name": found.key.name, "vkey": str(found.key), "url": opened.url, "policy": opened.policy.encode(), "listens": str(address)}

        def tell() -> None:
            if out.as_json:
                out.json(document)
            else:
                out.facts([("Front end of", found.key.name), ("Verifier key", found.key), ("URL", opened.url), ("Listens at", f"http://{address}")])

        app = front_end_app(opened, log=log, limit=RateLimit(settings.requests_per_minute), metrics=metrics)
        serve(app, listener, log=log, started=tell, trusted_proxies=settings.trusted_proxies)


def _tell(out: Output, opened: EmbeddedLedger, address: Address | None) -> None:
    if out.as_json:
        document = {"name": opened.origin, "vkey": opened.vkey, "url": opened.url, "policy": opened.policy_text}
        out.json({**document, **({"listens": str(address)} if address else {})})
    elif address:
        facts = [("Ledger", opened.origin), ("Verifier key", opened.vkey), ("URL", opened.url), ("Listens at", f"http://{address}")]
        out.facts([*facts, ("Leaves", opened.size)])
    else:
        out.write(f"{opened.vkey}\n".encode())
