"""What every test can ask for: the third-party data, a fixed clock, a repeatable source of bytes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from did_health.roles.issuer import Board
    from tests.postgres import Postgres
    from tests.town import Town

REPOSITORY = Path(__file__).resolve().parent.parent
MAX_PROCESSES = 4


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Processes for ``-n auto``: none but pytest's own when tests are named, for the others would take longer to start than the tests."""
    named = config.args_source is not pytest.Config.ArgsSource.TESTPATHS
    return 0 if named or config.option.collectonly else min(os.cpu_count() or 1, MAX_PROCESSES)


def shared(*parts: str) -> Path:
    """A file or folder of the third-party data, at ``../shared`` or ``DID_HEALTH_VECTORS``.

    Skips the test where there is none; with ``CI`` set that is a failure.
    """
    root = Path(os.environ.get("DID_HEALTH_VECTORS") or REPOSITORY.parent / "shared")
    path = root.joinpath(*parts)
    if not path.exists():
        lacking(f"third-party data not found: {'/'.join(parts)} (looked in ../shared; DID_HEALTH_VECTORS may name another place)")
    return path


def lacking(message: str) -> NoReturn:
    """Skip a test for what this machine lacks; with ``CI`` set that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def shared_cases(*parts: str) -> list[Path]:
    """The files of a third-party folder, to parametrise a test with; one path that does not exist where the data are missing."""
    root = Path(os.environ.get("DID_HEALTH_VECTORS") or REPOSITORY.parent / "shared").joinpath(*parts[:-1])
    return sorted(root.glob(parts[-1])) or [root / "missing"]


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def repeatable_bytes(seed: str) -> Callable[[int], bytes]:
    """A source of bytes like ``os.urandom`` that gives the same bytes in every run."""
    counter = 0

    def draw(length: int) -> bytes:
        nonlocal counter
        counter += 1
        return hashlib.shake_256(f"{seed}/{counter}".encode()).digest(length)

    return draw


@pytest.fixture
def random_bytes(request: pytest.FixtureRequest) -> Callable[[int], bytes]:
    return repeatable_bytes(request.node.name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of its own; skips the test where none can be started, which with ``CI`` set is a failure."""
    try:
        from tests.postgres import Postgres, Unavailable
    except ImportError as error:
        lacking(f"PostgreSQL cannot be tested: {error}")
    try:
        server = Postgres.start()
    except Unavailable as error:
        lacking(str(error))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Boards, wallets and a ledger, made once; see ``tests/town.py``."""
    from tests.town import Town

    town = Town(tmp_path_factory.mktemp("town") / "directory")
    yield town
    town.close()


@pytest.fixture(scope="module")
def own_town(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Town]:
    """A town that only the tests of one file change: its clock, its boards, the keys of both."""
    from tests.town import Town

    town = Town(tmp_path_factory.mktemp("town") / "directory", seed=request.module.__name__)
    yield town
    town.close()


@pytest.fixture(scope="module")
def csp(own_town: Town) -> Board:
    """The identity provider of that town, which proofs patients."""
    from tests.pharmacy_parties import identity_provider

    return identity_provider(own_town)
