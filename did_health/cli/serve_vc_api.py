"""``did-health serve vc-api``: the VC-API, with an issuer for every cryptosuite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from did_health.cli import session
from did_health.cli.exits import UsageError
from did_health.cli.listeners import AllowHostOption, CertificateOption, KeyOption, TLSListenOption, open_listeners, require_certificate_with_key
from did_health.cli.options import JSONOption, PassphraseFileOption, example
from did_health.cli.output import Output
from did_health.cli.server_extra import require_server_extra
from did_health.errors import FormatError

if TYPE_CHECKING:
    from did_health.encoding.strict_json import JSONObject
    from did_health.services.bearer import BearerTokens
    from did_health.services.vc_api.instance import Instance

EXAMPLE = example(
    "did-health serve vc-api --listen 127.0.0.1:8108 --json",
    "did-health serve vc-api --tls-listen 127.0.0.1:8443 --url https://localhost:8443",
    "did-health serve vc-api --keys vc-api.keys --passphrase-file passphrase.txt",
    "did-health serve vc-api --tokens tokens.txt --context https://w3id.org/citizenship/v4rc1=citizenship-v4rc1.jsonld",
)


def vc_api(
    listen: Annotated[str, typer.Option("--listen", help="Where it listens; port 0 takes any that is free.")] = "127.0.0.1:8108",
    tls_listen: TLSListenOption = None,
    certificate: CertificateOption = None,
    key: KeyOption = None,
    url: Annotated[str | None, typer.Option("--url", help="The URL under which clients reach it, which status lists are named by.")] = None,
    keys: Annotated[Path | None, typer.Option("--keys", help="A sealed file of its keys, made if there is none; without one they are made anew.")] = None,
    passphrase_file: PassphraseFileOption = None,
    tokens: Annotated[Path | None, typer.Option("--tokens", help="A file of bearer tokens, one a line; a POST needs one of them.")] = None,
    context: Annotated[
        list[str] | None, typer.Option("--context", help="A JSON-LD context to know besides the packed ones, as URL=FILE. May be repeated.")
    ] = None,
    strict_contexts: Annotated[bool, typer.Option("--strict-contexts", help="Do not know the contexts that define every term, which examples use.")] = False,
    allow_host: AllowHostOption = None,
    requests_per_minute: Annotated[int, typer.Option("--requests-per-minute", min=1, help="How often one client may ask.")] = 60_000,
    as_json: JSONOption = False,
) -> None:
    """The VC-API of the W3C Credentials Community Group: issues, derives, proves and verifies. Its status lists end with it."""
    require_server_extra()
    require_certificate_with_key(certificate, key, tls_listen)
    from did_health.net.fetch import HTTPSource
    from did_health.services.json_log import JSONLog
    from did_health.services.rate_limit import RateLimit
    from did_health.services.run import serve
    from did_health.services.vc_api.app import vc_api_app
    from did_health.services.vc_api.instance import EXAMPLE_CONTEXTS, Instance

    contexts = {**({} if strict_contexts else EXAMPLE_CONTEXTS), **_contexts(context or ())}
    accepted = _tokens(tokens)
    secret = None if keys is None else _secret(keys, passphrase_file)
    log = JSONLog("vc-api")
    with ExitStack() as stack:
        source = stack.enter_context(HTTPSource(allow_host or ()))
        host = urlsplit(url).hostname if url else None
        listeners = open_listeners(stack, listen, tls_listen, certificate=certificate, key=key, host=host)
        instance = Instance((url or listeners.urls[-1]).rstrip("/"), source, clock=session.now, random=session.random_bytes, contexts=contexts, secret=secret)
        app = vc_api_app(instance, tokens=accepted, log=log, limit=RateLimit(requests_per_minute))
        serve(
            app,
            listeners.plain,
            log=log,
            started=lambda: _tell(Output(as_json), instance, listeners.urls),
            tls_listener=listeners.secured,
            certificate=listeners.certificate,
        )


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


def _secret(file: Path, passphrase_file: Path | None) -> bytes:
    from did_health.services.vc_api.issuers import SECRET_BYTES
    from did_health.stores.sealed_files import SealedFile

    content = "vc-api-keys"
    passphrase = session.passphrase(passphrase_file, new=not file.exists())
    if not file.exists():
        SealedFile.create(file, session.random_bytes(SECRET_BYTES), passphrase, content=content, random=session.random_bytes)
    secret = SealedFile.open(file, passphrase, content=content)[1]
    if len(secret) != SECRET_BYTES:
        raise FormatError("the file holds no keys of a VC-API", where=str(file))
    return secret


def _tell(out: Output, instance: Instance, urls: Sequence[str]) -> None:
    from did_health.services.vc_api.app import described

    if out.as_json:
        out.json({"urls": list(urls), "baseUrl": instance.base_url, "issuers": described(instance)})
        return
    out.facts([("Listens at", ", ".join(urls)), *((f"{party.algorithm} issuer", party.did) for party in instance.parties.values())])
    out.line(f"{len(instance.issuers)} issuers, at /issuers/<suite>[-<key type>][-status]/credentials/issue: {urls[0]}/issuers names them.")
