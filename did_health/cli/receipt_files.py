"""Receipts that a verifier hands out, as files in a folder that the user names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from did_health.cli import session

if TYPE_CHECKING:
    from did_health.roles.receipts import Recorded


def write_receipts(folder: Path | None, recorded: Recorded) -> Sequence[str]:
    """Write each receipt into a file of its own, named by its id; the files' names (none without a folder)."""
    if folder is None:
        return []
    paths = []
    for receipt in recorded.receipts.values():
        path = folder / f"{receipt.id.rpartition(':')[2]}.json"
        session.write_file(path, receipt.to_json() + b"\n", secret=True)
        paths.append(str(path))
    return paths
