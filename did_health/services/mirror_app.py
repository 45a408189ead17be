"""A mirror over HTTP: everything that the ledger serves for reading, at the same paths, and a cosigner that has recomputed the map.

::

    POST /add-checkpoint                            C2SP tlog-witness: cosigned when every entry is here and every map head was recomputed
    GET  /<hex SHA-256(origin)>/checkpoint          the latest checkpoint that it cosigned, for monitors
    GET  <prefix>/checkpoint, tile/…, content/…, latest/…, hosted/…      as of the ledger (see ledger_app)
    GET  /healthz /readyz /metrics                  for the operator; not ready after an alarm

``prefix`` is the path of the ledger's URL. Entries that are missing for a checkpoint are pulled while its log waits: a log publishes
tiles and documents before it asks for cosignatures. What is wrong with them is answered with 422. Needs the ``server`` extra.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from did_health.errors import UnsupportedError, VerificationError
from did_health.services.following import Following
from did_health.services.json_log import JSONLog
from did_health.services.ledger_app import reading_routes
from did_health.services.metrics import Metrics
from did_health.services.operation import service_app
from did_health.services.rate_limit import RateLimit
from did_health.services.witness_app import witness_routes
from did_health.stores.mirror import Mirror
from did_health.stores.witness_directory import WitnessDirectory
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.witness_protocol import AddCheckpoint, WitnessRefusal, add_checkpoint

if TYPE_CHECKING:
    from starlette.applications import Starlette


def mirror_app(
    mirror: Mirror,
    directory: WitnessDirectory,
    following: Following,
    *,
    clock: Callable[[], datetime],
    log: JSONLog,
    limit: RateLimit,
    metrics: Metrics,
) -> Starlette:
    """The ASGI app of an open mirror, which cosigns with the key and memory of ``directory``. ``limit`` is for each client address."""

    def have_all(request: AddCheckpoint) -> None:
        # Whoever is refused anyway, or is not the log, makes the mirror fetch nothing.
        add_checkpoint(request, directory.known_logs, directory.state(Checkpoint.parse(request.note.text).origin))
        try:
            mirror.take(request.note)
        except (VerificationError, UnsupportedError) as error:
            log.failure("refused", error)
            raise WitnessRefusal(int(HTTPStatus.UNPROCESSABLE_ENTITY), f"the mirror does not vouch for this checkpoint: {error.what}") from error
        following.soon()

    def ready() -> None:
        directory.check()
        following.require_sound()

    submission, monitoring = witness_routes(directory, clock=clock, log=log, metrics=metrics, beforehand=have_all)
    *of_log, all_else = reading_routes(mirror)
    # The log's own checkpoint would look like one for monitors where its URL has a path.
    return service_app([submission, *of_log, monitoring, all_else], ready=ready, metrics=metrics, log=log, limit=limit)
