"""Measured: what an import costs above starting Python."""

from __future__ import annotations

import subprocess
import sys
from time import perf_counter
from typing import Final

from did_health.cli.bench.measure import Ratio

LIMIT_IMPORT_MS = 120.0
ROUNDS = 7
_BARE: Final = "pass"
_IMPORT: Final = "import did_health"
_USED: Final = "from did_health import PersonName, PhysicianLicense, embedded_verifier, open_directory"


def imports() -> Ratio:
    """``import did_health``; its detail tells what really importing what the README's example uses takes, which has no limit."""
    fastest = dict.fromkeys((_BARE, _IMPORT, _USED), float("inf"))
    for _ in range(ROUNDS):
        for program in fastest:
            fastest[program] = min(fastest[program], _run(program))
    used = (fastest[_USED] - fastest[_BARE]) * 1000
    detail = f"above bare Python; with all that the README's example uses {used:.0f} ms"
    return Ratio("import did_health / ms", (fastest[_IMPORT] - fastest[_BARE]) * 1000, LIMIT_IMPORT_MS, detail)


def _run(program: str) -> float:
    start = perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)  # noqa: S603  # this Python, on a constant
    return perf_counter() - start
