"""HTTPSource and its async twin against real servers on the loopback."""

from __future__ import annotations

import ast
import gzip
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from did_health.errors import TransportError
from did_health.limits import MAX_REDIRECTS, MAX_RESPONSE_BYTES, MAX_URL_CHARACTERS
from did_health.net.fetch import AsyncHTTPSource, HTTPSource
from did_health.roles.evidence import Need
from tests.serving import HOST, answering, canned, serving

Fetch = Callable[..., bytes | None]


async def document(request: Request) -> Response:
    return Response(b"a document", headers={"Set-Cookie": "track=1"})


async def echo(request: Request) -> Response:
    return Response(repr(sorted(request.headers.items())).encode())


async def status(request: Request) -> Response:
    return Response(b"a body that is not for us", status_code=int(request.path_params["code"]))


async def huge(request: Request) -> Response:
    async def chunks() -> Any:
        # Finite, because the server does not tell the app that nobody reads any more.
        for _ in range(200):
            yield bytes(65536)

    return StreamingResponse(chunks())


async def bomb(request: Request) -> Response:
    return Response(gzip.compress(bytes(20_000_000)), headers={"Content-Encoding": "gzip"})


async def compressed(request: Request) -> Response:
    return Response(gzip.compress(b"a document"), headers={"Content-Encoding": "gzip"})


async def brotli(request: Request) -> Response:
    return Response(b"\x0b\x02\x80hello\x03", headers={"Content-Encoding": "br"})


async def hop(request: Request) -> Response:
    left = int(request.path_params["left"])
    return RedirectResponse(f"../hop/{left - 1}" if left else "/document", status_code=302)


async def loop(request: Request) -> Response:
    return RedirectResponse("/loop", status_code=307)


async def away(request: Request) -> Response:
    return Response(status_code=301, headers={"Location": request.query_params["to"]})


async def nowhere(request: Request) -> Response:
    return Response(status_code=302)


async def far(request: Request) -> Response:
    return Response(status_code=302, headers={"Location": "/" + "a" * MAX_URL_CHARACTERS})


APP = Starlette(
    routes=[
        Route("/document", document),
        Route("/echo", echo),
        Route("/status/{code}", status),
        Route("/huge", huge),
        Route("/bomb", bomb),
        Route("/compressed", compressed),
        Route("/brotli", brotli),
        Route("/hop/{left}", hop),
        Route("/loop", loop),
        Route("/away", away),
        Route("/nowhere", nowhere),
        Route("/far", far),
    ]
)


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with serving(APP) as base:
        yield base


def fetch_sync(url: str, max_bytes: int = 1 << 20, *, allow: frozenset[str] = frozenset({HOST}), **options: Any) -> bytes | None:
    with HTTPSource(allow, **options) as source:
        return source.fetch(Need(url, max_bytes))


def fetch_async(url: str, max_bytes: int = 1 << 20, *, allow: frozenset[str] = frozenset({HOST}), **options: Any) -> bytes | None:
    async def main() -> bytes | None:
        async with AsyncHTTPSource(allow, **options) as source:
            return await source.fetch(Need(url, max_bytes))

    return anyio.run(main)


@pytest.fixture(params=[fetch_sync, fetch_async], ids=["sync", "async"])
def fetch(request: pytest.FixtureRequest) -> Fetch:
    return request.param  # type: ignore[no-any-return]


def test_content(fetch: Fetch, site: str) -> None:
    assert fetch(site + "/document") == b"a document"


def test_compressed_content(fetch: Fetch, site: str) -> None:
    assert fetch(site + "/compressed") == b"a document"


@pytest.mark.parametrize("code", [404, 410])
def test_nothing_there_is_an_answer(fetch: Fetch, site: str, code: int) -> None:
    assert fetch(f"{site}/status/{code}") is None


@pytest.mark.parametrize("code", [201, 206, 304, 400, 401, 403, 429, 500, 503])
def test_other_status_is_no_answer(fetch: Fetch, site: str, code: int) -> None:
    with pytest.raises(TransportError, match=f"status {code}") as caught:
        fetch(f"{site}/status/{code}?secret=1")
    assert caught.value.where == HOST
    assert "secret" not in str(caught.value)


def test_size_is_bounded_while_streaming(fetch: Fetch, site: str) -> None:
    with pytest.raises(TransportError, match="more than the 100000 bytes") as caught:
        fetch(site + "/huge", 100_000)
    assert caught.value.code == "response_too_large"


def test_size_is_bounded_whatever_the_need_says(fetch: Fetch, site: str) -> None:
    with pytest.raises(TransportError, match=f"more than the {MAX_RESPONSE_BYTES} bytes"):
        fetch(site + "/huge", 1 << 40)


def test_announced_size_is_bounded(fetch: Fetch, site: str) -> None:
    with pytest.raises(TransportError, match="more than the 9 bytes"):
        fetch(site + "/document", 9)


def test_gzip_bomb(fetch: Fetch, site: str) -> None:
    with pytest.raises(TransportError, match="more than the 1048576 bytes"):
        fetch(site + "/bomb")


def test_encoding_that_was_not_asked_for(fetch: Fetch, site: str) -> None:
    with pytest.raises(TransportError, match="Content-Encoding"):
        fetch(site + "/brotli")


def test_redirects_are_followed_up_to_the_limit(fetch: Fetch, site: str) -> None:
    assert fetch(f"{site}/hop/{MAX_REDIRECTS - 1}") == b"a document"
    with pytest.raises(TransportError, match=f"more than {MAX_REDIRECTS} times"):
        fetch(f"{site}/hop/{MAX_REDIRECTS}")


def test_redirect_loop(fetch: Fetch, site: str) -> None:
    with pytest.raises(TransportError) as caught:
        fetch(site + "/loop")
    assert caught.value.code == "too_many_redirects"


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("https://localhost/admin", "address_refused"),
        ("https://10.0.0.1/", "address_refused"),
        ("https://[::1]/", "address_refused"),
        ("http://localhost/", "url_refused"),
        ("http://board.example/", "url_refused"),
        ("file:///etc/passwd", "url_refused"),
        ("https://user:password@board.example/", "url_refused"),
        ("http://[oops/", "url_refused"),
    ],
)
def test_redirect_to_a_refused_place(fetch: Fetch, site: str, to: str, code: str) -> None:
    with pytest.raises(TransportError) as caught:
        fetch(f"{site}/away?to={to}")
    assert caught.value.code == code
    assert "password" not in str(caught.value).replace("a user name or password", "")


@pytest.mark.parametrize("path", ["/nowhere", "/far"])
def test_redirect_without_a_usable_place(fetch: Fetch, site: str, path: str) -> None:
    with pytest.raises(TransportError, match="without saying where"):
        fetch(site + path)


def test_loopback_is_refused_unless_allowed(fetch: Fetch, site: str) -> None:
    with pytest.raises(TransportError, match="not fetched from by http"):
        fetch(site + "/document", allow=frozenset())
    with pytest.raises(TransportError, match="private, local or reserved"):
        fetch(site.replace("http:", "https:") + "/document", allow=frozenset())


def test_name_is_resolved_once_and_the_checked_address_is_connected_to(fetch: Fetch, site: str) -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return [HOST] if len(asked) == 1 else ["203.0.113.1"]

    url = site.replace(HOST, "board.example")
    assert fetch(url + "/document", allow=frozenset({"board.example"}), resolve=rebinding) == b"a document"
    assert asked == ["board.example"]


def test_name_that_resolves_to_loopback_is_refused(fetch: Fetch, site: str) -> None:
    url = site.replace(HOST, "board.example").replace("http:", "https:")
    with pytest.raises(TransportError, match=r"board\.example is at a private"):
        fetch(url, resolve=lambda host, port: [HOST])


def test_next_address_is_tried_when_one_does_not_answer(fetch: Fetch, site: str) -> None:
    url = site.replace(HOST, "board.example") + "/document"
    assert fetch(url, allow=frozenset({"board.example"}), resolve=lambda host, port: ["127.0.0.9", HOST]) == b"a document"


@pytest.mark.parametrize(
    "url", ["", "::::", "board.example/x", "https://", "https://exa\x00mple/", "https://board.example:99999/", "https://ü" + "a" * 70 + "/"]
)
def test_malformed_url(fetch: Fetch, url: str) -> None:
    with pytest.raises(TransportError) as caught:
        fetch(url)
    assert caught.value.code in ("url_refused", "name_not_found")


def test_overlong_url(fetch: Fetch) -> None:
    with pytest.raises(TransportError, match=f"more than {MAX_URL_CHARACTERS} characters"):
        fetch("https://board.example/" + "a" * MAX_URL_CHARACTERS)


def test_no_cookie_proxy_or_identity_is_sent(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with HTTPSource({HOST}) as source:
        source.fetch(Need(site + "/document"))
        sent = (source.fetch(Need(site + "/echo")) or b"").decode()
    assert "track" not in sent
    assert "did-health" in sent
    assert sorted(ast.literal_eval(sent)) == sorted(
        [("host", site.removeprefix("http://")), ("accept", "*/*"), ("accept-encoding", "gzip"), ("user-agent", "did-health")]
    )


def test_closed_source_opens_again(site: str) -> None:
    source = HTTPSource({HOST})
    source.close()
    for _ in range(2):
        assert source.fetch(Need(site + "/document")) == b"a document"
        source.close()


def test_one_connection_serves_many_fetches() -> None:
    connections = []

    def talk(connection: socket.socket) -> None:
        connections.append(connection)
        while connection.recv(65536):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with answering(talk) as place, HTTPSource({HOST}) as source:
        assert [source.fetch(Need(f"http://{place}/{number}")) for number in range(3)] == [b"ok"] * 3
        source.close()
    assert len(connections) == 1


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (b"", "broken_connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "broken_connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ntoo short", "broken_connection"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "broken_connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk", "broken_connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "broken_connection"),
        (b"\x16\x03\x01 this is not HTTP\r\n\r\n", "broken_connection"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000, "broken_connection"),
    ],
    ids=["closed", "cut-in-headers", "short-body", "bad-chunk", "two-lengths", "negative-length", "not-http", "endless-header"],
)
def test_broken_answer(fetch: Fetch, response: bytes, code: str) -> None:
    with answering(canned(response)) as place, pytest.raises(TransportError) as caught:
        fetch(f"http://{place}/?secret=1")
    assert caught.value.code == code
    assert "secret" not in str(caught.value)


def test_body_longer_than_announced_is_cut_there(fetch: Fetch) -> None:
    with answering(canned(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more")) as place:
        assert fetch(f"http://{place}/") == b"ok"


def test_garbage_instead_of_tls(fetch: Fetch) -> None:
    with answering(canned(b"HTTP/1.1 400 This is not TLS\r\n\r\n")) as place, pytest.raises(TransportError) as caught:
        fetch(f"https://{place}/")
    assert caught.value.code == "no_connection"
    assert "SSL" in caught.value.hint


def test_refused_connection(fetch: Fetch) -> None:
    with socket.create_server((HOST, 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(TransportError) as caught:
        fetch(f"http://{HOST}:{port}/")
    assert caught.value.code == "no_connection"


def dripping(head: bytes) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(head)
        for _ in range(200):
            connection.sendall(b"a")
            time.sleep(0.05)

    return talk


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: "],
    ids=["body", "headers"],
)
def test_server_that_drips_is_cut_off(fetch: Fetch, head: bytes) -> None:
    with answering(dripping(head)) as place:
        started = time.monotonic()
        with pytest.raises(TransportError, match=r"within 0\.4 s") as caught:
            fetch(f"http://{place}/", timeout_seconds=0.4)
        assert time.monotonic() - started < 3
    assert caught.value.code == "timeout"


def test_silent_server(fetch: Fetch) -> None:
    with answering(lambda connection: time.sleep(0.6)) as place, pytest.raises(TransportError) as caught:
        fetch(f"http://{place}/", timeout_seconds=0.2)
    assert caught.value.code == "timeout"


def test_silence_during_the_tls_handshake(fetch: Fetch) -> None:
    with answering(lambda connection: time.sleep(0.6)) as place, pytest.raises(TransportError) as caught:
        fetch(f"https://{place}/", timeout_seconds=0.2)
    assert caught.value.code == "timeout"


def test_time_that_is_over_before_the_connection() -> None:
    with pytest.raises(TransportError) as caught:
        fetch_sync(f"http://{HOST}:9/", timeout_seconds=0.0)
    assert caught.value.code == "timeout"


def test_sources_in_several_threads(site: str) -> None:
    answers: list[bytes | None] = []
    with HTTPSource({HOST}) as source:
        threads = [threading.Thread(target=lambda: answers.append(source.fetch(Need(site + "/document")))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert answers == [b"a document"] * 8


def test_tls_with_a_certificate_of_nobody(fetch: Fetch, certificate: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    with answering(tls(certificate[0])) as place, pytest.raises(TransportError) as caught:
        fetch(f"https://localhost:{place.rpartition(':')[2]}/", allow=frozenset({"localhost"}), resolve=lambda host, port: [HOST])
    assert caught.value.code == "no_connection"
    assert "CERTIFICATE_VERIFY_FAILED" in caught.value.hint


def test_tls_checks_the_name_and_not_the_address(fetch: Fetch, certificate: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    options: dict[str, Any] = {"ssl_context": certificate[1], "resolve": lambda host, port: [HOST]}
    with answering(tls(certificate[0])) as place:
        port = place.rpartition(":")[2]
        assert fetch(f"https://board.example:{port}/", allow=frozenset({"board.example"}), **options) == b"ok"
        with pytest.raises(TransportError, match="no connection to other"):
            fetch(f"https://other.example:{port}/", allow=frozenset({"other.example"}), **options)


def tls(context: ssl.SSLContext) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            canned(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")(secured)

    return talk


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's TLS context, with a certificate for ``board.example`` that the latter trusts."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "board.example")])
    moment = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(moment - timedelta(days=1))
        .not_valid_after(moment + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("board.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path_factory.mktemp("tls") / "board.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    client = ssl.create_default_context(cafile=str(pem))
    return server, client


def test_httpx_is_imported_with_the_first_fetch_only() -> None:
    code = "import sys, did_health.net.fetch, did_health.net.gather; sys.exit('httpx' in sys.modules or 'httpcore' in sys.modules or 'anyio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
