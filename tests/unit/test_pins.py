"""What is remembered of logs: in memory and in a file, by one contract."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from did_health.errors import StoreError, VerificationError
from did_health.roles.pins import Pin, Pins, PinsInMemory, require_continued, require_same_view
from did_health.stores import files
from did_health.stores.pins import FilePins
from did_health.tlog.checkpoint import Checkpoint

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LOG = "ledger.example"


def checkpoint(size: int, tree: int = 0, origin: str = LOG) -> Checkpoint:
    return Checkpoint(origin, size, bytes([tree]) * 32)


def pin(size: int, seen_at: datetime = START) -> Pin:
    return Pin(size, bytes(32), seen_at)


@pytest.fixture(params=["memory", "file"])
def pins(request: pytest.FixtureRequest, tmp_path: Path) -> Pins:
    return PinsInMemory() if request.param == "memory" else FilePins(tmp_path / "new" / "pins.json")


def see(pins: Pins, one: Checkpoint, fetched_at: datetime, now: datetime | None = None) -> None:
    require_continued(pins, one, fetched_at=fetched_at, now=now or fetched_at)


def refusal(check: Callable[[], None]) -> str:
    with pytest.raises(VerificationError) as refused:
        check()
    return refused.value.code


# ---- the contract


def test_what_is_replaced_is_got(pins: Pins) -> None:
    assert pins.get(LOG) is None
    assert pins.replace(LOG, None, pin(1))
    assert pins.replace("other.example", None, pin(7))
    assert pins.replace(LOG, pin(1), pin(2))
    assert (pins.get(LOG), pins.get("other.example")) == (pin(2), pin(7))


def test_whoever_comes_second_replaces_nothing(pins: Pins) -> None:
    assert pins.replace(LOG, None, pin(5))
    assert not pins.replace(LOG, None, pin(6))
    assert not pins.replace(LOG, pin(4), pin(6))
    assert pins.get(LOG) == pin(5)


# ---- the rules


def test_growth_is_pinned_and_the_same_again_changes_nothing(pins: Pins) -> None:
    see(pins, checkpoint(3), START)
    see(pins, checkpoint(5, 1), START + SECOND)
    see(pins, checkpoint(5, 1), START + 9 * SECOND)
    assert pins.get(LOG) == Pin(5, bytes([1]) * 32, START + SECOND)


def test_a_smaller_tree_that_was_fetched_later_is_a_roll_back(pins: Pins) -> None:
    see(pins, checkpoint(5), START)
    assert refusal(lambda: see(pins, checkpoint(4), START + SECOND)) == "ledger_rolled_back"
    assert pins.get(LOG) == pin(5)


@pytest.mark.parametrize("fetched_at", [START, START - 3_600 * SECOND])
def test_a_smaller_tree_that_was_fetched_before_is_only_old(pins: Pins, fetched_at: datetime) -> None:
    see(pins, checkpoint(5), START)
    see(pins, checkpoint(4), fetched_at, START + 9 * SECOND)
    assert pins.get(LOG) == pin(5)


def test_a_pin_is_not_seen_before_its_fetch_ended(pins: Pins) -> None:
    """Two verifications at a time: what one asked for before the other's answer came may be older."""
    see(pins, checkpoint(5), START, START + 2 * SECOND)
    see(pins, checkpoint(4), START + SECOND, START + 3 * SECOND)


def test_two_trees_of_one_size_are_a_split_view_at_any_age(pins: Pins) -> None:
    see(pins, checkpoint(5), START)
    for fetched_at in (START - SECOND, START, START + SECOND):
        assert refusal(lambda at=fetched_at: see(pins, checkpoint(5, 1), at)) == "ledger_split_view"  # type: ignore[misc]
    assert refusal(lambda: require_same_view(pins, checkpoint(5, 1))) == "ledger_split_view"
    for other in (checkpoint(5), checkpoint(4, 1), checkpoint(6, 1), checkpoint(5, 1, "other.example")):
        require_same_view(pins, other)
    assert pins.get(LOG) == pin(5)


def test_a_race_is_run_again() -> None:
    class Raced(PinsInMemory):
        def replace(self, origin: str, old: Pin | None, new: Pin) -> bool:
            if old is None:
                super().replace(origin, None, pin(9))
            return super().replace(origin, old, new)

    pins = Raced()
    see(pins, checkpoint(5), START)
    assert pins.get(LOG) == pin(9)
    see(PinsInMemory(), checkpoint(5), START)


# ---- the file


def test_pins_survive_their_process_and_are_shared(tmp_path: Path) -> None:
    path = tmp_path / "pins.json"
    first, second = FilePins(path), FilePins(path)
    see(first, checkpoint(5), START)
    assert FilePins(path).get(LOG) == second.get(LOG) == pin(5)
    see(second, checkpoint(6), START + SECOND)
    assert first.get(LOG) == pin(6, START + SECOND)
    assert refusal(lambda: see(FilePins(path), checkpoint(5), START + 2 * SECOND)) == "ledger_rolled_back"


def test_parts_of_seconds_count_to_the_next(tmp_path: Path) -> None:
    pins = FilePins(tmp_path / "pins.json")
    see(pins, checkpoint(5), START + timedelta(milliseconds=1))
    assert pins.get(LOG) == pin(5, START + SECOND)


def good(tmp_path: Path) -> dict[str, object]:
    FilePins(tmp_path / "good.json").replace(LOG, None, pin(5))
    document: dict[str, object] = json.loads((tmp_path / "good.json").read_bytes())
    return document


@pytest.mark.parametrize("change", [
    {"format": "did-health/pins/v2"}, {"pins": []}, {"pins": {LOG: 5}}, {"pins": {LOG: {}}},
    {"pins": {LOG: {"size": -1, "root": "", "seenAt": ""}}}, {"pins": {LOG: {"size": 5, "root": "AA==", "seenAt": "2026-03-01T12:00:00Z"}}},
    {"pins": {LOG: {"size": 5, "root": "*", "seenAt": "2026-03-01T12:00:00Z"}}}, {"pins": {LOG: {"size": 5, "root": "A" * 43 + "=", "seenAt": "soon"}}},
])  # fmt: skip
def test_a_file_that_holds_no_pins_is_not_taken_for_an_empty_one(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "pins.json"
    path.write_text(json.dumps({**good(tmp_path), **change}))
    with pytest.raises(StoreError) as refused:
        FilePins(path).get(LOG)
    assert (refused.value.code, refused.value.where) == ("store_foreign", str(path))


def test_a_full_disk_ends_no_verification(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pins = FilePins(tmp_path / "pins.json")
    see(pins, checkpoint(5), START)

    def full(*_: object, **__: object) -> None:
        raise StoreError("there is no room to write", code="store_full")

    with monkeypatch.context() as patched:
        patched.setattr(files, "write_atomically", full)
        see(pins, checkpoint(6), START + SECOND)
        assert pins.unsaved is not None
        assert refusal(lambda: see(pins, checkpoint(5), START + 2 * SECOND)) == "ledger_rolled_back"
        assert FilePins(tmp_path / "pins.json").get(LOG) == pin(5)
    see(pins, checkpoint(7), START + 3 * SECOND)
    assert pins.unsaved is None
    assert FilePins(tmp_path / "pins.json").get(LOG) == pin(7, START + 3 * SECOND)


def test_another_failure_of_the_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise StoreError("a file could not be written", code="store_unavailable")

    monkeypatch.setattr(files, "write_atomically", broken)
    with pytest.raises(StoreError):
        FilePins(tmp_path / "pins.json").replace(LOG, None, pin(1))


def test_a_growing_file_by_many_hands_loses_nothing(tmp_path: Path) -> None:
    from threading import Thread

    path = tmp_path / "pins.json"

    def run(number: int) -> None:
        mine = FilePins(path)
        for size in range(1, 8):
            see(mine, checkpoint(size, 0, f"log-{number}.example"), START + size * SECOND)

    threads = [Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = FilePins(path)
    assert [kept.get(f"log-{number}.example") for number in range(4)] == [pin(7, START + 7 * SECOND)] * 4
