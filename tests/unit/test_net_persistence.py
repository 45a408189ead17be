"""What is tried again, what is read from a mirror instead, and what is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from did_health.errors import StoreError, TransportError, VerificationError
from did_health.keys import generate
from did_health.net import persistent_ledger
from did_health.net.mirrored import AsyncMirroredSource, MirroredSource, Mirrors
from did_health.net.persistent_ledger import PersistentLedger
from did_health.roles.evidence import Need
from did_health.tlog.cosignature import cosigner_key
from did_health.tlog.note import NoteSigner
from did_health.tlog.witness_policy import PolicyLog, PolicyWitness, WitnessPolicy, quorum_policy
from tests.conftest import repeatable_bytes
from tests.ledger_parties import Board
from tests.ledger_service import ledger_service

LOG = "https://ledger.example/log"
KEYS = [cosigner_key(f"c{number}.example", generate(repeatable_bytes(f"c{number}")).public_key) for number in range(4)]
LOG_KEY = NoteSigner("ledger.example", generate(repeatable_bytes("log"))).key
URLS = {"mirror-1": "https://m1.example/", "mirror-2": "https://m2.example/m"}


def policy() -> WitnessPolicy:
    plain = quorum_policy([PolicyLog(LOG_KEY, LOG)], witnesses=KEYS[:1], quorum=1, mirrors=KEYS[1:])
    return replace(plain, witnesses=tuple([PolicyWitness(one.name, one.key, URLS.get(one.name)) for one in plain.witnesses]))


@dataclass
class Places:
    """A source: what is at some URLs, and which error everything else has."""

    content: dict[str, bytes | None] = field(default_factory=dict)
    code: str = "no_connection"
    asked: list[str] = field(default_factory=list)

    def fetch(self, need: Need) -> bytes | None:
        self.asked.append(need.url)
        if need.url in self.content:
            return self.content[need.url]
        raise TransportError("nobody answers", code=self.code)


@dataclass
class Awaited:
    """The same, awaited."""

    places: Places

    async def fetch(self, need: Need) -> bytes | None:
        return self.places.fetch(need)


def both(places: Places, url: str) -> bytes | None:
    """What both sources say, which is the same."""
    found: list[bytes | str | None] = []
    for fetch in (
        lambda: MirroredSource(places, Mirrors(policy())).fetch(Need(url)),
        lambda: asyncio.run(AsyncMirroredSource(Awaited(places), Mirrors(policy())).fetch(Need(url))),
    ):
        try:
            found.append(fetch())
        except TransportError as error:
            found.append(error.code)
    first, second = found
    assert first == second
    if isinstance(first, str):
        raise TransportError("as the sources said", code=first)
    return first


def test_the_log_itself_is_asked_first() -> None:
    places = Places({f"{LOG}/checkpoint": b"here"})
    assert both(places, f"{LOG}/checkpoint") == b"here"
    assert set(places.asked) == {f"{LOG}/checkpoint"}


def test_a_log_that_is_gone_is_read_at_its_mirrors_at_its_own_path() -> None:
    assert both(Places({"https://m1.example/log/checkpoint": b"at the first"}), f"{LOG}/checkpoint") == b"at the first"
    second = Places({"https://m1.example/log/latest/00": None, "https://m2.example/m/log/latest/00": b"at the second"})
    assert both(second, f"{LOG}/latest/00") == b"at the second"


def test_that_a_mirror_has_nothing_does_not_say_that_the_log_has_nothing() -> None:
    places = Places({"https://m1.example/log/content/00": None})
    with pytest.raises(TransportError) as refused:
        both(places, f"{LOG}/content/00")
    assert refused.value.code == "no_connection"


@pytest.mark.parametrize(("url", "code"), [("https://board.example/did.jsonl", "timeout"), (f"{LOG}/checkpoint", "unexpected_status")])
def test_nothing_else_is_asked_of_a_mirror(url: str, code: str) -> None:
    places = Places(code=code)
    with pytest.raises(TransportError) as refused:
        both(places, url)
    assert refused.value.code == code
    assert set(places.asked) == {url}


def test_a_log_that_comes_back_in_time_is_not_replaced_by_a_mirror() -> None:
    places = Places({"https://m1.example/log/checkpoint": b"older"})
    source = MirroredSource(places, Mirrors(policy()), patience_seconds=20)
    fetch = places.fetch

    def back_at_the_third(need: Need) -> bytes | None:
        if len(places.asked) == 2:
            places.content[f"{LOG}/checkpoint"] = b"newest"
        return fetch(need)

    places.fetch = back_at_the_third  # type: ignore[method-assign]
    assert source.fetch(Need(f"{LOG}/checkpoint")) == b"newest"
    assert len(places.asked) == 3


def test_a_policy_without_mirrors_has_no_other_place() -> None:
    assert not Mirrors(None).places(Need(f"{LOG}/checkpoint"))
    assert not Mirrors(WitnessPolicy((PolicyLog(LOG_KEY, LOG),))).places(Need(f"{LOG}/checkpoint"))


# ---- a ledger that is asked again


class Failing:
    """Stands between a persistent ledger and a real one, and fails so many times first."""

    def __init__(self, remote: object, times: int, error: Callable[[], Exception]) -> None:
        self._remote, self._times, self._error = remote, times, error

    def __getattr__(self, name: str) -> object:
        real = getattr(self._remote, name)
        if not callable(real):
            return real

        def act(*arguments: object) -> object:
            if self._times:
                self._times -= 1
                raise self._error()
            return real(*arguments)

        return act


def test_what_passes_is_tried_again_until_it_has_passed(tmp_path: Path) -> None:
    with ledger_service(tmp_path / "ledger", path="/log") as service:
        remote = service.remote()
        failing = Failing(remote, 0, lambda: TransportError("killed", code="broken_connection"))
        ledger = PersistentLedger(failing, patience_seconds=20)  # type: ignore[arg-type]
        assert (ledger.url, ledger.origin, ledger.vkey) == (remote.url, remote.origin, remote.vkey)
        board = Board("board.example", repeatable_bytes("board"))
        for times, code in ((1, "quorum_not_met"), (2, "ledger_standby")):
            failing._times, failing._error = times, lambda code=code: StoreError("later", code=code)
            if times == 1:
                board.join(ledger)
            assert ledger.latest(bytes(32)) is None
            assert failing._times == 0
        failing._times = 1
        ledger.publish_all({board.log.did.log_url: board.log.encode()})
        assert failing._times == 0
        failing._times = 1
        assert ledger.fetch(Need(f"{ledger.url}/checkpoint"))
        ledger.close()


@pytest.mark.parametrize("error", [StoreError("gone back", code="ledger_rolled_back"), VerificationError("no", code="author_not_entitled")])
def test_what_does_not_pass_is_said_at_once(error: Exception) -> None:
    def refuse() -> Exception:
        return error

    class Remote:
        def latest(self, subject: bytes) -> None:
            """Never answers."""

    failing = Failing(Remote(), 5, refuse)
    with pytest.raises(type(error)):
        PersistentLedger(failing).latest(bytes(32))  # type: ignore[arg-type]
    assert failing._times == 4


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistent_ledger, "_FIRST_PAUSE", 0.01)

    class Remote:
        def latest(self, subject: bytes) -> None:
            """Never answers."""

    failing = Failing(Remote(), 10_000, lambda: TransportError("nobody", code="no_connection"))
    with pytest.raises(TransportError):
        PersistentLedger(failing, patience_seconds=0.1).latest(bytes(32))  # type: ignore[arg-type]
    assert failing._times < 9_999
