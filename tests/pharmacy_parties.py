"""A pharmacy for tests: an institution of the town with its records, an identity provider, and patients with wallets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from did_health.health.pickup_delegation import PickupDelegation
from did_health.health.purposes import ClaimName, packaged_purposes
from did_health.roles.holder import Wallet
from did_health.roles.institution import Institution
from did_health.roles.issuer import Board, Issued
from did_health.roles.receipts import ReceiptBook, Recorded
from did_health.roles.report import Report
from did_health.roles.request import Request
from did_health.stores.counter_store import SQLCounterMemory
from did_health.stores.database import MEMORY, Database
from did_health.stores.verifier_records import SQLVerifierRecords
from tests.town import AUDIENCE, Town

IDENTITY = "PatientIdentityCredential"
ASKED = (ClaimName(IDENTITY, "name"), ClaimName(IDENTITY, "birthDate"))


def identity_provider(town: Town) -> Board:
    """Who proofs patients."""
    return town.directory.create_board("csp", title="Identity provider", jurisdiction="US", resources=[IDENTITY], entity_type="csp")


class Pharmacy:
    """Its DID, receipts and log; ``csp`` proofs patients."""

    def __init__(self, town: Town, csp: Board, name: str = "main-street", *, institution: Institution | None = None, database: str = MEMORY) -> None:
        self.town, self.csp = town, csp
        self.institution = institution or town.directory.create_institution(name, title="Main Street Pharmacy", jurisdiction="US-NC")
        self.database = Database.open(database)
        self.records = SQLVerifierRecords(self.database)
        self.memory = SQLCounterMemory(self.database)
        self.book = ReceiptBook(self.institution, self.records)
        self.policy = packaged_purposes().policy("pickup")

    def close(self) -> None:
        self.database.close()

    def patient(self, claims: Any = None) -> Wallet:
        """Somebody with an identity credential."""
        wallet = Wallet.create(clock=self.town.clock, random=self.town.random)
        wallet.add(self.csp.issue(claims or self.town.identity(), to=wallet.did))
        return wallet

    def delegation(self, patient: Wallet, agent: Wallet, *, identified: bool = True, **changes: Any) -> Issued:
        """A delegation in the agent's wallet, with the patient's identity unless ``identified`` is false."""
        values = {"relationship": "parent", "valid_until": self.town.clock() + timedelta(days=30), "scope": "all", **changes}
        issued = patient.delegate(PickupDelegation(**values), to=agent.did, random=self.town.random)
        agent.add(issued)
        if identified:
            agent.add(patient.find(IDENTITY))
        return issued

    def ask(self, claims: Sequence[ClaimName] = ASKED) -> Request:
        return Request.ask(self.policy, claims, audience=AUDIENCE, random=self.town.random, now=self.town.clock())

    def show(self, wallet: Wallet, **options: Any) -> tuple[Request, Report]:
        """What a verification of everything in a wallet says."""
        request = self.ask()
        shown = wallet.present(wallet.credentials, audience=AUDIENCE, nonce=request.nonce)
        options = {"purpose": "pickup", "schedule": "none", "pharmacy": self.institution.did, **options}
        return request, self.town.verifier.verify(shown, audience=AUDIENCE, nonce=request.nonce, **options)

    def record(self, wallet: Wallet, **options: Any) -> Recorded:
        request, report = self.show(wallet, **options)
        return self.book.record(report, purpose="pickup", policy_id=self.policy.policy_id, request=request)
