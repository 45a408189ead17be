"""A log that signs whatever it is told, served over HTTP as static files, and a served mirror that follows it."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from did_health.keys import generate
from did_health.ledger.map_head import MapHead
from did_health.ledger.witness import Cosigner
from did_health.net.exchange import HTTPExchange
from did_health.net.followed_log import FollowedLog
from did_health.net.witness_client import HTTPCosigner
from did_health.services.following import Following
from did_health.services.json_log import JSONLog
from did_health.services.metrics import Metrics
from did_health.services.mirror_app import mirror_app
from did_health.services.rate_limit import RateLimit
from did_health.stores.mirror import Mirror
from did_health.stores.witness_directory import WitnessDirectory
from did_health.tlog.note import NoteSigner, VerifierKey
from did_health.tlog.tiles import encode_bundle, tile_content, tiles_for
from did_health.tlog.witness_protocol import AddCheckpoint
from tests.any_log import AnyLog, handle, revocation
from tests.conftest import repeatable_bytes
from tests.ledger_parties import Clock
from tests.ledger_service import Relay
from tests.serving import HOST, serving
from tests.witness_parties import open_witness

NAME = "m.example"


def new_log(name: str = "log.example") -> AnyLog:
    return AnyLog(NoteSigner(name, generate(repeatable_bytes(name))), {})


def add(log: AnyLog, *numbers: int, **options: Any) -> None:
    """Revocations of these numbers, without a head."""
    log.add(*[revocation(number) for number in numbers], **options)


def batch(log: AnyLog, *numbers: int) -> None:
    add(log, *numbers)
    log.close()


@dataclass
class Files:
    """What a static web server would have of a log; ``asked`` are the paths that were."""

    files: dict[str, bytes] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def lay(self, log: AnyLog, *, published: bool = True, numbers: int = 700) -> None:
        """Tiles, entries and documents of the log as it is, and its checkpoint if it is published."""
        tree = log.tree
        for tile in tiles_for(0, tree.size):
            self.files[f"/{tile.path}"] = tile_content(tree, tile)
            if tile.level == 0:
                self.files[f"/{tile.entries_path}"] = encode_bundle(log.leaves[tile.start : tile.start + tile.width])
        for number in range(numbers):
            self.files[f"/content/{hashlib.sha256(handle(number)).hexdigest()}"] = handle(number)
        if published:
            self.files["/checkpoint"] = log.note().encode()

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        body = self.files.get(scope["path"])
        status = self.statuses.pop(0) if self.statuses else 200 if body is not None else 404
        await send({"type": "http.response.start", "status": status, "headers": [(b"retry-after", b"0")]})
        await send({"type": "http.response.body", "body": body or b""})


@dataclass
class Mirroring:
    """What runs: the mirror, its directory as a cosigner, its base URL, and the lines of its log."""

    base: str
    mirror: Mirror
    directory: WitnessDirectory
    following: Following
    metrics: Metrics
    _log: io.StringIO

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.getvalue().splitlines()]

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.base}/{path}", trust_env=False, timeout=30)

    def push(self, log: AnyLog, old: int = 0, *, size: int | None = None) -> httpx.Response:
        """As the log would ask for a cosignature."""
        proof = log.tree.consistency_proof(old, len(log.leaves)) if old else ()
        return httpx.post(f"{self.base}/add-checkpoint", content=AddCheckpoint(old, proof, log.note()).encode(), trust_env=False, timeout=30)


@contextmanager
def mirroring(folder: Path, key: VerifierKey, source: str, *, url: str = "", clock: Clock | None = None, relay: Relay | None = None) -> Iterator[Mirroring]:
    """A mirror of the log at ``source``, served; it follows when a test says so. ``relay`` is an app that is served already."""
    clock, stream, exchange = clock or Clock(), io.StringIO(), HTTPExchange([HOST])
    log, metrics = JSONLog("mirror", stream), Metrics("mirror")
    directory = open_witness(folder, name=NAME, logs=[key])
    mirror = Mirror.open(folder, key, url or source, FollowedLog(source, exchange), clock=clock)
    following = Following(mirror, log=log, metrics=metrics, poll_seconds=3600)
    app = mirror_app([following], directory, clock=clock, log=log, limit=RateLimit(1_000_000), metrics=metrics)
    try:
        if relay is not None:
            relay.app = app
            yield Mirroring("", mirror, directory, following, metrics, stream)
        else:
            with serving(app) as base:
                yield Mirroring(base, mirror, directory, following, metrics, stream)
    finally:
        mirror.close()
        directory.close()
        exchange.close()


@dataclass
class Scene:
    """A log of two batches (5 leaves), its files, and a mirror of it that has seen nothing yet."""

    log: AnyLog
    files: Files
    source: str
    mirroring: Mirroring
    folder: Path

    def lay(self, *, published: bool = True) -> None:
        self.files.lay(self.log, published=published)

    def refused(self, code: str, old: int = 5) -> None:
        """The newest checkpoint is not cosigned, nothing of it is kept, and everybody is told why."""
        self.lay()
        running = self.mirroring
        taken = running.mirror.taken
        answer = running.push(self.log, old)
        assert answer.status_code == 422
        assert answer.text.startswith("the mirror does not vouch for this checkpoint")
        running.following.follow()
        ready = running.get("readyz")
        assert (ready.status_code, ready.json()["code"]) == (503, code)
        alarms = [line for line in running.lines if line["event"] == "alarm"]
        assert [(line["code"], line["level"]) for line in alarms] == [(code, "critical")]
        assert alarms[0]["checkpoint"] == self.log.note().encode().decode()
        assert running.mirror.taken == taken
        assert running.directory.state("log.example").size == old


@contextmanager
def new_scene(folder: Path) -> Iterator[Scene]:
    """Log and mirror, served."""
    log, files = new_log(), Files()
    batch(log, 1, 2)
    batch(log, 3)
    files.lay(log)
    with serving(files) as source, mirroring(folder, log.signer.key, source) as running:
        yield Scene(log, files, source, running, folder)


def cosigner_at(folder: Path, url: str, exchange: HTTPExchange) -> Cosigner:
    """The mirror of this folder as a log asks it; its key is made."""
    directory = open_witness(folder, name=NAME, logs=[])
    directory.close()
    return HTTPCosigner(directory.witness.key, url, exchange)


def wrong(head: MapHead, **changes: Any) -> MapHead:
    """A head with some members changed."""
    members = {"size": head.size, "root": head.root, "count": head.count, **changes}
    return MapHead(members["size"], members["root"], members["count"])
