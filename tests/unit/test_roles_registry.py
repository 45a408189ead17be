"""The registry: yes and no with proof, and what cannot be proved is neither."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from did_health.encoding import strict_json
from did_health.errors import FormatError, TransportError
from did_health.ledger.entry import Kind, subject_of
from did_health.ledger.latest import LatestBundle
from did_health.roles.evidence import Need
from did_health.roles.ledger_state import Unproven
from did_health.roles.pins import PinsInMemory
from did_health.roles.report import Outcome
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.witness_policy import WitnessPolicy
from did_health.trust.policy import TrustPolicy
from did_health.trust.registry import record_identifier
from did_health.trust.trqp.answer import Answer
from did_health.trust.trqp.evaluation import NotRecognized
from tests.registry_parties import COMMISSION, LETTER, LICENSE, PHARMACY, UNKNOWN, RegistryTown


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryTown]:
    made = RegistryTown(tmp_path_factory.mktemp("registry"))
    yield made
    made.town.close()


class Altered:
    """The town's ledger, of which ``change`` alters what is at a URL; it may raise."""

    def __init__(self, place: RegistryTown, change: Callable[[str, bytes | None], bytes | None]) -> None:
        self.ledger, self.change = place.town.directory.ledger, change

    def fetch(self, need: Need) -> bytes | None:
        return self.change(need.url, self.ledger.fetch(need))


def code_of(answer: Answer) -> str:
    assert answer.basis is not None
    return answer.basis.code


def test_a_board_is_authorized_by_its_newest_record(place: RegistryTown) -> None:
    answer = place.registry.answer(place.authorization(jurisdiction="US-NC", profession="MD"))
    assert (answer.granted, answer.time_evaluated, code_of(answer)) == (True, place.town.clock(), "stated")
    basis = answer.basis
    assert basis is not None
    newest = place.town.directory.ledger.latest(basis.subject)
    assert newest is not None
    assert newest.parsed.content == basis.digest
    assert basis.subject == subject_of(Kind.REGISTRY_RECORD, record_identifier(place.authority.did, place.board, "issue", LICENSE))
    # What it names is what anybody gets from the ledger.
    data = place.town.directory.ledger.fetch(Need(place.town.latest_url(basis.subject)))
    assert data is not None
    assert basis.checkpoints == (Checkpoint.parse(LatestBundle.parse(data).checkpoint.text),)


def test_a_commission_is_recognized(place: RegistryTown) -> None:
    assert place.registry.answer(place.recognition()).granted
    assert not place.registry.answer(place.recognition(entity=UNKNOWN)).granted
    assert not place.registry.answer(place.recognition(resource=LICENSE)).granted


@pytest.mark.parametrize(
    "changes", [{"entity": UNKNOWN}, {"resource": PHARMACY}, {"action": "verify"}, {"entity": "nc-medical"}, {"entity": COMMISSION, "resource": LETTER}]
)
def test_what_was_never_said_is_proved_to_be_absent(place: RegistryTown, changes: dict[str, str]) -> None:
    answer = place.registry.answer(place.authorization(**changes))
    assert (answer.granted, code_of(answer)) == (False, "not_stated")
    assert answer.basis is not None
    assert (answer.basis.record, answer.basis.digest) == (None, b"")
    assert answer.basis.checkpoints


@pytest.mark.parametrize(
    ("changes", "code"), [({"jurisdiction": "US-SC"}, "wrong_jurisdiction"), ({"profession": "PA"}, "wrong_profession")]
)
def test_a_statement_about_elsewhere_is_a_no(place: RegistryTown, changes: dict[str, str], code: str) -> None:
    assert code_of(place.registry.answer(place.authorization(**changes))) == code


def test_the_time_that_is_asked_about_counts(place: RegistryTown) -> None:
    before, after = place.later(days=-365), place.later(days=365 * 6)
    assert code_of(place.registry.answer(place.authorization(at=before))) == "not_yet_valid"
    assert code_of(place.registry.answer(place.authorization(at=after))) == "ended"
    assert place.registry.answer(place.authorization(at=place.later(days=30))).granted


def test_a_statement_that_was_taken_back_ends_at_once(place: RegistryTown) -> None:
    began = place.town.clock()
    place.state(COMMISSION, action="verify", resource=LETTER, jurisdiction="US", valid_from=began)
    asked = place.authorization(entity=COMMISSION, action="verify", resource=LETTER)
    assert place.registry.answer(asked).granted
    place.town.ticking(10)
    place.state(COMMISSION, action="verify", resource=LETTER, jurisdiction="US", valid_from=began, valid_until=place.later(seconds=-5))
    assert code_of(place.registry.answer(asked)) == "ended"
    assert place.registry.answer(replace(asked, context={"time": "2026-03-01T12:00:01Z"})).granted


def test_it_speaks_for_its_authority_alone(place: RegistryTown) -> None:
    for query in (place.authorization(authority=UNKNOWN), place.authorization(action="recognize"), place.recognition(action="issue")):
        with pytest.raises(NotRecognized):
            place.registry.answer(query)
    with pytest.raises(FormatError):
        place.registry.answer(place.authorization(jurisdiction="everywhere"))


def test_statements_outlive_the_key_that_signed_them(tmp_path: Path) -> None:
    """The authority rotates its keys, to name the registry in its DID document."""
    place = RegistryTown(tmp_path, seed="rotated")
    place.town.ticking(1)
    place.town.directory.rotate("registry", services={"TRQP": "https://registry.example"})
    assert place.registry.answer(place.authorization()).granted
    assert place.opened().answer(place.recognition()).granted
    place.town.close()


def test_a_registry_that_is_stale_says_so(place: RegistryTown) -> None:
    ledger, policy = place.town.directory.ledger, place.town.directory.policy
    ledger.heartbeat()
    at_once = place.opened(policy=replace(policy, max_age={**policy.max_age, "registry": timedelta(minutes=5)}))
    proved = at_once.as_of()
    assert at_once.answer(place.authorization()).granted
    place.town.ticking(301)
    for attempt in (lambda: at_once.answer(place.authorization()), lambda: at_once.answer(place.authorization(entity=UNKNOWN)), at_once.as_of):
        with pytest.raises(Unproven) as unknown:
            attempt()
        assert (unknown.value.outcome, unknown.value.code, unknown.value.as_of) == (Outcome.UNKNOWN, "evidence_stale", proved)
    # The policy's other purposes do not bind it, and new cosignatures make it fresh.
    assert place.registry.answer(place.authorization()).granted
    ledger.heartbeat()
    assert at_once.answer(place.authorization()).granted


def test_a_ledger_that_cannot_be_asked_leaves_it_without_an_answer(place: RegistryTown) -> None:
    def silent(_url: str, _content: bytes | None) -> bytes | None:
        raise TransportError("no connection")

    def without_proof(_url: str, _content: bytes | None) -> bytes | None:
        return None

    for change, code in ((silent, "ledger_unavailable"), (without_proof, "ledger_proof_missing")):
        with pytest.raises(Unproven) as unknown:
            place.opened([Altered(place, change)]).answer(place.authorization())
        assert unknown.value.code == code


def test_nothing_that_a_ledger_could_make_up_becomes_an_answer(place: RegistryTown) -> None:
    """Any of the documents that an answer needs is missing, garbage, or the newest of another subject."""
    subject = place.registry.answer(place.authorization()).basis
    assert subject is not None
    other = place.town.latest_url(subject_of(Kind.REGISTRY_RECORD, record_identifier(place.authority.did, UNKNOWN, "issue", LICENSE)))
    forged = place.town.directory.ledger.fetch(Need(other))
    needed = [place.town.latest_url(subject.subject), f"{place.town.directory.ledger.url}/content/{subject.digest.hex()}", "https://ledger.example/registry/did.jsonl"]
    for altered in needed:
        for content in (None, b"garbage", b"{}", forged):
            registry = place.opened([Altered(place, lambda url, found, altered=altered, content=content: content if url == altered else found)])  # type: ignore[misc]
            with pytest.raises(Unproven):
                registry.answer(place.authorization())


def test_a_record_that_its_author_did_not_sign_is_no_statement(place: RegistryTown) -> None:
    identifier = record_identifier(place.authority.did, UNKNOWN, "issue", PHARMACY)
    answer = place.registry.answer(place.authorization())
    assert answer.basis is not None
    content = place.town.directory.ledger.fetch(Need(f"{place.town.directory.ledger.url}/content/{answer.basis.digest.hex()}"))
    assert content is not None
    record = strict_json.loads_object(content)
    record["credentialSubject"] |= {"id": UNKNOWN, "resource": PHARMACY}
    place.town.log_content(Kind.REGISTRY_RECORD, identifier, strict_json.dumps(record), by=place.authority.institution)
    with pytest.raises(Unproven) as unknown:
        place.registry.answer(place.authorization(entity=UNKNOWN, resource=PHARMACY))
    assert unknown.value.code == "registry_record_not_authentic"


def test_it_does_not_go_back_to_what_a_ledger_showed_before(place: RegistryTown) -> None:
    subject = subject_of(Kind.REGISTRY_RECORD, record_identifier(place.authority.did, COMMISSION, "recognize", LETTER))
    url = place.town.latest_url(subject)
    old = place.town.directory.ledger.fetch(Need(url))
    pins = PinsInMemory()
    place.state("did:web:later.example")
    place.town.ticking(1)
    assert place.opened(pins=pins).answer(place.recognition()).granted
    place.town.ticking(1)
    with pytest.raises(Unproven) as unknown:
        place.opened([Altered(place, lambda asked, found: old if asked == url else found)], pins=pins).answer(place.recognition())
    assert unknown.value.code == "ledger_rolled_back"


def test_a_ledger_of_another_policy_proves_nothing(place: RegistryTown) -> None:
    policy = place.town.directory.policy
    assert policy.ledger is not None
    nobody = replace(policy, ledger=replace(policy.ledger, logs=tuple(replace(log, url="https://ledger.example/other") for log in policy.ledger.logs)))
    with pytest.raises(Unproven):
        place.opened(policy=nobody).answer(place.authorization())


def test_an_authority_that_proves_itself_needs_no_ledger_to_be_in_force(place: RegistryTown) -> None:
    key = place.town.wallet.did
    registry = place.opened(policy=replace(place.town.directory.policy, registry_authority=key))
    assert registry.as_of() == place.town.clock()
    assert not registry.answer(place.authorization(authority=key)).granted


@pytest.mark.parametrize("policy", [TrustPolicy(), TrustPolicy(registry_authority=UNKNOWN), TrustPolicy(WitnessPolicy())])
def test_there_is_no_registry_without_trust(place: RegistryTown, policy: TrustPolicy) -> None:
    with pytest.raises(ValueError, match="empty"):
        place.opened(policy=policy)


def test_the_subject_is_not_guessed(place: RegistryTown, tmp_path: Path) -> None:
    """Four words are one subject: none of them can hold the blank that parts them."""
    answer = place.registry.answer(place.authorization())
    assert answer.basis is not None
    words = f"{place.authority.did} {place.board} issue {LICENSE}"
    assert answer.basis.subject == hashlib.sha256(b"did-health/subject/v1\x00registry-record\x00" + words.encode()).digest()
    with pytest.raises(FormatError):
        place.authorization(entity=f"{place.board} issue", action=LICENSE, resource="x")
