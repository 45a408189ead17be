"""A board issues all or none, changes statuses with reasons, and publishes every change; whatever a crash cut off is made good."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from did_health.errors import ConflictError, DidHealthError, FormatError, StoreError, UnsupportedError, VerificationError
from did_health.health.issuer_details import Issuer
from did_health.health.pharmacy import Pharmacy
from did_health.health.status_messages import MESSAGES
from did_health.keys import Algorithm
from did_health.ledger.entry import Kind, subject_of
from did_health.roles.authority import RegistryAuthority
from did_health.roles.evidence import Need
from did_health.roles.issuer import Board, Issued
from did_health.roles.register import IssuedCredential, Register, StatusChange, StatusListState
from did_health.roles.report import Verdict
from did_health.roles.signing import DOCUMENT_ALGORITHMS
from did_health.roles.status_publisher import PURPOSES, StatusPublisher
from did_health.stores.database import Database
from did_health.stores.register_store import SQLRegister
from did_health.vc.credential import Credential
from did_health.vc.status import StatusListCredential, StatusPurpose
from tests.town import LATER, Town


class Crash(Exception):
    """Stands for the power going off."""


def crashing(thing: object, at: str) -> Any:
    """``thing``, one of whose methods meets the crash."""

    class Crashing:
        def __getattr__(self, name: str) -> Any:
            if name == at:
                raise Crash
            return getattr(thing, name)

    return Crashing()


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    database = Database.open(tmp_path / "register.sqlite")
    yield SQLRegister(database)
    database.close()


@pytest.fixture
def board(town: Town, register: Register) -> Board:
    """A board of its own, not accredited, with a register of its own."""
    institution = town.directory.create_institution(f"issuer-{town.nonce()}", title="A Board", jurisdiction="US-NC")
    return Board(institution, Issuer(institution.did, "A Board", "US-NC"), register)


def published(board: Board, purpose: StatusPurpose = StatusPurpose.REVOCATION) -> bytes | None:
    return board.institution.ledger.fetch(Need(f"{board.institution.base_url}/status/1/{purpose}"))


def on_ledger(board: Board, purpose: StatusPurpose) -> bytes:
    logged = board.institution.ledger.latest(subject_of(Kind.STATUS_LIST, f"{board.institution.base_url}/status/1/{purpose}"))
    assert logged is not None
    return logged.parsed.content


def again(board: Board, register: Register) -> Board:
    """The same board, opened anew."""
    return Board(board.institution, board.details, register)


# ---- issuing


def test_what_is_issued_is_in_the_register_as_it_went_out(town: Town, board: Board) -> None:
    claims = town.license()
    issued = board.issue(claims, to=town.wallet.did)
    row = board.issued(issued)
    assert (row.id, row.issuer, row.type, row.subject) == (issued.id, board.did, "PhysicianLicenseCredential", town.wallet.did)
    assert (row.number, row.issued_at) == (claims.number, town.clock())
    assert json.loads(row.document) == issued.credential
    assert json.loads(row.receipt) == issued.receipt
    assert list(board.all()) == [row]
    assert {entry["statusListIndex"] for entry in issued.credential["credentialStatus"]} == {str(row.index)}
    assert [entry["statusPurpose"] for entry in issued.credential["credentialStatus"]] == [str(purpose) for purpose in PURPOSES]
    assert Issued.parse(issued.to_json()) == issued


def test_validity_begins_now_unless_the_claims_say_when(town: Town, board: Board) -> None:
    credentials = [board.issue(town.license(valid_from=start), to=town.wallet.did).credential for start in (None, datetime(2026, 1, 1, tzinfo=UTC))]
    assert [Credential.parse(credential).valid_from for credential in credentials] == [town.clock(), datetime(2026, 1, 1, tzinfo=UTC)]


@pytest.mark.parametrize("algorithm", DOCUMENT_ALGORITHMS)
def test_boards_sign_with_every_algorithm(town: Town, algorithm: Algorithm) -> None:
    board = town.directory.create_board(f"board-{algorithm.lower()}", title="A Board", jurisdiction="US-NC", professions=["MD"], algorithm=algorithm)
    assert town.show(town.issue(board=board)).verdict is Verdict.ACCEPT


@pytest.mark.parametrize("suite", ["ecdsa-sd-2023", "bbs-2023", "ecdsa-jcs-2019", "no-suite"])
def test_a_board_that_could_issue_nothing_is_not_made(town: Town, suite: str) -> None:
    """Base proofs are for holders alone, and the key is for Ed25519."""
    logged = town.directory.ledger.size
    with pytest.raises(UnsupportedError, match=suite):
        town.directory.create_board("odd-board", title="A Board", jurisdiction="US-NC", professions=["MD"], suite=suite)
    assert "odd-board" not in [one.name for one in town.directory.institutions]
    assert town.directory.ledger.size == logged
    with pytest.raises(UnsupportedError, match=suite):
        Board(town.board.institution, town.board.details, town.board._register, suite=suite)


def test_a_board_can_sign_with_another_suite(town: Town) -> None:
    board = town.directory.create_board("rdfc-board", title="A Board", jurisdiction="US-NC", professions=["MD"], suite="eddsa-rdfc-2022")
    issued = town.issue(board=board)
    assert issued.credential["proof"]["cryptosuite"] == "eddsa-rdfc-2022"
    assert town.show(issued).verdict is Verdict.ACCEPT


def test_many_are_issued_under_one_entry_with_progress(town: Town, board: Board) -> None:
    ledger = town.directory.ledger
    before = ledger.size
    calls: list[tuple[int, int]] = []
    issued = board.issue_many([(town.license(), town.wallet.did) for _ in range(501)], progress=lambda done, total: calls.append((done, total)))
    assert ledger.size == before + 2
    assert calls[0] == (0, 501)
    assert calls[-1] == (501, 501)
    assert len({item.id for item in issued}) == len(set(board_indices(issued))) == 501
    assert [row.id for row in board.all()] == [item.id for item in issued]


def board_indices(issued: tuple[Issued, ...]) -> list[str]:
    return [item.credential["credentialStatus"][0]["statusListIndex"] for item in issued]


def test_each_of_many_is_accepted(town: Town) -> None:
    for item in town.board.issue_many([(town.license(), town.wallet.did) for _ in range(5)]):
        assert town.show(item).verdict is Verdict.ACCEPT


def test_nothing_to_issue_is_nothing_issued(board: Board) -> None:
    assert board.issue_many([]) == ()


def test_a_number_in_force_is_not_issued_again(town: Town, board: Board) -> None:
    claims = town.license()
    first = board.issue(claims, to=town.wallet.did)
    board.suspend(first, reason="an investigation")
    with pytest.raises(ConflictError) as refused:
        board.issue_many([(town.license(), town.wallet.did), (claims, town.stranger.did)])
    assert refused.value.where == "order 1"
    assert len(list(board.all())) == 1


def test_a_revoked_number_is_issued_again_as_often_as_it_is_revoked(town: Town, board: Board) -> None:
    claims = town.license()
    for _ in range(3):
        issued = board.issue(claims, to=town.wallet.did)
        with pytest.raises(ConflictError):
            board.issue(claims, to=town.wallet.did)
        board.revoke(issued, reason="an order")
    assert len(list(board.all())) == 3


def test_the_same_number_twice_among_many_is_refused(town: Town, board: Board) -> None:
    claims = town.license()
    with pytest.raises(ConflictError) as refused:
        board.issue_many([(claims, town.wallet.did), (town.license(), town.wallet.did), (claims, town.stranger.did)])
    assert refused.value.where == "order 2"
    assert list(board.all()) == []


def test_the_same_number_of_another_type_is_another_number(town: Town, board: Board) -> None:
    pharmacy = Pharmacy(name="A Pharmacy", license_number="17", jurisdiction="US-NC", valid_until=LATER)
    board.issue_many([(town.license(license_number="17"), town.wallet.did), (pharmacy, town.stranger.did)])
    assert len(list(board.all())) == 2


def test_facts_without_a_number_are_issued_as_often_as_wanted(town: Town, board: Board) -> None:
    board.issue_many([(town.identity(), town.wallet.did), (town.identity(), town.wallet.did)])
    assert [row.number for row in board.all()] == ["", ""]


ORDERS: dict[str, Callable[[Town], tuple[Any, str]]] = {
    "wrong_jurisdiction": lambda town: (town.license(jurisdiction="US-SC"), town.wallet.did),
    "no_did": lambda town: (town.license(), "Ann"),
    "over_before_it_begins": lambda town: (town.license(valid_until=datetime(2026, 1, 1, tzinfo=UTC)), town.wallet.did),
}


@pytest.mark.parametrize("name", ORDERS)
def test_one_order_that_cannot_be_met_stops_them_all_and_says_which(town: Town, board: Board, name: str) -> None:
    size = town.directory.ledger.size
    with pytest.raises(FormatError) as refused:
        board.issue_many([(town.license(), town.wallet.did), ORDERS[name](town)])
    assert refused.value.where.startswith("order 1")
    assert list(board.all()) == []
    assert town.directory.ledger.size == size


def test_a_board_speaks_for_its_own_institution_only(town: Town, register: Register) -> None:
    details = Issuer(town.other.did, "Another", "US-SC")
    with pytest.raises(ValueError, match="another issuer"):
        Board(town.board.institution, details, register)
    with pytest.raises(ValueError, match="another institution"):
        RegistryAuthority(town.board.institution, details)


@pytest.mark.parametrize("data", [b"{}", b"x", b'{"credential":{},"issuanceReceipt":{}}', b'{"credential":{},"issuanceReceipt":[]}'], ids=repr)
def test_what_is_no_issued_credential_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        Issued.parse(data)


def test_an_issued_credential_needs_a_receipt(town: Town) -> None:
    with pytest.raises(FormatError):
        Issued.parse(json.dumps({"credential": town.issue().credential, "issuanceReceipt": {}}).encode())


# ---- statuses


def test_a_change_is_kept_with_reason_order_and_both_dates(town: Town, board: Board) -> None:
    issued = board.issue(town.license(), to=town.wallet.did)
    since = town.clock() - timedelta(days=3)
    board.suspend(issued, reason="an investigation", order="2026-17", effective=since, state="summary_suspension")
    board.reinstate(issued.id, reason="it ended")
    expected = [
        ("suspension", 1, "an investigation", "2026-17", since),
        ("message", MESSAGES.index("summary suspension"), "an investigation", "2026-17", since),
        ("suspension", 0, "it ended", "", town.clock()),
        ("message", 0, "it ended", "", town.clock()),
    ]
    history = board.history(issued)
    assert [(change.purpose, change.value, change.reason, change.order, change.effective) for change in history] == expected
    assert {change.recorded for change in history} == {town.clock()}


def test_the_register_tells_the_present_state(town: Town, board: Board) -> None:
    issued, other = board.issue_many([(town.license(), town.wallet.did), (town.license(), town.wallet.did)])
    states = [(board.is_suspended(issued), board.is_revoked(issued))]
    board.suspend(issued, reason="r")
    states.append((board.is_suspended(issued), board.is_revoked(issued.id)))
    board.reinstate(issued, reason="r")
    board.revoke(issued, reason="r", state="surrendered")
    states.append((board.is_suspended(issued), board.is_revoked(issued)))
    assert states == [(False, False), (True, False), (False, True)]
    assert not board.is_suspended(other)
    assert not board.is_revoked(other)


def test_what_is_revoked_stays_revoked(town: Town, board: Board) -> None:
    issued = board.issue(town.license(), to=town.wallet.did)
    board.revoke(issued, reason="an order")
    history = board.history(issued)
    for change in (board.reinstate, board.suspend):
        with pytest.raises(ValueError, match="revoked"):
            change(issued, reason="no")
    assert board.history(issued) == history


BAD_CHANGES: dict[str, tuple[type[Exception], Callable[[Board, Issued, datetime], object]]] = {
    "no_reason": (ValueError, lambda board, issued, now: board.suspend(issued, reason=" ")),
    "from_a_date_without_zone": (ValueError, lambda board, issued, now: board.revoke(issued, reason="r", effective=now.replace(tzinfo=None))),
    "suspended_in_no_known_word": (ValueError, lambda board, issued, now: board.suspend(issued, reason="r", state="fired")),
    "suspended_as_revoked": (ValueError, lambda board, issued, now: board.suspend(issued, reason="r", state="revoked")),
    "suspended_as_active": (ValueError, lambda board, issued, now: board.suspend(issued, reason="r", state="active")),
    "revoked_as_retired": (ValueError, lambda board, issued, now: board.revoke(issued, reason="r", state="retired")),
    "never_issued": (KeyError, lambda board, issued, now: board.suspend("urn:uuid:none", reason="r")),
    "revoked_and_never_issued": (KeyError, lambda board, issued, now: board.revoke("urn:uuid:none", reason="r")),
    "asked_and_never_issued": (KeyError, lambda board, issued, now: board.history("urn:uuid:none")),
}


@pytest.mark.parametrize("name", BAD_CHANGES)
def test_a_change_that_cannot_be_made_changes_nothing(town: Town, board: Board, name: str) -> None:
    issued = board.issue(town.license(), to=town.wallet.did)
    before = published(board)
    error, change = BAD_CHANGES[name]
    with pytest.raises(error):
        change(board, issued, town.clock())
    assert board.history(issued) == []
    assert published(board) == before


def test_another_issuers_credential_in_the_same_register_is_not_ones_own(town: Town, board: Board, register: Register) -> None:
    issued = board.issue(town.license(), to=town.wallet.did)
    stranger = Board(town.other.institution, town.other.details, register)
    with pytest.raises(KeyError):
        stranger.revoke(issued, reason="r")
    assert list(stranger.all()) == []


def test_a_credential_of_another_set_of_lists_is_not_touched(town: Town, board: Board, register: Register) -> None:
    row = IssuedCredential("urn:uuid:old", board.did, "T", town.wallet.did, "", "https://old.example/status/1", 5, town.clock(), b"{}", b"{}")
    register.add([row])
    for act in (board.is_revoked, board.is_suspended, lambda name: board.suspend(name, reason="r"), lambda name: board.revoke(name, reason="r")):
        with pytest.raises(StoreError) as refused:
            act("urn:uuid:old")
        assert refused.value.code == "status_set_unknown"
    assert board.history("urn:uuid:old") == []


# ---- the lists


def test_a_set_begins_with_empty_lists_logged_and_published(board: Board) -> None:
    for purpose in PURPOSES:
        document = published(board, purpose)
        assert document is not None
        assert hashlib.sha256(document).digest() == on_ledger(board, purpose)
        listed = StatusListCredential.parse(Credential.parse(document))
        assert not any(listed.status_list.data)
        assert listed.purposes == (purpose,)
    assert published(board, StatusPurpose.REFRESH) is None


def test_a_purpose_that_is_added_later_leaves_the_others_as_they_are(town: Town, board: Board, register: Register) -> None:
    before = {purpose: published(board, purpose) for purpose in PURPOSES}
    Board(board.institution, board.details, register, purposes=list(StatusPurpose))
    assert published(board, StatusPurpose.REFRESH) is not None
    assert {purpose: published(board, purpose) for purpose in PURPOSES} == before
    issued = again(board, register).issue(town.license(), to=town.wallet.did)
    assert len(issued.credential["credentialStatus"]) == len(StatusPurpose)


def test_opening_again_logs_nothing(town: Town, board: Board, register: Register) -> None:
    size = town.directory.ledger.size
    again(board, register)
    assert town.directory.ledger.size == size


def test_only_lists_that_changed_are_logged(town: Town, board: Board) -> None:
    issued = board.issue(town.license(), to=town.wallet.did)
    size, before = town.directory.ledger.size, published(board, StatusPurpose.SUSPENSION)
    board.revoke(issued, reason="r")
    assert town.directory.ledger.size == size + 3
    assert published(board, StatusPurpose.SUSPENSION) == before


@pytest.mark.parametrize("crash_at", ["submit", "publish"])
def test_what_a_crash_left_in_the_register_alone_is_logged_and_published_when_the_board_is_opened(
    town: Town, board: Board, register: Register, crash_at: str
) -> None:
    issued = board.issue(town.license(), to=town.wallet.did)
    ledger = board.institution.ledger
    board.institution.ledger = crashing(ledger, crash_at)
    with pytest.raises(Crash):
        board.revoke(issued, reason="an order")
    board.institution.ledger = ledger
    survivor = again(board, register)
    assert survivor.is_revoked(issued)
    for purpose in PURPOSES:
        document = published(survivor, purpose)
        assert document is not None
        assert hashlib.sha256(document).digest() == on_ledger(survivor, purpose)
    assert published(survivor) == register.status_lists(board.institution.base_url)[f"{board.institution.base_url}/status/1/revocation"].document


def test_what_a_crash_left_unlogged_at_the_beginning_is_logged_later(town: Town, register: Register) -> None:
    institution = town.directory.create_institution(f"issuer-{town.nonce()}", title="A Board", jurisdiction="US-NC")
    ledger, details = institution.ledger, Issuer(institution.did, "A Board", "US-NC")
    institution.ledger = crashing(ledger, "submit")
    with pytest.raises(Crash):
        Board(institution, details, register)
    institution.ledger = ledger
    assert published(Board(institution, details, register)) is not None


def test_a_crash_before_the_register_keeps_nothing(town: Town, board: Board, register: Register) -> None:
    board._register = crashing(register, "add")
    claims = town.license()
    with pytest.raises(Crash):
        board.issue(claims, to=town.wallet.did)
    survivor = again(board, register)
    assert list(survivor.all()) == []
    assert survivor.issue(claims, to=town.wallet.did).id


def test_of_two_processes_that_change_at_once_the_second_is_told_and_nothing_is_lost(town: Town, board: Board, register: Register) -> None:
    first, second = board.issue_many([(town.license(), town.wallet.did), (town.license(), town.wallet.did)])

    class Overtaken:
        """The register, whose lists another process changes right after they were read."""

        def __init__(self) -> None:
            self.reads = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(register, name)

        def change(self, changes: list[StatusChange], lists: list[StatusListState]) -> None:
            again(board, register).revoke(second, reason="the other process")
            register.change(changes, lists)

    board._status._register = Overtaken()  # type: ignore[assignment]
    with pytest.raises(ConflictError):
        board.revoke(first, reason="this process")
    survivor = again(board, register)
    assert survivor.is_revoked(second)
    assert not survivor.is_revoked(first)


def test_an_older_list_is_never_logged_after_a_newer_one(town: Town, board: Board, register: Register) -> None:
    """This process read the register, then another changed a list and logged it, then this one logs."""
    first, second = board.issue_many([(town.license(), town.wallet.did), (town.license(), town.wallet.did)])
    ledger = board.institution.ledger
    overtaken: list[int] = []

    class Overtaken:
        def __getattr__(self, name: str) -> Any:
            return getattr(ledger, name)

        def submit(self, submissions: Any) -> Any:
            if not overtaken:
                overtaken.append(1)
                board.institution.ledger = ledger
                again(board, register).revoke(second, reason="the other process")
                board.institution.ledger = self  # type: ignore[assignment]
            return ledger.submit(submissions)

    board.institution.ledger = Overtaken()  # type: ignore[assignment]
    board.revoke(first, reason="this process")
    state = register.status_lists(board.institution.base_url)[f"{board.institution.base_url}/status/1/revocation"]
    assert on_ledger(board, StatusPurpose.REVOCATION) == hashlib.sha256(state.document).digest()
    assert board.is_revoked(first)
    assert board.is_revoked(second)


def test_a_ledger_that_always_was_overtaken_is_told(town: Town, board: Board, register: Register) -> None:
    issued = board.issue(town.license(), to=town.wallet.did)
    ledger = board.institution.ledger
    tries: list[int] = []

    class Busy:
        def __getattr__(self, name: str) -> Any:
            return getattr(ledger, name)

        def submit(self, _: Any) -> Any:
            tries.append(1)
            raise ConflictError("busy")

    board.institution.ledger = Busy()  # type: ignore[assignment]
    with pytest.raises(ConflictError):
        board.revoke(issued, reason="an order")
    assert 1 < len(tries) < 10
    board.institution.ledger = ledger
    assert again(board, register).is_revoked(issued)


def test_a_second_set_has_lists_of_its_own(board: Board, register: Register) -> None:
    second = StatusPublisher(board.institution, register, "eddsa-jcs-2022", number=2)
    second.open()
    assert {entry["statusListCredential"].rpartition("/")[0] for entry in second.entries(3)} == {f"{board.institution.base_url}/status/2"}
    assert second.value(StatusPurpose.REVOCATION, 3) == 0


# ---- the registry authority


def test_an_authority_logs_its_records_in_one_batch_and_the_newest_counts(town: Town) -> None:
    from did_health.health.board_accreditation import BoardAccreditation

    authority = town.directory.authority()
    accreditations = [
        BoardAccreditation(name="A Board", entity_type="medical_board", jurisdiction="US-NC", resource=resource, valid_until=LATER)
        for resource in ("OneCredential", "TwoCredential")
    ]
    size = town.directory.ledger.size
    records = authority.accredit_many([(accreditation, town.board.did) for accreditation in accreditations])
    assert town.directory.ledger.size == size + 3
    assert [record["credentialSubject"]["resource"] for record in records] == ["OneCredential", "TwoCredential"]
    assert {record["issuer"] for record in records} == {authority.did}
    assert records[0]["validFrom"] == authority.accredit(accreditations[0], entity=town.board.did)["validFrom"]


def test_who_is_no_authority_of_the_ledger_accredits_nobody(town: Town) -> None:
    from did_health.health.board_accreditation import BoardAccreditation

    pretender = RegistryAuthority(town.board.institution, town.board.details)
    accreditation = BoardAccreditation(name="A", entity_type="medical_board", jurisdiction="US-NC", resource="XCredential", valid_until=LATER)
    with pytest.raises(VerificationError):
        pretender.accredit(accreditation, entity=town.board.did)
    with pytest.raises(DidHealthError):
        pretender.accredit(accreditation, entity="nobody")
