"""The page of a roster's report in a real browser: read on a wide screen and on a telephone, printed, with hostile names and with many rows."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from did_health.health.person_name import PersonName
from did_health.health.restrictions import Restriction
from did_health.roles.roster.page import page
from did_health.stores.roster_reports import RosterReportFolder
from tests.chromium import Browser, chromium
from tests.roster_parties import NAME, CredentialingOffice
from tests.town import Town

FAMILIES = (
    "Garcia", "O'Neill-Fitzgerald", "<script>alert(1)</script>", "Nguy\u1ec5n", "\u05db\u05d4\u05df", "\u0627\u0644\u0623\u062d\u0645\u062f",
    "Wolfeschlegelsteinhausenbergerdorff", "&amp;lt;", "\u00e4" * 60, "'\"--",
)  # fmt: skip
GIVEN = ("Ann Marie", "<img src=https://elsewhere.example/x onerror=alert(1)>", "\u05d3\u05d5\u05d3")
WIDTHS = (1600, 1100, 800, 390)
CUT_OFF = """[...document.querySelectorAll('td, th, dd, .sum')]
    .filter(one => one.offsetWidth && one.scrollWidth > one.clientWidth + 1).map(one => one.outerHTML)"""
BROKEN_VERDICTS = """[...document.querySelectorAll('td.verdict')].filter(one => {
    const text = document.createRange()
    text.selectNodeContents(one)
    return one.checkVisibility({contentVisibilityAuto: true}) && text.getClientRects().length > 1
}).length"""
TABLES = "[...document.querySelectorAll('table')].map(one => [...one.tBodies[0].rows].map(row => [...row.cells].map(cell => cell.textContent)))"
LAST_SECTION = "h2:nth-of-type(2) ~ .part"


@pytest.fixture(scope="module")
def report(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 rows, every verdict among them, and what changed since the report before."""
    office = CredentialingOffice(tmp_path_factory.mktemp("office"), town)
    restricted = (Restriction(code="no_schedule_2", text="No controlled substances of Schedule II", starts=date(2025, 1, 1)),)
    rows, items = [], []
    for number in range(48):
        name = PersonName(family=FAMILIES[number % len(FAMILIES)], given=GIVEN[number % len(GIVEN)])
        item = town.issue(name=name, restrictions=restricted if number % 8 == 3 else ())
        row = office.collect(item)[0].removeprefix(NAME)
        rows.append(",".join('"' + text.replace('"', '""') + '"' for text in (name.family, name.given)) + row)
        items.append(item)
    foreign = "did:webvh:QmQL8DZYTSgnuLBLAaDfZpet1VxejbafP8HT6osCdvSgkA:nowhere.example"
    (office.folder / "unknown.json").write_bytes(town.logged(town.signed(town.draft(issuer=foreign), method=f"{foreign}#key")).to_json())
    rows += [
        f"{NAME},,,,unknown.json", f"{NAME},1234567890,,,", f'{NAME},"open', f"{NAME},,,,../../etc/passwd", f"{NAME},,{'9' * 60},NC,",
        f"{NAME},,,,https://elsewhere.example/{'x' * 200}", "\u202eEvil,Ann,,1,NC,", *(f"New,Person,,N-{number},NC," for number in range(5)),
    ]  # fmt: skip
    office.write(*rows[:40])
    office.verify("before")
    for item in items[4:20:4]:
        town.board.suspend(item, reason="order")
    office.write(*rows)
    made = office.verify(before="before")
    assert made.document["roster"]["rows"] == 60
    assert all(made.document["verdicts"].values())
    return office.folder / "report"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(autouse=True)
def _quiet_browser(request: pytest.FixtureRequest) -> None:
    if "browser" in request.fixturenames:
        opened: Browser = request.getfixturevalue("browser")
        opened.said.clear()
        opened.wanted.clear()


def test_the_browser_tells_of_what_a_page_wants_and_says(browser: Browser, tmp_path: Path) -> None:
    """Else the silence in the other tests would mean nothing."""
    (tmp_path / "x.html").write_text("<!DOCTYPE html><img src='https://elsewhere.example/x.png'><script>console.log('hello'); alert(1); nothing()</script>")
    browser.open((tmp_path / "x.html").as_uri())
    assert "https://elsewhere.example/x.png" in browser.wanted.values()
    assert {"['hello']", "dialog: 1", "Uncaught"} <= set(browser.said)


def test_every_row_is_on_the_page_and_nothing_is_run_or_loaded(browser: Browser, report: Path) -> None:
    address = (report / "report.html").as_uri()
    browser.open(address)
    assert list(browser.wanted.values()) == [address]
    assert browser.said == []
    assert browser.ask("[document.scripts.length, document.images.length, document.links.length, document.forms.length]") == [0, 0, 0, 0]
    assert browser.ask("document.querySelector('meta[http-equiv=Content-Security-Policy]').content").startswith("default-src 'none'")
    urgent, everybody = browser.ask(TABLES)
    results = list(RosterReportFolder.open(report).rows())
    assert [(int(cells[0]), cells[4]) for cells in everybody] == [(result["row"], result["verdict"]) for result in results]
    assert everybody[2][1] == "<script>alert(1)</script>, \u05d3\u05d5\u05d3"
    assert everybody[4][6] == "changed, was accept"
    shown = {int(cells[0]) for cells in urgent}
    assert shown == {result["row"] for result in results if result["verdict"] != "accept" or result["change"] == "changed"}
    assert all(cells[5] for cells in urgent if cells[4] != "accept")


def test_a_policy_of_the_page_would_stop_a_script(browser: Browser, report: Path, tmp_path: Path) -> None:
    """Should an escape ever be forgotten."""
    forgotten = "<script>alert(1)</script><img src='https://elsewhere.example/x'><base href='https://elsewhere.example/'><h1>"
    (tmp_path / "x.html").write_text((report / "report.html").read_text().replace("<h1>", forgotten))
    address = (tmp_path / "x.html").as_uri()
    browser.open(address)
    assert not any("dialog" in one for one in browser.said)
    assert any("Content Security Policy" in one for one in browser.said)
    assert list(browser.wanted.values()) == [address]
    assert browser.ask("document.baseURI") == address


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut_off(browser: Browser, report: Path, width: int) -> None:
    browser.open((report / "report.html").as_uri(), width)
    assert browser.ask("document.documentElement.scrollWidth") <= width
    assert browser.ask(CUT_OFF) == []
    assert browser.ask(BROKEN_VERDICTS) == 0


def test_on_a_telephone_each_cell_says_what_it_is(browser: Browser, report: Path) -> None:
    browser.open((report / "report.html").as_uri(), 390)
    cells = browser.ask("[...document.querySelector('tbody tr').cells].filter(it => it.offsetWidth).map(it => getComputedStyle(it, '::before').content)")
    assert {'"Practitioner"', '"Verdict"', '"Reasons"'} <= set(cells)
    assert browser.ask("Math.max(...[...document.querySelectorAll('tr')].map(one => one.offsetHeight))") < 400


def test_names_of_either_direction_stay_in_their_order(browser: Browser, report: Path) -> None:
    browser.open((report / "report.html").as_uri())
    places = browser.ask(
        "[...document.querySelectorAll('td')].filter(it => it.querySelectorAll('bdi').length == 2)"
        ".map(it => [...it.querySelectorAll('bdi')].map(one => one.getClientRects()[0])).map(([one, other]) => [one.top, one.left, other.top, other.left])"
    )
    assert len(places) > 60
    assert all((top, left) < (other_top, other_left) for top, left, other_top, other_left in places)


def test_it_is_printed_on_few_pages_each_with_the_names_of_the_columns(browser: Browser, report: Path) -> None:
    browser.open((report / "report.html").as_uri())
    assert 4 <= len(re.findall(rb"/Type /Page\b", browser.pdf())) <= 8
    browser.call("Emulation.setEmulatedMedia", media="print")
    try:
        assert browser.ask("getComputedStyle(document.querySelector('thead')).display") == "table-header-group"
        assert browser.ask(CUT_OFF) == []
    finally:
        browser.call("Emulation.setEmulatedMedia", media="")


def test_a_hospitals_5_000_rows_are_there_at_once(browser: Browser, report: Path, tmp_path: Path) -> None:
    opened = RosterReportFolder.open(report)
    rows = list(opened.rows())
    with (tmp_path / "report.html").open("wb") as file:
        file.writelines(page(opened.header.document, lambda: (rows[number % len(rows)] | {"row": number} for number in range(5_000))))
    began = time.monotonic()
    browser.open((tmp_path / "report.html").as_uri())
    assert time.monotonic() - began < 20
    assert browser.ask(f"[...document.querySelectorAll('{LAST_SECTION} td.row')].map(cell => +cell.textContent)") == list(range(5_000))
    assert browser.ask(f"document.querySelectorAll('{LAST_SECTION}').length") == 10
    assert browser.said == []
