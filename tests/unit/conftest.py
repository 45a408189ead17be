"""Fixtures of the unit tests: the command line, a ledger service and a mirror in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli_runs import built_town, cli

if TYPE_CHECKING:
    from did_health.net.remote_ledger import RemoteLedger
    from tests.ledger_service import Service
    from tests.mirror_parties import Scene

__all__ = ["built_town", "cli"]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A ledger service at a URL of the loopback."""
    from tests.ledger_service import ledger_service

    with ledger_service(tmp_path / "ledger") as running:
        yield running


@pytest.fixture
def remote(service: Service) -> Iterator[RemoteLedger]:
    """That ledger as others use it."""
    ledger = service.remote()
    yield ledger
    ledger.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A log and a mirror of it."""
    from tests.mirror_parties import new_scene

    with new_scene(tmp_path / "m") as scene:
        yield scene


@pytest.fixture
def followed(scene: Scene) -> Scene:
    """The mirror has everything, and has cosigned it."""
    assert scene.mirroring.following.follow()
    assert scene.mirroring.push(scene.log).status_code == 200
    return scene
