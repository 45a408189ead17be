"""What a mirror makes of a log that is read where it is not its own word, busy, behind, or half gone: no alarm, and another try."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from did_health.errors import TransportError
from did_health.tlog.note import NoteSigner
from tests.mirror_parties import Scene, batch, new_log

# ---- a source that serves badly


def spoilt_tile(files: dict[str, bytes]) -> None:
    files["/tile/0/000.p/7"] = files["/tile/0/000.p/7"][:-1]


def spoilt_bundle(files: dict[str, bytes]) -> None:
    files["/tile/entries/000.p/7"] = files["/tile/entries/000.p/7"][:-1]


def other_entry(files: dict[str, bytes]) -> None:
    path = "/tile/entries/000.p/7"
    files[path] = files[path][:-1] + bytes([files[path][-1] ^ 1])


def no_bundle(files: dict[str, bytes]) -> None:
    del files["/tile/entries/000.p/7"]


def other_document(files: dict[str, bytes]) -> None:
    files.update({path: b"another" for path in files if path.startswith("/content/")})


def no_checkpoint_at_all(files: dict[str, bytes]) -> None:
    files["/checkpoint"] = b"garbage"


def of_another_log(files: dict[str, bytes]) -> None:
    other = new_log("other.example")
    batch(other, 1)
    files["/checkpoint"] = other.note().encode()


@pytest.mark.parametrize("spoil", [spoilt_tile, spoilt_bundle, other_entry, no_bundle, other_document, no_checkpoint_at_all, of_another_log])
def test_what_is_not_the_logs_own_word_is_no_alarm_and_is_tried_again(followed: Scene, spoil: Callable[[dict[str, bytes]], None]) -> None:
    batch(followed.log, 4)
    followed.lay()
    spoil(followed.files.files)
    with pytest.raises(TransportError) as failed:
        followed.mirroring.mirror.follow()
    assert failed.value.code == "malformed_response"
    assert not followed.mirroring.following.follow()
    assert followed.mirroring.get("readyz").status_code == 200
    assert followed.mirroring.lines[-2]["event"] == "follow"
    if spoil not in (no_checkpoint_at_all, of_another_log):
        assert followed.mirroring.push(followed.log, 5).status_code == 503
    followed.lay()
    assert followed.mirroring.following.follow()
    assert followed.mirroring.push(followed.log, 5).status_code == 200


def test_a_busy_source_is_asked_again_and_partial_tiles_may_be_gone(scene: Scene) -> None:
    batch(scene.log, *range(10, 300))
    scene.lay()
    short = new_log()
    batch(short, 1, 2)
    batch(short, 3)
    scene.files.files["/checkpoint"] = short.note().encode()
    scene.files.files = {path: data for path, data in scene.files.files.items() if ".p/5" not in path}
    scene.files.statuses += [429, 503]
    assert scene.mirroring.mirror.follow()
    assert scene.mirroring.mirror.size == 5
    scene.files.statuses += [500]
    with pytest.raises(TransportError, match="status 500"):
        scene.mirroring.mirror.follow()


def test_a_checkpoint_from_behind_changes_nothing(followed: Scene) -> None:
    older = followed.files.files["/checkpoint"]
    batch(followed.log, 4)
    followed.lay()
    assert followed.mirroring.following.follow()
    followed.files.files["/checkpoint"] = older
    assert not followed.mirroring.following.follow()
    assert followed.mirroring.mirror.size == 7
    assert followed.mirroring.get("readyz").status_code == 200


# ---- who asks


def test_nothing_is_fetched_for_whoever_is_not_the_log(scene: Scene) -> None:
    stranger = new_log("stranger.example")
    batch(stranger, 1)
    assert scene.mirroring.push(stranger).status_code == 404
    stranger.signer = NoteSigner("log.example", stranger.signer.signer)
    assert scene.mirroring.push(stranger).status_code == 403
    assert scene.mirroring.push(scene.log, 3).status_code == 409
    assert scene.files.asked == []
