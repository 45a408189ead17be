"""``did-health serve resolver``: the HTTP(S) binding of DID Resolution."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Annotated

import typer

from did_health.cli import session
from did_health.cli.listeners import AllowHostOption, CertificateOption, KeyOption, TLSListenOption, open_listeners
from did_health.cli.options import JSONOption, example
from did_health.cli.output import Output
from did_health.cli.server_extra import require_server_extra

EXAMPLE = example(
    "did-health serve resolver --listen 127.0.0.1:8109",
    "did-health serve resolver --tls-listen 127.0.0.1:8444",
    "did-health serve resolver --allow-host localhost:8443 --word-errors",
)


def resolver(
    listen: Annotated[str, typer.Option("--listen", help="Where it listens; port 0 takes any that is free.")] = "127.0.0.1:8109",
    tls_listen: TLSListenOption = None,
    certificate: CertificateOption = None,
    key: KeyOption = None,
    allow_host: AllowHostOption = None,
    word_errors: Annotated[bool, typer.Option("--word-errors", help="Tell errors as words such as notFound, as drafts before 2025 do.")] = False,
    requests_per_minute: Annotated[int, typer.Option("--requests-per-minute", min=1, help="How often one client may ask.")] = 600,
    as_json: JSONOption = False,
) -> None:
    """Resolves DIDs and dereferences DID URLs at /identifiers/<DID>: did:key, did:jwk, did:web, did:webvh."""
    require_server_extra()
    from did_health.net.fetch import HTTPSource
    from did_health.services.json_log import JSONLog
    from did_health.services.rate_limit import RateLimit
    from did_health.services.resolver_app import resolver_app
    from did_health.services.run import serve

    log = JSONLog("resolver")
    with ExitStack() as stack:
        source = stack.enter_context(HTTPSource(allow_host or ()))
        listeners = open_listeners(stack, listen, tls_listen, certificate=certificate, key=key)
        app = resolver_app(source, clock=session.now, log=log, limit=RateLimit(requests_per_minute), word_errors=word_errors)
        serve(
            app,
            listeners.plain,
            log=log,
            started=lambda: _tell(Output(as_json), [f"{url}/identifiers/" for url in listeners.urls]),
            tls_listener=listeners.secured,
            certificate=listeners.certificate,
        )


def _tell(out: Output, urls: Sequence[str]) -> None:
    if out.as_json:
        out.json({"urls": list(urls)})
    else:
        out.facts([("Resolves at", "\n".join(f"{url}<DID or DID URL>" for url in urls))])
