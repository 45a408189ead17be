from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from did_health.errors import FormatError, TransportError
from did_health.health.public_listing import Lookup
from did_health.limits import MAX_DIRECTORY_PAGES
from did_health.net.board_directory import DirectoryClient
from did_health.roles.board_directory import DirectoryAnswer
from did_health.roles.evidence import Need


class Pages:
    """A directory that always says that there is more, up to a page."""

    def __init__(self, last: int) -> None:
        self.last, self.asked = last, list[str]()

    def fetch(self, need: Need) -> bytes | None:
        self.asked.append(need.url)
        if self.last < 1:
            return None
        return DirectoryAnswer("did:x:y", (), after=str(len(self.asked)) if len(self.asked) < self.last else "").to_json()


def test_what_is_asked() -> None:
    source = Pages(1)
    client = DirectoryClient("https://board.example/nc/", source)
    client.look_up(Lookup(name="O'Neil & Söhne", given="Zoë", type="PhysicianLicenseCredential"), after="7", with_evidence=False)
    asked = urlsplit(source.asked[0])
    assert (asked.netloc, asked.path) == ("board.example", "/nc/licenses")
    expected = {"name": ["O'Neil & Söhne"], "given": ["Zoë"], "type": ["PhysicianLicenseCredential"], "after": ["7"], "evidence": ["false"]}
    assert parse_qs(asked.query) == expected


def test_pages_follow_each_other() -> None:
    source = Pages(3)
    assert [page.after for page in DirectoryClient("https://board.example", source).pages(Lookup(number="1"))] == ["1", "2", ""]
    assert source.asked[-1].endswith("after=2")


def test_a_directory_without_end_is_left() -> None:
    with pytest.raises(FormatError, match="too much"):
        list(DirectoryClient("https://board.example", Pages(MAX_DIRECTORY_PAGES + 1)).pages(Lookup(number="1")))


def test_nothing_there() -> None:
    with pytest.raises(TransportError) as refused:
        DirectoryClient("https://board.example", Pages(0)).look_up(Lookup(number="1"))
    assert refused.value.code == "directory_missing"


@pytest.mark.parametrize("url", ["", "board.example", "ftp://board.example", "https://", "https://a@b.example", "https://b.example?x", "https://" + "x" * 2000])
def test_places_that_are_no_directory(url: str) -> None:
    with pytest.raises(FormatError):
        DirectoryClient(url, Pages(1))
