"""Who and what the threats to healthcare are tested with: a household and its thief, restrictions, the acts that they forbid."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

from did_health.health.board_orders import BoardOrder, OrderAction
from did_health.health.local_days import local_days
from did_health.health.person_name import PersonName
from did_health.health.pickup_delegation import PickupDelegation
from did_health.health.restrictions import Restriction
from did_health.roles.decision import Decision
from did_health.roles.holder import Wallet
from did_health.roles.issuer import Board, Issued
from tests.town import Town

HOUR = timedelta(hours=1)
NO_SCHEDULE_2 = Restriction("no_schedule_2", "No Schedule II", date(2026, 1, 1))
PRESCRIBING = {"purpose": "prescribe", "schedule": "2"}
PICKUP = {"purpose": "pickup", "schedule": "none"}


def newest(board: Board, issued: Issued) -> Issued:
    """What was issued last under the number of ``issued``."""
    row = board._register.find(board.did, number=board.issued(issued).number, limit=1)[0]
    return Issued(json.loads(row.document), json.loads(row.receipt))


def restricted(board: Board, issued: Issued, *restrictions: Restriction, order: str = "2026-1", code: str = "restricted") -> Decision:
    """An order that restricts a licence from today on."""
    today = local_days(board.details.jurisdiction).newest_day(board.institution.clock())
    action = OrderAction(code, restrictions=restrictions)
    return board.docket.enter_order(issued.id, BoardOrder(id=order, issued=today, effective=today, entity="Board", actions=(action,)), by="clerk")[0]


class Household:
    """A patient with an identity credential, a thief who has a copy of it, and the thief's accomplice."""

    def __init__(self, town: Town, csp: Board) -> None:
        self.patient, self.thief, self.accomplice = (Wallet.create(clock=town.clock, random=town.random) for _ in range(3))
        self.identity = csp.issue(replace(town.identity(), name=PersonName(family="Wwpatient", given="Vvmarker")), to=self.patient.did)
        self.town = town

    def delegation(self, by: Wallet, to: Wallet) -> Issued:
        claims = PickupDelegation(relationship="friend", valid_until=self.town.clock() + timedelta(days=30))
        return by.delegate(claims, to=to.did, random=self.town.random)
