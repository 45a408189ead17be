"""A log that signs whatever it is told, served as files, with mirrors and witnesses beside it, and a monitor that looks when a test says so."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from did_health.keys import generate
from did_health.ledger.monitor import Limits, Mine, Notice
from did_health.net.exchange import HTTPExchange
from did_health.net.webhook import Webhook
from did_health.services.json_log import JSONLog
from did_health.services.log_monitor import LogMonitor
from did_health.services.monitoring import Monitoring, Round
from did_health.stores.monitor_state import MonitorStateFile
from did_health.tlog.cosignature import cosigner_key
from did_health.tlog.note import NoteSigner
from did_health.tlog.witness_policy import PolicyGroup, PolicyLog, PolicyWitness, WitnessPolicy
from tests.any_log import AnyLog
from tests.conftest import repeatable_bytes
from tests.ledger_parties import Clock
from tests.mirror_parties import Files, batch
from tests.serving import HOST, serving

NOTHING = Mine({})
LIMITS = Limits(head=3600, witness=3600, ahead=300)


def witnessed_log(*numbers: int) -> AnyLog:
    """A log with four witnesses and one batch of revocations."""
    signers = {f"w{number}.example": generate(repeatable_bytes(f"witness {number}")) for number in range(4)}
    log = AnyLog(NoteSigner("log.example", generate(repeatable_bytes("log.example"))), signers)
    batch(log, *numbers)
    return log


def policy_of(log: AnyLog, url: str, witness_urls: Mapping[str, str]) -> WitnessPolicy:
    """The log and its witnesses, three of which are a quorum."""
    return WitnessPolicy(
        (PolicyLog(log.signer.key, url),),
        tuple(PolicyWitness(name, cosigner_key(name, signer.public_key), witness_urls.get(name)) for name, signer in log.witnesses.items()),
        (PolicyGroup("witnesses", 3, tuple(log.witnesses)),),
        "witnesses",
    )


@dataclass
class Board:
    """What a monitor runs with; ``told`` is what it told, over all of its lives."""

    folder: Path
    log: AnyLog
    url: str
    mirrors: Sequence[str] = ()
    witness_urls: Mapping[str, str] = field(default_factory=dict)
    mine: Mine = NOTHING
    limits: Limits = LIMITS
    webhook: str | None = None
    clock: Clock = field(default_factory=Clock)
    told: list[Notice] = field(default_factory=list)
    output: io.StringIO = field(default_factory=io.StringIO)

    @contextmanager
    def monitoring(self) -> Iterator[Monitoring]:
        """One life of the monitor."""
        with ExitStack() as stack:
            exchange = HTTPExchange([HOST], timeout_seconds=3)
            stack.callback(exchange.close)
            policy = policy_of(self.log, self.url, self.witness_urls)
            one = LogMonitor(self.folder, self.log.signer.key, self.url, policy, self.mirrors, self.limits, exchange, self.clock)
            stack.callback(one.close)
            yield Monitoring(
                [one], lambda: self.mine, MonitorStateFile(self.folder / "monitor.json"), tell=self.told.append,
                webhook=Webhook(self.webhook, exchange, wait=lambda _seconds: None) if self.webhook else None,
                log=JSONLog("monitor", self.output), clock=self.clock,
            )  # fmt: skip

    def look(self) -> Round:
        """A whole life with one look, as of ``--once``: whatever is remembered is on the disk."""
        with self.monitoring() as monitoring:
            return monitoring.look()

    def codes(self) -> list[str]:
        """What one look tells: the codes, with a dash before those that ended."""
        before = len(self.told)
        self.look()
        return [f"{'-' if notice.ended else ''}{notice.alarm.code}" for notice in self.told[before:]]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.getvalue().splitlines()]


@contextmanager
def watching(folder: Path, *numbers: int, **options: Any) -> Iterator[tuple[Board, Files]]:
    """A board's monitor of a new log with a batch of these revocations, served by files that a test may change."""
    log, files = witnessed_log(*numbers), Files()
    files.lay(log)
    with serving(files) as url:
        yield Board(folder, log, url, **options), files


def forked(log: AnyLog, *numbers: int) -> AnyLog:
    """Another history under the same keys."""
    other = AnyLog(log.signer, log.witnesses, log.at)
    batch(other, *numbers)
    return other
