"""Everybody gets an encrypted wallet and what the boards and the identity provider issue: a register at a time, one ledger entry each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from did_health.cli.demo.journal import Journal
from did_health.cli.demo.people import People
from did_health.cli.demo.town import Town
from did_health.health.claims import CredentialClaims
from did_health.health.pharmacy import Pharmacy
from did_health.health.physician_license import PhysicianLicense
from did_health.roles.holder import Wallet
from did_health.roles.issuer import Board, Issued, Progress

PHARMACY: Final = "pharmacy"
_PERMITTED_FOR: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody (or the pharmacy) with a wallet and the credential in it; ``name`` is the wallet's."""

    name: str
    wallet: Wallet
    issued: Issued
    board: Board


@dataclass(frozen=True, slots=True)
class Physician(Holder):
    """A holder of a licence; ``claims`` are what the board was asked to issue."""

    claims: PhysicianLicense


@dataclass(frozen=True, slots=True)
class Holders:
    """Everybody who holds something."""

    physicians: tuple[Physician, ...]
    patients: tuple[Holder, ...]
    pharmacy: Holder


@dataclass(frozen=True, slots=True)
class _Order:
    name: str
    wallet: Wallet
    claims: CredentialClaims
    board: Board


def issue_everything(town: Town, people: People, journal: Journal) -> Holders:
    """Make the wallets, issue, put the credentials into the wallets and beside them into ``credentials/``."""
    home = town.pharmacy_board.details.jurisdiction
    permit = Pharmacy(
        name="Main Street Pharmacy (demo)", license_number="DEMO-1", jurisdiction=home, valid_until=town.directory.clock() + _PERMITTED_FOR
    )
    wanted: list[tuple[str, CredentialClaims, Board]] = [
        *((_numbered("physician", number), claims, town.board_of(claims)) for number, claims in enumerate(people.licenses, 1)),
        *((_numbered("patient", number), claims, town.identity_provider) for number, claims in enumerate(people.identities, 1)),
        (PHARMACY, permit, town.pharmacy_board),
    ]
    orders = []
    with journal.step("make encrypted wallets") as meter:
        for done, (name, claims, board) in enumerate(wanted, 1):
            orders.append(_Order(name, town.directory.create_wallet(name), claims, board))
            meter.update(done, len(wanted))
    with journal.step("issue and log credentials") as meter:
        issued = _issue(orders, meter.update)
    with journal.step("put them into the wallets") as meter:
        for done, order in enumerate(orders, 1):
            order.wallet.add(issued[order.name])
            town.directory.save_wallet(order.name, order.wallet)
            journal.write(f"credentials/{order.name}.json", issued[order.name].to_json())
            meter.update(done, len(orders))
    physicians = tuple([
        Physician(order.name, order.wallet, issued[order.name], order.board, order.claims) for order in orders if isinstance(order.claims, PhysicianLicense)
    ])
    others = [Holder(order.name, order.wallet, issued[order.name], order.board) for order in orders[len(physicians) :]]
    return Holders(physicians, tuple(others[:-1]), others[-1])


def _issue(orders: Sequence[_Order], progress: Progress) -> dict[str, Issued]:
    """What was issued by the order's name: all of a board's at once."""
    by_board: dict[str, list[_Order]] = {}
    for order in orders:
        by_board.setdefault(order.board.did, []).append(order)
    issued: dict[str, Issued] = {}
    for batch in by_board.values():
        claims = [(order.claims, order.wallet.did) for order in batch]
        results = batch[0].board.issue_many(claims, progress=partial(_within, progress, len(issued), len(orders)))
        issued |= {order.name: result for order, result in zip(batch, results, strict=True)}
    return issued


def _within(progress: Progress, before: int, total: int, done: int, _: int) -> None:
    progress(before + done, total)


def _numbered(kind: str, number: int) -> str:
    return f"{kind}-{number:03d}"
