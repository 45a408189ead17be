"""Parties for tests of the ledger: a board with a did:webvh identity, an embedded ledger at low cost, a clock that stands still."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from did_health.did.methods import webvh
from did_health.keys import Signer, generate
from did_health.keys.sealed import SealingCost
from did_health.ledger.batch import IssuanceBatch
from did_health.ledger.entry import Kind, did_subject, subject_of
from did_health.ledger.log import Ledger, Submission, prepare
from did_health.roles.evidence import Need
from did_health.stores.embedded import EmbeddedLedger
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.note import SignedNote
from tests.conftest import repeatable_bytes

CHEAP = SealingCost(operations=1, memory_bytes=8192)
PASSPHRASE = "correct horse battery"
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
URL = "https://ledger.example/log"


@dataclass
class Clock:
    """Says the same time until it is moved."""

    time: datetime = START

    def __call__(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        self.time += timedelta(**by)


@dataclass
class Board:
    """An institution: its DID log with pre-rotation, the key it issues with, the update key in use and the one after it."""

    host: str
    random: Callable[[int], bytes]
    update_key: Signer = field(init=False)
    next_key: Signer = field(init=False)
    issuing_key: Signer = field(init=False)
    log: webvh.Log = field(init=False)

    def __post_init__(self) -> None:
        self.update_key, self.next_key, self.issuing_key = (generate(self.random) for _ in range(3))
        self.log = webvh.create(
            self.host,
            self._document,
            update_keys=[self.update_key.public_key.multikey],
            signer=self.update_key,
            next_key_hashes=[webvh.next_key_hash(self.next_key.public_key.multikey)],
            now=START - timedelta(hours=1),
        )

    def _document(self, did: str) -> dict[str, object]:
        method = {"id": f"{did}#issuing", "type": "Multikey", "controller": did, "publicKeyMultibase": self.issuing_key.public_key.multikey}
        return {"id": did, "verificationMethod": [method], "assertionMethod": [f"{did}#issuing"], "authentication": []}

    @property
    def did(self) -> str:
        return self.log.did.text

    @property
    def subject(self) -> bytes:
        return did_subject(self.did)

    @property
    def author(self) -> str:
        return f"{self.did}#issuing"

    def first_line(self) -> Submission:
        key = self.update_key
        return prepare(Kind.DID, self.subject, self.log.lines[0], author=key.public_key.multikey, signer=key, now=START)

    def join(self, ledger: Ledger) -> Board:
        ledger.submit([self.first_line()])
        return self

    def rotated(self) -> tuple[webvh.Log, Signer]:
        """The log with the committed next key in force, and the key after that."""
        after = generate(self.random)
        log = webvh.rotate(
            self.log,
            signer=self.next_key,
            new_keys=[self.next_key.public_key.multikey],
            next_key_hashes=[webvh.next_key_hash(after.public_key.multikey)],
            now=START - timedelta(minutes=30),
        )
        return log, after

    def signed(self, kind: Kind, subject: bytes, content: bytes, ledger: Ledger, *, signer: Signer | None = None, author: str = "") -> Submission:
        return prepare(
            kind, subject, content, author=author or self.author, signer=signer or self.issuing_key, now=START, previous=ledger.latest(subject)
        )

    def status_list(self, ledger: Ledger, text: str = "", *, url: str = "") -> Submission:
        url = url or f"https://{self.host}/status/1"
        content = json.dumps({"id": url, "issuer": {"id": self.did}, "note": text}).encode()
        return self.signed(Kind.STATUS_LIST, subject_of(Kind.STATUS_LIST, url), content, ledger)

    def batch(self, ledger: Ledger, digests: list[bytes]) -> tuple[IssuanceBatch, Submission]:
        batch = IssuanceBatch(digests)
        return batch, self.signed(Kind.ISSUANCE_BATCH, subject_of(Kind.ISSUANCE_BATCH, self.did), batch.content, ledger)


def new_ledger(folder: Path, clock: Callable[[], datetime], seed: str = "ledger", **options: object) -> EmbeddedLedger:
    return EmbeddedLedger.create(
        folder, origin="ledger.example", url=URL, clock=clock, random=repeatable_bytes(seed), passphrase=PASSPHRASE, cost=CHEAP, **options  # type: ignore[arg-type]
    )


def reopened(folder: Path, clock: Callable[[], datetime]) -> EmbeddedLedger:
    return EmbeddedLedger.open(folder, clock=clock, random=repeatable_bytes("reopened"), passphrase=PASSPHRASE)


def size_published(ledger: EmbeddedLedger) -> int:
    """How many leaves the checkpoint says that is served."""
    data = ledger.fetch(Need(f"{URL}/checkpoint"))
    return Checkpoint.parse(SignedNote.parse(data).text).size if data else 0
