"""Story 6: a pharmacy looks a prescriber up at fill, who is not there; licence and registration have to hold for the state and the drug."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from did_health.errors import FormatError
from did_health.health.npi import mint_test_npi
from did_health.health.restrictions import Restriction
from did_health.roles.board_directory import DirectoryAnswer
from did_health.roles.evidence import Evidence
from did_health.roles.prescriber import PrescriberCheck, PrescriberQuestion, check_prescriber
from did_health.roles.verifier import Verifier
from tests.board_parties import DEA_NUMBERS, PublicBoards

_ordinals = count(1)


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublicBoards]:
    with ExitStack() as stack:
        yield PublicBoards(tmp_path_factory.mktemp("boards"), stack)


@pytest.fixture
def npi() -> str:
    return mint_test_npi(next(_ordinals))


@pytest.fixture(autouse=True)
def _fresh(boards: PublicBoards) -> Iterator[None]:
    """Registrations of one test are not those of the next."""
    yield
    for row in list(boards.dea.all()):
        if not boards.dea.is_revoked(row.id):
            boards.dea.revoke(row.id, reason="the test is over")
    boards.town.wallet = boards.town.directory.create_wallet(f"physician-{next(_ordinals)}")


def outcome(found: PrescriberCheck) -> tuple[str, tuple[str, ...]]:
    return found.verdict, found.codes


def test_a_licensed_and_registered_prescriber_is_accepted(boards: PublicBoards, npi: str) -> None:
    boards.town.issue(npi=npi)
    boards.registered()
    found = boards.check(npi)
    assert outcome(found) == ("accept", ())
    assert [check.code for check in found.checks] == ["license_in_order", "registration_in_order"]
    assert found.as_of is not None
    assert found.to_json()["state"] == "US-NC"


def test_the_evidence_that_comes_along_suffices(boards: PublicBoards, npi: str) -> None:
    boards.town.issue(npi=npi)
    boards.registered()
    offline = Verifier(boards.town.directory.policy, clock=boards.town.clock)
    assert boards.check(npi, verifier=offline).verdict == "accept"


def test_what_is_not_controlled_needs_no_registration(boards: PublicBoards, npi: str) -> None:
    boards.town.issue(npi=npi)
    assert outcome(boards.check(npi, schedule="none", boards=("nc",))) == ("accept", ())


def test_active_in_another_state_only(boards: PublicBoards, npi: str) -> None:
    boards.town.issue(board=boards.va, npi=npi)
    found = boards.check(npi)
    assert outcome(found) == ("refuse", ("license_of_another_state",))
    assert "only for US-VA" in found.checks[0].sentence


def test_a_licence_here_is_not_spoilt_by_one_elsewhere(boards: PublicBoards, npi: str) -> None:
    boards.town.issue(npi=npi)
    elsewhere = boards.town.issue(board=boards.va, npi=npi)
    boards.va.revoke(elsewhere, reason="an order")
    assert boards.check(npi, schedule="none").verdict == "accept"


def test_a_restriction_to_other_schedules(boards: PublicBoards, npi: str) -> None:
    boards.town.issue(npi=npi, restrictions=(Restriction("no_schedule_2", "No Schedule II drugs", boards.town.clock().date()),))
    boards.registered()
    assert outcome(boards.check(npi, schedule="2")) == ("refuse", ("act_restricted",))
    assert outcome(boards.check(npi, schedule="4")) == ("conditional", ("license_restricted",))


def test_a_restriction_that_came_later_is_not_missed_for_the_older_licence(boards: PublicBoards, npi: str) -> None:
    older = boards.town.issue(npi=npi, license_number=f"R-{npi}")
    boards.registered()
    rule = Restriction("no_schedule_2", "No Schedule II drugs", boards.town.clock().date())
    boards.town.ticking(60)
    boards.nc.reissue(older, boards.town.license(npi=npi, license_number=f"R-{npi}", restrictions=(rule,)))
    assert boards.check(npi).codes == ("act_restricted",)


class Hiding:
    """A directory that leaves the newest out."""

    base_url = "https://hiding.example"

    def __init__(self, boards: PublicBoards) -> None:
        self._client = boards.clients["va"]

    def pages(self, lookup: Any) -> Iterator[DirectoryAnswer]:
        for page in self._client.pages(lookup):
            yield DirectoryAnswer(page.issuer, tuple(entry for entry in page.entries if not entry.in_force), evidence=page.evidence)


def test_an_older_licence_alone_says_nothing_where_its_board_says_that_it_is_old(boards: PublicBoards, npi: str) -> None:
    older = boards.town.issue(board=boards.va, npi=npi, license_number=f"R-{npi}")
    boards.va.reissue(older, boards.town.license(npi=npi, license_number=f"R-{npi}"))
    boards.town.ticking(6)
    question = PrescriberQuestion(npi, "US-VA", "none")
    found = check_prescriber(question, [Hiding(boards)], boards.town.verifier, clock=boards.town.clock)
    assert outcome(found) == ("indeterminate", ("newer_version_unknown",))


@pytest.mark.parametrize(("act", "code"), [("suspend", "suspended"), ("revoke", "revoked")])
def test_discipline(boards: PublicBoards, npi: str, act: str, code: str) -> None:
    issued = boards.town.issue(npi=npi)
    getattr(boards.nc, act)(issued, reason="an order")
    found = boards.check(npi, schedule="none")
    assert found.verdict == "refuse"
    assert code in found.codes


def test_an_expired_registration(boards: PublicBoards, npi: str) -> None:
    boards.town.issue(npi=npi)
    boards.registered(valid_until=boards.town.clock() + timedelta(days=1))
    boards.town.clock.move(days=2)
    found = boards.check(npi)
    assert (found.verdict, found.codes) == ("refuse", ("expired",))
    assert found.checks[-1].sentence.startswith("registration:")


@pytest.mark.parametrize(
    ("registration", "code"),
    [({"schedules": ("3", "4")}, "schedule_not_registered"), ({"state": "US-VA"}, "registration_of_another_state")],
)
def test_a_registration_for_something_else(boards: PublicBoards, npi: str, registration: dict[str, Any], code: str) -> None:
    boards.town.issue(npi=npi)
    boards.registered(**registration)
    assert outcome(boards.check(npi)) == ("refuse", (code,))


def test_without_a_registration_it_is_not_known(boards: PublicBoards, npi: str) -> None:
    boards.town.issue(npi=npi)
    assert outcome(boards.check(npi)) == ("indeterminate", ("registration_not_found",))


def test_an_exemption_is_said_and_shown(boards: PublicBoards, npi: str) -> None:
    boards.town.issue(npi=npi)
    found = boards.check(npi, exempt="hospital resident, 1301.22(c)")
    assert outcome(found) == ("conditional", ("exempt_from_registration",))
    assert "hospital resident" in found.checks[-1].sentence
    assert found.to_json()["exempt"] == "hospital resident, 1301.22(c)"


def test_the_number_on_the_prescription_has_to_be_the_licence_holders(boards: PublicBoards, npi: str) -> None:
    boards.town.issue(npi=npi)
    boards.registered(to=boards.town.stranger.did)
    assert outcome(boards.check(npi, dea=DEA_NUMBERS[0])) == ("indeterminate", ("registration_of_another_holder",))
    boards.registered(dea_number=DEA_NUMBERS[1])
    assert boards.check(npi, dea=DEA_NUMBERS[1]).verdict == "accept"
    assert boards.check(npi).verdict == "accept"


def test_nobody_knows_the_prescriber(boards: PublicBoards, npi: str) -> None:
    found = boards.check(npi)
    assert outcome(found) == ("indeterminate", ("license_not_found",))
    assert len(found.checks) == 1


def test_a_board_that_does_not_answer_is_no_refusal(boards: PublicBoards, npi: str) -> None:
    boards.town.issue(board=boards.va, npi=npi)
    silent = f"http://127.0.0.1:{1}"
    found = boards.check(npi, boards=("va", silent))
    assert outcome(found) == ("indeterminate", ("license_directory_unavailable",))
    assert silent in found.checks[0].sentence


def test_a_place_that_is_no_directory_is_one_that_does_not_answer(boards: PublicBoards, npi: str) -> None:
    # The path below it is nothing that the service knows.
    place = f"{boards.clients['nc'].base_url}/elsewhere"
    assert boards.check(npi, boards=(place,)).codes == ("license_directory_unavailable",)


class Forging:
    """A directory that says of somebody else's licence that it is the one asked for."""

    base_url = "https://forging.example"

    def __init__(self, boards: PublicBoards, number: str) -> None:
        self._client, self._number = boards.clients["nc"], number

    def pages(self, lookup: Any) -> Iterator[DirectoryAnswer]:
        yield from self._client.pages(type(lookup)(number=self._number))


def test_another_ones_licence_is_not_taken(boards: PublicBoards, npi: str) -> None:
    boards.town.issue(npi=mint_test_npi(9_999), license_number=f"F-{npi}")
    question = PrescriberQuestion(npi, "US-NC", "none")
    found = check_prescriber(question, [Forging(boards, f"F-{npi}")], boards.town.verifier, clock=boards.town.clock)
    assert found.codes == ("license_not_found",)


def test_old_evidence_is_gathered_anew(boards: PublicBoards, npi: str) -> None:
    boards.town.issue(npi=npi)

    class Without:
        base_url = "https://without.example"

        def pages(self, lookup: Any) -> Iterator[DirectoryAnswer]:
            for page in boards.clients["nc"].pages(lookup):
                yield DirectoryAnswer(page.issuer, page.entries, evidence=Evidence())

    question = PrescriberQuestion(npi, "US-NC", "none")
    assert check_prescriber(question, [Without()], boards.town.verifier, clock=boards.town.clock).verdict == "accept"


@pytest.mark.parametrize(
    "asked",
    [
        {"npi": "1234567890"}, {"state": "NC"}, {"state": ""}, {"schedule": "two"}, {"schedule": ""}, {"dea": "x" * 99}, {"exempt": "x" * 999},
    ],
)
def test_questions_that_mean_nothing(asked: dict[str, str]) -> None:
    with pytest.raises(FormatError):
        PrescriberQuestion(**{"npi": "1234567893", "state": "US-NC", "schedule": "2", **asked})
