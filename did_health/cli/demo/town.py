"""The institutions of the demo: a registry authority, medical boards, a pharmacy board, an identity provider; and the ledger under them."""

from __future__ import annotations

import itertools
import os
from base64 import b32encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from did_health.cli.demo.journal import Meter
from did_health.cli.exits import UsageError
from did_health.health import jurisdictions
from did_health.health.patient_identity import PatientIdentity
from did_health.health.pharmacy import Pharmacy
from did_health.health.physician_license import PhysicianLicense
from did_health.keys.sealed import SealingCost
from did_health.roles.issuer import Board
from did_health.stores import files
from did_health.stores.directory import Directory, make_directory
from did_health.stores.office import Office

DEMO_SEALING: Final = SealingCost(operations=1, memory_bytes=8 << 20)
"""What stretching the passphrase costs for each of the demo's hundreds of files: an eighth of the usual memory. Its passphrase has 128
random bits and would be safe without any stretching."""
PASSPHRASE_FILE: Final = "passphrase.txt"  # noqa: S105  # a file's name
MEDICAL: Final = "medical"
"""How the names of medical boards end; there is one for every state."""
_PROFESSIONS: Final = ("MD", "DO")
_ENTITY_TYPES: Final = MappingProxyType({("MD",): "medical_board", ("DO",): "osteopathic_board", _PROFESSIONS: "combined_board"})


@dataclass(frozen=True, slots=True)
class BoardPlan:
    """A medical board to found: its name in the directory, and what it licenses where."""

    name: str
    title: str
    jurisdiction: str
    professions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Town:
    """The directory, its boards by (jurisdiction, profession), and the other issuers."""

    directory: Office
    medical: Mapping[tuple[str, str], Board]
    pharmacy_board: Board
    identity_provider: Board

    def board_of(self, license_: PhysicianLicense) -> Board:
        """The board that issues this licence."""
        return self.medical[license_.jurisdiction or "", license_.profession]


def create_passphrase(path: Path) -> str:
    """Make the new directory ``path`` with a passphrase that is made up and written into it. Raises ``UsageError`` for one that is not empty."""
    passphrase = b32encode(os.urandom(16)).decode().rstrip("=").lower()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise UsageError("the directory is not empty", where=str(path), hint="Name a new one with --dir")
    except OSError as error:
        raise files.store_error(error, path) from error
    note = f"{passphrase}\n# This passphrase opens every key and wallet here. It was written down because this is a demo: never do so with yours.\n"
    files.create_private(path / PASSPHRASE_FILE, note.encode())
    return passphrase


def create_directory(path: Path) -> Directory:
    """A new directory with a ledger of its own. Raises as ``create_passphrase``."""
    passphrase = create_passphrase(path)
    return make_directory(path, passphrase, cost=DEMO_SEALING)


def plan_boards(licenses: Iterable[PhysicianLicense]) -> tuple[BoardPlan, ...]:
    """A board for every state in which somebody is licensed; in a single state two of them, one for MD and one for DO."""
    professions: dict[str, set[str]] = {}
    for license_ in licenses:
        professions.setdefault(license_.jurisdiction or "", set()).add(license_.profession)
    if len(professions) == 1:
        (state,) = professions
        return _board_plan(MEDICAL, "Medical Board", state, ("MD",)), _board_plan("osteopathic", "Board of Osteopathic Medicine", state, ("DO",))
    return tuple([
        _board_plan(MEDICAL, "Medical Board", state, tuple([one for one in _PROFESSIONS if one in professions[state]])) for state in sorted(professions)
    ])


def build_town(directory: Office, licenses: Iterable[PhysicianLicense], meter: Meter) -> Town:
    """Found and accredit the institutions, each on the next of the directory's ledgers; the registry authority is there already."""
    plans = plan_boards(licenses)
    places = itertools.cycle(directory.ledgers)
    total = len(plans) + 2
    medical: dict[tuple[str, str], Board] = {}
    for done, plan in enumerate(plans):
        meter.update(done, total)
        board = directory.create_board(
            plan.name,
            title=plan.title,
            jurisdiction=plan.jurisdiction,
            professions=plan.professions,
            resources=(PhysicianLicense.credential_type,),
            entity_type=_ENTITY_TYPES[plan.professions],
            place=next(places),
        )
        medical |= {(plan.jurisdiction, profession): board for profession in plan.professions}
    meter.update(len(plans), total)
    home = plans[0].jurisdiction
    pharmacy_board = directory.create_board(
        "pharmacy-board",
        title=f"{jurisdictions.name_of(home)} Board of Pharmacy (demo)",
        jurisdiction=home,
        resources=(Pharmacy.credential_type,),
        entity_type="pharmacy_board",
        place=next(places),
    )
    meter.update(len(plans) + 1, total)
    identity_provider = directory.create_board(
        "identity-provider",
        title="Example Identity Provider (demo)",
        jurisdiction=jurisdictions.NATIONWIDE,
        resources=(PatientIdentity.credential_type,),
        entity_type="csp",
        place=next(places),
    )
    meter.update(total, total)
    return Town(directory, MappingProxyType(medical), pharmacy_board, identity_provider)


def _board_plan(kind: str, title: str, jurisdiction: str, professions: tuple[str, ...]) -> BoardPlan:
    state = jurisdiction.removeprefix("US-").lower()
    return BoardPlan(f"{state}-{kind}", f"{jurisdictions.name_of(jurisdiction)} {title} (demo)", jurisdiction, professions)
