"""Where a request may go: HTTPS to public addresses, and wherever the caller named. URLs come from strangers' credentials (SSRF).

The *resolved* addresses are judged and one of those is connected to, so a name that answers differently the second time (DNS
rebinding) gains nothing, and the spelling of an address (``0x7f.1``) does not matter.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias

from did_health.errors import TransportError

Resolver: TypeAlias = Callable[[str, int], Sequence[str]]
"""Name and port to IP addresses as text; raises ``OSError`` when there are none."""

_NAT64: Final = IPv6Network("64:ff9b::/96")


def resolve_by_system(host: str, port: int) -> tuple[str, ...]:
    """What the system's resolver (its hosts file included) says, in its order."""
    return tuple(str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


@dataclass(frozen=True, slots=True)
class Guard:
    """The rules for one source; ``allow_hosts`` holds names as they stand in URLs, each alone (any port) or as ``name:port``.

    An allowed host may have any address and may be spoken to without TLS. Everything else is HTTPS to public addresses.
    """

    allow_hosts: frozenset[str] = frozenset()
    resolve: Resolver = resolve_by_system

    def allows(self, host: str, port: int) -> bool:
        """Whether the caller named this host."""
        name = host.lower()
        return name in self.allow_hosts or f"{name}:{port}" in self.allow_hosts

    def check_url(self, scheme: str, host: str, port: int, *, has_credentials: bool) -> None:
        """Refuse, before anything is resolved, what no source fetches. Raises ``TransportError``."""
        if not host:
            raise TransportError("the URL names no host", code="url_refused")
        if has_credentials:
            raise TransportError(f"the URL of {host} carries a user name or password", code="url_refused")
        if scheme != "https" and not (scheme == "http" and self.allows(host, port)):
            raise TransportError(f"{host} is not fetched from by {scheme or 'a relative URL'}", hint="Use https, or allow the host by name", code="url_refused")

    def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses of ``host`` that may be connected to; raises ``TransportError`` if it has none, or none that is public."""
        try:
            found = tuple(dict.fromkeys(self.resolve(host, port)))
        except (OSError, UnicodeError) as error:
            raise TransportError(f"the name {host} has no address", code="name_not_found") from error
        permitted = found if self.allows(host, port) else tuple(address for address in found if is_public(address))
        if not permitted:
            raise TransportError(f"{host} is at a private, local or reserved address", hint="Allow the host by name if that is wanted", code="address_refused")
        return permitted


def is_public(address: str) -> bool:
    """Whether this IP address is globally reachable unicast, and so is every IPv4 address embedded in it."""
    try:
        return all(ip.is_global and not ip.is_multicast and not ip.is_reserved for ip in _with_embedded(ip_address(address)))
    except ValueError:
        return False


def _with_embedded(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address | IPv6Address]:
    if isinstance(address, IPv4Address):
        yield address
    elif address.ipv4_mapped:
        yield address.ipv4_mapped
    elif address in _NAT64:
        yield IPv4Address(int(address) & 0xFFFF_FFFF)
    else:
        yield address
        yield from filter(None, (address.sixtofour, *(address.teredo or ())))
