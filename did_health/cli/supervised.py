"""``python -m did_health.cli.supervised …`` runs a command of ``did-health`` that ends when its standard input is closed.

That is how the services of a federation end with the process that started them, even if that was killed.
"""

from __future__ import annotations

import os
import signal
import threading

from did_health.cli.main import run


def main() -> None:
    """Run the command line."""
    threading.Thread(target=_watch, name="watching", daemon=True).start()
    run()


def _watch() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
