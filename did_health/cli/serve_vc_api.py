"""``did-health serve vc-api``: the VC-API, with an issuer for every cryptosuite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import session
from did_health.cli.exits import UsageError
from did_health.cli.options import JSONOption, example
from did_health.cli.output import Output
from did_health.errors import FormatError

if TYPE_CHECKING:
    import socket

    from did_health.encoding.strict_json import JSONObject
    from did_health.services.bearer import BearerTokens
    from did_health.services.certificate import Certificate
    from did_health.services.settings import Address
    from did_health.services.vc_api.instance import Instance

EXAMPLE = example(
    "did-health serve vc-api --listen 127.0.0.1:8108 --json",
    "did-health serve vc-api --tls-listen 127.0.0.1:8443 --url https://localhost:8443",
    "did-health serve vc-api --tokens tokens.txt --context https://w3id.org/citizenship/v4rc1=citizenship-v4rc1.jsonld",
)


def vc_api(
    listen: Annotated[str, typer.Option("--listen", help="Where it listens; port 0 takes any that is free.")] = "127.0.0.1:8108",
    tls_listen: Annotated[str | None, typer.Option("--tls-listen", help="Where it listens for HTTPS as well.")] = None,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help="The certificate chain for HTTPS (PEM); without one it makes a certificate for itself.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", help="The certificate's private key (PEM).")] = None,
    url: Annotated[str | None, typer.Option("--url", help="The URL under which clients reach it, which status lists are named by.")] = None,
    tokens: Annotated[Path | None, typer.Option("--tokens", help="A file of bearer tokens, one a line; a POST needs one of them.")] = None,
    context: Annotated[
        list[str] | None, typer.Option("--context", help="A JSON-LD context to know besides the packed ones, as URL=FILE. May be repeated.")
    ] = None,
    strict_contexts: Annotated[bool, typer.Option("--strict-contexts", help="Do not know the contexts that define every term, which examples use.")] = False,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", help="A host (name or name:port) at a private address or without TLS. May be repeated.")
    ] = None,
    requests_per_minute: Annotated[int, typer.Option("--requests-per-minute", min=1, help="How often one client may ask.")] = 60_000,
    as_json: JSONOption = False,
) -> None:
    """The VC-API of the W3C Credentials Community Group: issues, derives, proves and verifies. Its keys and status lists are made anew at each start."""
    from did_health.cli.serve import require_server_extra

    require_server_extra()
    if (certificate is None) is not (key is None) or (certificate is not None and tls_listen is None):
        raise UsageError("HTTPS needs an address, and a certificate goes with a key", hint="Give --tls-listen, and --certificate and --key together")
    from did_health.net.fetch import HTTPSource
    from did_health.services.json_log import JSONLog
    from did_health.services.rate_limit import RateLimit
    from did_health.services.run import address_of, listening, serve
    from did_health.services.vc_api.app import vc_api_app
    from did_health.services.vc_api.instance import EXAMPLE_CONTEXTS, Instance

    contexts = {**({} if strict_contexts else EXAMPLE_CONTEXTS), **_contexts(context or ())}
    accepted = _tokens(tokens)
    log = JSONLog("vc-api")
    with ExitStack() as stack:
        source = stack.enter_context(HTTPSource(allow_host or ()))
        listener: socket.socket = stack.enter_context(listening(_address(listen, "--listen")))
        secured = stack.enter_context(listening(_address(tls_listen, "--tls-listen"))) if tls_listen is not None else None
        # The addresses are known only now, where any free port was asked for.
        urls = [f"http://{address_of(listener)}", *([f"https://{address_of(secured)}"] if secured else [])]
        instance = Instance((url or urls[-1]).rstrip("/"), source, clock=session.now, random=session.random_bytes, contexts=contexts)
        app = vc_api_app(instance, tokens=accepted, log=log, limit=RateLimit(requests_per_minute))
        serve(
            app,
            listener,
            log=log,
            started=lambda: _tell(Output(as_json), instance, urls),
            tls_listener=secured,
            certificate=_certificate(certificate, key, secured, url) if secured else None,
        )


def _address(text: str, option: str) -> Address:
    from did_health.services.settings import address

    try:
        return address(text, Path())
    except FormatError as error:
        raise UsageError(error.what, where=option, hint=error.hint) from error


def _contexts(given: Sequence[str]) -> Mapping[str, JSONObject]:
    contexts = {}
    for item in given:
        url, equals, file = item.rpartition("=")
        if not equals or not url:
            raise UsageError("a context is not given as URL=FILE", where="--context")
        contexts[url] = _read_context(Path(file))
    return contexts


def _read_context(file: Path) -> JSONObject:
    from did_health.encoding import strict_json
    from did_health.limits import MAX_DOCUMENT_BYTES

    data = session.read_file(file, max_bytes=MAX_DOCUMENT_BYTES)
    return session.at_file(file, lambda: strict_json.loads_object(data, what="JSON-LD context"))


def _tokens(file: Path | None) -> BearerTokens:
    from did_health.limits import MAX_CONFIG_BYTES
    from did_health.services.bearer import BearerTokens

    if file is None:
        return BearerTokens()
    text = session.read_file(file, max_bytes=MAX_CONFIG_BYTES).decode("utf-8", "replace")
    return session.at_file(file, lambda: BearerTokens.parse(text))


def _certificate(chain: Path | None, key: Path | None, listener: socket.socket, url: str | None) -> Certificate:
    from urllib.parse import urlsplit

    from did_health.limits import MAX_CONFIG_BYTES
    from did_health.services.certificate import Certificate

    if chain is not None and key is not None:
        return Certificate(session.read_file(chain, max_bytes=MAX_CONFIG_BYTES), session.read_file(key, max_bytes=MAX_CONFIG_BYTES))
    named = urlsplit(url).hostname if url else None
    return Certificate.self_made(tuple(dict.fromkeys(name for name in (named, "localhost", listener.getsockname()[0]) if name)), session.now())


def _tell(out: Output, instance: Instance, urls: Sequence[str]) -> None:
    from did_health.services.vc_api.app import described

    if out.as_json:
        out.json({"urls": list(urls), "baseUrl": instance.base_url, "issuers": described(instance)})
        return
    out.facts([("Listens at", ", ".join(urls)), *((f"{party.algorithm} issuer", party.did) for party in instance.parties.values())])
    out.line(f"{len(instance.issuers)} issuers, at /issuers/<suite>[-<key type>][-status]/credentials/issue: {urls[0]}/issuers names them.")
