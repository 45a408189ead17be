"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.roster_parties import CredentialingOffice
    from tests.town import Town


@pytest.fixture
def office(town: Town, tmp_path: Path) -> CredentialingOffice:
    """A credentialing office that has collected nothing yet."""
    from tests.roster_parties import CredentialingOffice

    return CredentialingOffice(tmp_path / "office", town)
