"""Which licence a row means, and where licences are looked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from did_health.did.methods.webvh.urls import WebvhDID
from did_health.errors import FormatError, StoreError, TransportError
from did_health.limits import MAX_DOCUMENT_BYTES, MAX_ROSTER_CANDIDATES, MAX_ROSTER_FAILURES
from did_health.net.published_licenses import PublishedLicenses, place_of
from did_health.net.roster_lookup import RosterLookup
from did_health.roles.evidence import Need
from did_health.roles.roster.found import Found, read_found
from did_health.roles.roster.lookup import Chosen, Doubt, LicenseQuery, choose, same_person
from did_health.roles.roster.plan import RosterPlan
from did_health.roles.roster.row import RosterFault, RosterRow
from did_health.stores.license_files import LicenseFiles
from tests.roster_parties import Places
from tests.town import Town


def row_of(**changes: Any) -> RosterRow:
    return RosterRow(**{"row": 2, "family": "Qqfamily", "given": "Zyxwvutsk", "npi": "1234567893", **changes})


def code(found: Chosen | Doubt) -> str:
    return found.code if isinstance(found, Doubt) else "chosen"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Adams", "Ann"), ("ADAMS", "ann")), (("Adams", "Ann"), ("Adams", "Ann Beth")), (("Müller", "José"), ("Muller", "Jose")),
        (("O'Brien", "Ann-Lee"), ("OBrien", "AnnLee")), (("Van der Berg", "Jo"), ("van der Berg", "Jo A.")),
    ],
)  # fmt: skip
def test_names_that_can_be_one_persons(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert same_person(*one, *other)
    assert same_person(*other, *one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Adams", "Ann"), ("Adams", "A.")), (("Adams", "Ann"), ("Adamson", "Ann")), (("", ""), ("", "")), (("Adams", "Ann"), ("Adams", "")),
        (("-", "A"), ("-", "B")),
    ],
)  # fmt: skip
def test_names_that_a_person_has_to_compare(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert not same_person(*one, *other)


def test_the_newest_version_of_one_licence_is_chosen(town: Town) -> None:
    first = town.issue(npi="1234567893")
    town.ticking(5)
    number = first.credential["credentialSubject"]["licenseNumber"]
    second = town.board.reissue(first, town.license(license_number=number, npi="1234567893"))
    for candidates in ((first, second), (second, first)):
        found = choose(row_of(), [one.to_json() for one in candidates])
        assert isinstance(found, Chosen)
        assert found.document.parts[0].credential["id"] == second.id


def test_why_there_is_no_licence_for_a_row(town: Town) -> None:
    item, other = town.issue(npi="1234567893"), town.issue(board=town.other, npi="1234567893")
    text = item.to_json()
    pharmacy = json.dumps({"credential": {**item.credential, "type": ["VerifiableCredential", "PharmacyCredential"]}}).encode()
    shown = json.dumps(town.presentation(item, nonce="n")).encode()
    assert code(choose(row_of(), [text])) == "chosen"
    assert code(choose(row_of(), [])) == "not_found"
    assert code(choose(row_of(), [text, other.to_json()])) == "ambiguous"
    assert code(choose(row_of(state="US-SC"), [text, other.to_json()])) == "chosen"
    assert code(choose(row_of(board=town.other.did), [text])) == "license_mismatch"
    assert code(choose(row_of(license_number="other"), [text])) == "license_mismatch"
    assert code(choose(row_of(npi="1000000004"), [text])) == "license_mismatch"
    assert code(choose(row_of(family="Other"), [text])) == "name_mismatch"
    assert code(choose(row_of(), [pharmacy])) == "not_a_license"
    assert {code(choose(row_of(), [one])) for one in (b"{}", b"\xff", shown, b"[]")} == {"credential_malformed"}
    strange = {"type": ["VerifiableCredential", "PhysicianLicenseCredential"], "issuer": {"id": 5}, "credentialSubject": [1, 2]}
    assert code(choose(row_of(npi="", license_number="1", state="US-NC"), [json.dumps({"credential": strange}).encode()])) == "license_mismatch"


# ---- journal lines


def test_what_was_found_is_read_again() -> None:
    row = row_of(license_number="A-1", state="US-NC", board="did:web:board.example")
    founds = [
        Found(row, (b'{"a":1}', b"ey.x.y")), Found(row, (b'{\n"a": 1}',)), Found(row, doubt=Doubt("not_found", "no", "ask")), Found(row),
        Found(None, fault=RosterFault(7, "npi", "wrong", "look")),
    ]  # fmt: skip
    lines = b"".join(one.encode() for one in founds)
    read = list(read_found(lines.splitlines()))
    assert [(one.candidates, one.doubt, one.fault) for one in read] == [(one.candidates, one.doubt, one.fault) for one in founds]
    assert b"".join(one.encode() for one in read) == lines
    assert read[0].row is not None
    assert read[0].row.key == row.key
    assert next(read_found(Found(None).encode().splitlines())).fault == RosterFault(0, "", "the row could not be read")


@pytest.mark.parametrize(
    "line",
    [
        b"", b"[]", b"{}", b'{"row":1}', b'{"row":{"row":"1","key":""}}', b'{"row":{"row":1,"key":"","npi":5}}', b'{"fault":{}}', b'{"fault":3}',
        b'{"row":{"row":1,"key":""},"follow":1}', b'{"row":{"row":1,"key":""},"follow":99}', b'{"row":{"row":1,"key":""},"candidates":[5]}',
        b'{"row":{"row":1,"key":""},"candidates":{}}', b'{"row":{"row":1,"key":""},"doubt":[]}',
    ],
)  # fmt: skip
def test_lines_that_are_not_of_a_journal(line: bytes) -> None:
    with pytest.raises(FormatError):
        list(read_found([line]))


# ---- files


def test_licences_in_files_are_found_by_npi_and_by_number(town: Town, tmp_path: Path) -> None:
    one, two, three = (town.issue(npi="1234567893") for _ in range(3))
    folder = tmp_path / "licenses"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "one.json").write_bytes(one.to_json())
    lines = b"\n  " + two.to_json() + b" \r\n{}\n" + b"x" * (MAX_DOCUMENT_BYTES + 5) + b"\n" + three.to_json()
    (folder / "more.ndjson").write_bytes(lines)
    (folder / "large.json").write_bytes(b"x" * (MAX_DOCUMENT_BYTES + 1))
    (folder / "shown.json").write_text(json.dumps(town.presentation(one, nonce="n")))
    (folder / "readme.txt").write_text("not read")
    source = LicenseFiles([folder], tmp_path / "index.sqlite")
    assert sorted(one.partition(" ")[0] for one in source.unreadable) == ["large.json", "more.ndjson", "more.ndjson", "shown.json"]
    assert sorted(source.find(LicenseQuery(npi="1234567893"))) == sorted(item.to_json() for item in (one, two, three))
    number = three.credential["credentialSubject"]["licenseNumber"]
    assert list(source.find(LicenseQuery(license_number=number, state="US-NC"))) == [three.to_json()]
    assert list(source.find(LicenseQuery(license_number=number, state="US-SC"))) == []
    assert list(source.find(LicenseQuery())) == []
    (folder / "more.ndjson").write_bytes(b"x" * len(lines))
    with pytest.raises(StoreError) as caught:
        source.find(LicenseQuery(license_number=number))
    assert caught.value.code == "store_changed"
    (folder / "more.ndjson").unlink()
    with pytest.raises(StoreError):
        source.find(LicenseQuery(license_number=number))
    source.close()
    with pytest.raises(StoreError):
        source.find(LicenseQuery(npi="1234567893"))


def test_one_file_more_licences_than_fit_and_places_that_are_not_there(town: Town, tmp_path: Path) -> None:
    file = tmp_path / "many.ndjson"
    item = town.issue(npi="1234567893")
    file.write_bytes((item.to_json() + b"\n") * (MAX_ROSTER_CANDIDATES + 1))
    source = LicenseFiles([file], tmp_path / "index.sqlite")
    with pytest.raises(StoreError) as caught:
        source.find(LicenseQuery(npi="1234567893"))
    assert caught.value.code == "too_many_found"
    source.close()
    with pytest.raises(StoreError) as caught:
        LicenseFiles([tmp_path / "nothing"], tmp_path / "index.sqlite")
    assert caught.value.code == "store_missing"
    with pytest.raises(StoreError):
        LicenseFiles([], tmp_path / "no" / "index.sqlite")
    with pytest.raises(StoreError):
        LicenseFiles([], tmp_path)


def test_a_file_that_cannot_be_opened(town: Town, tmp_path: Path) -> None:
    for name in ("broken.ndjson", "broken.json"):
        folder = tmp_path / name.replace(".", "-")
        folder.mkdir()
        (folder / name).symlink_to(folder / name)
        # A link to itself is no file, so the folder has nothing.
        assert LicenseFiles([folder], tmp_path / "index.sqlite").unreadable == []


# ---- boards' directories


def test_places_below_which_boards_publish(town: Town) -> None:
    assert place_of(town.board.did) == WebvhDID.parse(town.board.did).base_url
    assert place_of("did:key:z6Mk") == ""
    assert place_of("did:webvh:nonsense") == ""


def empty_answer(**more: object) -> bytes:
    return json.dumps({"format": "did-health/board-directory/v1", "issuer": "did:web:x.example", "results": [], **more}).encode()


class Answering:
    """A directory that answers everything alike."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer, self.asked = answer, list[str]()

    def fetch(self, need: Need) -> bytes | None:
        self.asked.append(need.url)
        return self.answer


def test_only_the_boards_that_were_asked_about_are_asked(town: Town) -> None:
    web = Answering(empty_answer())
    source = PublishedLicenses(web, [town.board.did, town.other.did, "did:key:z6Mk", "https://board.example/dir"])
    assert source.has_boards
    assert not PublishedLicenses(web, []).has_boards
    assert source.find(LicenseQuery(npi="1234567893")) == []
    assert len(web.asked) == 3
    source.find(LicenseQuery(license_number="A/1", board=town.other.did))
    (url,) = web.asked[3:]
    assert url.startswith(f"{place_of(town.other.did)}licenses?number=A%2F1&type=PhysicianLicenseCredential")
    source.find(LicenseQuery(license_number="A/1", board="did:web:unknown.example"))
    assert len(web.asked) == 7
    with pytest.raises(FormatError):
        PublishedLicenses(web, ["https://"])


def test_a_host_that_fails_is_not_asked_for_ever(town: Town) -> None:
    place = place_of(town.board.did)
    web = Places({f"{place}bad": TransportError("no"), f"{place}good": b"{}"})
    source = PublishedLicenses(web, [town.board.did])
    for _ in range(MAX_ROSTER_FAILURES - 1):
        with pytest.raises(TransportError, match="no"):
            source.fetch(f"{place}bad")
    assert source.fetch(f"{place}good") == b"{}"
    for _ in range(MAX_ROSTER_FAILURES):
        with pytest.raises(TransportError, match="no"):
            source.fetch(f"{place}bad")
    with pytest.raises(TransportError) as caught:
        source.fetch(f"{place}good")
    assert caught.value.code == "host_failing"


@pytest.mark.parametrize("last", ["../other/x", "%2e%2e/x", "..%2fx"])
def test_urls_that_lead_elsewhere_are_refused(town: Town, last: str) -> None:
    with pytest.raises(TransportError) as caught:
        PublishedLicenses(Places({}), [town.board.did]).fetch(place_of(town.board.did) + last)
    assert caught.value.code == "url_refused"


@pytest.mark.parametrize(
    ("answer", "code"),
    [(b"[]", "malformed_response"), (b"x", "malformed_response"), (empty_answer(next="7"), "too_many_found"), (None, "directory_missing")],
)
def test_answers_that_are_of_no_use(town: Town, answer: bytes | None, code: str) -> None:
    with pytest.raises(TransportError) as caught:
        PublishedLicenses(Answering(answer), [town.board.did]).find(LicenseQuery(npi="1234567893"))
    assert caught.value.code == code


# ---- rows


class Fixed:
    def __init__(self, *documents: bytes) -> None:
        self.documents = documents

    def find(self, query: LicenseQuery) -> tuple[bytes, ...]:
        return self.documents


def test_rows_that_bring_their_credential_themselves(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_bytes(b"{}")
    lookup = RosterLookup(tmp_path)
    assert lookup.found(row_of(credential='{"a":1}')).candidates == (b'{"a":1}',)
    assert lookup.found(row_of(credential="eyJ.x.y")).candidates == (b"eyJ.x.y",)
    assert lookup.found(row_of(credential="one.json")).candidates == (b"{}",)
    for text in ("https://board.example/x", "../one.json", "/etc/passwd"):
        doubt = lookup.found(row_of(credential=text)).doubt
        assert doubt is not None
        assert doubt.code == "source_unavailable"
    assert not lookup.asks_network([row_of(credential="one.json"), RosterFault(1, "", "x")])
    assert lookup.asks_network([row_of(credential="https://board.example/x")])


def test_rows_that_cannot_be_read_are_kept_as_their_faults(tmp_path: Path) -> None:
    fault = RosterFault(3, "npi", "wrong")
    assert RosterLookup(tmp_path).found(fault) == Found(None, fault=fault)


def test_what_sources_answer(tmp_path: Path) -> None:
    def doubt(*documents: bytes) -> str:
        found = RosterLookup(tmp_path, (Fixed(*documents),)).found(row_of())
        return found.doubt.code if found.doubt else ""

    assert doubt() == "not_found"
    assert doubt(b"{}", b"{}") == ""
    assert doubt(*[b"{}"] * (MAX_ROSTER_CANDIDATES + 1)) == "ambiguous"
    assert doubt(b"\xff") == "credential_malformed"


def test_only_what_needs_evidence_of_its_own_is_planned_for(town: Town) -> None:
    first, second, other = town.issue(), town.issue(), town.issue(board=town.other)
    plan = RosterPlan()
    assert len(plan.pick([first.to_json(), second.to_json(), b"garbage"])) == 1
    assert len(plan.pick([second.to_json(), other.to_json()])) == 1
    compact = town.draft(subject={"compact": {"name": "IMLC", "splLicense": "urn:uuid:1"}})
    for strange in (compact, {"type": ["VerifiableCredential"], "credentialSubject": {}, "credentialStatus": {"statusListCredential": 5}}):
        text = json.dumps({"credential": strange}).encode()
        assert len(plan.pick([text])) == len(plan.pick([text])) == 1
