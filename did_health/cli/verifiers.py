"""The verifier that a command is to use: offline, over HTTPS under a policy, or by the directory's own ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from did_health.cli import session

if TYPE_CHECKING:
    from did_health.cli.saved_evidence import SavedEvidence
    from did_health.roles.institution import Institution
    from did_health.roles.verifier import Verifier
    from did_health.stores.pins import FilePins


@contextmanager
def opened_verifier(
    policy: Path | None, directory: Path, saved: SavedEvidence | None, allow_hosts: frozenset[str], passphrase_file: Path | None, pins: FilePins | None
) -> Iterator[Verifier]:
    """Offline with evidence; over HTTPS under a policy that was named; else by the directory's ledger, whose witnesses need the passphrase."""
    from did_health.net.verifiers import embedded_verifier, web_verifier
    from did_health.roles.verifier import Verifier

    if saved is not None:
        yield Verifier(session.read_policy(policy, directory), clock=session.now, pins=pins)
    elif policy is not None:
        yield web_verifier(session.read_policy(policy, directory), allow_hosts=allow_hosts, pins=pins)
    else:
        with session.open_existing(directory, passphrase_file) as opened:
            yield embedded_verifier(opened, pins=pins)


@contextmanager
def verifier_and_signer(
    policy: Path | None, directory: Path, allow_hosts: frozenset[str], by: str | None, passphrase_file: Path | None
) -> Iterator[tuple[Verifier, Institution | None]]:
    """One that gathers evidence, and the institution of the directory that signs what is made of it (``None``: nobody signs).

    Over HTTPS under a policy that was named, else by the directory's ledger.
    """
    from did_health.net.verifiers import embedded_verifier, web_verifier

    if policy is not None and by is None:
        yield web_verifier(session.read_policy(policy, directory), allow_hosts=allow_hosts), None
        return
    with session.open_existing(directory, passphrase_file) as opened:
        signer = None if by is None else opened.institution(by)
        if policy is None:
            yield embedded_verifier(opened), signer
        else:
            yield web_verifier(session.read_policy(policy, directory), allow_hosts=allow_hosts), signer
