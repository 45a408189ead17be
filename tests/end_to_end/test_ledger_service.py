"""The main job with the ledger behind HTTP: boards write to it, a pharmacy reads it, and nobody shares a file."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from did_health import web_verifier
from did_health.errors import ConflictError, StoreError
from did_health.health.board_accreditation import BoardAccreditation
from did_health.health.issuer_details import Issuer
from did_health.health.person_name import PersonName
from did_health.health.physician_license import PhysicianLicense
from did_health.net.remote_ledger import RemoteLedger
from did_health.roles.authority import RegistryAuthority
from did_health.roles.holder import Wallet
from did_health.roles.institution import Institution
from did_health.roles.issuer import Board, Issued
from did_health.roles.report import Verdict
from did_health.roles.verifier import Verifier
from did_health.stores.database import Database
from did_health.stores.register_store import SQLRegister
from did_health.trust.policy import TrustPolicy
from tests.conftest import repeatable_bytes
from tests.ledger_service import Service, ledger_service
from tests.serving import HOST

AUDIENCE = "https://pharmacy.example"


@dataclass
class Federation:
    service: Service
    ledger: RemoteLedger
    board: Board
    wallet: Wallet
    verifier: Verifier
    nonces: Iterator[int]

    def show(self, issued: Issued) -> Verdict:
        nonce = f"n{next(self.nonces)}"
        self.wallet.add(issued)
        document = self.wallet.present([issued], audience=AUDIENCE, nonce=nonce)
        return self.verifier.verify(document, audience=AUDIENCE, nonce=nonce).verdict


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    random = repeatable_bytes("federation")
    with ledger_service(tmp_path / "ledger") as service:
        clock, remote = service.clock, service.remote()
        authority = Institution.create("registry.example", remote, clock=clock, random=random)
        service.ledger.accept_authority(authority.did)
        institution = Institution.create("nc.example/board", remote, clock=clock, random=random)
        accreditation = BoardAccreditation(
            name="North Carolina Board", entity_type="medical_board", jurisdiction="US-NC", resource="PhysicianLicenseCredential", professions=("MD",),
            valid_until=clock() + timedelta(days=900),
        )  # fmt: skip
        RegistryAuthority(authority, Issuer(authority.did, "Registry", "US")).accredit_many([(accreditation, institution.did)])
        database = Database.open(tmp_path / "register.sqlite")
        board = Board(institution, Issuer(institution.did, "North Carolina Board", "US-NC"), SQLRegister(database))
        policy = TrustPolicy(registry_authority=authority.did, ledger=service.policy)
        verifier = web_verifier(policy, allow_hosts=frozenset({HOST}), clock=clock)
        yield Federation(service, remote, board, Wallet.create(clock=clock, random=random), verifier, iter(range(100)))
        remote.close()
        database.close()


def license_of(number: str) -> PhysicianLicense:
    return PhysicianLicense(
        name=PersonName(family="Adams", given="Ann"), profession="MD", license_number=number, original_issue_date=date(2010, 1, 1),
        valid_until=datetime(2028, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def test_a_board_far_away_issues_and_suspends_and_a_pharmacy_sees_it(federation: Federation) -> None:
    issued = federation.board.issue(license_of("1"), to=federation.wallet.did)
    assert federation.show(issued) is Verdict.ACCEPT
    federation.board.suspend(issued.credential["id"], reason="summary suspension")
    assert federation.show(issued) is Verdict.REFUSE
    federation.board.reinstate(issued.credential["id"], reason="appeal")
    assert federation.show(issued) is Verdict.ACCEPT
    nonce = "async"
    shown = federation.wallet.present([issued], audience=AUDIENCE, nonce=nonce)
    assert asyncio.run(federation.verifier.verify_async(shown, audience=AUDIENCE, nonce=nonce)).verdict is Verdict.ACCEPT


def test_an_institution_rotates_is_opened_again_and_ends(federation: Federation) -> None:
    institution, service = federation.board.institution, federation.service
    service.clock.move(minutes=1)
    institution.rotate(lambda keys: None)
    other = service.remote()
    again = Institution.open(institution.log.did.log_url, institution.keys, other, clock=service.clock, random=institution.random)
    assert again.log.lines == institution.log.lines
    service.clock.move(minutes=1)
    again.rotate(lambda keys: None)
    with pytest.raises(ConflictError):
        institution.rotate(lambda keys: None)
    assert service.get("hosted/nc.example/board/did.json").json()["id"] == "did:web:nc.example:board"
    service.clock.move(minutes=1)
    again.deactivate()
    assert service.get("hosted/nc.example/board/did.json").status_code == 404
    assert len(service.get("hosted/nc.example/board/did.jsonl").content.splitlines()) == 4
    other.close()


def test_everything_that_is_hosted_follows_from_what_was_logged(federation: Federation) -> None:
    service, institution = federation.service, federation.board.institution
    expected = institution.log.encode()
    by_path = service.get("hosted/nc.example/board/did.jsonl")
    by_host = service.get("board/did.jsonl", Host="nc.example")
    assert by_path.content == by_host.content == expected
    assert by_path.headers["content-type"] == "text/jsonl; charset=utf-8"
    assert service.get("hosted/registry.example/.well-known/did.jsonl").status_code == 200
    status = service.get("hosted/nc.example/board/status/1/revocation")
    assert status.headers["content-type"] == "application/vc"
    assert re.search(r"BitstringStatusListCredential", status.text)
    assert service.get("hosted/elsewhere.example/did.jsonl").status_code == 421
    assert service.get("hosted/nc.example/did.jsonl").status_code == 404
    assert service.get("board/did.jsonl").status_code == 404


def test_a_place_stays_with_the_first_did_that_was_logged_for_it(federation: Federation) -> None:
    service = federation.service
    with pytest.raises(StoreError) as refused:
        Institution.create("nc.example/board", federation.ledger, clock=service.clock, random=repeatable_bytes("squatter"))
    assert refused.value.code == "not_hosted"
    assert service.get("hosted/nc.example/board/did.jsonl").content == federation.board.institution.log.encode()
