"""Verifiers that are ready to use: on an embedded ledger that keeps itself fresh, and over HTTPS."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from did_health import embedded_verifier, web_verifier
from did_health.errors import ConflictError, StoreError, TransportError
from did_health.ledger.entry import did_subject
from did_health.net.verifiers import HEARTBEAT_AFTER, LiveLedger
from did_health.roles.evidence import Evidence, Need
from did_health.roles.nonces import NoncesInMemory
from did_health.roles.report import Verdict
from did_health.roles.verifier import Verifier
from did_health.trust.policy import TrustPolicy
from tests.town import AUDIENCE, Town


class Altered:
    """The town's ledger with some methods replaced."""

    def __init__(self, town: Town, **methods: Any) -> None:
        self._ledger = town.directory.ledger
        self.url = self._ledger.url
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)


def live(town: Town, *, policy: TrustPolicy | None = None, **methods: Any) -> LiveLedger:
    return LiveLedger(Altered(town, **methods), policy or town.directory.policy, town.clock)  # type: ignore[arg-type]


def latest(town: Town) -> Need:
    return Need(town.latest_url(did_subject(town.board.did)))


# ---- a ledger that keeps itself fresh


def test_a_quiet_ledger_is_cosigned_anew_before_a_verification(town: Town) -> None:
    issued = town.issue()
    town.ticking(48 * 3_600)
    report = town.show(issued)
    assert report.verdict is Verdict.ACCEPT
    assert report.as_of == town.clock()


@pytest.mark.parametrize(("past", "beats"), [(timedelta(0), 0), (HEARTBEAT_AFTER, 0), (HEARTBEAT_AFTER + timedelta(seconds=1), 1)])
def test_the_heart_beats_once_after_a_minute_and_for_newest_entries_only(town: Town, past: timedelta, beats: int) -> None:
    town.ticking(1)
    town.directory.ledger.heartbeat()
    count: list[int] = []

    def heartbeat() -> None:
        count.append(1)
        town.directory.ledger.heartbeat()

    source = live(town, heartbeat=heartbeat)
    town.ticking(past.total_seconds())
    assert source.fetch(Need(f"{town.directory.ledger.url}/checkpoint")) is not None
    assert count == []
    for _ in range(3):
        assert source.fetch(latest(town)) is not None
    assert len(count) == beats


@pytest.mark.parametrize("error", [StoreError("too few witnesses", code="quorum_not_met"), ConflictError("another process was first")])
def test_without_its_witnesses_the_old_cosignatures_serve_while_they_are_fresh_enough(town: Town, error: Exception) -> None:
    def heartbeat() -> None:
        raise error

    issued = town.issue()
    source = live(town, heartbeat=heartbeat)
    town.ticking(3_600)
    verifier = embedded_verifier(town.directory, sources=[source])
    assert town.show(issued, verifier=verifier).verdict is Verdict.ACCEPT
    town.ticking(24 * 3_600)
    report = town.show(issued, verifier=verifier)
    assert report.verdict is Verdict.INDETERMINATE
    assert "evidence_stale" in report.codes


def test_a_ledger_that_fails_leaves_the_verification_undecided(town: Town) -> None:
    def fetch(_: Need) -> bytes:
        raise StoreError("the disk is gone", code="store_unavailable")

    source = live(town, fetch=fetch)
    with pytest.raises(TransportError) as refused:
        source.fetch(latest(town))
    assert refused.value.code == "store_unavailable"


def test_an_empty_ledger_and_an_empty_policy_have_nothing_to_beat_for(town: Town) -> None:
    def heartbeat() -> None:
        raise AssertionError

    checkpoint = f"{town.directory.ledger.url}/checkpoint"
    town.ticking(3_600)
    empty = live(town, heartbeat=heartbeat, fetch=lambda need: None if need.url == checkpoint else b"x")
    assert empty.fetch(latest(town)) == b"x"
    assert live(town, heartbeat=heartbeat, policy=TrustPolicy()).fetch(latest(town)) is not None


def test_a_policy_that_believes_other_witnesses_is_refused_and_not_an_error(town: Town, tmp_path: Any) -> None:
    other = Town(tmp_path / "other", "other")
    try:
        issued = town.issue()
        town.ticking(3_600)
        assert live(town, policy=other.directory.policy).fetch(latest(town)) is not None
        verifier = Verifier(other.directory.policy, clock=town.clock, gather=town.verifier._gather)
        assert town.show(issued, verifier=verifier).verdict is Verdict.REFUSE
    finally:
        other.close()


# ---- bound to a directory


def test_other_sources_are_asked_first(town: Town) -> None:
    asked: list[str] = []

    class Silent:
        def fetch(self, need: Need) -> bytes | None:
            asked.append(need.url)
            raise TransportError("no answer")

    verifier = embedded_verifier(town.directory, sources=[Silent()])
    assert town.show(town.issue(), verifier=verifier).verdict is Verdict.ACCEPT
    assert latest(town).url in asked


def test_nonces_can_be_shared_among_verifiers(town: Town) -> None:
    nonces = NoncesInMemory()
    first, second = (embedded_verifier(town.directory, used_nonces=nonces) for _ in range(2))
    presentation = town.wallet.present([town.issue()], audience=AUDIENCE, nonce="shared")
    assert first.verify(presentation, audience=AUDIENCE, nonce="shared").verdict is Verdict.ACCEPT
    assert asyncio.run(second.verify_async(presentation, audience=AUDIENCE, nonce="shared")).codes[0] == "nonce_replayed"


def test_what_cannot_be_fetched_is_told_as_a_failure(town: Town) -> None:
    foreign = town.made(issuer="did:webvh:QmTrdLciQaVfYjVJBejwLNSV2i5PkSW4bK5J7rZcZSinJd:elsewhere.example")
    report = town.judge(foreign)
    assert report.verdict is not Verdict.ACCEPT
    assert any("elsewhere.example" in url for url in getattr(report.evidence, "failures", {}))


# ---- over HTTPS


def test_over_https_nothing_outside_the_guards_is_asked(town: Town) -> None:
    """The town's names lead nowhere, so nothing is had and nothing is decided; an empty policy does not even ask."""
    issued = town.issue()
    verifier = web_verifier(town.directory.policy, clock=town.clock)
    nonce = town.nonce()
    presentation = town.wallet.present([issued], audience=AUDIENCE, nonce=nonce)
    report = verifier.verify(presentation, audience=AUDIENCE, nonce=nonce)
    assert report.verdict is Verdict.INDETERMINATE
    assert "ledger_unavailable" in report.codes
    again = asyncio.run(verifier.verify_async(presentation, audience=AUDIENCE, nonce=nonce))
    assert "ledger_unavailable" in again.codes
    assert "nonce_replayed" in again.codes
    assert web_verifier(TrustPolicy()).verify(presentation).codes == ("policy_empty",)
    assert verifier.missing(presentation, Evidence())
