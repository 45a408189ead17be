"""Executors for rosters: processes of this machine, or those of a Dask cluster."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, cast

from did_health.errors import EdgeError, StoreError


def usable_cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def processes(workers: int) -> Iterator[Executor]:
    """So many processes, which end with this one, however it ends."""
    import multiprocessing

    # Spawned and not forked: threads, connections and open databases stay behind.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_end_with_parent) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def dask_cluster(url: str) -> Iterator[tuple[Executor, int]]:
    """``(executor, how many threads its workers have)`` of the Dask scheduler at ``url``, as ``tls://dask.example:8786``.

    Rows and evidence travel with the tasks: workers need did_health of the same version, and neither files nor a network. Raises ``EdgeError`` if the
    scheduler does not answer, ``StoreError`` if Dask is not installed.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise StoreError("Dask is not installed", hint="Install did-health[dask]", code="extra_missing") from error
    try:
        client: Any = Client(url, timeout=10, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise EdgeError("the Dask scheduler does not answer", where=url, hint="Check its address and that it runs", code="no_connection") from error
    try:
        yield cast("Executor", client.get_executor()), max(1, sum(client.nthreads().values()))
    finally:
        client.close()


def _end_with_parent() -> None:
    """In a worker: whoever kills the main process must not leave workers behind that wait for ever."""
    from multiprocessing import connection, parent_process

    # What has been imported stays: it need not be looked at in every collection.
    gc.freeze()

    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
