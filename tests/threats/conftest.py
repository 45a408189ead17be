"""A ledger in a folder, and its clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from did_health.stores.embedded import EmbeddedLedger
from tests.ledger_parties import Clock, new_ledger


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def ledger(folder: Path, clock: Clock) -> Iterator[EmbeddedLedger]:
    ledger = new_ledger(folder, clock)
    yield ledger
    ledger.close()
