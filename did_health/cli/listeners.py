"""Where a service listens for HTTP and, beside it, for HTTPS: the options, the sockets, the certificate."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from did_health.cli import session
from did_health.cli.exits import UsageError
from did_health.errors import FormatError

if TYPE_CHECKING:
    import socket

    from did_health.services.certificate import Certificate
    from did_health.services.setting_values import Address

TLSListenOption: TypeAlias = Annotated[str | None, typer.Option("--tls-listen", help="Where it listens for HTTPS as well.")]
CertificateOption: TypeAlias = Annotated[
    Path | None, typer.Option("--certificate", help="The certificate chain for HTTPS (PEM); without one it makes a certificate for itself.")
]
KeyOption: TypeAlias = Annotated[Path | None, typer.Option("--key", help="The certificate's private key (PEM).")]
AllowHostOption: TypeAlias = Annotated[
    list[str] | None, typer.Option("--allow-host", help="A host (name or name:port) at a private address or without TLS. May be repeated.")
]


@dataclass(frozen=True, slots=True)
class Listeners:
    """Sockets that listen. ``urls`` has that for HTTPS last, if there is one."""

    plain: socket.socket
    secured: socket.socket | None
    certificate: Certificate | None
    urls: tuple[str, ...]


def require_certificate_with_key(certificate: Path | None, key: Path | None, tls_listen: str | None) -> None:
    """Raises ``UsageError`` for a certificate without its key, or without a place for HTTPS."""
    if (certificate is None) is not (key is None) or (certificate is not None and tls_listen is None):
        raise UsageError("HTTPS needs an address, and a certificate goes with a key", hint="Give --tls-listen, and --certificate and --key together")


def open_listeners(
    stack: ExitStack, listen: str, tls_listen: str | None, *, certificate: Path | None, key: Path | None, host: str | None = None
) -> Listeners:
    """Sockets at ``listen`` and ``tls_listen``, which ``stack`` closes; ``host`` is what a certificate that is made here names besides.

    Raises ``UsageError``, and ``EdgeError`` for an address that cannot be had.
    """
    from did_health.services.run import address_of, listening

    require_certificate_with_key(certificate, key, tls_listen)
    plain = stack.enter_context(listening(_address(listen, "--listen")))
    # The addresses are known only now, where any free port was asked for.
    url = f"http://{address_of(plain)}"
    if tls_listen is None:
        return Listeners(plain, None, None, (url,))
    secured = stack.enter_context(listening(_address(tls_listen, "--tls-listen")))
    return Listeners(plain, secured, _certificate(certificate, key, secured, host), (url, f"https://{address_of(secured)}"))


def _address(text: str, option: str) -> Address:
    from did_health.services.setting_values import address

    try:
        return address(text, Path())
    except FormatError as error:
        raise UsageError(error.what, where=option, hint=error.hint) from error


def _certificate(chain: Path | None, key: Path | None, listener: socket.socket, host: str | None) -> Certificate:
    from did_health.limits import MAX_CONFIG_BYTES
    from did_health.services.certificate import Certificate

    if chain is not None and key is not None:
        return Certificate(session.read_file(chain, max_bytes=MAX_CONFIG_BYTES), session.read_file(key, max_bytes=MAX_CONFIG_BYTES))
    return Certificate.self_made(tuple(dict.fromkeys(name for name in (host, "localhost", listener.getsockname()[0]) if name)), session.now())
