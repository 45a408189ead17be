"""A new and empty database of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from did_health.stores.database import MEMORY, Database

if TYPE_CHECKING:
    from tests.postgres import Postgres


@pytest.fixture(params=["sqlite-file", "sqlite-memory", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param != "postgresql":
        yield MEMORY if request.param == "sqlite-memory" else str(tmp_path / "store.sqlite")
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.url()
    yield url
    server.drop(url)


@pytest.fixture
def database(location: str) -> Iterator[Database]:
    database = Database.open(location)
    yield database
    database.close()


@pytest.fixture(params=["file", "memory"])
def sqlite_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    database = Database.open(tmp_path / "store.sqlite" if request.param == "file" else MEMORY)
    yield database
    database.close()


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    """A new, empty schema on PostgreSQL."""
    url = postgres.url()
    yield url
    postgres.drop(url)
