"""Story 7: a roster in, a verdict for every row out. Whatever fails is a row that says so."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

import pytest
from fhir.resources.R4B.bundle import Bundle

from did_health.did.methods.webvh.urls import WebvhDID
from did_health.errors import FormatError, StoreError, TransportError
from did_health.health.public_listing import Lookup
from did_health.net import rosters
from did_health.net.gather import gather
from did_health.net.published_licenses import PublishedLicenses
from did_health.net.rosters import RosterOrder
from did_health.roles.board_directory import BoardDirectory, location_of
from did_health.roles.evidence import Evidence, Need
from did_health.roles.verifier import Verifier
from tests.roster_parties import NAME, CredentialingOffice
from tests.town import Town

UNKNOWN_ISSUER = ["did_not_logged", "did_not_logged", "did_not_logged", "issuer_not_accredited", "did_not_logged", "did_not_logged", "did_not_logged",
                  "wrong_board"]  # fmt: skip
"""Each check that needs the issuer says so: the ledger proves that it has never seen this DID, which is a no."""


class SlowLists:
    """The town's ledger, whose status lists of one board do not come in time."""

    def __init__(self, town: Town, board_did: str) -> None:
        self._ledger, self._place = town.directory.ledger, WebvhDID.parse(board_did).base_url
        self._slow: set[str] = set()

    def fetch(self, need: Need) -> bytes | None:
        content = self._ledger.fetch(need)
        if content is not None and b"BitstringStatusListCredential" in content and self._place.encode() in content:
            raise TransportError("the ledger did not answer in full within 10 s", code="timeout")
        return content


def verifier_over(town: Town, source: object) -> Verifier:
    return Verifier(
        town.directory.policy,
        clock=town.clock,
        gather=lambda missing: gather(missing, [source], evidence=Evidence(), clock=town.clock),  # type: ignore[list-item]
    )


def test_every_row_gets_a_verdict_or_says_why_there_is_none(office: CredentialingOffice, town: Town) -> None:
    good, suspended, misnamed, brought = town.issue(), town.issue(), town.issue(), town.issue()
    town.board.suspend(suspended, reason="order")
    rows = office.collect(good, suspended, misnamed)
    stranger = rows[2].replace("Qqfamily", "Someoneelse")
    unresolvable = town.signed(town.draft(issuer="did:webvh:QmQL8DZYTSgnuLBLAaDfZpet1VxejbafP8HT6osCdvSgkA:nowhere.example"), method="did:webvh:x#y")
    (office.folder / "unresolvable.json").write_text(json.dumps({"credential": unresolvable, "issuanceReceipt": good.receipt}))
    (office.folder / "brought.json").write_bytes(brought.to_json())
    (office.folder / "garbage.json").write_bytes(b"\x00garbage")
    office.write(
        rows[0], rows[1], stranger, f"{NAME},,,,unresolvable.json", f"{NAME},,,,brought.json", f"{NAME},,NOBODYS,NC,", f"{NAME},1234567890,,,",
        f'{NAME},"open', f"{NAME},,,,garbage.json", f"{NAME},,,,../../etc/passwd", f"{NAME},,,,https://elsewhere.example/x", f"{NAME},,,,missing.json",
    )  # fmt: skip
    made = office.verify()
    assert office.verdicts() == [
        ("accept", []),
        ("refuse", ["suspended", "license_suspended"]),
        ("indeterminate", ["name_mismatch"]),
        ("refuse", UNKNOWN_ISSUER),
        ("accept", []),
        ("indeterminate", ["not_found"]),
        ("indeterminate", ["row_malformed"]),
        ("indeterminate", ["row_malformed"]),
        ("indeterminate", ["credential_malformed"]),
        ("indeterminate", ["source_unavailable"]),
        ("indeterminate", ["source_unavailable"]),
        ("indeterminate", ["not_found"]),
    ]  # fmt: skip
    assert made.document["roster"]["rows"] == 12
    assert sum(made.document["verdicts"].values()) == 12
    assert made.document["unresolved"] == made.document["verdicts"]["indeterminate"] >= 8
    malformed = office.results()[6]
    assert malformed["row"] == 8
    assert malformed["reasons"][0]["column"] == "npi"
    assert "NPPES" in malformed["reasons"][0]["hint"]


def test_a_did_that_cannot_be_resolved_leaves_its_row_indeterminate(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(town.issue(), town.issue(board=town.other)))
    place = WebvhDID.parse(town.other.did).log_url

    class NoLog:
        def fetch(self, need: Need) -> bytes | None:
            if need.url == place:
                raise TransportError("the name other.example has no address", code="name_not_found")
            return town.directory.ledger.fetch(need)

    made = office.verify(verifier=verifier_over(town, NoLog()))
    (first, codes), (second, other_codes) = office.verdicts()
    assert (first, codes) == ("accept", [])
    assert second == "indeterminate"
    assert "did_unavailable" in other_codes
    assert made.document["notHad"] == [{"url": place, "reason": "the name other.example has no address"}]


def test_a_list_that_does_not_come_in_time_leaves_its_boards_rows_indeterminate(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(town.issue(), town.issue(board=town.other)))
    made = office.verify(verifier=verifier_over(town, SlowLists(town, town.other.did)))
    assert office.verdicts()[0] == ("accept", [])
    verdict, codes = office.verdicts()[1]
    assert verdict == "indeterminate"
    assert set(codes) == {"status_list_unavailable"}
    assert made.document["notHadCount"] == 3
    assert all("did not answer in full" in one["reason"] for one in made.document["notHad"])


def test_a_row_says_what_its_verdict_rests_on(office: CredentialingOffice, town: Town) -> None:
    item = town.issue()
    office.write(*office.collect(item))
    made = office.verify()
    (row,) = office.results()
    assert row["issuer"] == town.board.did
    assert row["credential"] == item.id
    assert {len(row[name]) for name in ("registryRecord", "credentialDigest", "policy")} == {44}
    assert [one["url"].rpartition("/")[2] for one in row["statusLists"]] == ["revocation", "suspension", "message"]
    assert all(one["ageSeconds"] >= 0 and len(one["digest"]) == 44 for one in row["statusLists"])
    assert row["checkpoint"] in made.document["checkpoints"]
    assert made.document["nextScheduled"] > made.document["madeAt"][:10]
    assert made.made_by == town.board.did


def test_many_shapes_of_licences_are_gathered_for_in_batches(office: CredentialingOffice, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rosters, "BATCH", 1)
    office.write(*office.collect(town.issue(), town.issue(board=town.other), town.issue()))
    office.verify()
    assert [verdict for verdict, _ in office.verdicts()] == ["accept"] * 3
    monkeypatch.setattr(rosters, "MAX_GATHER_BYTES", 1)
    office.verify("bounded")
    assert [verdict for verdict, _ in office.verdicts("bounded")] == ["accept", "indeterminate", "accept"]


def test_evidence_is_gathered_once_however_many_rows_there_are(office: CredentialingOffice, town: Town) -> None:
    asked: list[str] = []

    class Counting:
        def fetch(self, need: Need) -> bytes | None:
            asked.append(need.url)
            return town.directory.ledger.fetch(need)

    office.write(*office.collect(*(town.issue() for _ in range(12))))
    office.verify(verifier=verifier_over(town, Counting()), chunk_rows=5)
    assert len(office.results()) == 12
    assert len(asked) == len(set(asked)) < 20


def test_the_bundle_is_fhir(office: CredentialingOffice, town: Town) -> None:
    refused = town.issue()
    town.board.revoke(refused, reason="order")
    office.write(*office.collect(town.issue(), refused), f"{NAME},1234567893,,,", f"{NAME},bad,,,")
    office.verify()
    bundle = Bundle.model_validate_json((office.folder / "report" / "verification-results.json").read_text())
    resources = [entry.resource for entry in bundle.entry]
    assert [one.status for one in resources] == ["validated", "reval-fail", "req-revalid", "req-revalid"]
    assert len({one.id for one in resources}) == 4
    assert resources[0].primarySource[0].who.identifier.value == town.board.did
    assert resources[2].target[0].identifier.value == "1234567893"
    assert resources[3].target is None
    assert resources[0].validator[0].organization.identifier.value == town.board.did


def test_files_that_are_no_roster(office: CredentialingOffice) -> None:
    office.write()
    with pytest.raises(FormatError, match="no row"):
        office.verify()
    office.roster.write_text("name;number\n")
    with pytest.raises(FormatError, match="no column family") as refused:
        office.verify("other")
    assert refused.value.where == f"{office.roster} row 1"
    office.roster.write_bytes(b"\xff\xfe\x00garbage\n")
    with pytest.raises(FormatError, match="UTF-8") as refused:
        office.verify("other")
    assert refused.value.where == f"{office.roster} row 1"
    # Nothing is left that would stand in the way of the right file.
    assert list(office.folder.rglob("*.partial")) == []
    office.roster.unlink()
    with pytest.raises(StoreError):
        office.verify("third")
    with pytest.raises(ValueError, match="rows"):
        RosterOrder(office.roster, office.folder, chunk_rows=0)
    with pytest.raises(ValueError, match="workers"):
        RosterOrder(office.roster, office.folder, workers=0)


def test_licences_are_looked_up_where_their_board_publishes_them(office: CredentialingOffice, town: Town) -> None:
    item = town.issue(npi="1234567893")
    place, number = town.board.institution.base_url, item.credential["credentialSubject"]["licenseNumber"]
    own = location_of(place, item.id)
    listed = BoardDirectory(town.board.did, place, town.board._register)

    class Board:
        """A board's service, without the network."""

        def fetch(self, need: Need) -> bytes | None:
            assert need.url.startswith(f"{place}/licenses")
            if (query := dict(parse_qsl(urlsplit(need.url).query))) == {}:
                return listed.license(need.url.rpartition("/")[2])
            assert query.pop("evidence") == "false"
            return listed.look_up(Lookup(**query), with_evidence=False).to_json()

    office.write(f"{NAME},,{number},NC,", f"{NAME},1234567893,NOBODYS,NC,", f"{NAME},,,,{own}", f"{NAME},,,,{place}/../one.json", f"{NAME},,none,NC,")
    for name, board in (("by-did", town.board.did), ("by-url", place)):
        office.verify(name, published=PublishedLicenses(Board(), [board]))
        assert [verdict for verdict, _ in office.verdicts(name)] == ["accept", "indeterminate", "accept", "indeterminate", "indeterminate"]
        assert [codes for _, codes in office.verdicts(name)] == [[], ["not_found"], [], ["source_unavailable"], ["not_found"]]
