"""A pharmacy at the command line: a town with a patient and a daughter, and what is done at its counter."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from did_health.health.assurance import Assurance
from did_health.health.patient_identity import PatientIdentity
from did_health.health.person_name import PersonName
from did_health.health.pickup_delegation import PickupDelegation
from did_health.health.portrait import portrait_digest
from did_health.stores.directory import open_directory
from tests.cli_runs import AUDIENCE, CLI, Ran
from tests.ledger_parties import CHEAP, PASSPHRASE
from tests.pharmacy_parties import IDENTITY

CLAIMS = ("Qqfamily", "Zyxwvutsk", "1980-01-01", "Qqdaughter")
PICTURE = b"\xff\xd8\xff\xe0 a picture of the patient"


def build_pharmacy_town(path: Path) -> None:
    """A pharmacy, a patient with an identity (and a portrait), and a daughter with a delegation."""
    with open_directory(path / "town", PASSPHRASE, create=True, cost=CHEAP) as town:
        csp = town.create_board("csp", title="Identity provider", jurisdiction="US", resources=[IDENTITY], entity_type="csp")
        pharmacy = town.create_institution("main-street", title="Main Street Pharmacy", jurisdiction="US-NC")
        everywhere: dict[str, Any] = {"relationship": "caregiver", "valid_until": datetime.now(UTC) + timedelta(days=300), "scope": "all"}
        patient, daughter = town.create_wallet("patient"), town.create_wallet("daughter")
        until = datetime.now(UTC) + timedelta(days=300)
        for wallet, given, born in ((patient, "Zyxwvutsk", date(1980, 1, 1)), (daughter, "Qqdaughter", date(2004, 5, 6))):
            more = {"portrait_digest": portrait_digest(PICTURE)} if wallet is patient else {}
            assurance = Assurance("NIST 800-63A-4", "IAL2", datetime.now(UTC).date() - timedelta(days=9), "in person")
            identity = PatientIdentity(name=PersonName("Qqfamily", given), birth_date=born, assurance=assurance, valid_until=until, **more)
            wallet.add(csp.issue(identity, to=wallet.did))
        granted = patient.delegate(PickupDelegation(**everywhere, pharmacies=(pharmacy.did,)), to=daughter.did, random=town.random)
        daughter.add(granted)
        daughter.add(patient.find(IDENTITY))
        for name, wallet in (("patient", patient), ("daughter", daughter)):
            town.save_wallet(name, wallet)
    (path / "patient.json").write_text('{"family": "Qqfamily", "given": "Zyxwvutsk", "birthDate": "1980-01-01"}')


def shown(cli: CLI, wallet: str = "patient", who: str = "patient") -> None:
    cli("pickup", "ask", "--audience", AUDIENCE, "--who", who, "-o", "request.json")
    request = json.loads(Path("request.json").read_bytes())
    held = [row["id"] for row in cli("wallet", "list", wallet, "--json").json["credentials"]]
    cli("wallet", "present", wallet, *held, "--audience", AUDIENCE, "--nonce", request["nonce"], "-o", "shown.json")


def check(cli: CLI, *more: object, answered: bool = True, code: int = 0) -> Ran:
    given = ["shown.json", "--request", "request.json"] if answered else []
    return cli("pickup", "check", "main-street", *given, "--patient", "patient.json", "--jurisdiction", "US-NC", *more, code=code)
