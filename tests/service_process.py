"""A service as a process of its own, started by its command, for tests that end or kill it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from tests.ledger_parties import PASSPHRASE

COMMAND = (sys.executable, "-c", "from did_health.cli.main import run; run()")
ENVIRONMENT = {**os.environ, "DID_HEALTH_PASSPHRASE": PASSPHRASE}


class ServiceProcess:
    """``did-health serve`` with these arguments; ``told`` is the document that it printed when it answered."""

    def __init__(self, *arguments: object, **variables: str) -> None:
        command = [*COMMAND, "serve", *map(str, arguments), "--json"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**ENVIRONMENT, **variables})
        assert self.process.stdout is not None
        told = b""
        while b"\n}" not in told:
            line = self.process.stdout.readline()
            assert line, self.process.communicate()[1].decode()
            told += line
        self.told: dict[str, Any] = json.loads(told)

    def end(self, number: signal.Signals) -> tuple[int, list[dict[str, Any]]]:
        """The exit status after this signal, and the log's lines."""
        self.process.send_signal(number)
        _, log = self.process.communicate(timeout=20)
        return self.process.returncode, [json.loads(line) for line in log.decode().splitlines()]

    def kill(self) -> None:
        """The end, if it has not come yet."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


Kind = TypeVar("Kind", bound=ServiceProcess)


@contextmanager
def killed_at_the_end(started: Sequence[Kind]) -> Iterator[Sequence[Kind]]:
    """Whatever is in ``started`` by the end of the block does not outlive it."""
    try:
        yield started
    finally:
        for one in started:
            one.kill()
