from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from did_health.errors import FormatError
from did_health.health.board_orders import BoardOrder, OrderAction
from did_health.health.restrictions import Restriction

DAY = date(2026, 3, 1)
ACTION = OrderAction("suspended", DAY, date(2026, 9, 1), term="six months", stayed=True)
ORDER = BoardOrder(
    id="2026-17",
    issued=DAY,
    effective=DAY,
    entity="Board of Testing",
    actions=(ACTION, OrderAction("restricted", restrictions=(Restriction("chaperone", "With a chaperone", DAY),))),
    bases=("unprofessional conduct",),
    appeal_until=date(2026, 4, 1),
    url="https://board.example/orders/2026-17",
)


def test_an_order_is_read_as_it_was_written() -> None:
    assert BoardOrder.from_json(ORDER.to_json()) == ORDER
    bare = BoardOrder(id="1", issued=DAY, effective=DAY, entity="Board", actions=(OrderAction("probation"),))
    assert BoardOrder.from_json(bare.to_json()) == bare
    assert ORDER.to_json()["actions"][0]["indefinite"] is False


def test_a_stayed_suspension_is_a_state_of_its_own() -> None:
    assert (ACTION.state, replace(ACTION, stayed=False).state) == ("stayed_suspension", "suspended")
    assert OrderAction("probation").indefinite


@pytest.mark.parametrize(
    ("build", "where"),
    [
        (lambda: OrderAction("fired"), "/code"),
        (lambda: OrderAction("suspended", "today"), "/effective"),  # type: ignore[arg-type]
        (lambda: OrderAction("suspended", DAY, date(2026, 2, 1)), "/expires"),
        (lambda: OrderAction("probation", stayed=True), "/stayed"),
        (lambda: OrderAction("probation", term=" "), "/term"),
        (lambda: OrderAction("restricted", restrictions=("none",)), "/restrictions/0"),  # type: ignore[arg-type]
        (lambda: replace(ORDER, id=""), "/id"),
        (lambda: replace(ORDER, actions=()), "/actions"),
        (lambda: replace(ORDER, bases=("",)), "/bases/0"),
        (lambda: replace(ORDER, url="http://board.example"), "/url"),
        (lambda: replace(ORDER, entity=""), "/entity"),
        (lambda: replace(ORDER, appeal_until="soon"), "/appealUntil"),
    ],
)
def test_an_order_with_a_fault_is_refused_by_its_member(build: Any, where: str) -> None:
    with pytest.raises(FormatError) as caught:
        build()
    assert caught.value.where == where


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"actions": 7}, "/actions"),
        ({"actions": [7]}, "/actions/0"),
        ({"actions": [{}]}, "/actions/0/code"),
        ({"actions": [{"code": "suspended", "indefinite": False}]}, "/actions/0/indefinite"),
        ({"actions": [{"code": "suspended", "stayed": "no"}]}, "/actions/0/stayed"),
        ({"actions": [{"code": "suspended", "expires": "never"}]}, "/actions/0/expires"),
        ({"actions": [{"code": "restricted", "restrictions": [{"code": "x"}]}]}, "/actions/0/restrictions/0/text"),
        ({"issued": "1 March"}, "/issued"),
        ({"id": None}, "/id"),
    ],
)
def test_a_received_order_with_a_fault_is_refused_by_its_pointer(change: dict[str, Any], where: str) -> None:
    with pytest.raises(FormatError) as caught:
        BoardOrder.from_json(ORDER.to_json() | change)
    assert caught.value.where == where


@pytest.mark.parametrize("value", [None, [], "order", {}])
def test_what_is_no_order_is_refused(value: object) -> None:
    with pytest.raises(FormatError):
        BoardOrder.from_json(value)
