"""A credentialing office for tests: a folder with a roster, the licences that it collected, and its reports."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from did_health.net.published_licenses import PublishedLicenses
from did_health.net.roster_lookup import RosterLookup
from did_health.net.rosters import RosterOrder, verify_roster
from did_health.roles.evidence import Need
from did_health.roles.issuer import Issued
from did_health.roles.roster.report import RosterReport
from did_health.roles.verifier import Verifier
from did_health.stores.license_files import LicenseFiles
from tests.town import Town

HEADER = "family,given,npi,license_number,state,credential"
NAME = "Qqfamily,Zyxwvutsk"


class Places:
    """A source on a network that is not there: what is published at which URL; an exception is raised."""

    def __init__(self, published: dict[str, bytes | Exception | None]) -> None:
        self.published, self.asked = published, list[str]()

    def fetch(self, need: Need) -> bytes | None:
        self.asked.append(need.url)
        found = self.published.get(need.url)
        if isinstance(found, Exception):
            raise found
        return found


class CredentialingOffice:
    def __init__(self, folder: Path, town: Town) -> None:
        self.folder, self.town = folder, town
        self.licenses = folder / "licenses"
        self.licenses.mkdir(parents=True)
        self.rows: list[str] = []

    @property
    def roster(self) -> Path:
        return self.folder / "roster.csv"

    def write(self, *rows: str) -> None:
        self.roster.write_text("\n".join([HEADER, *rows, ""]))

    def collect(self, *items: Issued) -> list[str]:
        """Keep licences, and give their rows."""
        rows = []
        for item in items:
            number = item.credential["credentialSubject"]["licenseNumber"]
            (self.licenses / f"{number}.json").write_bytes(item.to_json())
            state = item.credential["credentialSubject"]["board"]["jurisdiction"].removeprefix("US-")
            rows.append(f"{NAME},,{number},{state},")
        return rows

    def verify(
        self, report: str = "report", *, before: str | None = None, verifier: Verifier | None = None, published: PublishedLicenses | None = None, **options: Any
    ) -> RosterReport:
        executor, progress = options.pop("executor", None), options.pop("progress", lambda _what, _count: None)
        signer = options.pop("signer", self.town.board.institution)
        order = RosterOrder(self.roster, self.folder / report, None if before is None else self.folder / before, signer, **options)
        index = LicenseFiles([self.licenses], self.folder / "index.sqlite")
        try:
            lookup = RosterLookup(self.folder, (index,), published) if published else RosterLookup(self.folder, (index,))
            return verify_roster(order, verifier or self.town.verifier, lookup, clock=self.town.clock, executor=executor, progress=progress)
        finally:
            index.close()

    def results(self, report: str = "report") -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / report / "rows.ndjson").read_text().splitlines()]

    def verdicts(self, report: str = "report") -> list[tuple[str, list[str]]]:
        return [(row["verdict"], [reason["code"] for reason in row["reasons"]]) for row in self.results(report)]


def failing(after: int) -> Callable[[str, int], None]:
    """A progress that breaks the run off when so many chunks were verified."""
    verified = []

    def progress(what: str, count: int) -> None:
        if what == "Verifying":
            verified.append(count)
            if len(verified) == after:
                raise KeyboardInterrupt

    return progress
