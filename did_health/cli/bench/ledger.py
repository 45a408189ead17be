"""Measured: a ledger in SQLite at full durability, with three witnesses, from empty: appending, proofs, memory, and the tiles it serves."""

from __future__ import annotations

import hashlib
import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from did_health.cli.bench.measure import Ratio, Work, in_turns, rotating
from did_health.cli.bench.serving import tiles
from did_health.errors import StoreError
from did_health.keys import Signer, generate
from did_health.keys.sealed import SealingCost
from did_health.ledger.entry import Kind, revocation_subject
from did_health.ledger.latest import LatestBundle
from did_health.ledger.log import Submission, prepare
from did_health.stores.clock import system_clock
from did_health.stores.database import Database
from did_health.stores.embedded import EmbeddedLedger
from did_health.stores.ledger_map import LedgerMap
from did_health.stores.ledger_place import ledger_place
from did_health.stores.ledger_store import LedgerStore
from did_health.tlog.prefix_map import MapProof
from did_health.tlog.witness_policy import WitnessPolicy

LIMIT_APPEND = 0.15
LIMIT_STEADY = 0.8
LIMIT_PROVE = 3.0
LIMIT_MAP_PROOF = 1.5
LIMIT_BUNDLE = 9.0
LIMIT_BUNDLE_KB = 2.2
LIMIT_MEMORY_MB = 400.0
BATCH = 1_000
WITNESSES: Final = 3
SAMPLES = 400
UNIT_CALLS = 200
# Fewer than an author may have in an hour.
_PER_AUTHOR: Final = 10_000
_EDGE_BATCHES: Final = 5
# The keys are thrown away, and sealing them well would be all that is seen of memory.
_SEALING: Final = SealingCost(operations=1, memory_bytes=8192)


def ledger(entries: int, yardstick: Work) -> list[Ratio]:
    """Every ratio of a ledger that grows from nothing to at least ``entries`` entries; ``yardstick`` is one bare verification."""
    with TemporaryDirectory(prefix="did-health-bench-") as path:
        folder = Path(path)
        log = EmbeddedLedger.create(
            folder,
            origin="bench.example",
            url="https://bench.example/log",
            clock=system_clock,
            random=os.urandom,
            passphrase="bench only, nothing is kept",  # noqa: S106  # of a ledger that is deleted
            witness_names=WITNESSES,
            quorum=WITNESSES,
            cost=_SEALING,
        )
        try:
            ratios = _appending(log, entries, yardstick)
            handles = [_handle(number * entries // SAMPLES) for number in range(SAMPLES)]
            ratios += _proving(folder, [revocation_subject(handle) for handle in handles], yardstick)
            ratios += _bundles(log, [revocation_subject(handle) for handle in handles], yardstick)
            ratios.append(_memory(log))
            ratios += tiles(folder, log.url, log.size)
        finally:
            log.close()
    return ratios


def _appending(log: EmbeddedLedger, entries: int, yardstick: Work) -> list[Ratio]:
    batch = max(1, min(BATCH, entries // 2))
    author = generate(os.urandom)
    spent: list[float] = []
    units: list[float] = []
    for start in range(0, entries, batch):
        if start % _PER_AUTHOR < batch:
            author = generate(os.urandom)
        submissions = [_revocation(number, author) for number in range(start, min(start + batch, entries))]
        begun = perf_counter()
        for _ in range(UNIT_CALLS):
            yardstick()
        between = perf_counter()
        log.submit(submissions)
        spent.append((perf_counter() - between) / len(submissions))
        units.append((between - begun) / UNIT_CALLS)
    # Each batch by the yardstick beside it, so that what else the machine does slows both.
    costs = [each / unit for each, unit in zip(spent, units, strict=True)]
    edge = min(_EDGE_BATCHES, len(costs) // 2) or 1
    if len(costs) > 10 * edge:
        edge = len(costs) // 10
    detail = f"{entries} entries in batches of {batch}, {median(spent) * 1e6:.0f} µs each, with admission, map, SQLite and {WITNESSES} witnesses"
    return [
        Ratio("append to a ledger / bare verification rate", 1 / median(costs), LIMIT_APPEND, detail, at_least=True),
        Ratio("append rate, end / start", median(costs[:edge]) / median(costs[-edge:]), LIMIT_STEADY, f"{edge} batches of each", at_least=True),
    ]


def _proving(folder: Path, subjects: Sequence[bytes], yardstick: Work) -> list[Ratio]:
    database = Database.open(ledger_place(folder, None), create=False)
    try:
        with LedgerStore(database).snapshot() as (connection, state), LedgerMap().reading(connection, state.published_size) as tree:
            made, made_unit = in_turns(rotating(subjects, tree.prove), yardstick)
            proofs, root = [(subject, tree.prove(subject).encode()) for subject in subjects], tree.root
    finally:
        database.close()
    read, read_unit = in_turns(rotating(proofs, lambda proof: MapProof.parse(proof[1]).verify(proof[0], root)), yardstick)
    size = max(len(data) for _, data in proofs)
    return [
        Ratio("make a map proof / U", made / made_unit, LIMIT_PROVE, f"of {len(subjects)} subjects, read from SQLite"),
        Ratio("verify a map proof / U", read / read_unit, LIMIT_MAP_PROOF, f"from at most {size} bytes"),
    ]


def _bundles(log: EmbeddedLedger, subjects: Sequence[bytes], yardstick: Work) -> list[Ratio]:
    policy = WitnessPolicy.parse(log.policy_text)
    bundles = [(subject, _bundle(log, subject)) for subject in subjects]
    read, read_unit = in_turns(rotating(bundles, lambda bundle: LatestBundle.parse(bundle[1]).verify(bundle[0], policy)), yardstick)
    made, made_unit = in_turns(rotating(subjects, lambda subject: _bundle(log, subject)), yardstick)
    size = max(len(data) for _, data in bundles)
    return [
        Ratio("verify a latest bundle / U", read / read_unit, LIMIT_BUNDLE, f"from bytes, with {WITNESSES} cosignatures, all verified each time"),
        Ratio("size of a latest bundle / kB", size / 1000, LIMIT_BUNDLE_KB, f"the longest of {len(bundles)}"),
        Ratio("make a latest bundle / U", made / made_unit, None, "as bytes, read from SQLite"),
    ]


def _memory(log: EmbeddedLedger) -> Ratio:
    # In KiB, but for macOS, which tells bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    return Ratio("memory of the process / MB", used, LIMIT_MEMORY_MB, f"at most so far, with {log.size} leaves in the log")


def _bundle(log: EmbeddedLedger, subject: bytes) -> bytes:
    bundle = log.bundle(subject)
    if bundle is None or bundle.newest is None:
        raise StoreError("what was measured is no proof of an entry", code="store_missing")
    return bundle.encode()


def _handle(number: int) -> bytes:
    return hashlib.sha256(number.to_bytes(8)).digest()


def _revocation(number: int, author: Signer) -> Submission:
    key, handle = author.public_key.multikey, _handle(number)
    return prepare(Kind.REVOCATION, revocation_subject(handle), handle, author=f"did:key:{key}#{key}", signer=author, now=system_clock())
