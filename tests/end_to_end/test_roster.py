"""Story 7: a roster in, a signed report and what changed out. Whatever fails is a row that says so."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from fhir.resources.R4B.bundle import Bundle

from did_health.cli.roster_replay import opened
from did_health.did.methods.webvh.urls import WebvhDID
from did_health.errors import ConflictError, EdgeError, FormatError, StoreError, TransportError, VerificationError
from did_health.health.public_listing import Lookup
from did_health.net import roster_workers, rosters
from did_health.net.gather import gather
from did_health.net.published_licenses import PublishedLicenses
from did_health.net.roster_lookup import RosterLookup
from did_health.net.roster_workers import dask_cluster, processes, usable_cores
from did_health.net.rosters import RosterOrder, verify_roster
from did_health.roles.board_directory import BoardDirectory, location_of
from did_health.roles.evidence import Evidence, Need
from did_health.roles.roster.report import RosterReport
from did_health.roles.verifier import Verifier
from did_health.stores.license_files import LicenseFiles
from did_health.stores.roster_reports import RosterReportFolder
from tests.roster_parties import NAME, CredentialingOffice, failing
from tests.town import Town

UNKNOWN_ISSUER = ["did_not_logged", "did_not_logged", "did_not_logged", "issuer_not_accredited", "did_not_logged", "did_not_logged", "did_not_logged",
                  "wrong_board"]  # fmt: skip
"""Each check that needs the issuer says so: the ledger proves that it has never seen this DID, which is a no."""


@pytest.fixture
def office(town: Town, tmp_path: Path) -> CredentialingOffice:
    return CredentialingOffice(tmp_path / "office", town)


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


def test_the_next_report_says_what_changed(office: CredentialingOffice, town: Town) -> None:
    stays, turns, leaves, comes = (town.issue() for _ in range(4))
    rows = office.collect(stays, turns, leaves, comes)
    office.write(*rows[:3], f"{NAME},bad,,,")
    first = office.verify("first")
    assert first.document["changes"] == {"new": 0, "same": 0, "changed": 0, "not_compared": 4, "gone": 0}
    town.board.suspend(turns, reason="order")
    town.ticking(60)
    office.write(rows[0], rows[1], rows[3], f"{NAME},bad,,,")
    second = office.verify("second", before="first")
    assert second.document["changes"] == {"new": 1, "same": 1, "changed": 1, "not_compared": 1, "gone": 1}
    assert [row["change"] for row in office.results("second")] == ["same", "changed", "new", "not_compared"]
    assert office.results("second")[1]["before"] == {"verdict": "accept", "codes": []}
    (gone,) = [json.loads(line) for line in (office.folder / "second" / "gone.ndjson").read_text().splitlines()]
    assert gone["verdict"] == "accept"
    assert gone["key"].endswith(leaves.credential["credentialSubject"]["licenseNumber"])
    assert second.document["before"] == json.loads(second.to_json())["before"]
    page = (office.folder / "second" / "report.html").read_text()
    assert "changed, was accept" in page


def test_many_shapes_of_licences_are_gathered_for_in_batches(office: CredentialingOffice, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rosters, "BATCH", 1)
    office.write(*office.collect(town.issue(), town.issue(board=town.other), town.issue()))
    office.verify()
    assert [verdict for verdict, _ in office.verdicts()] == ["accept"] * 3
    monkeypatch.setattr(rosters, "MAX_GATHER_BYTES", 1)
    office.verify("bounded")
    assert [verdict for verdict, _ in office.verdicts("bounded")] == ["accept", "indeterminate", "accept"]


def test_a_report_before_that_was_changed_is_not_compared_with(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(town.issue()))
    office.verify("first")
    rows = office.folder / "first" / "rows.ndjson"
    rows.write_bytes(rows.read_bytes().replace(b"accept", b"refuse"))
    with pytest.raises(VerificationError, match="was changed") as caught:
        office.verify("second", before="first")
    assert caught.value.code == "report_changed"
    assert not (office.folder / "second").exists()


def test_a_report_before_must_be_signed_by_the_same_or_by_who_is_named(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(town.issue()))
    office.verify("first", signer=town.other.institution)
    with pytest.raises(VerificationError, match="somebody else") as caught:
        office.verify("second", before="first")
    assert (caught.value.code, caught.value.where) == ("report_of_another_signer", str(office.folder / "first" / "report.json"))
    assert not (office.folder / "second").exists()
    assert office.verify("named", before="first", before_signed_by=town.other.did).document["changes"]["same"] == 1
    assert office.verify("unsigned", before="first", signer=None).document["changes"]["same"] == 1


def test_a_report_before_that_nobody_signed_is_not_believed_by_who_signs(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(town.issue()))
    office.verify("first", signer=None)
    with pytest.raises(VerificationError) as caught:
        office.verify("second", before="first")
    assert caught.value.code == "report_not_signed"
    assert office.verify("unsigned", before="first", signer=None).document["changes"]["same"] == 1


@pytest.mark.parametrize("signed", [True, False])
def test_a_report_before_whose_signature_does_not_hold(office: CredentialingOffice, town: Town, *, signed: bool) -> None:
    office.write(*office.collect(town.issue()))
    office.verify("first")
    header = office.folder / "first" / "report.json"
    header.write_text(header.read_text().replace('"unresolved": 0', '"unresolved": 1'))
    with pytest.raises(VerificationError) as caught:
        office.verify("second", before="first", **({} if signed else {"signer": None}))
    assert caught.value.code == "report_signature_invalid"
    assert not (office.folder / "second").exists()


def test_a_report_before_from_elsewhere_brings_no_trust_with_it(office: CredentialingOffice, town: Town, tmp_path: Path) -> None:
    """Whoever forges a report can lay a policy beside it under which its signature holds: this run's policy decides."""
    forger = CredentialingOffice(tmp_path / "forger", Town(tmp_path / "elsewhere", seed="elsewhere"))
    try:
        forger.write(*forger.collect(forger.town.issue()))
        forger.verify("first")
        office.write(*office.collect(town.issue()))
        with pytest.raises(VerificationError) as caught:
            office.verify("second", before=str(forger.folder / "first"), before_signed_by=forger.town.board.did)
        assert caught.value.code == "report_signature_invalid"
        kept = RosterReportFolder.open(forger.folder / "first")
        assert [kept.judge().result(found)["verdict"] for found in kept.found()] == ["accept"]
    finally:
        forger.town.close()


def test_a_report_can_be_replayed_years_later(office: CredentialingOffice, town: Town) -> None:
    item = town.issue()
    office.write(*office.collect(item), f"{NAME},,NOBODYS,NC,")
    office.verify()
    town.board.revoke(item, reason="order")
    town.ticking(3600)
    replayed = opened(office.folder / "report", None, town.board.did, None)
    assert replayed.signer == town.board.did
    found = list(replayed.folder.found())
    assert [replayed.judge.result(one)["verdict"] for one in found] == ["accept", "indeterminate"]
    report = replayed.judge.report(found[0])
    assert report is not None
    assert report.verdict == "accept"
    assert replayed.judge.report(found[1]) is None


@pytest.mark.parametrize("name", ["rows.csv", "report.html", "evidence/ledger.json", "evidence/found.ndjson"])
def test_a_replay_sees_that_a_file_was_changed(office: CredentialingOffice, town: Town, name: str) -> None:
    office.write(*office.collect(town.issue()))
    office.verify()
    path = office.folder / "report" / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(VerificationError) as caught:
        opened(office.folder / "report", None, None, None)
    assert caught.value.code == "report_changed"


def test_a_replay_sees_that_the_header_was_changed_or_signed_by_another(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(town.issue()))
    office.verify()
    with pytest.raises(VerificationError) as caught:
        opened(office.folder / "report", None, town.other.did, None)
    assert caught.value.code == "report_of_another_signer"
    header = office.folder / "report" / "report.json"
    header.write_text(header.read_text().replace('"unresolved": 0', '"unresolved": 1'))
    with pytest.raises(VerificationError) as caught:
        opened(office.folder / "report", None, None, None)
    assert caught.value.code == "report_signature_invalid"


def test_an_unsigned_report_says_so(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(town.issue()))
    assert office.verify(signer=None).made_by is None
    with pytest.raises(VerificationError) as caught:
        opened(office.folder / "report", None, town.board.did, None)
    assert caught.value.code == "report_not_signed"
    assert opened(office.folder / "report", None, None, None).signer is None


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


# ---- executors


def test_processes_and_threads_say_what_one_thread_says(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(*(town.issue() for _ in range(7))), f"{NAME},,NOBODYS,NC,")
    office.verify("inline", chunk_rows=3)
    with processes(2) as pool:
        office.verify("processes", executor=pool, workers=2, chunk_rows=3)
    with ThreadPoolExecutor(2) as threads:
        office.verify("threads", executor=threads, workers=2, chunk_rows=3)
    inline = (office.folder / "inline" / "rows.ndjson").read_bytes()
    assert inline.count(b"\n") == 8
    assert (office.folder / "processes" / "rows.ndjson").read_bytes() == inline
    assert (office.folder / "threads" / "rows.ndjson").read_bytes() == inline


@pytest.fixture
def dask_scheduler() -> Iterator[str]:
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None, silence_logs=50) as cluster:
        yield cluster.scheduler_address


def test_a_dask_cluster_says_what_one_thread_says(office: CredentialingOffice, town: Town, dask_scheduler: str) -> None:
    office.write(*office.collect(*(town.issue() for _ in range(7))))
    office.verify("inline", chunk_rows=2)
    with dask_cluster(dask_scheduler) as (executor, threads):
        assert threads == 2
        office.verify("dask", executor=executor, workers=threads, chunk_rows=2)
    assert (office.folder / "dask" / "rows.ndjson").read_bytes() == (office.folder / "inline" / "rows.ndjson").read_bytes()


def test_dask_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(StoreError, match="not installed"), dask_cluster("tcp://127.0.0.1:1"):
        pass


def test_a_worker_ends_with_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(roster_workers.os, "_exit", lambda _status: ended.set())
    monkeypatch.setattr(roster_workers.gc, "freeze", lambda: None)
    # The tests' own process has no parent that spawned it.
    roster_workers._end_with_parent()
    assert not ended.is_set()
    here, there = multiprocessing.Pipe()

    class Parent:
        sentinel = here

    monkeypatch.setattr(multiprocessing, "parent_process", Parent)
    roster_workers._end_with_parent()
    there.close()
    assert ended.wait(10)


def test_a_scheduler_that_is_not_there() -> None:
    with pytest.raises(EdgeError, match="does not answer"), dask_cluster("tls:/nonsense"):
        pass


def test_there_is_a_core() -> None:
    assert usable_cores() >= 1


# ---- crashes


def test_a_run_that_was_broken_off_goes_on_where_it_was(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(*(town.issue() for _ in range(6))))
    with pytest.raises(KeyboardInterrupt):
        office.verify(chunk_rows=2, progress=failing(after=2))
    assert not (office.folder / "report").exists()
    judged = sorted((office.folder / "report.partial" / "judged").iterdir())
    assert len(judged) == 2
    times = [path.stat().st_mtime_ns for path in judged]
    town.ticking(30)
    steps: list[str] = []
    office.verify(chunk_rows=2, progress=lambda what, count: steps.extend([what] * count))
    assert steps.count("Verifying") == 2
    assert "Looking up" not in steps
    assert [row["row"] for row in office.results()] == [2, 3, 4, 5, 6, 7]
    assert not (office.folder / "report.partial").exists()
    assert times


def crash(folder: Path, town_folder: Path, rows: int) -> None:
    """The process that is killed: it judges slowly, two rows at a time."""
    from did_health import embedded_verifier, open_directory
    from tests.ledger_parties import CHEAP, PASSPHRASE

    def slowly(what: str, _count: int) -> None:
        if what == "Verifying":
            time.sleep(0.2)

    with open_directory(town_folder, PASSPHRASE, cost=CHEAP) as directory:
        index = LicenseFiles([folder / "licenses"], folder / "index.sqlite")
        order = RosterOrder(folder / "roster.csv", folder / "report", chunk_rows=2, workers=2)
        with processes(2) as pool:
            verifier = embedded_verifier(directory)
            verify_roster(order, verifier, RosterLookup(folder, (index,)), clock=directory.clock, executor=pool, progress=slowly)


def test_killed_in_the_middle_nothing_is_lost_and_nothing_is_double(tmp_path: Path) -> None:
    from did_health import embedded_verifier, open_directory
    from tests.cli_runs import license_of
    from tests.ledger_parties import CHEAP, PASSPHRASE

    folder, town_folder = tmp_path / "office", tmp_path / "town"
    (folder / "licenses").mkdir(parents=True)
    with open_directory(town_folder, PASSPHRASE, create=True, cost=CHEAP) as directory:
        board = directory.create_board("nc-medical", title="North Carolina Medical Board", jurisdiction="US-NC", professions=["MD"])
        wallet = directory.create_wallet("ann")
        issued = board.issue_many([(license_of("Adams", str(number)), wallet.did) for number in range(30)])
        (folder / "licenses" / "all.ndjson").write_bytes(b"".join([one.to_json() + b"\n" for one in issued]))
        (folder / "roster.csv").write_text("family,given,license_number,state\n" + "".join(f"Adams,Ann,{number},NC\n" for number in range(30)))
    process = multiprocessing.get_context("spawn").Process(target=crash, args=(folder, town_folder, 30))
    process.start()
    judged = folder / "report.partial" / "judged"
    deadline = time.monotonic() + 60
    while len(list(judged.glob("*.ndjson")) if judged.is_dir() else []) < 3:
        assert time.monotonic() < deadline
        assert process.is_alive()
        time.sleep(0.02)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    assert not (folder / "report").exists()
    kept = {path.name: path.stat().st_mtime_ns for path in judged.glob("*.ndjson")}
    with open_directory(town_folder, PASSPHRASE, cost=CHEAP) as directory:
        index = LicenseFiles([folder / "licenses"], folder / "index.sqlite")
        order = RosterOrder(folder / "roster.csv", folder / "report", chunk_rows=2)
        steps: list[str] = []
        verify_roster(
            order, embedded_verifier(directory), RosterLookup(folder, (index,)), clock=directory.clock,
            progress=lambda what, count: steps.extend([what] * count),
        )  # fmt: skip
        index.close()
    assert steps.count("Verifying") == 30 - 2 * len(kept)
    rows = [json.loads(line) for line in (folder / "report" / "rows.ndjson").read_text().splitlines()]
    assert [row["licenseNumber"] for row in rows] == [str(number) for number in range(30)]
    assert {row["verdict"] for row in rows} == {"accept"}


def test_a_worker_that_dies_ends_the_run_which_goes_on_later(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(*(town.issue() for _ in range(4))))
    with processes(1) as pool:
        pool.submit(os._exit, 1)
        with pytest.raises(EdgeError) as caught:
            office.verify(executor=pool, workers=1, chunk_rows=1)
    assert caught.value.code == "worker_lost"
    office.verify(chunk_rows=1)
    assert len(office.results()) == 4


def test_a_run_of_another_roster_does_not_go_on(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(*(town.issue() for _ in range(2))))
    with pytest.raises(KeyboardInterrupt):
        office.verify(chunk_rows=1, progress=failing(after=1))
    office.write(f"{NAME},,NOBODYS,NC,")
    with pytest.raises(ConflictError) as caught:
        office.verify(chunk_rows=1)
    assert caught.value.code == "run_of_another_roster"


def test_a_place_that_is_taken_is_left_alone(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(town.issue()))
    (office.folder / "report").mkdir()
    office.verify()
    with pytest.raises(ConflictError) as caught:
        office.verify()
    assert caught.value.code == "file_exists"


def test_files_that_are_no_roster(office: CredentialingOffice) -> None:
    office.write()
    with pytest.raises(FormatError, match="no row"):
        office.verify()
    office.roster.write_text("name;number\n")
    with pytest.raises(FormatError, match="no column family"):
        office.verify("other")
    office.roster.unlink()
    with pytest.raises(StoreError):
        office.verify("third")
    with pytest.raises(ValueError, match="rows"):
        RosterOrder(office.roster, office.folder, chunk_rows=0)
    with pytest.raises(ValueError, match="workers"):
        RosterOrder(office.roster, office.folder, workers=0)


# ---- what boards publish


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


def test_the_header_can_be_read_again(office: CredentialingOffice, town: Town) -> None:
    office.write(*office.collect(town.issue()))
    made = office.verify()
    folder = RosterReportFolder.open(office.folder / "report")
    assert folder.header == made
    assert RosterReport.parse(made.to_json()).digest == made.digest
