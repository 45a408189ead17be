"""The public directory of a board: what is found, how it is refused, and that nothing private is in reach."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from did_health.errors import FormatError, TransportError
from did_health.health.prescriber_registration import PrescriberRegistration
from did_health.health.public_listing import Lookup
from did_health.health.restrictions import Restriction
from did_health.limits import MAX_DIRECTORY_ITEMS, MAX_DIRECTORY_RESULTS
from did_health.roles.board_directory import BoardDirectory, DirectoryAnswer, location_of, publish_public
from did_health.roles.evidence import Need
from did_health.roles.issuer import Board
from did_health.roles.report import CheckName
from did_health.roles.verifier import Verifier
from did_health.services.board_app import LedgerEvidence, board_app
from did_health.services.json_log import JSONLog
from did_health.services.metrics import Metrics
from did_health.services.rate_limit import RateLimit
from tests.serving import serving
from tests.town import Town

NPI = "1234567893"


class Directory:
    """A town whose North Carolina board also identifies patients, and its directory behind HTTP."""

    def __init__(self, folder: Path) -> None:
        self.town = Town(folder, seed="directory")
        types = ["PhysicianLicenseCredential", "PrescriberRegistrationCredential", "PatientIdentityCredential"]
        self.board: Board = self.town.directory.create_board("both", title="Both", jurisdiction="US-NC", professions=["MD"], resources=types)
        ledger = self.town.directory.ledger
        self.evidence = LedgerEvidence(ledger, ledger.url, Verifier(self.town.directory.policy, clock=self.town.clock), self.town.clock)
        self.directory = BoardDirectory.of(self.board, self.evidence)
        self.log = io.StringIO()
        self.app = board_app(
            self.directory, ready=lambda: None, log=JSONLog("board", self.log), limit=RateLimit(10_000), metrics=Metrics("board"), prefix="/b"
        )
        self.url = ""

    def get(self, path: str, **query: Any) -> httpx.Response:
        with httpx.Client(trust_env=False) as client:
            return client.get(f"{self.url}{path}", params=query or None)


@pytest.fixture(scope="module")
def parties(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    made = Directory(tmp_path_factory.mktemp("directory"))
    with serving(made.app) as made.url:
        yield made
    made.town.close()


def test_a_look_up_brings_all_that_verification_needs(parties: Directory) -> None:
    issued = parties.town.issue(board=parties.board, npi="1245319599")
    answer = DirectoryAnswer.parse(parties.get("/b/licenses", npi="1245319599").content)
    (entry,) = answer.entries
    assert (entry.state, entry.in_force, answer.issuer, answer.after) == ("active", True, parties.board.did, "")
    assert entry.issued == issued
    assert answer.evidence is not None
    offline = Verifier(parties.town.directory.policy, clock=parties.town.clock)
    report = offline.verify(entry.issued.to_json(), evidence=answer.evidence, waive=[CheckName.HOLDER_BINDING])
    assert report.verdict == "accept"


def test_a_suspension_is_in_the_evidence_some_seconds_later(parties: Directory) -> None:
    issued = parties.town.issue(board=parties.board)
    number = issued.credential["credentialSubject"]["licenseNumber"]
    parties.directory.look_up(Lookup(number=number))
    parties.board.suspend(issued, reason="an order")
    parties.town.ticking(6)
    answer = parties.directory.look_up(Lookup(number=number))
    assert answer.entries[0].state == "suspended"
    offline = Verifier(parties.town.directory.policy, clock=parties.town.clock)
    assert "suspended" in offline.verify(issued.to_json(), evidence=answer.evidence, waive=[CheckName.HOLDER_BINDING]).codes


def test_every_licence_has_a_url_of_its_own(parties: Directory) -> None:
    issued = parties.town.issue(board=parties.board)
    location = location_of(parties.board.institution.base_url, issued.id)
    assert location.startswith("https://ledger.example/both/licenses/")
    answer = parties.get(location.replace("https://ledger.example/both", "/b"))
    assert answer.content == issued.to_json()
    assert answer.headers["content-type"] == "application/json"
    uuid = issued.id.removeprefix("urn:uuid:")
    for name in ("x.json", uuid, f"{uuid}.jsonl", "00000000-0000-4000-8000-000000000000.json"):
        refused = parties.get(f"/b/licenses/{name}")
        assert (refused.status_code, refused.headers["content-type"]) == (404, "application/problem+json")


def test_patients_are_in_no_answer(parties: Directory) -> None:
    identity = parties.board.issue(parties.town.identity(), to=parties.town.stranger.did)
    parties.town.issue(board=parties.board, to=parties.town.wallet)
    assert parties.get("/b/licenses", holder=parties.town.stranger.did).json()["results"] == []
    assert parties.get(f"/b/licenses/{identity.id.removeprefix('urn:uuid:')}.json").status_code == 404
    found = parties.get("/b/licenses", name="qqfam").json()["results"]
    assert found
    assert identity.id not in [one["credential"]["id"] for one in found]
    published = list(publish_public(parties.board))
    assert location_of(parties.board.institution.base_url, identity.id) not in published
    assert parties.town.directory.ledger.fetch(Need(published[0])) is not None


def test_what_was_issued_anew_or_revoked_says_so(parties: Directory) -> None:
    first = parties.town.issue(board=parties.board, license_number="NEW-1")
    rule = Restriction("no_schedule_2", "No Schedule II drugs", parties.town.clock().date())
    parties.board.reissue(first, parties.town.license(license_number="NEW-1", restrictions=(rule,)))
    assert [(one.state, one.in_force) for one in parties.directory.look_up(Lookup(number="NEW-1")).entries] == [("active", True), ("superseded", False)]
    gone = parties.town.issue(board=parties.board, license_number="GONE-1")
    parties.board.revoke(gone, reason="an order")
    assert [(one.state, one.in_force) for one in parties.directory.look_up(Lookup(number="GONE-1")).entries] == [("revoked", False)]


def test_registrations_are_found_by_their_holder(parties: Directory) -> None:
    registration = PrescriberRegistration(dea_number="AP5836727", schedules=("2", "4"), state="US-NC", valid_until=parties.town.license().valid_until)
    issued = parties.board.issue(registration, to="did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")
    kind = registration.credential_type
    found = parties.directory.look_up(Lookup(holder="did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", type=kind))
    assert [one.issued.id for one in found.entries] == [issued.id]
    assert [one.issued.id for one in parties.directory.look_up(Lookup(number="AP5836727")).entries] == [issued.id]


def test_pages_are_bounded_and_follow_each_other(parties: Directory) -> None:
    for _ in range(5):
        parties.town.issue(board=parties.board, npi=NPI)
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = parties.get("/b/licenses", npi=NPI, limit=2, evidence="false", **after).json()
        assert "evidence" not in page
        assert len(page["results"]) <= 2
        seen += [one["credential"]["id"] for one in page["results"]]
        if "next" not in page:
            break
        after = {"after": page["next"]}
    assert len(set(seen)) == len(seen) == 5


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ({}, None),
        ({"npi": "1234567890"}, "npi"),
        ({"npi": NPI, "number": "1"}, None),
        ({"npi": NPI, "limit": "0"}, "limit"),
        ({"npi": NPI, "limit": str(MAX_DIRECTORY_RESULTS + 1)}, "limit"),
        ({"npi": NPI, "limit": "ten"}, "limit"),
        ({"npi": NPI, "after": "0"}, "after"),
        ({"npi": NPI, "after": "9" * 19}, "after"),
        ({"npi": NPI, "evidence": "perhaps"}, "evidence"),
        ({"npi": [NPI, NPI]}, None),
        ({"type": "PatientIdentityCredential", "number": "1"}, "type"),
        ({"drug": "x"}, "drug"),
    ],
)
def test_a_question_that_means_nothing_is_a_problem(parties: Directory, query: dict[str, Any], where: str | None) -> None:
    refused = parties.get("/b/licenses", **query)
    assert (refused.status_code, refused.headers["content-type"]) == (400, "application/problem+json")
    assert refused.json().get("where") == where


def test_it_describes_itself_and_logs_nobodys_name(parties: Directory) -> None:
    described = parties.get("/b/openapi.json").json()
    assert set(described["paths"]) == {"/b/licenses", "/b/licenses/{name}"}
    parties.get("/b/licenses", name="Qqfamily")
    assert "request" in parties.log.getvalue()
    assert "Qqfamily" not in parties.log.getvalue()
    assert parties.get("/readyz").status_code == 200


def test_evidence_of_others_is_left_to_others(parties: Directory) -> None:
    for url in ("https://ledger.example/va/licenses/x.json", "https://elsewhere.example/x"):
        with pytest.raises(TransportError):
            parties.evidence.fetch(Need(url))
    assert parties.evidence.fetch(Need(f"https://ledger.example/content/{'0' * 64}")) is None


def test_only_so_much_is_kept(parties: Directory) -> None:
    for number in range(MAX_DIRECTORY_ITEMS + 1):
        parties.evidence.fetch(Need(f"https://ledger.example/content/{number:064x}"))
    assert len(parties.evidence._kept) <= MAX_DIRECTORY_ITEMS


def test_without_a_ledger_there_is_no_evidence(parties: Directory) -> None:
    issued = parties.town.issue(board=parties.board)
    number = issued.credential["credentialSubject"]["licenseNumber"]
    alone = BoardDirectory.of(parties.board)
    assert alone.look_up(Lookup(number=number)).evidence is None


@pytest.mark.parametrize("identifier", ["urn:uuid:1", "0b7c0b7c-0000-4000-8000-000000000000", "https://x.example/1"])
def test_only_what_has_a_random_id_has_a_location(identifier: str) -> None:
    with pytest.raises(FormatError):
        location_of("https://ledger.example/b", identifier)


@pytest.mark.parametrize(
    "answer",
    [
        b"[]",
        b"{}",
        b'{"format":"did-health/board-directory/v1","issuer":7,"results":[]}',
        b'{"format":"did-health/board-directory/v1","issuer":"did:x:y","results":{}}',
        b'{"format":"did-health/board-directory/v1","issuer":"did:x:y","results":[7]}',
        b'{"format":"did-health/board-directory/v1","issuer":"did:x:y","results":[{"credential":{},"issuanceReceipt":{}}]}',
        b'{"format":"did-health/board-directory/v1","issuer":"did:x:y","results":[],"next":"-1"}',
        b'{"format":"did-health/board-directory/v1","issuer":"did:x:y","results":[],"evidence":7}',
        b'{"format":"did-health/board-directory/v1","issuer":"did:x:y","results":[' + b",".join([b"{}"] * 21) + b"]}",
    ],
)
def test_answers_that_are_none(answer: bytes) -> None:
    with pytest.raises(FormatError):
        DirectoryAnswer.parse(answer)
