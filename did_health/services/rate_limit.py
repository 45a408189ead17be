"""How often one client may ask: a token bucket for each address."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Network, ip_address
from threading import Lock
from time import monotonic

from did_health.limits import MAX_RATED_CLIENTS


class RateLimit:
    """Up to ``per_minute`` requests at once, and as many in every minute. ``clock`` gives seconds that never go back. Safe for several threads."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self._most = per_minute
        self._clock = clock
        self._lock = Lock()
        # By client: (tokens left, when that was).
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_seconds(self, client: str) -> int:
        """0, and the request is counted; or after how many whole seconds ``client`` may ask again."""
        now = self._clock()
        with self._lock:
            tokens, at = self._buckets.pop(client, (float(self._most), now))
            tokens = min(float(self._most), tokens + (now - at) * self._most / 60)
            allowed = tokens >= 1
            self._buckets[client] = (tokens - 1 if allowed else tokens, now)
            if len(self._buckets) > MAX_RATED_CLIENTS:
                self._buckets.popitem(last=False)
        return 0 if allowed else math.ceil((1 - tokens) * 60 / self._most)


def client_of(address: str) -> str:
    """The client behind an IP address: an IPv4 address, or the /64 network of an IPv6 one, as one customer has a whole network."""
    try:
        parsed = ip_address(address)
    except ValueError:
        # A server on a Unix socket, or a test without one: all of them are one client.
        return ""
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Network((int(parsed) >> 64 << 64, 64)))
