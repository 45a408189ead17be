"""What ledgers host is asked of them first, and of its own host when they do not."""

from __future__ import annotations

import asyncio

import pytest

from did_health.errors import TransportError
from did_health.net.hosted import AsyncHostedSource, HostedSource, hosted_url
from did_health.roles.evidence import Need

LEDGERS = ("https://a.example", "https://b.example/log")


class Shelf:
    """Has these documents, and is silent about every other place."""

    def __init__(self, **documents: bytes | None) -> None:
        self.documents = documents
        self.asked: list[str] = []

    def fetch(self, need: Need) -> bytes | None:
        self.asked.append(need.url)
        if need.url not in self.documents:
            raise TransportError("421", code="unexpected_status")
        return self.documents[need.url]


def fetched(shelf: Shelf, url: str, *, awaited: bool) -> bytes | None:
    if not awaited:
        return HostedSource(shelf, LEDGERS).fetch(Need(url))

    class Awaited:
        async def fetch(self, need: Need) -> bytes | None:
            return shelf.fetch(need)

    return asyncio.run(AsyncHostedSource(Awaited(), LEDGERS).fetch(Need(url)))


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("content", [b"log", None])
def test_the_ledger_that_hosts_it_answers(awaited: bool, content: bytes | None) -> None:
    shelf = Shelf(**{"https://b.example/log/hosted/board.example/did.jsonl": content})
    assert fetched(shelf, "https://board.example/did.jsonl", awaited=awaited) == content
    assert shelf.asked == ["https://a.example/hosted/board.example/did.jsonl", "https://b.example/log/hosted/board.example/did.jsonl"]


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("url", ["https://board.example/did.jsonl", "https://a.example/latest/00", "https://b.example/log/x", "https://board.example"])
def test_otherwise_it_is_for_the_next_source(awaited: bool, url: str) -> None:
    with pytest.raises(TransportError) as refused:
        fetched(Shelf(), url, awaited=awaited)
    assert refused.value.code == "not_hosted"


@pytest.mark.parametrize("url", [
    "http://board.example/x", "https://board.example/x?y", "https://board.example/x#y", "https://u@board.example/x", "board.example/x", "https://a.example/x",
])  # fmt: skip
def test_urls_that_no_ledger_hosts(url: str) -> None:
    assert hosted_url("https://a.example", url) is None


def test_ports_and_escapes_stay_as_they_are() -> None:
    assert hosted_url("https://a.example", "https://localhost:8443/a%20b/did.jsonl") == "https://a.example/hosted/localhost:8443/a%20b/did.jsonl"
