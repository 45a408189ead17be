"""Asking another registry: its answer, or none, or an error; never a yes to something else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from did_health.errors import FormatError, TransportError
from did_health.limits import MAX_TRQP_ANSWER_BYTES
from did_health.net.exchange import HTTPExchange
from did_health.net.trust_registry import TrustRegistryClient
from did_health.trust.trqp.query import Query
from tests.registry_parties import UNKNOWN, RegistryTown
from tests.serving import HOST, answering, canned, serving


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryTown]:
    made = RegistryTown(tmp_path_factory.mktemp("registry"))
    yield made
    made.town.close()


@pytest.fixture
def exchange() -> Iterator[HTTPExchange]:
    made = HTTPExchange([HOST])
    yield made
    made.close()


def said(
    place: RegistryTown, exchange: HTTPExchange, query: Query, body: bytes | dict[str, Any], *, status: str = "200 OK", kind: str = "application/json"
) -> Any:
    """What the client makes of a server that answers so."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode()
    with answering(canned(head + data)) as host:
        return TrustRegistryClient(f"http://{host}", exchange, clock=place.town.clock).ask(query)


def yes(place: RegistryTown, query: Query, **changes: Any) -> dict[str, Any]:
    document = {**query.to_object(), "authorized": True, "time_evaluated": place.town.clock().isoformat().replace("+00:00", "Z"), **changes}
    return {name: value for name, value in document.items() if value is not None}


def test_two_registries_understand_each_other(place: RegistryTown, exchange: HTTPExchange) -> None:
    with serving(place.app(prefix="/r")) as url:
        client = TrustRegistryClient(f"{url}/r/", exchange, clock=place.town.clock)
        answers = [client.ask(one) for one in (place.authorization(at=place.later(days=1)), place.authorization(entity=UNKNOWN), place.recognition())]
        assert [answer and answer.granted for answer in answers] == [True, False, True]
        assert client.ask(place.authorization(authority=UNKNOWN)) is None
        place.town.clock.move(days=2)
        try:
            with pytest.raises(TransportError) as unknown:
                client.ask(place.authorization())
        finally:
            place.town.clock.move(days=-2)
        assert (unknown.value.code, "later" in unknown.value.hint) == ("unexpected_status", True)


def test_nobody_is_asked_at_a_place_that_was_not_allowed(place: RegistryTown) -> None:
    with serving(place.app()) as url:
        guarded = HTTPExchange()
        with pytest.raises(TransportError) as refused:
            TrustRegistryClient(url, guarded, clock=place.town.clock).ask(place.authorization())
        guarded.close()
    assert refused.value.code == "url_refused"


@pytest.mark.parametrize(
    "changes",
    [
        {"entity_id": UNKNOWN}, {"authorized": "true"}, {"authorized": None}, {"recognized": True, "authorized": None}, {"time_requested": None},
        {"time_requested": "2020-01-01T00:00:00Z"}, {"time_evaluated": None},
    ],
)  # fmt: skip
def test_an_answer_to_something_else_is_none(place: RegistryTown, exchange: HTTPExchange, changes: dict[str, Any]) -> None:
    query = place.authorization(at=place.later(days=1))
    whole = yes(place, query, time_requested=query.context["time"])
    assert said(place, exchange, query, whole).granted
    with pytest.raises(TransportError) as refused:
        said(place, exchange, query, {name: value for name, value in {**whole, **changes}.items() if value is not None})
    assert refused.value.code == "malformed_response"


@pytest.mark.parametrize("seconds", [-301, 301])
def test_an_old_answer_is_none(place: RegistryTown, exchange: HTTPExchange, seconds: int) -> None:
    query = place.authorization()
    moment = place.later(seconds=seconds).isoformat().replace("+00:00", "Z")
    with pytest.raises(TransportError) as refused:
        said(place, exchange, query, yes(place, query, time_evaluated=moment))
    assert refused.value.code == "answer_stale"


def test_what_is_no_registry_gives_no_answer(place: RegistryTown, exchange: HTTPExchange) -> None:
    query = place.authorization()
    good = yes(place, query)
    assert said(place, exchange, query, b"{}", status="404 Not Found", kind="application/problem+json") is None
    for body, status, kind, code in (
        (b"<html>", "404 Not Found", "text/html", "unexpected_status"),
        (good, "200 OK", "text/html", "malformed_response"),
        (b"<html>", "200 OK", "application/json", "malformed_response"),
        (good, "201 Created", "application/json", "unexpected_status"),
        (b"", "302 Found", "application/json", "unexpected_status"),
        (b"{}", "500 Internal Server Error", "application/problem+json", "unexpected_status"),
        (good | {"x": "y" * MAX_TRQP_ANSWER_BYTES}, "200 OK", "application/json", "response_too_large"),
    ):
        with pytest.raises(TransportError) as refused:
            said(place, exchange, query, body, status=status, kind=kind)
        assert refused.value.code == code


@pytest.mark.parametrize(
    "url", ["", "registry.example", "ftp://registry.example", "https://", "https://a@b.example", "https://a.example?x", "https://" + "a" * 2000]
)
def test_urls_that_are_no_registrys(exchange: HTTPExchange, place: RegistryTown, url: str) -> None:
    with pytest.raises(FormatError):
        TrustRegistryClient(url, exchange, clock=place.town.clock)
