"""``did-health serve registry``: the HTTPS binding of ToIP TRQP 2.0."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import session
from did_health.cli.configured import ConfigOption, configured
from did_health.cli.exits import UsageError
from did_health.cli.listeners import AllowHostOption, CertificateOption, KeyOption, TLSListenOption, open_listeners
from did_health.cli.options import JSONOption, example
from did_health.cli.output import Output
from did_health.cli.server_extra import require_server_extra

if TYPE_CHECKING:
    from did_health.roles.evidence import Source
    from did_health.roles.registry import Registry
    from did_health.services.sections.registry import RegistrySettings
    from did_health.trust.policy import TrustPolicy

EXAMPLE = example(
    "did-health serve registry --dir did-health --governance-framework https://registry.example/framework",
    "did-health serve registry --policy trust-policy.toml --governance-framework https://registry.example/framework --tls-listen 127.0.0.1:8445",
    "did-health serve registry --config services.toml",
)


def registry(
    config: ConfigOption = None,
    folder: Annotated[Path | None, typer.Option("--dir", help="The directory with the ledger that is read; without it ledgers are asked over HTTPS.")] = None,
    policy: Annotated[Path | None, typer.Option("--policy", help="The trust policy: which authority, which ledgers; by default the directory's own.")] = None,
    governance_framework: Annotated[str | None, typer.Option("--governance-framework", help="The URL of the authority's governance framework.")] = None,
    allow_host: AllowHostOption = None,
    listen: Annotated[str | None, typer.Option("--listen", help="Where it listens, as 127.0.0.1:8111; port 0 takes any that is free.")] = None,
    tls_listen: TLSListenOption = None,
    certificate: CertificateOption = None,
    key: KeyOption = None,
    prefix: Annotated[str | None, typer.Option("--prefix", help="The path below which it answers, as /registry.")] = None,
    as_json: JSONOption = False,
) -> None:
    """A trust registry: answers whom the registry authority authorizes and recognizes (ToIP TRQP 2.0), by the newest records on the ledger."""
    require_server_extra()
    from did_health.services.sections.registry import RegistrySettings

    settings = configured(
        config, RegistrySettings,
        dir=folder, policy=policy, governance_framework=governance_framework, allow_hosts=allow_host, listen=listen, tls_listen=tls_listen,
        certificate=certificate, key=key, prefix=prefix,
    )  # fmt: skip
    with ExitStack() as stack:
        _serve(settings, stack, opened_registry(settings, stack), Output(as_json))


def opened_registry(settings: RegistrySettings, stack: ExitStack) -> Registry:
    """The registry that is configured; what it reads is closed by ``stack``. Raises ``StoreError``, ``FormatError``, ``UsageError``."""
    from did_health.net.gather import gather
    from did_health.roles.evidence import Evidence
    from did_health.roles.registry import Registry

    if settings.dir is None and settings.policy is None:
        raise UsageError("there is nothing to answer from", where="registry.policy", hint="Give a directory with --dir, or a trust policy with --policy")
    trusted = session.read_policy(settings.policy, settings.dir or Path())
    if trusted.is_empty:
        raise UsageError("the trust policy names no registry authority, or no ledger", where="registry.policy", hint="Give another with --policy")
    sources = _sources(settings, trusted, stack)
    return Registry(trusted, clock=session.now, gather=lambda missing: gather(missing, sources, evidence=Evidence(), clock=session.now))


def _sources(settings: RegistrySettings, trusted: TrustPolicy, stack: ExitStack) -> Sequence[Source]:
    if settings.dir is not None:
        from did_health.stores.front_end import FrontEnd

        return [stack.enter_context(closing(FrontEnd.open(settings.dir, clock=session.now)))]
    from did_health.net.fetch import HTTPSource
    from did_health.net.verifiers import web_sources

    return web_sources(trusted, stack.enter_context(HTTPSource(settings.allow_hosts)))


def _serve(settings: RegistrySettings, stack: ExitStack, opened: Registry, out: Output) -> None:
    from did_health.services.json_log import JSONLog
    from did_health.services.metrics import Metrics
    from did_health.services.rate_limit import RateLimit
    from did_health.services.registry_app import Governance, registry_app
    from did_health.services.run import serve

    log = JSONLog("registry")
    tls = str(settings.tls_listen) if settings.tls_listen else None
    listeners = open_listeners(stack, str(settings.listen), tls, certificate=settings.certificate, key=settings.key)
    urls = [f"{url}{settings.prefix}" for url in listeners.urls]
    app = registry_app(
        opened, Governance(settings.governance_framework), log=log, limit=RateLimit(settings.requests_per_minute), metrics=Metrics("registry"),
        prefix=settings.prefix,
    )  # fmt: skip

    def tell() -> None:
        if out.as_json:
            out.json({"authority": opened.authority, "urls": urls})
        else:
            out.facts([("Registry of", opened.authority), ("Answers at", "\n".join(urls)), ("Framework", settings.governance_framework)])

    serve(
        app, listeners.plain, log=log, started=tell, trusted_proxies=settings.trusted_proxies, tls_listener=listeners.secured,
        certificate=listeners.certificate,
    )  # fmt: skip
