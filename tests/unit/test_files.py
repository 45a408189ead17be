from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from did_health.errors import ConflictError, StoreError
from did_health.stores import files


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def failing(number: int) -> Callable[..., None]:
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_write_makes_folders_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "tile" / "0" / "000"
    files.write_atomically(path, b"one")
    files.write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert mode_of(path) == 0o644
    assert os.listdir(path.parent) == ["000"]


def test_mode_is_exact_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        files.write_atomically(tmp_path / "a", b"", mode=files.PRIVATE)
    finally:
        os.umask(old)
    assert mode_of(tmp_path / "a") == 0o600


@pytest.mark.parametrize("broken", ["fsync", "fchmod"])
def test_full_disk_keeps_the_old_content_and_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    path = tmp_path / "checkpoint"
    files.write_atomically(path, b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, broken, failing(errno.ENOSPC))
        with pytest.raises(StoreError, match="no room") as caught:
            files.write_atomically(path, b"new")
    assert caught.value.code == "store_full"
    assert caught.value.where == str(path)
    assert "Free some space" in caught.value.hint
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["checkpoint"]


def test_failed_rename_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "taken"
    (path / "by a folder").mkdir(parents=True)
    with pytest.raises(StoreError) as caught:
        files.write_atomically(path, b"new")
    assert caught.value.code == "store_unavailable"
    assert os.listdir(tmp_path) == ["taken"]


def test_folder_that_cannot_be_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_flush_folder", failing(errno.EIO))
    with pytest.raises(StoreError, match="could not be read or written") as caught:
        files.write_atomically(tmp_path / "a", b"")
    assert caught.value.where == str(tmp_path)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_forbidden_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(files.tempfile, "mkstemp", failing(number))
    for write in (files.write_atomically, files.create_private):
        with pytest.raises(StoreError, match="may not be read or written") as caught:
            write(tmp_path / "a", b"")
        assert caught.value.code == "store_read_only"


def test_folder_where_a_file_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError):
        files.make_folder(tmp_path / "file" / "below")
    with pytest.raises(StoreError):
        files.write_atomically(tmp_path / "file" / "a", b"")


def test_make_folder_twice(tmp_path: Path) -> None:
    files.make_folder(tmp_path / "a" / "b")
    files.make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_private_file_is_for_its_owner_only_and_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "board.key"
    files.create_private(path, b"secret")
    assert mode_of(path) == 0o600
    with pytest.raises(ConflictError) as caught:
        files.create_private(path, b"other")
    assert caught.value.where == str(path)
    assert path.read_bytes() == b"secret"
    assert os.listdir(path.parent) == ["board.key"]


def test_one_of_many_writers_makes_the_private_file(tmp_path: Path) -> None:
    path = tmp_path / "board.key"
    made: list[bytes] = []

    def create(data: bytes) -> None:
        try:
            files.create_private(path, data)
        except ConflictError:
            return
        made.append(data)

    threads = [threading.Thread(target=create, args=(bytes([number]),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [path.read_bytes()]


def test_private_file_is_not_written_through_a_dangling_link(tmp_path: Path) -> None:
    (tmp_path / "board.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConflictError):
        files.create_private(tmp_path / "board.key", b"secret")
    assert not (tmp_path / "elsewhere").exists()


def test_write_replaces_a_link_and_not_what_it_points_to(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"precious")
    link.symlink_to(target)
    files.write_atomically(link, b"new")
    assert target.read_bytes() == b"precious"
    assert not link.is_symlink()
    assert link.read_bytes() == b"new"


def test_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1234")
    assert files.read(tmp_path / "a", max_bytes=4) == b"1234"
    assert files.read(tmp_path / "b", max_bytes=4) is None
    assert files.read(tmp_path / "a" / "b", max_bytes=4) is None
    with pytest.raises(StoreError, match="larger than the 3 bytes") as caught:
        files.read(tmp_path / "a", max_bytes=3)
    assert caught.value.where == str(tmp_path / "a")


def test_reading_a_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        files.read(tmp_path, max_bytes=4)
    assert caught.value.where == str(tmp_path)


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o666, 0o777])
def test_private_file_that_everybody_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "board.key"
    path.write_bytes(b"secret")
    path.chmod(mode)
    with pytest.raises(StoreError, match="everybody on this machine") as caught:
        files.read_private(path, max_bytes=100)
    assert caught.value.code == "store_open"
    assert "chmod 600" in caught.value.hint
    assert caught.value.where == str(path)


def test_private_file_is_judged_behind_its_link(tmp_path: Path) -> None:
    path, link = tmp_path / "board.key", tmp_path / "link"
    path.write_bytes(b"secret")
    link.symlink_to(path)
    path.chmod(0o640)
    assert files.read_private(link, max_bytes=100) == b"secret"
    path.chmod(0o644)
    with pytest.raises(StoreError):
        files.read_private(link, max_bytes=100)
