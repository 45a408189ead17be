"""A pharmacy checks a prescriber who is not there: licence and registration are looked up in public directories, and verified.

    python examples/prescriber_at_fill.py [DIRECTORY]
"""

import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import did_health as dh
from did_health.encoding import strict_json
from did_health.health.local_days import local_days
from did_health.health.prescriber_registration import PrescriberRegistration
from did_health.health.public_listing import Lookup
from did_health.health.restrictions import Restriction
from did_health.roles.board_directory import BoardDirectory, DirectoryAnswer
from did_health.roles.checked_prescriber import CheckedPrescriber
from did_health.roles.prescriber import PrescriberQuestion, check_prescriber


class Directory:
    """A board's public directory in this process. Behind a URL it is what `did-health serve board` serves and `DirectoryClient` asks."""

    def __init__(self, board: dh.Board) -> None:
        self.base_url, self._directory = board.institution.base_url, BoardDirectory.of(board)

    def pages(self, lookup: Lookup) -> Iterator[DirectoryAnswer]:
        yield self._directory.look_up(lookup)


class Clock:
    """The system's clock, and how far the story has run ahead of it."""

    ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def main(directory: str) -> list[str]:
    clock = Clock()
    with dh.open_directory(directory, "a long passphrase", create=True, clock=clock) as town:
        board = town.create_board("nc-medical", title="North Carolina Medical Board", jurisdiction="US-NC", professions=["MD"])
        registrar = town.create_board("registrar", title="Registrar of prescribers", jurisdiction="US", resources=["PrescriberRegistrationCredential"])
        physician, until = town.create_wallet("evans"), datetime(2029, 1, 1, tzinfo=UTC)

        def license_of(*restrictions: Restriction) -> dh.PhysicianLicense:
            return dh.PhysicianLicense(
                name=dh.PersonName(family="Evans", given="Eve"),
                profession="MD",
                license_number="2011-5",
                original_issue_date=date(2011, 1, 1),
                valid_until=until,
                npi="1234567893",
                restrictions=restrictions,
            )

        issued = board.issue(license_of(), to=physician.did)
        schedules = ("2", "2N", "3", "3N", "4", "5")
        ends = clock() + timedelta(days=30)
        registrar.issue(PrescriberRegistration(dea_number="AP5836727", schedules=schedules, state="US-NC", valid_until=ends), to=physician.did)
        directories, verifier = [Directory(board), Directory(registrar)], dh.embedded_verifier(town)

        def ask(state: str, schedule: str, npi: str = "1234567893", exempt: str = "") -> str:
            found = check_prescriber(PrescriberQuestion(npi, state, schedule, exempt=exempt), directories, verifier, clock=town.clock)
            # What is kept of it with the prescription, and shown at the counter when somebody picks up.
            line = CheckedPrescriber.parse(strict_json.dumps(found.to_json())).line
            print(f"{line}, as of {found.as_of:%H:%M}" if found.as_of else line)
            return f"schedule {schedule} in {state}: {' '.join((found.verdict, *found.codes))}"

        seen = [ask("US-NC", "2"), ask("US-VA", "2"), ask("US-NC", "2", npi="1245319599")]
        # The board restricts the licence: it is issued anew, and the newest version counts.
        today = local_days("US-NC").newest_day(town.clock())
        board.reissue(issued, license_of(Restriction("no_schedule_2", "No Schedule II drugs", today)))
        seen += [ask("US-NC", "2"), ask("US-NC", "4"), ask("US-NC", "4", exempt="resident of a hospital")]
        clock.ahead += timedelta(days=31)
        seen.append(ask("US-NC", "4"))
        print(*seen, sep="\n")
    return seen


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
