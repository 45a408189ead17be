"""Running the command line inside the test's process, in a directory that was made once and is copied for each test."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from did_health.cli.main import run
from did_health.health.person_name import PersonName
from did_health.health.physician_license import PhysicianLicense
from did_health.stores.directory import open_directory
from tests.ledger_parties import CHEAP, PASSPHRASE

AUDIENCE = "https://pharmacy.example"


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class CLI:
    """``cli("board", "list", "nc-medical")`` runs a command in ``folder``'s directory and expects the exit status ``code``."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    @property
    def town(self) -> Path:
        return self.folder / "town"

    def __call__(self, *arguments: object, code: int = 0) -> Ran:
        self.capture.readouterr()
        with pytest.raises(SystemExit) as left:
            run([str(argument) for argument in arguments])
        captured = self.capture.readouterr()
        ran = Ran(int(left.value.code or 0), captured.out, captured.err)
        assert ran.code == code, f"{ran.code}\n{ran.out}\n{ran.err}"
        assert "Traceback" not in ran.err
        return ran

    def shown(self, *credentials: str, wallet: str = "adams", nonce: str = "n1") -> Path:
        path = self.folder / f"shown-{nonce}.json"
        names = credentials or ("PhysicianLicenseCredential",)
        self("wallet", "present", wallet, *names, "--audience", AUDIENCE, "--nonce", nonce, "-o", path)
        return path

    def verify(self, path: Path, *more: object, nonce: str = "n1", code: int = 0) -> Ran:
        return self("verify", path, "--audience", AUDIENCE, "--nonce", nonce, *more, code=code)


@contextmanager
def interrupted(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, *, at_call: int) -> Iterator[None]:
    """Somebody presses Ctrl-C when a method of a class, or a function of a module, is called for the so-manieth time."""
    original = getattr(owner, name)
    calls = count(1)

    def call(*arguments: Any, **named: Any) -> Any:
        if next(calls) == at_call:
            raise KeyboardInterrupt
        return original(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, call)
        yield


def documents(town: Path) -> list[bytes]:
    """The documents of all ledger entries."""
    connection = sqlite3.connect(town / "ledger.sqlite")
    try:
        return [data for (data,) in connection.execute("SELECT data FROM contents")]
    finally:
        connection.close()


def license_of(family: str, number: str, **more: Any) -> PhysicianLicense:
    return PhysicianLicense(**{
        "name": PersonName(family=family, given="Ann"),
        "profession": "MD",
        "license_number": number,
        "original_issue_date": date(2010, 1, 1),
        "valid_until": datetime.now(UTC) + timedelta(days=100),
        **more,
    })


def build_town(path: Path) -> None:
    """A board, and two physicians: adams holds 12345, brown's 999 lies in brown.json."""
    with open_directory(path / "town", PASSPHRASE, create=True, cost=CHEAP) as town:
        board = town.create_board("nc-medical", title="North Carolina Medical Board", jurisdiction="US-NC", professions=["MD", "DO"])
        adams, brown = town.create_wallet("adams"), town.create_wallet("brown")
        first, second = board.issue_many([(license_of("Adams", "12345"), adams.did), (license_of("Brown", "999"), brown.did)])
        adams.add(first)
        town.save_wallet("adams", adams)
        (path / "brown.json").write_bytes(second.to_json())


@pytest.fixture(scope="session")
def built_town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("built")
    build_town(path)
    return path


def at_work(town: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CLI:
    """Commands in a copy of a folder in which a ``town`` was built."""
    shutil.copytree(town, tmp_path / "work")
    monkeypatch.setenv("DID_HEALTH_DIR", str(tmp_path / "work" / "town"))
    monkeypatch.setenv("DID_HEALTH_PASSPHRASE", PASSPHRASE)
    monkeypatch.chdir(tmp_path / "work")
    return CLI(tmp_path / "work", capsys)


@pytest.fixture
def cli(built_town: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CLI:
    return at_work(built_town, tmp_path, capsys, monkeypatch)
