"""What the bad cases are made from: a physician in good standing, licences in every unhappy state, two issuers who should not issue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final

from did_health.cli.demo.counter import Counter
from did_health.cli.demo.issue import Physician
from did_health.health.physician_license import PhysicianLicense
from did_health.roles.evidence import Evidence
from did_health.roles.holder import Wallet
from did_health.roles.issuer import Board, Issued
from did_health.roles.report import Report

EXPIRED: Final = "expired"
NOT_YET_VALID: Final = "not yet valid"
SUSPENDED: Final = "suspended"
REVOKED: Final = "revoked"
_DAY: Final = timedelta(days=1)
_FIRST_ISSUED: Final = date(2010, 1, 1)


@dataclass(frozen=True, slots=True)
class Bearer:
    """A wallet and one licence in it."""

    wallet: Wallet
    issued: Issued


@dataclass(frozen=True, slots=True)
class Scene:
    """``physician`` is in good standing, ``kept`` the evidence with which that was seen at ``kept_at``; ``unhappy`` licences by their state."""

    counter: Counter
    physician: Physician
    kept: Evidence
    kept_at: datetime
    unhappy: Mapping[str, Bearer]
    never_accredited: Bearer
    other_profession: Bearer


def set_scene(counter: Counter, physician: Physician, seen: Report) -> Scene:
    """``seen`` is an earlier report on ``physician``. Issue the unhappy licences, suspend and revoke two of them, and found the two issuers."""
    directory = counter.directory
    now = directory.clock()
    plain = replace(physician.claims, original_issue_date=_FIRST_ISSUED, valid_from=now - 30 * _DAY, valid_until=now + 365 * _DAY, npi="")
    dated = {
        EXPIRED: replace(plain, valid_until=now - _DAY),
        NOT_YET_VALID: replace(plain, valid_from=now + 30 * _DAY),
        SUSPENDED: plain,
        REVOKED: plain,
    }
    numbered = {state: replace(claims, license_number=f"DEMO-{place}") for place, (state, claims) in enumerate(dated.items(), 1)}
    unhappy = _issue(physician.board, numbered, counter)
    physician.board.suspend(unhappy[SUSPENDED].issued, reason="demo: for the gallery")
    physician.board.revoke(unhappy[REVOKED].issued, reason="demo: for the gallery")

    jurisdiction = physician.board.details.jurisdiction
    directory.create_institution("gallery-diploma-mill", title="Diploma Mill (demo)", jurisdiction=jurisdiction)
    mill = directory.board("gallery-diploma-mill")
    others = directory.create_board(
        "gallery-other-profession",
        title="Board of Another Profession (demo)",
        jurisdiction=jurisdiction,
        professions=("DO" if plain.profession == "MD" else "MD",),
        entity_type="osteopathic_board" if plain.profession == "MD" else "medical_board",
    )
    return Scene(counter, physician, seen.evidence, seen.verified_at, unhappy, _issue(mill, {"": plain}, counter)[""], _issue(others, {"": plain}, counter)[""])


def _issue(board: Board, claims: Mapping[str, PhysicianLicense], counter: Counter) -> Mapping[str, Bearer]:
    """Each licence to a wallet of its own, in memory only, in one batch."""
    directory = counter.directory
    wallets = [Wallet.create(clock=directory.clock, random=directory.random) for _ in claims]
    issued = board.issue_many([(one, wallet.did) for one, wallet in zip(claims.values(), wallets, strict=True)])
    for wallet, one in zip(wallets, issued, strict=True):
        wallet.add(one)
    return MappingProxyType({state: Bearer(wallet, one) for state, wallet, one in zip(claims, wallets, issued, strict=True)})
