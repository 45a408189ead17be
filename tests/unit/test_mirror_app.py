"""A mirror over HTTP: what it copies, what it cosigns, and above all what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from did_health.errors import ConflictError, StoreError, VerificationError
from did_health.ledger.admission import Admitted
from did_health.ledger.entry import Entry, revocation_subject
from did_health.ledger.latest import LatestBundle
from did_health.net.exchange import HTTPExchange
from did_health.services.operation import NotReady
from did_health.stores.mirror import Mirror
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.cosignature import verified_cosignatures
from did_health.tlog.witness_protocol import parse_cosignatures
from tests.any_log import AnyLog, handle, revocation
from tests.conftest import repeatable_bytes
from tests.ledger_parties import Board, Clock
from tests.ledger_service import Relay, ledger_service
from tests.mirror_parties import Scene, add, batch, cosigner_at, mirroring, new_log, wrong
from tests.serving import HOST, serving


def again(log: AnyLog, number: int, index: int) -> bytes:
    first = Entry.parse(log.leaves[index])
    return replace(Entry.parse(revocation(number).entry), seq=first.seq + 1, prev=first.digest).encode()


# ---- the main job


def test_it_serves_what_the_log_has_published(scene: Scene) -> None:
    running = scene.mirroring
    assert running.get("checkpoint").status_code == 404
    assert running.following.follow()
    for path in ("checkpoint", "tile/0/000.p/5", "tile/entries/000.p/5", f"content/{sha256(handle(1)).hexdigest()}"):
        assert running.get(path).content == scene.files.files[f"/{path}"]
    assert running.get(f"content/{sha256(handle(9)).hexdigest()}").status_code == 404
    bundle = LatestBundle.parse(running.get(f"latest/{revocation_subject(handle(1)).hex()}").content)
    assert bundle.newest is not None
    assert (bundle.newest.index, bundle.newest.entry) == (0, scene.log.leaves[0])
    assert bundle.encode() == scene.log.bundle(revocation_subject(handle(1)), bundle.newest).encode()
    absent = LatestBundle.parse(running.get(f"latest/{revocation_subject(handle(9)).hex()}").content)
    assert absent.newest is None
    assert running.get("readyz").status_code == 200
    assert not running.following.follow()
    assert "did_health" in running.get("metrics").text


def test_it_pulls_what_it_must_vouch_for_while_the_log_waits(scene: Scene) -> None:
    running = scene.mirroring
    answer = running.push(scene.log)
    assert answer.status_code == 200
    cosigned = scene.log.note().with_signatures(parse_cosignatures(answer.content))
    assert verified_cosignatures(cosigned, [running.directory.witness.key])
    assert running.mirror.taken == 5
    # The log has not published it yet, as far as the mirror knows.
    assert running.mirror.size == 0
    assert running.get("checkpoint").status_code == 404
    running.following.follow()
    assert running.mirror.size == 5


def test_batches_that_are_not_published_yet_build_on_each_other(followed: Scene) -> None:
    for number in (4, 5, 6):
        old = len(followed.log.leaves)
        batch(followed.log, number, number + 100)
        followed.lay(published=False)
        assert followed.mirroring.push(followed.log, old).status_code == 200
    assert (followed.mirroring.mirror.size, followed.mirroring.mirror.taken) == (5, 14)
    subject = revocation_subject(handle(6)).hex()
    assert LatestBundle.parse(followed.mirroring.get(f"latest/{subject}").content).newest is None
    followed.lay()
    assert followed.mirroring.following.follow()
    assert LatestBundle.parse(followed.mirroring.get(f"latest/{subject}").content).newest is not None
    assert followed.mirroring.push(followed.log, 14).status_code == 200


def test_a_log_of_many_tiles(scene: Scene) -> None:
    for start in range(10, 700, 230):
        batch(scene.log, *range(start, start + 230))
    scene.lay()
    assert scene.mirroring.following.follow()
    assert scene.mirroring.mirror.size == len(scene.log.leaves) == 698
    for path in ("tile/0/001", "tile/0/002.p/186", "tile/1/000.p/2", "tile/entries/002.p/186"):
        assert scene.mirroring.get(path).content == scene.files.files[f"/{path}"]
    assert not [path for path in scene.files.asked if path.startswith("/tile/1")]


def test_heartbeats_are_cosigned_and_shown(followed: Scene) -> None:
    assert followed.mirroring.push(followed.log, 5).status_code == 200
    followed.files.files["/checkpoint"] = followed.log.note().encode() + b"\xe2\x80\x94 w.example AAAAAAA=\n"
    assert followed.mirroring.following.follow()
    assert followed.mirroring.get("checkpoint").content == followed.files.files["/checkpoint"]
    assert followed.mirroring.get("tile/0/000.p/5").status_code == 200


# ---- lies


@pytest.mark.parametrize("changes", [{"root": bytes(32)}, {"count": 1}, {"size": 1}])
def test_a_lying_map_head_is_refused_and_never_cosigned_past(followed: Scene, changes: dict[str, object]) -> None:
    add(followed.log, 4)
    followed.log.close(wrong(followed.log.true_head(), **changes))
    followed.refused("map_head_wrong")
    # Nor is what follows, though its own head is true, and not after a restart either.
    batch(followed.log, 5)
    followed.lay()
    assert followed.mirroring.push(followed.log, 5).status_code == 422
    with mirroring(followed.folder, followed.log.signer.key, followed.source) as restarted:
        assert restarted.push(followed.log, 5).status_code == 422
        assert restarted.get("readyz").json()["code"] == "map_head_wrong"
        with restarted.following, pytest.raises(NotReady):
            restarted.following.require_sound()
        # What was true is served on.
        assert restarted.get("checkpoint").status_code == 200
        assert [line["event"] for line in restarted.lines].count("alarm") == 1


def omitted(log: AnyLog) -> None:
    add(log, 4, mapped=False)
    log.close()


def two_heads(log: AnyLog) -> None:
    log.close()


def no_head(log: AnyLog) -> None:
    add(log, 4)


def out_of_order(log: AnyLog) -> None:
    log.add(again(log, 1, 3))
    log.close()


def twice(log: AnyLog) -> None:
    batch(log, 1)


def no_entry(log: AnyLog) -> None:
    log.leaves.append(b"\xa0")
    log.close()


LIES: list[tuple[Callable[[AnyLog], None], str]] = [
    (omitted, "map_head_wrong"),
    (two_heads, "map_head_repeated"),
    (no_head, "map_head_missing"),
    (out_of_order, "entry_out_of_order"),
    (twice, "entry_out_of_order"),
    (no_entry, "entry_malformed"),
]


@pytest.mark.parametrize(("lie", "code"), LIES, ids=[lie.__name__ for lie, _ in LIES])
def test_what_a_log_signed_and_is_wrong_ends_the_trust_in_it(followed: Scene, lie: Callable[[AnyLog], None], code: str) -> None:
    lie(followed.log)
    followed.refused(code)


def test_a_checkpoint_between_two_heads_is_refused_though_its_entries_are_here(followed: Scene) -> None:
    batch(followed.log, 4, 5)
    followed.lay()
    followed.mirroring.following.follow()
    del followed.log.leaves[-1]
    with pytest.raises(VerificationError) as refused:
        followed.mirroring.mirror.take(followed.log.note())
    assert refused.value.code == "map_head_missing"


def test_another_history_is_the_alarm(followed: Scene) -> None:
    other = new_log()
    batch(other, 7, 8)
    batch(other, 9)
    followed.files.lay(other)
    followed.mirroring.following.follow()
    assert followed.mirroring.get("readyz").json()["code"] == "log_forked"
    assert followed.mirroring.push(followed.log, 5).status_code == 422


def test_a_longer_history_that_is_no_continuation_is_refused(followed: Scene) -> None:
    other = new_log()
    batch(other, 7, 8)
    batch(other, 9, 10)
    followed.files.lay(other)
    assert followed.mirroring.push(other, 5).status_code == 422
    assert not followed.mirroring.following.follow()
    assert followed.mirroring.get("readyz").json()["code"] == "log_inconsistent"
    # That was no proof: what was served may not have been the log's.
    assert followed.mirroring.mirror.alarm is None
    batch(followed.log, 4)
    followed.lay()
    assert followed.mirroring.following.follow()
    assert followed.mirroring.get("readyz").status_code == 200


def test_a_folder_is_of_one_log(followed: Scene) -> None:
    with pytest.raises(StoreError) as refused:
        Mirror.open(followed.folder, new_log("other.example").signer.key, followed.source, followed.mirroring.mirror._source, clock=Clock())
    assert refused.value.code == "store_foreign"


# ---- restarts


def test_it_goes_on_after_a_restart_where_it_was(followed: Scene) -> None:
    batch(followed.log, 4)
    followed.lay(published=False)
    assert followed.mirroring.push(followed.log, 5).status_code == 200
    batch(followed.log, 5, 6)
    followed.lay()
    with mirroring(followed.folder, followed.log.signer.key, followed.source) as restarted:
        assert (restarted.mirror.size, restarted.mirror.taken) == (5, 7)
        followed.files.asked.clear()
        assert restarted.following.follow()
        assert len([path for path in followed.files.asked if path.startswith("/content/")]) == 2
        assert restarted.push(followed.log, 7).status_code == 200
        assert restarted.get("tile/0/000.p/10").content == followed.files.files["/tile/0/000.p/10"]


def test_the_end_of_the_service_does_not_wait_for_a_long_copy(followed: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("did_health.stores.mirror._LEAVES_AT_ONCE", 1)
    for number in range(4, 9):
        batch(followed.log, number)
    followed.lay()
    mirror = followed.mirroring.mirror
    keep = mirror._keep

    def kept(*arguments: Any) -> None:
        keep(*arguments)
        mirror.stop()

    monkeypatch.setattr(mirror, "_keep", kept)
    assert followed.mirroring.push(followed.log, 5).status_code == 503
    assert mirror.taken == 7
    with pytest.raises(StoreError) as ended:
        mirror.follow()
    assert ended.value.code == "mirror_ending"
    with mirroring(followed.folder, followed.log.signer.key, followed.source) as restarted:
        assert restarted.following.follow()
        assert restarted.mirror.size == 15


def test_the_thread_follows_by_itself(scene: Scene) -> None:
    with scene.mirroring.following as following:
        deadline = monotonic() + 20
        while scene.mirroring.mirror.size < 5:
            assert monotonic() < deadline
            following.soon()
            sleep(0.02)
    metrics = scene.mirroring.get("metrics").text
    assert 'did_health_mirror_size{log="log.example"} 5.0' in metrics


def test_files_that_a_crash_left_out_are_made_good(followed: Scene) -> None:
    published = followed.folder / "published"
    for file in sorted(published.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    with mirroring(followed.folder, followed.log.signer.key, followed.source) as restarted:
        assert restarted.get("tile/entries/000.p/5").content == followed.files.files["/tile/entries/000.p/5"]


# ---- with a real ledger


def test_a_ledger_whose_quorum_is_a_mirror(tmp_path: Path) -> None:
    relay, exchange = Relay(), HTTPExchange([HOST])
    with serving(relay) as url:
        cosigner = cosigner_at(tmp_path / "m", url, exchange)
        with ledger_service(tmp_path / "ledger", cosigners=[cosigner], quorum=1, path="/log") as service:
            key = service.policy.logs[0].key
            with mirroring(tmp_path / "m", key, service.base, clock=service.clock, relay=relay) as running:
                remote = service.remote()
                board = Board("nc.example", repeatable_bytes("board")).join(remote)
                remote.submit([board.status_list(remote)])
                assert running.mirror.taken == service.ledger.size == 4
                assert running.following.follow()
                assert running.mirror.bundle(board.subject) == service.ledger.bundle(board.subject)
                for path in ("log/checkpoint", "log/hosted/nc.example/.well-known/did.jsonl", "log/hosted/nc.example/status/1"):
                    mine, its = (httpx_get(f"{base}/{path}") for base in (url, service.base.removesuffix("/log")))
                    assert mine == its
                    assert mine[0] == 200
                remote.close()
    exchange.close()


def httpx_get(url: str) -> tuple[int, bytes]:
    import httpx

    answer = httpx.get(url, trust_env=False, timeout=30)
    return answer.status_code, answer.content


# ---- the copy's database


def test_two_processes_on_one_folder_do_not_disturb_each_other(followed: Scene) -> None:
    batch(followed.log, 4)
    followed.lay()
    with mirroring(followed.folder, followed.log.signer.key, followed.source) as other:
        assert other.following.follow()
        batch(followed.log, 5)
        followed.lay()
        assert followed.mirroring.following.follow()
        assert other.mirror.size == other.mirror.taken == 9
        assert not other.following.follow()
        assert other.push(followed.log, 5).status_code == 200


def test_whoever_comes_second_writes_nothing(followed: Scene) -> None:
    store = followed.mirroring.mirror._kept
    origin, state = followed.log.signer.name, store.state()
    there, elsewhere = Checkpoint(origin, state.size, state.root), Checkpoint(origin, 3, bytes(32))
    entry = Entry.parse(followed.log.leaves[0])
    leaf = Admitted(entry, followed.log.leaves[0], handle(1))
    for old, kind, code in ((elsewhere, ConflictError, "ledger_conflict"), (there, StoreError, "store_corrupt")):
        with pytest.raises(kind) as refused:
            store.take(old, Checkpoint(origin, 6, bytes(32)), [leaf], [bytes(32)], now=Clock()())
        assert refused.value.code == code
    for size in (4, 6):
        with pytest.raises(ConflictError):
            store.show(b"", size)
    assert store.state() == state


def test_the_first_alarm_stays(followed: Scene) -> None:
    store = followed.mirroring.mirror._kept
    for what in ("first", "second"):
        store.sound(what)
    assert store.alarm() == "first"


def test_a_copy_that_fails_otherwise_ends_neither_thread_nor_metrics(followed: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    running = followed.mirroring
    monkeypatch.setattr(running.mirror, "follow", lambda: 1 // 0)
    with running.following:
        deadline = monotonic() + 20
        while not any(line.get("error") == "ZeroDivisionError" for line in running.lines):
            assert monotonic() < deadline
            sleep(0.02)
    monkeypatch.undo()

    def broken(*_: object) -> None:
        raise StoreError("the disk failed")

    batch(followed.log, 4)
    followed.lay()
    monkeypatch.setattr(running.mirror._store, "state", broken)
    assert running.get("metrics").status_code == 200
    monkeypatch.undo()


def test_leaves_without_end_and_without_a_head_are_not_gathered(followed: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("did_health.stores.mirror._MOST_WITHOUT_HEAD", 3)
    batch(followed.log, 4, 5, 6, 7)
    followed.refused("map_head_missing")
