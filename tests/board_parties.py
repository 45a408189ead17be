"""Boards with public directories behind HTTP: two state boards and a registrar of prescribers, on one ledger."""

from __future__ import annotations

import io
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from did_health.health.prescriber_registration import PrescriberRegistration
from did_health.net.board_directory import DirectoryClient
from did_health.net.fetch import HTTPSource
from did_health.roles.board_directory import BoardDirectory
from did_health.roles.issuer import Board, Issued
from did_health.roles.prescriber import PrescriberCheck, PrescriberQuestion, check_prescriber
from did_health.roles.verifier import Verifier
from did_health.services.board_app import LedgerEvidence, board_app
from did_health.services.json_log import JSONLog
from did_health.services.metrics import Metrics
from did_health.services.rate_limit import RateLimit
from did_health.vc.status import StatusPurpose
from tests.serving import HOST, serving
from tests.town import LATER, Town

DEA_NUMBERS = ("AP5836727", "F91234563")


class PublicBoards:
    """``nc``, ``va`` and ``dea`` with their directories; ``check`` asks all three, or those that are named."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.town = Town(folder, seed="boards")
        stack.callback(self.town.close)
        create = self.town.directory.create_board
        self.va: Board = create("va", title="Virginia Board", jurisdiction="US-VA", professions=["MD"], purposes=tuple(StatusPurpose))
        registration = ["PrescriberRegistrationCredential"]
        self.dea: Board = create("dea", title="Registrar", jurisdiction="US", resources=registration, entity_type="registry")
        self.nc = self.town.board
        self.source = stack.enter_context(HTTPSource(allow_hosts={HOST}))
        self.clients = {name: DirectoryClient(stack.enter_context(serving(self.app(board))), self.source) for name, board in self.boards.items()}

    @property
    def boards(self) -> dict[str, Board]:
        return {"nc": self.nc, "va": self.va, "dea": self.dea}

    def app(self, board: Board) -> Any:
        ledger = self.town.directory.ledger
        evidence = LedgerEvidence(ledger, ledger.url, Verifier(self.town.directory.policy, clock=self.town.clock), self.town.clock)
        directory = BoardDirectory.of(board, evidence)
        return board_app(directory, ready=lambda: None, log=JSONLog("board", io.StringIO()), limit=RateLimit(10_000), metrics=Metrics("board"))

    def registered(self, *, schedules: tuple[str, ...] = ("2", "2N", "3", "3N", "4", "5"), state: str = "US-NC", **changes: Any) -> Issued:
        """A registration of the town's wallet; a number is free again once what had it is revoked."""
        holder = changes.pop("to", self.town.wallet.did)
        claims = {"dea_number": DEA_NUMBERS[0], "schedules": schedules, "state": state, "valid_until": LATER, **changes}
        return self.dea.issue(PrescriberRegistration(**claims), to=holder)

    def check(self, npi: str, *, state: str = "US-NC", schedule: str = "2", boards: tuple[str, ...] = ("nc", "va", "dea"), **more: Any) -> PrescriberCheck:
        # What directories kept for some seconds is read anew.
        self.town.ticking(6)
        clients = [self.clients[name] if name in self.clients else DirectoryClient(name, self.source) for name in boards]
        verifier = more.pop("verifier", self.town.verifier)
        return check_prescriber(PrescriberQuestion(npi, state, schedule, **more), clients, verifier, clock=self.town.clock)
