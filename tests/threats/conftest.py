"""A ledger in a folder, and its clock; a board that can undo, and a licence of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from did_health.roles.docket import DocketRules
from did_health.roles.issuer import Board, Issued
from did_health.stores.embedded import EmbeddedLedger
from tests.healthcare_parties import HOUR
from tests.ledger_parties import Clock, new_ledger
from tests.town import Town


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


@pytest.fixture(scope="module")
def board(own_town: Town) -> Board:
    """A board that can undo for an hour."""
    return own_town.directory.create_board("va", title="Virginia", jurisdiction="US-VA", professions=["MD"], rules=DocketRules(undo_window=HOUR))


@pytest.fixture
def issued(own_town: Town, board: Board) -> Issued:
    return own_town.issue(board=board)
