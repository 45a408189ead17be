"""A board that was opened before its keys were rotated elsewhere writes nothing: neither to its register nor to the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from did_health.errors import ConflictError, VerificationError
from did_health.health.board_orders import BoardOrder, OrderAction
from did_health.health.license_state import LicenseState
from did_health.ledger.entry import did_subject
from did_health.roles.docket import DocketRules
from did_health.roles.institution import Institution
from did_health.roles.issuer import Board, Issued
from did_health.roles.key_change import KeyChange
from did_health.tlog.checkpoint import Checkpoint
from tests.town import Town

RULES = DocketRules(frozenset({"revoked"}), timedelta(hours=1))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    town = Town(Path(tmp_path_factory.mktemp("retired")), seed="retired")
    yield town
    town.close()


class Crash(Exception):
    pass


def crash(*_: object) -> None:
    raise Crash


class Scene:
    """A board with a licence, one decision that waits for a second person and one in force, whose keys were then rotated elsewhere."""

    def __init__(self, town: Town, name: str) -> None:
        self.town, self.name = town, name
        self.old: Board = town.directory.create_board(name, title="T", jurisdiction="US-VA", professions=["MD"], rules=RULES)
        self.issued: Issued = self.old.issue(town.license(), to=town.wallet.did)
        self.held: Issued = self.old.issue(town.license(), to=town.wallet.did)
        self.waiting = self.old.docket.enter(self.issued.id, "revoked", reason="r", by="one").id
        self.standing = self.old.docket.enter(self.issued.id, "probation", reason="r").id
        town.clock.move(seconds=1)
        town.directory.rotate(name)
        self.entries = self.size()

    def refused(self, act: Callable[[], object]) -> None:
        before = self.written()
        with pytest.raises(ConflictError) as refused:
            act()
        assert (refused.value.code, refused.value.where) == ("did_log_not_newest", self.old.did)
        assert "again" in refused.value.hint
        assert self.written() == before
        assert self.size() == self.entries

    def size(self) -> int:
        newest = self.town.directory.ledger.latest(did_subject(self.old.did))
        assert newest is not None
        return Checkpoint.parse(newest.proof.checkpoint.text).size

    def written(self) -> object:
        board = self.town.directory.board(self.name)
        docket = board.docket
        return list(board.all()), board.history(self.issued), docket.history(self.issued.id), board.is_suspended(self.issued), board.is_revoked(self.issued)


@pytest.fixture(scope="module")
def scene(town: Town) -> Scene:
    return Scene(town, "va-medical")


def order(scene: Scene) -> BoardOrder:
    day = scene.town.clock().date()
    return BoardOrder(id="2026-1", issued=day, effective=day, entity="Board of Medicine", actions=(OrderAction(code="suspended"),))


ACTS: dict[str, Callable[[Scene], object]] = {
    "suspend": lambda scene: scene.old.suspend(scene.issued, reason="r"),
    "reinstate": lambda scene: scene.old.reinstate(scene.issued, reason="r"),
    "enter_order": lambda scene: scene.old.docket.enter_order(scene.issued.id, order(scene), by="one"),
    "approve": lambda scene: scene.old.docket.approve(scene.waiting, by="two"),
    "undo": lambda scene: scene.old.docket.undo(scene.standing, by="two", why="r"),
    "issue": lambda scene: scene.old.issue(scene.town.license(), to=scene.town.wallet.did),
    "reissue": lambda scene: scene.old.reissue(scene.issued, scene.town.license(license_number=scene.old.issued(scene.issued).number)),
    "replace_holder": lambda scene: scene.old.replace_holder(scene.held, KeyChange(scene.town.wallet.did, scene.town.stranger.did, scene.town.clock())),
}


@pytest.mark.parametrize("name", ACTS)
def test_nothing_is_written_with_a_retired_key(scene: Scene, name: str) -> None:
    scene.refused(lambda: ACTS[name](scene))


def test_opened_anew_the_board_decides_and_verifiers_see_it(scene: Scene) -> None:
    scene.town.wallet.add(scene.issued)
    board = scene.town.directory.board(scene.name)
    board.suspend(scene.issued, reason="r")
    assert board.docket.state(scene.issued.id) == LicenseState("active", "suspended")
    assert "suspended" in scene.town.show(scene.issued).codes


def test_a_key_that_a_rotation_cut_off_never_put_in_charge_writes_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = scene.town.directory
    scene.town.clock.move(seconds=1)
    with monkeypatch.context() as patched:
        patched.setattr(Institution, "submit", crash)
        with pytest.raises(Crash):
            directory.rotate(scene.name)
    board = directory.board(scene.name)
    before = scene.written()
    with pytest.raises(VerificationError) as refused:
        board.reinstate(scene.issued, reason="r")
    assert refused.value.code == "wrong_key"
    assert "rotate again" in refused.value.hint
    assert scene.written() == before
    directory.rotate(scene.name)
    directory.board(scene.name).reinstate(scene.issued, reason="r")
    assert scene.town.show(scene.issued).codes == ()


def test_a_deactivated_board_decides_nothing(scene: Scene) -> None:
    board = scene.town.directory.board(scene.name)
    scene.town.clock.move(seconds=1)
    board.institution.deactivate()
    with pytest.raises(VerificationError) as refused:
        board.suspend(scene.issued, reason="r")
    assert refused.value.code == "did_deactivated"
