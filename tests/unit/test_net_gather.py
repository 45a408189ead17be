from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from did_health.errors import TransportError
from did_health.limits import MAX_GATHER_ROUNDS, MAX_NEEDS_PER_ROUND
from did_health.net import gather as gathering
from did_health.net.gather import GatheredEvidence, ThreadedSource, gather, gather_async
from did_health.roles.evidence import Evidence, Item, Need, Source

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Shelf:
    """A source that holds what it was given; a text is the reason of a failure."""

    def __init__(self, contents: Mapping[str, bytes | str | None]) -> None:
        self.contents = contents
        self.asked: list[Need] = []

    def fetch(self, need: Need) -> bytes | None:
        self.asked.append(need)
        content = self.contents[need.url]
        if isinstance(content, str):
            raise TransportError(content)
        return content


def ticking() -> Callable[[], datetime]:
    ticks = itertools.count()
    return lambda: START + timedelta(minutes=next(ticks))


def needing(*urls: str, max_bytes: int = 100) -> Callable[[Evidence], Sequence[Need]]:
    return lambda evidence: [Need(url, max_bytes) for url in urls if url not in evidence]


Run = Callable[..., GatheredEvidence]


def run_sync(missing: Callable[[Evidence], Sequence[Need]], *sources: Source, evidence: Evidence | None = None) -> GatheredEvidence:
    return gather(missing, sources, evidence=evidence or Evidence(), clock=ticking())


def run_async(missing: Callable[[Evidence], Sequence[Need]], *sources: Source, evidence: Evidence | None = None) -> GatheredEvidence:
    async def main() -> GatheredEvidence:
        return await gather_async(missing, [ThreadedSource(source) for source in sources], evidence=evidence or Evidence(), clock=ticking())

    return anyio.run(main)


@pytest.fixture(params=[run_sync, run_async], ids=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Run:
    return request.param  # type: ignore[no-any-return]


def test_one_round(run: Run) -> None:
    result = run(needing("a", "b"), Shelf({"a": b"A", "b": None}))
    assert dict(result.items) == {"a": Item(b"A", START), "b": Item(None, START)}
    assert not result.failures


def test_nothing_missing_asks_nobody_and_reads_no_clock() -> None:
    def no_clock() -> datetime:
        raise AssertionError

    have = Evidence().with_items({"a": Item(b"A", START)})
    assert gather(needing("a"), [], evidence=have, clock=no_clock).items == have.items


def test_rounds_follow_what_was_learnt_with_one_clock_reading_each(run: Run) -> None:
    def missing(evidence: Evidence) -> list[Need]:
        wanted = ["did"] + [item.content.decode() for item in evidence.items.values() if item.content != b"end"]
        return [Need(url) for url in wanted if url not in evidence]

    result = run(missing, Shelf({"did": b"list", "list": b"log", "log": b"end"}))
    assert {url: item.fetched_at for url, item in result.items.items()} == {
        "did": START, "list": START + timedelta(minutes=1), "log": START + timedelta(minutes=2),
    }  # fmt: skip


def test_failure_is_recorded_once_and_does_not_stop_the_others(run: Run) -> None:
    shelf = Shelf({"a": "the server is down", "b": b"B"})
    result = run(needing("a", "b"), shelf)
    assert result.failures == {"a": "the server is down"}
    assert "a" not in result
    assert result.get("b")
    assert sorted(need.url for need in shelf.asked) == ["a", "b"]


def test_first_source_that_does_not_fail_answers(run: Run) -> None:
    mirror, origin = Shelf({"a": b"old", "b": "mirror is down", "c": None}), Shelf({"a": b"A", "b": b"B", "c": b"C"})
    result = run(needing("a", "b", "c"), mirror, origin)
    assert {url: item.content for url, item in result.items.items()} == {"a": b"old", "b": b"B", "c": None}
    assert [need.url for need in origin.asked] == ["b"]


def test_all_sources_failing_gives_every_reason(run: Run) -> None:
    result = run(needing("a"), Shelf({"a": "mirror is down"}), Shelf({"a": "origin is down"}), Shelf({"a": "origin is down"}))
    assert result.failures == {"a": "mirror is down; origin is down"}


def test_no_source(run: Run) -> None:
    assert run(needing("a")).failures == {"a": "there is no source to ask"}


def test_stale_item_is_replaced_or_kept_when_the_source_fails(run: Run) -> None:
    old = Evidence().with_items({"a": Item(b"old", START - timedelta(days=2)), "b": Item(b"old", START - timedelta(days=2))})

    def missing(evidence: Evidence) -> list[Need]:
        return [Need(url) for url, item in evidence.items.items() if item.fetched_at < START]

    result = run(missing, Shelf({"a": b"new", "b": "down"}), evidence=old)
    assert result.items == {"a": Item(b"new", START), "b": Item(b"old", START - timedelta(days=2))}
    assert result.failures == {"b": "down"}


def test_what_was_fetched_is_not_fetched_again_when_it_does_not_satisfy(run: Run) -> None:
    shelf = Shelf({"a": b"A"})
    run(lambda evidence: [Need("a"), Need("a")], shelf)
    assert len(shelf.asked) == 1


def test_endless_chain_of_needs_ends_and_says_so(run: Run) -> None:
    class Endless:
        def fetch(self, need: Need) -> bytes | None:
            return b"more"

    result = run(lambda evidence: [Need(f"u{len(evidence.items)}")], Endless())
    assert len(result.items) == MAX_GATHER_ROUNDS
    assert list(result.failures) == [f"u{MAX_GATHER_ROUNDS}"]


def test_needs_beyond_one_round_wait_for_the_next(run: Run) -> None:
    urls = [f"u{number}" for number in range(MAX_NEEDS_PER_ROUND + 1)]
    result = run(needing(*urls), Shelf(dict.fromkeys(urls, b"")))
    assert len(result.items) == len(urls)
    assert result.items[urls[-1]].fetched_at == START + timedelta(minutes=1)


def test_source_that_exceeds_the_need_is_not_believed(run: Run) -> None:
    result = run(needing("a", max_bytes=3), Shelf({"a": b"four"}))
    assert "4 bytes" in result.failures["a"]
    assert not result.items


def test_bytes_of_a_whole_gather_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MAX_GATHER_BYTES", 10)
    shelf = Shelf({"a": b"123456", "b": b"1234", "c": b""})
    result = run_sync(needing("a", "b", "c", max_bytes=8), shelf)
    assert [need.max_bytes for need in shelf.asked] == [8, 4]
    assert list(result.items) == ["a", "b"]
    assert "10 bytes have been read" in result.failures["c"]


def test_nothing_is_asked_once_the_bytes_are_spent(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MAX_GATHER_BYTES", 0)
    shelf = Shelf({"a": b""})
    assert "0 bytes have been read" in run(needing("a"), shelf).failures["a"]
    assert not shelf.asked


def test_bytes_of_concurrent_answers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MAX_GATHER_BYTES", 10)
    result = run_async(needing("a", "b", "c", max_bytes=8), Shelf(dict.fromkeys("abc", b"1234567")))
    assert len(result.items) == 1
    assert len(result.failures) == 2


def test_other_errors_are_not_hidden(run: Run) -> None:
    with pytest.raises(KeyError):
        run(needing("unknown"), Shelf({}))


def test_async_fetches_overlap() -> None:
    class Meeting:
        """Answers only when two are asking at once."""

        def __init__(self) -> None:
            self.present = 0
            self.both = anyio.Event()

        async def fetch(self, need: Need) -> bytes | None:
            self.present += 1
            if self.present == 2:
                self.both.set()
            await self.both.wait()
            return b""

    async def main() -> GatheredEvidence:
        with anyio.fail_after(5):
            return await gather_async(needing("a", "b"), [Meeting()], evidence=Evidence(), clock=ticking())

    assert set(anyio.run(main).items) == {"a", "b"}


@pytest.mark.parametrize(("where", "said"), [("a", "the server is down. Try again"), ("elsewhere", "the server is down (at elsewhere). Try again")])
def test_a_reason_does_not_repeat_the_url_that_it_is_about(run: Run, where: str, said: str) -> None:
    class Down:
        def fetch(self, need: Need) -> bytes | None:
            raise TransportError("the server is down", where=where, hint="Try again")

    assert run(needing("a"), Down()).failures == {"a": said}
