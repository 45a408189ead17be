"""What never changes is read once and answered from memory, as it was answered the first time, within a bound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from did_health.limits import MAX_KEPT_ANSWER_BYTES, MAX_KEPT_ANSWERS_BYTES
from did_health.roles.evidence import Need
from did_health.services.kept_answers import KeptAnswers
from did_health.services.published import published_for_ever
from tests.serving import serving

BASE = "https://ledger.example"
TILE, LIST = "/log/tile/0/000", "/log/tile/../status"


def answer(size: int) -> Response:
    return Response(bytes(size), headers={"ETag": f'"{size}"', "Content-Type": "application/octet-stream"})


class Shelf:
    def __init__(self) -> None:
        self.things = {BASE + TILE: b"\1" * 64, BASE + LIST: b"{}"}
        self.asked: Counter[str] = Counter()

    def fetch(self, need: Need) -> bytes | None:
        self.asked[need.url.removeprefix(BASE)] += 1
        return self.things.get(need.url)


@contextmanager
def site(shelf: Shelf) -> Iterator[httpx.Client]:
    app = Starlette(routes=[Route("/{path:path}", published_for_ever(shelf, BASE), methods=["GET"])])
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


def test_a_tile_is_read_once_and_answered_alike_ever_after() -> None:
    shelf = Shelf()
    with site(shelf) as client:
        first, second = client.get(TILE), client.get(TILE)
        assert first.content == second.content == b"\1" * 64
        names = ("cache-control", "etag", "content-type", "content-length", "access-control-allow-origin", "x-content-type-options")
        assert [first.headers[name] for name in names] == [second.headers[name] for name in names]
        head = client.head(TILE)
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "64")
    assert shelf.asked == {TILE: 1}


def test_who_has_it_already_is_told_so_without_reading() -> None:
    shelf = Shelf()
    with site(shelf) as client:
        tag = client.get(TILE).headers["etag"]
        again = client.get(TILE, headers={"If-None-Match": f'"other", {tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert "immutable" in again.headers["cache-control"]
        assert "content-type" not in again.headers
        assert client.get(TILE, headers={"If-None-Match": '"other"'}).content == b"\1" * 64
    assert shelf.asked == {TILE: 1}


def test_what_is_not_there_yet_is_looked_for_again() -> None:
    shelf = Shelf()
    with site(shelf) as client:
        assert client.get("/log/tile/0/001").status_code == 404
        shelf.things[f"{BASE}/log/tile/0/001"] = b"\2" * 64
        assert client.get("/log/tile/0/001").content == b"\2" * 64


def test_what_may_change_is_never_kept() -> None:
    shelf = Shelf()
    shelf.things[f"{BASE}/log/checkpoint"] = b"1\n"
    with site(shelf) as client:
        assert client.get("/log/checkpoint").content == b"1\n"
        shelf.things[f"{BASE}/log/checkpoint"] = b"2\n"
        assert client.get("/log/checkpoint").content == b"2\n"


def test_the_one_that_was_not_asked_for_longest_goes_first() -> None:
    kept = KeptAnswers(max_bytes=3 * 4_096)
    for path in ("a", "b", "c"):
        kept.keep(path, answer(2_000))
    assert kept.find("a", "") is not None
    kept.keep("d", answer(2_000))
    assert [path for path in "abcd" if kept.find(path, "") is not None] == ["a", "c", "d"]
    kept.keep("a", answer(9))
    found = kept.find("a", "")
    assert found is not None
    assert len(found.body) == 2_000


def test_room_that_was_given_back_is_used_again() -> None:
    kept = KeptAnswers(max_bytes=10_000)
    for number in range(100):
        kept.keep(str(number), answer(1_000))
    assert len(kept) == 3


@pytest.mark.parametrize(("size", "number"), [(MAX_KEPT_ANSWER_BYTES, 1), (MAX_KEPT_ANSWER_BYTES + 1, 0)], ids=["at the limit", "over it"])
def test_a_very_large_answer_is_not_kept(size: int, number: int) -> None:
    kept = KeptAnswers()
    kept.keep("a", answer(size))
    assert len(kept) == number
    assert MAX_KEPT_ANSWER_BYTES < MAX_KEPT_ANSWERS_BYTES
