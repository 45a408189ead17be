"""Who writes a ledger that several processes have open: one leads, the others stand by or only read."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from did_health.errors import FormatError, StoreError
from did_health.ledger.entry import revocation_subject
from did_health.net.remote_ledger import RemoteLedger
from did_health.services.json_log import JSONLog
from did_health.services.ledger_app import front_end_app
from did_health.services.metrics import Metrics
from did_health.services.rate_limit import RateLimit
from did_health.services.sequencing import Sequencing
from did_health.services.setting_values import yes_or_no
from did_health.stores.embedded import EmbeddedLedger
from did_health.stores.front_end import FrontEnd
from did_health.stores.system import Leader
from did_health.stores.tile_files import TileFiles
from tests.conftest import repeatable_bytes
from tests.crashing import revocation
from tests.ledger_parties import PASSPHRASE, Clock, new_ledger
from tests.serving import HOST, serving


class Writer:
    """A ledger and its sequencing, as a process of its own has them."""

    def __init__(self, ledger: EmbeddedLedger, leader: Leader | None = None) -> None:
        self.stream = io.StringIO()
        self.ledger = ledger
        self.sequencing = Sequencing(
            ledger, log=JSONLog("ledger", self.stream), metrics=Metrics("ledger"), heartbeat_seconds=3600, leader=leader or ledger.leader()
        )

    @property
    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.stream.getvalue().splitlines()]


def another(folder: Path, clock: Clock) -> EmbeddedLedger:
    return EmbeddedLedger.open(folder, clock=clock, random=repeatable_bytes("another"), passphrase=PASSPHRASE, standing_by=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def two(tmp_path: Path, clock: Clock) -> Iterator[tuple[Writer, Writer]]:
    first = new_ledger(tmp_path / "ledger", clock)
    second = another(tmp_path / "ledger", clock)
    yield Writer(first), Writer(second)
    second.close()
    first.close()


def eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def refused(sequencing: Sequencing) -> str:
    with pytest.raises(StoreError) as caught:
        sequencing.offer([revocation(1)]).result(10)
    return caught.value.code


def accepts(sequencing: Sequencing, number: int) -> bool:
    try:
        return len(sequencing.offer([revocation(number)]).result(10)) == 1
    except StoreError as error:
        if error.code != "ledger_standby":
            raise
        return False


def test_the_second_stands_by_until_the_first_has_ended(two: tuple[Writer, Writer]) -> None:
    first, second = two
    with ExitStack() as one:
        one.enter_context(first.sequencing)
        assert accepts(first.sequencing, 1)
        with second.sequencing:
            assert refused(second.sequencing) == "ledger_standby"
            one.close()
            eventually(lambda: accepts(second.sequencing, 2))
            assert second.events == ["leading"]
    assert second.ledger.size == 4


def test_whoever_leads_publishes_what_the_one_before_left(two: tuple[Writer, Writer], monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = two

    def powerless(*_: object) -> None:
        raise StoreError("the power went out")

    with monkeypatch.context() as patched:
        patched.setattr(TileFiles, "write_tiles", powerless)
        with pytest.raises(StoreError, match="power"):
            first.ledger.submit([revocation(1)])
    assert second.ledger.size == 0
    with second.sequencing:
        eventually(lambda: second.ledger.size == 2)
    assert second.ledger.latest(revocation_subject(revocation(1).content)) is not None


class Lost:
    """A claim that is lost after a while, or cannot be made."""

    def __init__(self) -> None:
        self.mine, self.broken = True, False

    def acquire(self) -> bool:
        return self.held()

    def held(self) -> bool:
        if self.broken:
            raise StoreError("no connection to the database", code="store_unavailable")
        return self.mine

    def release(self) -> None:
        self.mine = False


@pytest.mark.parametrize("broken", [False, True], ids=["another-process-leads", "the-database-is-gone"])
def test_who_loses_the_lead_takes_nothing_more(tmp_path: Path, clock: Clock, broken: bool) -> None:
    ledger, claim = new_ledger(tmp_path / "ledger", clock), Lost()
    writer = Writer(ledger, claim)
    with writer.sequencing:
        assert accepts(writer.sequencing, 1)
        claim.mine, claim.broken = False, broken
        eventually(lambda: not accepts(writer.sequencing, 2))
        eventually(lambda: "standing-by" in writer.events)
        claim.mine, claim.broken = True, False
        eventually(lambda: accepts(writer.sequencing, 3))
    assert [event for event in writer.events if event in ("leading", "standing-by")] == ["leading", "standing-by", "leading"]
    ledger.close()


# ---- front ends


def test_a_front_end_reads_everything_and_takes_nothing(tmp_path: Path, clock: Clock) -> None:
    ledger = new_ledger(tmp_path / "ledger", clock)
    ledger.submit([revocation(1), revocation(2)])
    (tmp_path / "ledger" / "published" / "tile" / "0" / "000.p" / "3").unlink()
    front = FrontEnd.open(tmp_path / "ledger", clock=clock)
    app = front_end_app(front, log=JSONLog("ledger", io.StringIO()), limit=RateLimit(1_000_000), metrics=Metrics("ledger"))
    with serving(app) as base:
        remote = RemoteLedger(f"{base}/log", front.policy, allow_hosts=[HOST], clock=clock)
        assert remote.latest(revocation_subject(revocation(2).content)) is not None
        ledger.submit([revocation(3)])
        assert remote.latest(revocation_subject(revocation(3).content)) is not None
        with pytest.raises(StoreError) as refused:
            remote.submit([revocation(4)])
        assert refused.value.code == "ledger_read_only"
        remote.close()
        # Tiles of every size, whether somebody has written them to files or not, and none beyond what is published.
        answers = {width: httpx.get(f"{base}/log/tile/0/000.p/{width}", trust_env=False) for width in (1, 3, 4, 5, 6)}
        assert [answer.status_code for answer in answers.values()] == [200, 200, 200, 200, 404]
        assert answers[5].content[: 4 * 32] == answers[4].content
        entries = httpx.get(f"{base}/log/tile/entries/000.p/2", trust_env=False)
        assert entries.status_code == 200
        assert revocation(2).entry in entries.content
        assert httpx.get(f"{base}/log/tile/1/000.p/1", trust_env=False).status_code == 404
        assert httpx.get(f"{base}/readyz", trust_env=False).status_code == 200
        assert "did_health_ledger_size 5\n" in httpx.get(f"{base}/metrics", trust_env=False).text
    front.close()
    ledger.close()


def test_a_front_end_of_nothing_is_refused(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(StoreError) as refused:
        FrontEnd.open(tmp_path, clock=clock)
    assert refused.value.code == "store_missing"


def test_yes_and_no_in_files_and_variables() -> None:
    assert [yes_or_no(value, Path()) for value in (True, False, "true", "false")] == [True, False, True, False]
    for value in ("yes", 1, None, "True"):
        with pytest.raises(FormatError, match="true nor false"):
            yes_or_no(value, Path())
