from __future__ import annotations

import stat
from pathlib import Path

import pytest

from did_health.errors import StoreError, VerificationError
from did_health.stores.witness_directory import WitnessDirectory
from did_health.tlog.note import SignedNote
from did_health.tlog.witness_protocol import WitnessState, monitoring_path
from tests.conftest import repeatable_bytes
from tests.ledger_parties import CHEAP, PASSPHRASE
from tests.witness_parties import LOG, NOW, ORIGIN, TREE, open_witness, request

HASH = monitoring_path(ORIGIN).partition("/")[0]


def refused(folder: Path, **options: str) -> StoreError:
    with pytest.raises(StoreError) as caught:
        open_witness(folder, **options)  # type: ignore[arg-type]
    return caught.value


def test_a_witness_is_the_same_when_it_is_opened_again(tmp_path: Path) -> None:
    first = open_witness(tmp_path / "w")
    first.witness.add_checkpoint(request(0, 5), now=NOW)
    first.close()
    again = open_witness(tmp_path / "w")
    assert again.witness.key == first.witness.key
    assert again.state(ORIGIN) == WitnessState(5, TREE.root(5))
    again.check()
    again.close()
    assert stat.S_IMODE((tmp_path / "w" / "witness.key").stat().st_mode) == 0o600


def test_a_key_without_its_memory_is_refused_for_it_would_cosign_a_second_history(tmp_path: Path) -> None:
    open_witness(tmp_path / "w").close()
    (tmp_path / "w" / "witness.sqlite").unlink()
    assert refused(tmp_path / "w").code == "witness_memory_missing"
    assert not (tmp_path / "w" / "witness.sqlite").exists()


def test_a_memory_without_its_key_is_refused(tmp_path: Path) -> None:
    open_witness(tmp_path / "w").close()
    (tmp_path / "w" / "witness.key").unlink()
    assert refused(tmp_path / "w").code == "store_missing"
    assert not (tmp_path / "w" / "witness.key").exists()


def test_a_memory_without_a_key_that_was_never_made_gets_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from did_health.stores import witness_directory

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(witness_directory, "create_keys", crash)
        with pytest.raises(KeyboardInterrupt):
            open_witness(tmp_path / "w")
    with monkeypatch.context() as patched:
        patched.setattr(witness_directory, "_claim", crash)
        with pytest.raises(KeyboardInterrupt):
            open_witness(tmp_path / "w")
    open_witness(tmp_path / "w").close()


def test_the_memory_of_another_witness_is_refused(tmp_path: Path) -> None:
    open_witness(tmp_path / "w").close()
    assert refused(tmp_path / "w", name="v.example").code == "store_foreign"
    open_witness(tmp_path / "other").close()
    (tmp_path / "w" / "witness.key").write_bytes((tmp_path / "other" / "witness.key").read_bytes())
    assert refused(tmp_path / "w").code == "store_foreign"


def test_a_wrong_passphrase(tmp_path: Path) -> None:
    open_witness(tmp_path / "w").close()
    with pytest.raises(VerificationError) as caught:
        open_witness(tmp_path / "w", passphrase="another passphrase")
    assert caught.value.code == "wrong_passphrase"


def test_the_key_may_lie_elsewhere(tmp_path: Path) -> None:
    for _ in range(2):
        directory = WitnessDirectory.open(
            tmp_path / "w", "w.example", [LOG.key], PASSPHRASE, random=repeatable_bytes("elsewhere"), key_file=tmp_path / "keys" / "w.key", cost=CHEAP
        )
        directory.close()
    assert (tmp_path / "keys" / "w.key").exists()
    assert not (tmp_path / "w" / "witness.key").exists()


def shown_size(directory: WitnessDirectory) -> int:
    note = directory.shown(HASH)
    return -1 if note is None else int(SignedNote.parse(note).text.split("\n")[1])


def test_what_is_shown_never_goes_back(tmp_path: Path) -> None:
    directory = open_witness(tmp_path / "w")
    assert shown_size(directory) == -1
    small = directory.witness.add_checkpoint(request(0, 3), now=NOW)
    large = directory.witness.add_checkpoint(request(3, 9), now=NOW)
    directory.show(request(0, 9).note, large)
    directory.show(request(0, 3).note, small)
    assert shown_size(directory) == 9
    (tmp_path / "w" / "monitoring" / HASH / "checkpoint").write_bytes(b"garbage")
    directory.show(request(0, 3).note, small)
    assert shown_size(directory) == 3
    directory.close()


@pytest.mark.parametrize("name", ["", "..", HASH.upper(), HASH + "\n", HASH[:-1], "../" * 3])
def test_only_hashes_are_looked_up(tmp_path: Path, name: str) -> None:
    directory = open_witness(tmp_path / "w")
    assert directory.shown(name) is None
    directory.close()
