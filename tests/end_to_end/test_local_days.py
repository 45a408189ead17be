"""Days as boards write them, in the states where they lie: orders, restrictions and a licence's last day begin and end by the clocks there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest

from did_health.health.board_orders import BoardOrder, OrderAction
from did_health.health.fhir.practitioners import LicenseDefaults
from did_health.health.fhir.rows import Imported
from did_health.health.license_csv import read_licenses_csv
from did_health.health.local_days import local_days
from did_health.health.physician_license import PhysicianLicense
from did_health.health.restrictions import Restriction, Scope
from did_health.roles.issuer import Board, Issued
from tests.town import Town

LAST = date(2026, 12, 31)
NEXT = date(2027, 1, 1)
MINUTE = timedelta(minutes=1)
NUMBERS = count(1)


@pytest.fixture
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    town = Town(tmp_path_factory.mktemp("days"), seed="days")
    town.clock.time = datetime(2026, 12, 30, tzinfo=UTC)
    yield town
    town.close()


@pytest.fixture(params=["US-NC", "US-GU", "US-TN"])
def board(request: pytest.FixtureRequest, town: Town) -> Board:
    return town.directory.create_board("days", title="State Board", jurisdiction=request.param, professions=["MD"])


def codes_at(town: Town, issued: Issued, moment: datetime, **act: str) -> tuple[str, ...]:
    town.clock.time = moment
    return town.show(issued, **act).codes


def order(*actions: OrderAction) -> BoardOrder:
    return BoardOrder(id=f"2026-{next(NUMBERS)}", issued=date(2026, 12, 1), effective=LAST, entity="Board", actions=actions)


def test_a_restriction_holds_on_its_first_and_last_day_in_its_state(town: Town, board: Board) -> None:
    restriction = Restriction("no_schedule_2", "No Schedule II", LAST, LAST, Scope(schedules=("2",)))
    issued = town.issue(board=board, restrictions=(restriction,))
    days, act = local_days(board.details.jurisdiction), {"purpose": "prescribe", "schedule": "2"}
    assert codes_at(town, issued, days.begins(LAST) - MINUTE, **act) == ()
    assert codes_at(town, issued, days.begins(LAST), **act) == ("act_restricted",)
    assert codes_at(town, issued, days.ends(LAST) - MINUTE, **act) == ("act_restricted",)
    assert codes_at(town, issued, days.ends(LAST), **act) == ()


@pytest.mark.parametrize("place", [["US-NC"], {"US-NC": 1}, 7, None, "US-XX", "US"])
def test_a_restriction_of_no_known_place_holds_while_it_is_its_day_anywhere(town: Town, place: object) -> None:
    restriction = Restriction("no_schedule_2", "No Schedule II", LAST, LAST, Scope(schedules=("2",)))
    board = {"id": town.board.did, "name": "Board", "jurisdiction": place}
    made = town.made(by=town.board.institution, subject={"board": board, "restrictions": [restriction.to_json()]})
    days = local_days(None)
    for moment, forbidden in ((days.begins(LAST) - MINUTE, False), (days.begins(LAST), True), (days.ends(LAST) - MINUTE, True), (days.ends(LAST), False)):
        assert ("act_restricted" in codes_at(town, made, moment, purpose="prescribe", schedule="2")) is forbidden


def test_an_order_of_one_day_suspends_for_that_day_in_its_state(town: Town, board: Board) -> None:
    issued, days = town.issue(board=board), local_days(board.details.jurisdiction)
    board.docket.enter_order(issued.id, order(OrderAction("suspended", LAST, LAST)), by="clerk")
    for moment, codes in (
        (days.begins(LAST) - MINUTE, set()),
        (days.begins(LAST), {"suspended", "license_suspended"}),
        (days.ends(LAST) - MINUTE, {"suspended", "license_suspended"}),
        (days.ends(LAST), set()),
    ):
        town.clock.time = moment
        board.docket.tick()
        assert set(codes_at(town, issued, moment)) == codes, moment


def test_a_reinstatement_waits_until_its_day_has_begun_everywhere_in_the_state(town: Town, board: Board) -> None:
    issued, days = town.issue(board=board), local_days(board.details.jurisdiction)
    board.suspend(issued, reason="an order")
    (lifted,) = board.docket.enter_order(issued.id, order(OrderAction("active", NEXT)), by="clerk")
    assert lifted.effective == days.has_begun(NEXT)
    for moment, verdict in ((days.has_begun(NEXT) - MINUTE, "refuse"), (days.has_begun(NEXT), "accept")):
        town.clock.time = moment
        board.docket.tick()
        assert town.show(issued).verdict == verdict


def test_an_imported_licence_is_good_on_its_last_day_in_its_state(town: Town, board: Board) -> None:
    defaults = LicenseDefaults(date(2020, 1, 1), datetime(2030, 1, 1, tzinfo=UTC), jurisdiction=board.details.jurisdiction)
    file = f"family,given,license_number,valid_until\nQqfamily,Zyxwvutsk,SEC-L{next(NUMBERS)},{LAST}\n"
    [row] = read_licenses_csv(file.encode(), defaults=defaults)
    assert isinstance(row, Imported)
    assert isinstance(row.claims, PhysicianLicense)
    issued, days = board.issue(row.claims, to=town.wallet.did), local_days(board.details.jurisdiction)
    assert codes_at(town, issued, days.ends(LAST) - MINUTE) == ()
    assert codes_at(town, issued, days.ends(LAST)) == ("expired",)
