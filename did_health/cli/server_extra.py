"""Whether services can run here: they need the packages of the ``server`` extra."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from did_health.cli.exits import UsageError


def require_server_extra() -> None:
    """Raises ``UsageError`` where the packages of the ``server`` extra are not installed."""
    if any(name not in sys.modules and find_spec(name) is None for name in ("starlette", "uvicorn")):
        raise UsageError("services need packages that are not installed", hint='Install them with: pip install "did-health[server]"')
