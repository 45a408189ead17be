"""What is measured with: a ledger in a temporary directory, an accredited board, licences, their holders, a verifier with its evidence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import did_health
from did_health.net.gather import gather
from did_health.roles.evidence import Evidence
from did_health.roles.holder import Wallet
from did_health.roles.issuer import Board, Issued
from did_health.roles.verifier import Verifier
from did_health.stores.clock import system_clock
from did_health.stores.directory import Directory
from did_health.vc.status import StatusPurpose

LICENCES = 200
BATCHES = 4
PURPOSES: Final = (StatusPurpose.REVOCATION, StatusPurpose.SUSPENSION)
"""With two status lists a licence has 2 kB; the list of sixteen messages, which boards have besides by default, adds 0.9 kB."""
AUDIENCE: Final = "https://pharmacy.example"
NONCE: Final = "f7Tq0cV1n2"


@dataclass(frozen=True, slots=True)
class Workshop:
    """Everything that the measurements share. ``presentations[i]`` shows ``licences[i]`` and nothing else."""

    directory: Directory
    board: Board
    licences: tuple[Issued, ...]
    presentations: tuple[bytes, ...]
    verifier: Verifier
    evidence: Evidence


def default_licences(shop: Workshop) -> tuple[list[bytes], Evidence]:
    """Logged licences of a board that was created as the README does, with all its status lists, and the evidence for them."""
    board = shop.directory.create_board("sc-medical", title="South Carolina Board of Medical Examiners", jurisdiction="US-SC", professions=["MD"])
    holders = [issued.credential["credentialSubject"]["id"] for issued in shop.licences[: LICENCES // BATCHES]]
    documents = [issued.to_json() for issued in board.issue_many([(licence(place), holder) for place, holder in enumerate(holders)])]
    evidence = gather(lambda have: shop.verifier.missing(documents[0], have), [shop.directory.ledger], evidence=Evidence(), clock=shop.directory.clock)
    return documents, evidence


@contextmanager
def workshop() -> Iterator[Workshop]:
    """A workshop in a directory that is deleted afterwards."""
    with TemporaryDirectory(prefix="did-health-bench-") as path, did_health.open_directory(Path(path), "bench only, nothing is kept", create=True) as directory:
        board = directory.create_board("nc-medical", title="North Carolina Medical Board", jurisdiction="US-NC", professions=["MD"], purposes=PURPOSES)
        wallets = [Wallet.create(clock=system_clock, random=os.urandom) for _ in range(LICENCES)]
        size = LICENCES // BATCHES
        batches = [
            board.issue_many([(licence(place), wallets[place].did) for place in range(start, start + size)]) for start in range(0, LICENCES, size)
        ]
        licences = tuple(issued for batch in batches for issued in batch)
        presentations = []
        for wallet, issued in zip(wallets, licences, strict=True):
            wallet.add(issued)
            presentations.append(wallet.present([issued], audience=AUDIENCE, nonce=NONCE))
        verifier = did_health.Verifier(directory.policy, clock=directory.clock)
        evidence = gather(lambda have: verifier.missing(presentations[0], have), [directory.ledger], evidence=Evidence(), clock=directory.clock)
        yield Workshop(directory, board, licences, tuple(presentations), verifier, evidence)


def licence(number: int) -> did_health.PhysicianLicense:
    """The claims of one licence; ``number`` makes it another one."""
    today = datetime.now(UTC)
    return did_health.PhysicianLicense(
        name=did_health.PersonName(family="Adams", given=f"Ann {chr(ord('A') + number % 26)}"),
        profession="MD",
        license_number=f"{number:07}",
        original_issue_date=today.date() - timedelta(days=number % 9000),
        valid_until=today.replace(microsecond=0) + timedelta(days=365),
        npi="1234567893",
        fid=f"{number:09}",
        degree="MD",
        taxonomy=("207R00000X", "207RC0000X"),
        board_order_refs=(f"https://board.example/orders/{number}/granted-by-the-whole-board-in-its-meeting-of-the-month-of-application",),
    )
