"""Mirrors of one log or several over HTTP: everything that the ledger serves for reading, at the same paths, and a cosigner that has recomputed the map.

::

    POST /add-checkpoint                            C2SP tlog-witness: cosigned when every entry is here and every map head was recomputed
    GET  /<hex SHA-256(origin)>/checkpoint          the latest checkpoint that it cosigned, for monitors
    GET  <prefix>/checkpoint, tile/…, content/…, latest/…, hosted/…      as of the ledger (see ledger_app)
    GET  /healthz /readyz /metrics                  for the operator; not ready after an alarm

``prefix`` is the path of the ledger's URL; of several that are mirrored each needs one of its own. Entries that are missing for a
checkpoint are pulled while its log waits: a log publishes tiles and documents before it asks for cosignatures. What is wrong with them is
answered with 422. Needs the ``server`` extra.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from did_health.errors import UnsupportedError, VerificationError
from did_health.services.following import Following, announce
from did_health.services.json_log import JSONLog
from did_health.services.ledger_app import host_route, log_routes, path_below
from did_health.services.metrics import Metrics
from did_health.services.operation import service_app
from did_health.services.rate_limit import RateLimit
from did_health.services.witness_app import witness_routes
from did_health.stores.witness_directory import WitnessDirectory
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.witness_protocol import AddCheckpoint, WitnessRefusal, add_checkpoint

if TYPE_CHECKING:
    from starlette.applications import Starlette


def mirror_app(
    followings: Sequence[Following],
    directory: WitnessDirectory,
    *,
    clock: Callable[[], datetime],
    log: JSONLog,
    limit: RateLimit,
    metrics: Metrics,
) -> Starlette:
    """The ASGI app of open mirrors, which cosign with the key and memory of ``directory``. ``limit`` is for each client address.

    Raises ``ValueError`` for logs whose URLs have one path.
    """
    mirrors = [following.mirror for following in followings]
    by_origin = {following.mirror.origin: following for following in followings}
    if len({path_below(mirror) for mirror in mirrors}) < len(mirrors):
        raise ValueError("two logs would be served at one path")
    announce(metrics, mirrors)

    def have_all(request: AddCheckpoint) -> None:
        # Whoever is refused anyway, or is not the log, makes the mirror fetch nothing.
        origin = Checkpoint.parse(request.note.text).origin
        add_checkpoint(request, directory.known_logs, directory.state(origin))
        following = by_origin[origin]
        try:
            following.mirror.take(request.note)
        except (VerificationError, UnsupportedError) as error:
            log.failure("refused", error)
            raise WitnessRefusal(int(HTTPStatus.UNPROCESSABLE_ENTITY), f"the mirror does not vouch for this checkpoint: {error.what}") from error
        following.soon()

    def ready() -> None:
        directory.check()
        for following in followings:
            following.require_sound()

    submission, monitoring = witness_routes(directory, clock=clock, log=log, metrics=metrics, beforehand=have_all)
    of_logs = [route for mirror in mirrors for route in log_routes(mirror)]
    # The log's own checkpoint would look like one for monitors where its URL has a path.
    return service_app([submission, *of_logs, monitoring, host_route(mirrors)], ready=ready, metrics=metrics, log=log, limit=limit)
