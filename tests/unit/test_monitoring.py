"""A monitor around its rules: what it remembers, what it posts, and what it makes of servers that fail."""

from __future__ import annotations

import json
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from did_health.errors import StoreError, TransportError
from did_health.ledger.monitor import Ahead, Alarm, Level, Notice, Seen
from did_health.limits import MAX_UNSENT_NOTICES
from did_health.net.exchange import HTTPExchange
from did_health.net.webhook import Webhook
from did_health.stores.mirror import Mirror
from did_health.stores.monitor_state import MonitorState, MonitorStateFile
from did_health.tlog.note import sign_note
from did_health.tlog.witness_protocol import monitoring_path
from tests.any_log import AnyLog
from tests.ledger_parties import START
from tests.mirror_parties import Files, add, batch, new_log
from tests.monitor_parties import forked, policy_of, watching
from tests.serving import HOST, serving

ALARM = Alarm(Level.WARNING, "head_stale", "log.example", "", "old", START, {"n": 1})
FULL = MonitorState(
    {"log.example": Seen(1, 2, 3, 4, {"w1": 5}, {"m1": Ahead(6, 7)}), "new.example": Seen(1)}, {ALARM.id: ALARM}, (Notice(ALARM, START),), 3
)


@dataclass
class Receiver:
    """A webhook's receiver: what it took, after refusing with ``statuses``."""

    statuses: list[int] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    types: list[bytes] = field(default_factory=list)
    asked: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.asked += 1
        status = self.statuses.pop(0) if self.statuses else 204
        if status < 300:
            self.bodies.append(json.loads(body))
            self.types += [value for name, value in scope["headers"] if name == b"content-type"]
        await send({"type": "http.response.start", "status": status, "headers": [(b"retry-after", b"0")]})
        await send({"type": "http.response.body", "body": b""})


# ---- what is remembered


def test_the_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = MonitorStateFile(tmp_path / "below" / "monitor.json")
    assert file.load() == MonitorState()
    with file.locked():
        file.save(FULL)
    assert file.load() == FULL
    assert (tmp_path / "below" / "monitor.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("change", [
    {"format": "x"}, {"logs": []}, {"logs": {"a": 1}}, {"open": {}}, {"open": [1]}, {"unsent": 1}, {"unsent": [{}]}, {"lost": -1}, {"lost": None},
    {"logs": {"a": {"since": 1}}}, {"logs": {"a": {"since": True, "judged": 0, "published": 0, "cosigned": {}, "ahead": {}}}},
    {"logs": {"a": {"since": 1, "judged": 0, "published": 0, "cosigned": {}, "ahead": {"m": {"size": 1}}}}},
])  # fmt: skip
def test_a_state_that_is_malformed_is_an_error_and_never_an_empty_one(tmp_path: Path, change: dict[str, Any]) -> None:
    (tmp_path / "monitor.json").write_text(json.dumps({**json.loads(FULL.encode()), **change}))
    with pytest.raises(StoreError, match="malformed") as refused:
        MonitorStateFile(tmp_path / "monitor.json").load()
    assert refused.value.code == "store_foreign"


def test_waiting_notices_are_bounded_and_the_loss_is_counted() -> None:
    state = MonitorState().waiting([replace(Notice(ALARM, START), ended=bool(number)) for number in range(MAX_UNSENT_NOTICES + 2)])
    assert (len(state.unsent), state.lost) == (MAX_UNSENT_NOTICES, 2)
    assert state.unsent[0].ended


# ---- the webhook


def test_a_busy_receiver_is_asked_again_and_a_refusing_one_is_not() -> None:
    receiver, waits = Receiver([503, 500]), list[float]()
    with closing(HTTPExchange([HOST], timeout_seconds=3)) as exchange:
        with serving(receiver) as url:
            webhook = Webhook(f"{url}/secret-token", exchange, wait=waits.append)
            webhook.post(b"{}")
            assert (receiver.asked, receiver.bodies, receiver.types, waits) == (3, [{}], [b"application/json"], [0, 0])
            receiver.statuses, receiver.asked = [400], 0
            with pytest.raises(TransportError, match="status 400") as refused:
                webhook.post(b"{}")
            assert receiver.asked == 1
            receiver.statuses, receiver.asked = [503] * 9, 0
            with pytest.raises(TransportError, match="status 503"):
                webhook.post(b"{}")
            assert receiver.asked == 3
        with pytest.raises(TransportError) as gone:
            webhook.post(b"{}")
    assert waits[-2:] == [1, 1]
    for error in (refused.value, gone.value):
        assert "secret-token" not in str(error)


def test_the_webhook_is_behind_the_guards() -> None:
    waits: list[float] = []
    with pytest.raises(TransportError) as refused:
        Webhook("http://127.0.0.1:1/secret-token", HTTPExchange(), wait=waits.append).post(b"{}")
    assert refused.value.code == "url_refused"
    assert waits == []


def test_notices_are_posted_in_order_and_kept_until_they_are_taken(tmp_path: Path) -> None:
    receiver = Receiver()
    with serving(receiver) as url, watching(tmp_path, 1) as (board, _files):
        board.webhook = f"{url}/secret-token"
        board.clock.move(hours=2)
        receiver.statuses = [500] * 3
        found = board.look()
        assert (found.unsent, len(found.told), receiver.bodies) == (5, 5, [])
        assert board.lines[-1]["event"] == "webhook"
        assert "secret-token" not in board.output.getvalue()
        # Told once on the screen, posted when the receiver is back.
        assert board.look().told == ()
        assert [body["code"] for body in receiver.bodies] == ["head_stale", *["witness_silent"] * 4]
        assert [body["id"] for body in receiver.bodies] == [notice.alarm.id for notice in board.told]
        assert board.look().unsent == 0
        assert receiver.asked == 3 + 5


def test_what_was_given_up_is_said(tmp_path: Path) -> None:
    receiver = Receiver()
    with serving(receiver) as url, watching(tmp_path, 1, webhook=url) as (board, _files):
        MonitorStateFile(tmp_path / "monitor.json").save(replace(MonitorState(), unsent=(Notice(ALARM, START),), lost=2))
        board.look()
        assert board.lines[0] == {**board.lines[0], "event": "notices_lost", "count": 2}
        assert MonitorStateFile(tmp_path / "monitor.json").load().lost == 0


# ---- servers that fail


def test_a_log_that_is_out_of_reach_is_unknown_and_not_wrong(tmp_path: Path) -> None:
    with watching(tmp_path, 1) as (board, files):
        assert board.look().worst is None
        files.statuses = [500]
        assert board.codes() == ["log_unreachable"]
        assert board.codes() == ["-log_unreachable"]
        files.statuses = [500]
        assert board.look().worst is Level.UNKNOWN


@pytest.mark.parametrize("garbage", [
    b"", b"\0" * 40, b"log.example\n2\n", b"x" * (1 << 17),
    sign_note("log.example\n0\nAAAA\n", [new_log().signer]).encode(), new_log("other.example").note().encode(),
    AnyLog(new_log("log.example").signer, {}).note().encode().replace(b"log.example", b"logs.example"),
])  # fmt: skip
def test_garbage_in_place_of_a_checkpoint_is_unknown(tmp_path: Path, garbage: bytes) -> None:
    with watching(tmp_path, 1) as (board, files):
        files.files["/checkpoint"] = garbage
        assert board.codes() in (["log_unusable"], ["log_unreachable"])
        assert board.look().worst is Level.UNKNOWN
        files.lay(board.log)
        assert board.codes()[0].startswith("-log_un")


def test_a_bad_cosignature_makes_the_checkpoint_unusable(tmp_path: Path) -> None:
    with watching(tmp_path, 1) as (board, files):
        note, other = board.log.note(), forked(board.log, 9).note()
        files.files["/checkpoint"] = note.with_signatures([]).encode()
        files.files["/checkpoint"] = sign_note(note.text, [board.log.signer]).with_signatures(other.signatures[1:]).encode()
        assert board.codes() == ["log_unusable"]


def test_tiles_that_are_missing_or_of_another_kind(tmp_path: Path) -> None:
    with watching(tmp_path, 1) as (board, files):
        kept = dict(files.files)
        for path in [path for path in kept if path.startswith("/tile/")]:
            for data in (None, b"", b"\xff" * 64):
                files.files = {**kept, path: data} if data is not None else {name: one for name, one in kept.items() if name != path}
                found = board.look()
                assert found.worst in (Level.UNKNOWN, Level.CRITICAL), path
                assert found.looks["log.example"].size == 0
        files.files = kept
        assert board.look().worst is None


def test_an_empty_log_is_not_wrong(tmp_path: Path) -> None:
    with watching(tmp_path, 1) as (board, files):
        files.files.clear()
        assert board.codes() == []


def test_an_entry_of_a_later_version_is_unknown(tmp_path: Path) -> None:
    from did_health.encoding import cbor

    with watching(tmp_path, 1) as (board, files):
        assert board.codes() == []
        board.log.add(cbor.dumps({1: 2}), mapped=False)
        board.log.close()
        files.lay(board.log)
        assert board.codes() == ["log_unusable"]


def test_places_that_cannot_be_compared_with(tmp_path: Path) -> None:
    with watching(tmp_path, 1) as (board, _files):
        stranger = Files({"/checkpoint": new_log("other.example").note().encode(), f"/{monitoring_path('log.example')}": b"garbage"})
        with serving(stranger) as url:
            board.mirrors, board.witness_urls = [url, f"{url}/nothing"], {"w1.example": url}
            assert board.codes() == ["place_unreachable"] * 2
            assert {notice.alarm.about for notice in board.told} == {url, "witness w1.example"}
        # Nobody there: a third place is told, the others go on.
        assert board.codes() == ["place_unreachable"]


def test_what_others_show_tells_of_witnesses_too(tmp_path: Path) -> None:
    """A log that leaves a cosignature out does not make its witness silent."""
    with watching(tmp_path, 1) as (board, files):
        everybody, path = board.log.witnesses, f"/{monitoring_path('log.example')}"
        board.clock.move(hours=2)
        board.log.at = board.clock()
        alone = Files({path: board.log.note().encode()})
        board.log.witnesses = {name: key for name, key in everybody.items() if name != "w1.example"}
        files.lay(board.log)
        board.log.witnesses = everybody
        with serving(alone) as url:
            board.witness_urls = {"w1.example": url}
            assert board.codes() == []


def test_a_copy_is_kept_for_one_purpose(tmp_path: Path) -> None:
    with watching(tmp_path, 1) as (board, _files):
        board.look()
        folder = tmp_path / board.log.signer.key.key_id.hex()
        assert {path.name for path in folder.iterdir()} == {"mirror.sqlite"}
        with pytest.raises(StoreError, match="another copy") as refused:
            Mirror.open(folder, board.log.signer.key, board.url, Nowhere(), clock=board.clock)
        assert refused.value.code == "store_foreign"


class Nowhere:
    """A source that is never asked."""

    def checkpoint(self) -> bytes | None:
        raise AssertionError

    leaf_hashes = entries = documents = checkpoint  # type: ignore[assignment]


# ---- the loop


def test_it_looks_again_and_again_survives_errors_and_stops(tmp_path: Path) -> None:
    with watching(tmp_path, 1) as (board, files), board.monitoring() as monitoring:
        thread = threading.Thread(target=monitoring.run, args=(0.02,), daemon=True)
        thread.start()
        until(lambda: len(files.asked) > 6)
        # A look that is under way writes over it, so again and again.
        until(lambda: (tmp_path / "monitor.json").write_text("garbage") and any(line["event"] == "look" for line in board.lines))
        (tmp_path / "monitor.json").unlink(missing_ok=True)
        batch(board.log, 2)
        files.lay(board.log)
        until(lambda: (tmp_path / "monitor.json").exists() and '"published":4' in (tmp_path / "monitor.json").read_text())
        monitoring.stop()
        thread.join(10)
        assert not thread.is_alive()
    assert (board.lines[0]["event"], board.lines[-1]["event"]) == ("started", "ended")


def until(true: Any) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_monitor_that_is_stopped_takes_nothing_more(tmp_path: Path) -> None:
    with watching(tmp_path, 1) as (board, files), board.monitoring() as monitoring:
        add(board.log, *range(2, 400))
        board.log.close()
        files.lay(board.log)
        monitoring.stop()
        with pytest.raises(StoreError, match="ending"):
            monitoring.look()
        monitoring.run(60)
    assert policy_of(board.log, board.url, {}).cosigner_names == ("w0.example", "w1.example", "w2.example", "w3.example")
