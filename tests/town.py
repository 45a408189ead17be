"""A small town for tests: one directory with boards, a registry authority, wallets, a clock that stands still, and shorthands for all of it."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any

from did_health import embedded_verifier
from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.health.assurance import Assurance
from did_health.health.patient_identity import PatientIdentity
from did_health.health.person_name import PersonName
from did_health.health.physician_license import PhysicianLicense
from did_health.keys.base import Signer
from did_health.ledger.batch import IssuanceBatch, credential_digest
from did_health.ledger.entry import Kind
from did_health.roles.documents import RECEIPT
from did_health.roles.evidence import Evidence
from did_health.roles.holder import Wallet
from did_health.roles.institution import Institution
from did_health.roles.issuer import Board, Issued
from did_health.roles.report import CheckName, Report
from did_health.roles.verifier import Verifier
from did_health.stores.directory import Directory, open_directory
from did_health.vc.jose_cose import Secured
from did_health.vc.proofs.data_integrity import add_proof
from tests.conftest import repeatable_bytes
from tests.ledger_parties import CHEAP, PASSPHRASE, Clock

AUDIENCE = "https://pharmacy.example"
LATER = datetime(2028, 1, 1, tzinfo=UTC)
SECRET_CLAIMS = ("Zyxwvutsk", "Qqfamily", "SEC-")
"""Texts that stand in every licence made here and nowhere else, so that a leak can be seen."""


class Town:
    """Made once and shared: tests add credentials and wallets, and leave the boards as they are."""

    def __init__(self, folder: Path, seed: str = "town") -> None:
        self.clock = Clock()
        self.random = repeatable_bytes(seed)
        self.folder = folder
        self.directory: Directory = open_directory(folder, PASSPHRASE, create=True, clock=self.clock, random=self.random, cost=CHEAP)
        self._numbers = count(1)
        self._nonces = count(1)
        self.board: Board = self.directory.create_board("nc-medical", title="North Carolina Board", jurisdiction="US-NC", professions=["MD", "DO"])
        self.other: Board = self.directory.create_board("sc-medical", title="South Carolina Board", jurisdiction="US-SC", professions=["MD"])
        self.wallet: Wallet = self.directory.create_wallet("ann")
        self.stranger: Wallet = self.directory.create_wallet("bob")
        self.verifier: Verifier = embedded_verifier(self.directory)

    def close(self) -> None:
        self.directory.close()

    # ---- what is issued

    def license(self, **changes: Any) -> PhysicianLicense:
        """A licence with a number of its own."""
        claims: dict[str, Any] = {
            "name": PersonName(family="Qqfamily", given="Zyxwvutsk"),
            "profession": "MD",
            "license_number": f"SEC-{next(self._numbers)}",
            "original_issue_date": date(2010, 1, 1),
            "valid_until": LATER,
        }
        return PhysicianLicense(**{**claims, **changes})

    def identity(self) -> PatientIdentity:
        """A patient's identity."""
        assurance = Assurance(framework="NIST 800-63A-4", level="IAL2", proofed_on=date(2026, 1, 2), method="in person")
        return PatientIdentity(name=PersonName(family="Qqfamily", given="Zyxwvutsk"), birth_date=date(1980, 1, 1), assurance=assurance, valid_until=LATER)

    def issue(self, *, board: Board | None = None, to: Wallet | None = None, **changes: Any) -> Issued:
        """A licence by ``board``, in the wallet ``to``."""
        wallet = to or self.wallet
        issued = (board or self.board).issue(self.license(**changes), to=wallet.did)
        wallet.add(issued)
        return issued

    def draft(self, **changes: Any) -> JSONObject:
        """An issued licence's document with ``changes`` (``None`` takes a member away), unsigned; ``subject`` changes its claims."""
        document: JSONObject = json.loads(json.dumps(self.issue().credential))
        del document["proof"]
        document["id"] = f"urn:uuid:{next(self._numbers)}"
        document["credentialSubject"].update(changes.pop("subject", {}))
        for name, value in changes.items():
            document.pop(name, None)
            if value is not None:
                document[name] = value
        return document

    def signed(self, document: JSONObject, *, by: Institution | None = None, signer: Signer | None = None, method: str = "", **options: Any) -> JSONObject:
        """``document`` with a proof by an institution's key (or another)."""
        institution = by or self.board.institution
        return add_proof(
            document,
            suite="eddsa-jcs-2022",
            signer=signer or institution.keys.assertion,
            verification_method=method or institution.verification_method,
            created=options.pop("created", self.clock()),
            **options,
        )

    def logged(self, secured: JSONObject, *, by: Institution | None = None) -> Issued:
        """A credential that somebody signed, logged by an institution as its own."""
        institution = by or self.board.institution
        batch = IssuanceBatch([credential_digest(secured)])
        (entry,) = institution.submit(institution.entry(Kind.ISSUANCE_BATCH, institution.did, batch.content))
        return Issued(secured, batch.receipts(entry.proof)[0].to_object())

    def token_receipt(self, token: Secured, *, by: Institution | None = None) -> JSONObject:
        """The receipt of a token or message that an institution logs as issued by it."""
        institution = by or self.board.institution
        batch = IssuanceBatch([hashlib.sha256(token.signed).digest()])
        (entry,) = institution.submit(institution.entry(Kind.ISSUANCE_BATCH, institution.did, batch.content))
        return batch.receipts(entry.proof)[0].to_object()

    def made(self, *, by: Institution | None = None, **changes: Any) -> Issued:
        """A licence with ``changes`` that no board would make, signed and logged."""
        return self.logged(self.signed(self.draft(**changes), by=by), by=by)

    def log_content(self, kind: Kind, identifier: str, content: bytes, *, by: Institution | None = None) -> None:
        """Log any document under a subject."""
        institution = by or self.board.institution
        institution.submit(institution.entry(kind, identifier, content))

    # ---- what is shown

    def nonce(self) -> str:
        return f"nonce-{next(self._nonces)}"

    def presentation(self, *items: Issued, nonce: str, wallet: Wallet | None = None, audience: str = AUDIENCE, **changes: Any) -> JSONObject:
        """A presentation of credentials that the wallet need not hold, with ``changes`` made before signing."""
        holder = wallet or self.wallet
        document: JSONObject = {
            "@context": ["https://www.w3.org/ns/credentials/v2", "https://did-health.example/contexts/v1"],
            "type": ["VerifiablePresentation"],
            "holder": holder.did,
            "verifiableCredential": [item.credential for item in items],
            RECEIPT: [item.receipt for item in items],
        }
        document = {name: value for name, value in (document | changes).items() if value is not None}
        return self.presented(document, nonce=nonce, wallet=holder, audience=audience)

    def presented(self, document: JSONObject, *, nonce: str, wallet: Wallet | None = None, audience: str = AUDIENCE, **options: Any) -> JSONObject:
        """``document`` signed by a holder."""
        holder = wallet or self.wallet
        multikey = holder.did.removeprefix("did:key:")
        return add_proof(
            document,
            suite="eddsa-jcs-2022",
            signer=options.pop("signer", holder._signer),
            verification_method=options.pop("method", f"{holder.did}#{multikey}"),
            purpose=options.pop("purpose", "authentication"),
            created=self.clock(),
            domain=audience,
            challenge=nonce,
            **options,
        )

    def show(self, *items: Issued, verifier: Verifier | None = None, **options: Any) -> Report:
        """The report on credentials presented by the wallet (or ``wallet``) with a fresh nonce."""
        nonce = self.nonce()
        document = self.presentation(*items, nonce=nonce, wallet=options.pop("wallet", None))
        return (verifier or self.verifier).verify(strict_json.dumps(document), audience=AUDIENCE, nonce=nonce, **options)

    def judge(self, item: Issued | JSONObject, **options: Any) -> Report:
        """The report on a credential that nobody presents, where that and nothing else is waived."""
        document = {"credential": item.credential, RECEIPT: item.receipt} if isinstance(item, Issued) else item
        verifier = options.pop("verifier", None) or self.verifier
        report: Report = verifier.verify(document, waive={CheckName.HOLDER_BINDING, *options.pop("waive", ())}, **options)
        return report

    def evidence(self, item: Issued) -> Evidence:
        """What it takes to judge ``item``."""
        return self.judge(item).evidence

    def latest_url(self, subject: bytes) -> str:
        return f"{self.directory.ledger.url}/latest/{subject.hex()}"

    def content_url(self, content: bytes) -> str:
        return f"{self.directory.ledger.url}/content/{hashlib.sha256(content).hexdigest()}"

    def status_url(self, item: Issued, purpose: str) -> str:
        """The URL of the status list of one purpose."""
        return next(entry["statusListCredential"] for entry in item.credential["credentialStatus"] if entry["statusPurpose"] == purpose)

    def ticking(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.move(seconds=seconds)
