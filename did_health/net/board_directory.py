"""Asking a board's public directory."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from did_health.errors import FormatError, TransportError
from did_health.health.public_listing import Lookup
from did_health.limits import MAX_DIRECTORY_BYTES, MAX_DIRECTORY_PAGES, MAX_URL_CHARACTERS
from did_health.roles.board_directory import LICENSES, DirectoryAnswer
from did_health.roles.evidence import Need, Source


class DirectoryClient:
    """The directory at ``base_url``; ``source`` (such as ``net.fetch.HTTPSource``) says where requests may go, and makes them."""

    def __init__(self, base_url: str, source: Source) -> None:
        scheme, _, place = base_url.partition("://")
        if scheme not in ("https", "http") or not place or any(character in place for character in "?#@ ") or len(base_url) > MAX_URL_CHARACTERS // 2:
            raise FormatError("this is no URL of a directory", hint="Write it as https://board.example/nc-medical")
        self.base_url = base_url.rstrip("/")
        self._source = source

    def look_up(self, lookup: Lookup, *, after: str = "", with_evidence: bool = True) -> DirectoryAnswer:
        """One page of what is published. Raises ``TransportError`` if the directory does not answer, ``FormatError`` if that is no answer."""
        named = {name: getattr(lookup, name) for name in ("npi", "number", "name", "given", "holder", "type")}
        query = {name: value for name, value in named.items() if value} | ({"after": after} if after else {}) | ({} if with_evidence else {"evidence": "false"})
        answer = self._source.fetch(Need(f"{self.base_url}/{LICENSES}?{urlencode(query)}", MAX_DIRECTORY_BYTES))
        if answer is None:
            raise TransportError("there is no directory at this place", where=self.base_url, code="directory_missing")
        return DirectoryAnswer.parse(answer)

    def pages(self, lookup: Lookup) -> Iterator[DirectoryAnswer]:
        """Page after page; raises as ``look_up``, and ``FormatError`` if there are more than ``MAX_DIRECTORY_PAGES``."""
        after = ""
        for _ in range(MAX_DIRECTORY_PAGES):
            answer = self.look_up(lookup, after=after)
            yield answer
            after = answer.after
            if not after:
                return
        raise FormatError("the directory has too much to say", where=self.base_url, hint="Look for a number instead of a name")
