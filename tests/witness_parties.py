"""A log, its tree and another tree that it never had, and a witness that follows it: in a folder, and behind a URL."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from did_health.keys import Algorithm, signer_from_secret
from did_health.services.json_log import JSONLog
from did_health.services.rate_limit import RateLimit
from did_health.services.witness_app import witness_app
from did_health.stores.witness_directory import WitnessDirectory
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.merkle import Tree, leaf_hash
from did_health.tlog.note import NoteSigner, VerifierKey, sign_note
from did_health.tlog.witness_protocol import AddCheckpoint
from tests.conftest import repeatable_bytes
from tests.ledger_parties import CHEAP, PASSPHRASE
from tests.serving import serving

ORIGIN = "log.example"
LOG = NoteSigner(ORIGIN, signer_from_secret(Algorithm.ED25519, b"l" * 32))
STRANGER = NoteSigner(ORIGIN, signer_from_secret(Algorithm.ED25519, b"s" * 32))
TREE = Tree.from_leaf_hashes(leaf_hash(b"%d" % number) for number in range(40))
OTHER = Tree.from_leaf_hashes(leaf_hash(b"other %d" % number) for number in range(40))
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def request(old: int, new: int, tree: Tree = TREE, signer: NoteSigner = LOG, origin: str = ORIGIN) -> AddCheckpoint:
    """A request for size ``new`` of ``tree``, with the proof from size ``old``."""
    return AddCheckpoint(old, tree.consistency_proof(old, new) if old <= new else (), sign_note(Checkpoint(origin, new, tree.root(new)).encode(), [signer]))


def open_witness(folder: Path, *, name: str = "w.example", logs: Iterable[VerifierKey] = (LOG.key,), passphrase: str = PASSPHRASE) -> WitnessDirectory:
    return WitnessDirectory.open(folder, name, logs, passphrase, random=repeatable_bytes(f"{folder.name}/{name}"), cost=CHEAP)


@dataclass
class Running:
    """A served witness: its base URL, its directory, and the lines of its log."""

    url: str
    directory: WitnessDirectory
    _log: io.StringIO

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.getvalue().splitlines()]


@contextmanager
def running(directory: WitnessDirectory, *, per_minute: int = 1_000_000, prefix: str = "", clock: Callable[[], datetime] = lambda: NOW) -> Iterator[Running]:
    stream = io.StringIO()
    app = witness_app(directory, clock=clock, log=JSONLog("witness", stream), limit=RateLimit(per_minute), prefix=prefix)
    with serving(app) as url:
        yield Running(url, directory, stream)
