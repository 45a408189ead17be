"""An institution makes, rotates and ends its DID; no crash in between loses a key or leaves the published log behind the ledger."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from did_health.did.document import DIDDocument
from did_health.errors import ConflictError, FormatError, StoreError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, generate
from did_health.ledger.entry import Kind, did_subject, subject_of
from did_health.ledger.log import LoggedEntry, Submission
from did_health.limits import MAX_ANNOUNCED_SERVICES
from did_health.roles.evidence import Need
from did_health.roles.holder import Wallet
from did_health.roles.institution import Institution, InstitutionKeys, announced
from did_health.roles.report import Verdict
from did_health.roles.signing import DOCUMENT_ALGORITHMS, default_suite
from tests.town import Town


class Crash(Exception):
    """Stands for the power going off."""


class CrashingLedger:
    """The town's ledger, until one of its methods meets the crash."""

    def __init__(self, town: Town, crash_at: str) -> None:
        self._ledger, self._crash_at = town.directory.ledger, crash_at
        self.url = self._ledger.url

    def __getattr__(self, name: str) -> Any:
        if name == self._crash_at:
            raise Crash
        return getattr(self._ledger, name)


def kept(saved: list[InstitutionKeys]) -> Callable[[InstitutionKeys], None]:
    return saved.append


@pytest.fixture
def institution(town: Town) -> Institution:
    town.ticking(1)
    made = Institution.create(f"ledger.example/unit-{town.nonce()}", town.directory.ledger, clock=town.clock, random=town.random)
    town.ticking(1)
    return made


def log_list(institution: Institution) -> LoggedEntry:
    """What an institution does with its assertion key."""
    url = f"{institution.base_url}/list"
    (logged,) = institution.submit(institution.entry(Kind.STATUS_LIST, url, json.dumps({"id": url, "issuer": institution.did}).encode()))
    return logged


def reopened(town: Town, institution: Institution, keys: InstitutionKeys | None = None) -> Institution:
    return Institution.open(institution.log.did.log_url, keys or institution.keys, town.directory.ledger, clock=town.clock, random=town.random)


def newest_line(town: Town, institution: Institution) -> LoggedEntry:
    found = town.directory.ledger.latest(did_subject(institution.did))
    assert found is not None
    return found


def published(town: Town, institution: Institution) -> bytes | None:
    return town.directory.ledger.fetch(Need(institution.log.did.log_url))


# ---- made


@pytest.mark.parametrize("algorithm", DOCUMENT_ALGORITHMS)
def test_a_new_institution_is_logged_and_published(town: Town, algorithm: Algorithm) -> None:
    made = Institution.create(f"ledger.example/made-{algorithm.lower()}", town.directory.ledger, clock=town.clock, random=town.random, algorithm=algorithm)
    assert newest_line(town, made).parsed.seq == 0
    assert published(town, made) == made.log.encode()
    assert made.base_url == f"https://ledger.example/made-{algorithm.lower()}"
    assert made.log.latest.next_key_hashes
    assert made.keys.assertion.public_key.algorithm is algorithm


def test_a_key_for_disclosing_parts_is_none_of_an_institution_or_a_wallet(town: Town) -> None:
    for create in (
        lambda: InstitutionKeys.generate(town.random, Algorithm.BLS12381G2),
        lambda: Wallet.create(clock=town.clock, random=town.random, algorithm=Algorithm.BLS12381G2),
        lambda: default_suite(generate(town.random, Algorithm.BLS12381G2)),
    ):
        with pytest.raises(UnsupportedError, match="BLS12381G2 does not sign whole documents"):
            create()


def test_keys_are_read_as_they_were_written() -> None:
    from tests.conftest import repeatable_bytes

    for algorithm in DOCUMENT_ALGORITHMS:
        keys = InstitutionKeys.generate(repeatable_bytes("keys"), algorithm)
        again = InstitutionKeys.parse(keys.to_bytes())
        assert [signer.secret for signer in (again.assertion, again.update, again.next_update)] == [
            signer.secret for signer in (keys.assertion, keys.update, keys.next_update)
        ]


@pytest.mark.parametrize(
    "document", [{}, {"format": "x", "keys": {}}, {"format": "did-health/institution-keys/v1"}, {"format": "did-health/institution-keys/v1", "keys": {}}]
)
def test_what_holds_no_keys_is_refused(document: object) -> None:
    with pytest.raises(FormatError):
        InstitutionKeys.parse(json.dumps(document).encode())


# ---- rotated


def test_rotation_puts_the_committed_key_in_charge_and_retires_the_old_assertion_key(town: Town, institution: Institution) -> None:
    saved: list[InstitutionKeys] = []
    before = institution.keys
    old_method = institution.verification_method
    institution.rotate(kept(saved))
    assert saved == [institution.keys]
    assert institution.keys.update.secret == before.next_update.secret
    assert institution.keys.assertion.secret != before.assertion.secret
    assert newest_line(town, institution).parsed.seq == 1
    assert published(town, institution) == institution.log.encode()
    methods = [method["id"] for method in institution.log.latest.state["verificationMethod"]]
    assert methods == [institution.verification_method] != [old_method]
    assert reopened(town, institution).log.lines == institution.log.lines


def test_services_are_named_while_keys_are_rotated_and_stay_until_others_are(town: Town, institution: Institution) -> None:
    first = {"TRQP": "https://registry.example", "egfURI": "https://registry.example/framework"}
    for services, named in ((first, first), (None, first), ({"TRQP": "https://new.example"}, {"TRQP": "https://new.example"}), ({}, {})):
        town.ticking(1)
        institution.rotate(lambda _: None, services=services)
        document = DIDDocument.parse(institution.log.latest.state)
        assert {one.types[0]: one.endpoints[0] for one in document.services} == named
        assert [one.id for one in document.services] == [f"{institution.did}#{kind}" for kind in named]
    assert reopened(town, institution).log.lines == institution.log.lines


@pytest.mark.parametrize(
    "services",
    [
        {"": "https://a.example"}, {"a b": "https://a.example"}, {"x" * 65: "https://a.example"},
        {"TRQP": "http://a.example"}, {"TRQP": "https://"}, {"TRQP": "https:///x"}, {"TRQP": ""},
    ],
)  # fmt: skip
def test_what_is_no_service_changes_nothing(town: Town, institution: Institution, services: dict[str, str]) -> None:
    saved: list[InstitutionKeys] = []
    with pytest.raises(FormatError):
        institution.rotate(kept(saved), services=services)
    assert (saved, newest_line(town, institution).parsed.seq) == ([], 0)


def test_only_so_many_services_are_announced() -> None:
    most = {f"S{number}": "https://a.example" for number in range(MAX_ANNOUNCED_SERVICES)}
    assert len(announced(most)) == MAX_ANNOUNCED_SERVICES
    with pytest.raises(FormatError):
        announced({**most, "more": "https://a.example"})


def test_rotations_follow_each_other(town: Town, institution: Institution) -> None:
    for _ in range(3):
        town.ticking(1)
        institution.rotate(lambda _: None)
    assert newest_line(town, institution).parsed.seq == 3
    log_list(institution)


def test_rotations_of_one_second_follow_each_other(town: Town) -> None:
    """The ledger's time is in whole seconds; the DID's log is exact where it has to be."""
    town.ticking(1 - town.clock().microsecond / 1_000_000)
    institution = Institution.create("ledger.example/hasty", town.directory.ledger, clock=town.clock, random=town.random)
    town.ticking(0.25)
    institution.rotate(lambda _: None)
    town.ticking(0.25)
    institution.rotate(lambda _: None)
    assert newest_line(town, institution).parsed.seq == 2
    times = [json.loads(line)["versionTime"] for line in institution.log.lines]
    assert [time[:19] for time in times] == [times[0][:19]] * 3
    assert times[2].endswith(".500000Z")
    assert reopened(town, institution).log.lines == institution.log.lines
    # Other tests share this town, and its whole seconds.
    town.ticking(0.5)


def test_keys_that_cannot_be_saved_are_not_logged(town: Town, institution: Institution) -> None:
    def full(_: InstitutionKeys) -> None:
        raise StoreError("there is no room to write", code="store_full")

    before = institution.keys
    with pytest.raises(StoreError):
        institution.rotate(full)
    assert institution.keys is before
    assert newest_line(town, institution).parsed.seq == 0


def test_after_a_crash_between_saving_and_logging_it_is_rotated_again(town: Town, institution: Institution) -> None:
    saved: list[InstitutionKeys] = []
    institution.ledger = CrashingLedger(town, "submit")
    with pytest.raises(Crash):
        institution.rotate(kept(saved))
    assert newest_line(town, institution).parsed.seq == 0
    survivor = reopened(town, institution, saved[-1])
    survivor.rotate(kept(saved))
    assert newest_line(town, survivor).parsed.seq == 1
    assert [method["id"] for method in survivor.log.latest.state["verificationMethod"]] == [survivor.verification_method]
    log_list(survivor)


def test_after_a_crash_between_logging_and_publishing_opening_makes_it_good(town: Town, institution: Institution) -> None:
    saved: list[InstitutionKeys] = []
    institution.ledger = CrashingLedger(town, "publish")
    with pytest.raises(Crash):
        institution.rotate(kept(saved))
    assert newest_line(town, institution).parsed.seq == 1
    survivor = reopened(town, institution, saved[-1])
    assert len(survivor.log.lines) == 2
    assert published(town, survivor) == survivor.log.encode()
    town.ticking(1)
    survivor.rotate(kept(saved))
    assert newest_line(town, survivor).parsed.seq == 2


def test_old_keys_cannot_rotate(town: Town, institution: Institution) -> None:
    old = institution.keys
    for _ in range(2):
        institution.rotate(lambda _: None)
        town.ticking(1)
    with pytest.raises(VerificationError) as refused:
        reopened(town, institution, old).rotate(lambda _: None)
    assert refused.value.code == "wrong_key"


def test_a_log_that_another_process_continued_is_refused(town: Town, institution: Institution) -> None:
    other = reopened(town, institution)
    other.rotate(lambda _: None)
    saved: list[InstitutionKeys] = []
    for again in (lambda: institution.rotate(kept(saved)), institution.deactivate):
        with pytest.raises(ConflictError):
            again()
    assert saved == []
    assert newest_line(town, institution).parsed.content == newest_line(town, other).parsed.content
    assert published(town, institution) == other.log.encode()


# ---- ended


def test_a_deactivated_institution_can_do_nothing_more(town: Town) -> None:
    board = town.directory.create_board(f"ending-{town.nonce()}", title="Ending Board", jurisdiction="US-NC", professions=["MD"])
    issued = board.issue(town.license(), to=town.wallet.did)
    town.ticking(1)
    board.institution.deactivate()
    assert board.institution.log.deactivated
    assert "did_deactivated" in town.judge(issued).codes
    assert town.judge(issued).verdict is Verdict.REFUSE
    with pytest.raises(VerificationError):
        board.issue(town.license(), to=town.wallet.did)
    for again in (board.institution.deactivate, lambda: board.institution.rotate(lambda _: None)):
        with pytest.raises(VerificationError):
            again()


# ---- opened


def forgetful(town: Town, *, without: str) -> Any:
    """The town's ledger, which has forgotten something."""

    class Forgetful(CrashingLedger):
        def fetch(self, need: Need) -> bytes | None:
            return None if without in need.url else town.directory.ledger.fetch(need)

        def latest(self, subject: bytes) -> LoggedEntry | None:
            return None if without == "latest" else town.directory.ledger.latest(subject)

    return Forgetful(town, "")


@pytest.mark.parametrize("without", ["did.jsonl", "latest"])
def test_a_ledger_that_forgot_the_institution_is_told(town: Town, institution: Institution, without: str) -> None:
    with pytest.raises(StoreError) as refused:
        Institution.open(institution.log.did.log_url, institution.keys, forgetful(town, without=without), clock=town.clock, random=town.random)
    assert refused.value.code == "store_corrupt"


def test_a_ledger_that_lost_the_newest_line_is_told(town: Town, institution: Institution) -> None:
    institution.ledger = CrashingLedger(town, "publish")
    with pytest.raises(Crash):
        institution.rotate(lambda _: None)
    with pytest.raises(StoreError) as refused:
        Institution.open(institution.log.did.log_url, institution.keys, forgetful(town, without="/content/"), clock=town.clock, random=town.random)
    assert refused.value.code == "store_corrupt"


# ---- entries


def test_an_entry_follows_the_newest_of_its_subject_and_is_refused_after_another(town: Town, institution: Institution) -> None:
    url = f"{institution.base_url}/list"
    content = json.dumps({"id": url, "issuer": institution.did}).encode()
    entries: list[Submission] = [institution.entry(Kind.STATUS_LIST, url, content) for _ in range(2)]
    institution.submit(entries[0])
    with pytest.raises(ConflictError):
        institution.submit(entries[1])
    followed = institution.submit(institution.entry_about(Kind.STATUS_LIST, subject_of(Kind.STATUS_LIST, url), content))
    assert followed[0].parsed.seq == 1
