"""The gallery of bad cases: each a function that makes the attempt, with the verdict and the reason that it must get, as data.

None of them may be accepted. Those in which something is merely not known end ``indeterminate``: neither accepted nor refused.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from did_health.cli.demo.counter import AUDIENCE
from did_health.cli.demo.hostile import HostileHolder, signed_with_stolen_key
from did_health.cli.demo.issue import Physician
from did_health.cli.demo.journal import Expected
from did_health.cli.demo.scene import EXPIRED, NOT_YET_VALID, REVOKED, SUSPENDED, Bearer, Scene
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.ledger.entry import Entry, Kind, subject_of
from did_health.ledger.latest import LatestBundle
from did_health.roles.evidence import Evidence
from did_health.roles.issuer import Issued
from did_health.roles.report import Report, Verdict
from did_health.roles.verifier import Verifier
from did_health.trust.policy import DEFAULT_PURPOSE

STEP: Final = "gallery"
SHORT_AGE: Final = timedelta(seconds=2)
"""The oldest evidence that the impatient policy of ``stale_status_list`` takes."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A presentation, and how the pharmacy comes to its report on it."""

    presentation: bytes
    verify: Callable[[], Report]


@dataclass(frozen=True, slots=True)
class Case:
    """One bad case."""

    title: str
    expected: Expected
    attempt: Callable[[Scene], Attempt]


def tampered_claim(scene: Scene) -> Attempt:
    """The holder changes the name in the licence."""
    issued = scene.physician.issued
    forged = copy.deepcopy(issued.credential)
    forged["credentialSubject"]["name"]["family"] += "-Smith"
    wallet = scene.counter.directory.wallet(scene.physician.name)
    wallet.add(Issued(forged, issued.receipt))
    return _shown(scene, Bearer(wallet, Issued(forged, issued.receipt)))


def expired(scene: Scene) -> Attempt:
    """A licence that ended yesterday."""
    return _shown(scene, scene.unhappy[EXPIRED])


def not_yet_valid(scene: Scene) -> Attempt:
    """A licence that begins in a month."""
    return _shown(scene, scene.unhappy[NOT_YET_VALID])


def revoked(scene: Scene) -> Attempt:
    """A licence that the board has revoked."""
    return _shown(scene, scene.unhappy[REVOKED])


def suspended(scene: Scene) -> Attempt:
    """A licence that the board has suspended."""
    return _shown(scene, scene.unhappy[SUSPENDED])


def replayed_nonce(scene: Scene) -> Attempt:
    """A presentation that was accepted a moment ago is sent once more."""
    counter, nonce = scene.counter, scene.counter.nonce()
    presentation = scene.physician.wallet.present([scene.physician.issued], audience=AUDIENCE, nonce=nonce)
    counter.verify(presentation, nonce)
    return Attempt(presentation, lambda: counter.verify(presentation, nonce))


def wrong_audience(scene: Scene) -> Attempt:
    """A presentation made for another pharmacy, which passes it on."""
    nonce = scene.counter.nonce()
    presentation = scene.physician.wallet.present([scene.physician.issued], audience="https://other-pharmacy.example", nonce=nonce)
    return Attempt(presentation, lambda: scene.counter.verify(presentation, nonce))


def wrong_nonce(scene: Scene) -> Attempt:
    """A presentation made for an earlier question."""
    presentation = scene.physician.wallet.present([scene.physician.issued], audience=AUDIENCE, nonce=scene.counter.nonce())
    return Attempt(presentation, lambda: scene.counter.verify(presentation, scene.counter.nonce()))


def anothers_credential(scene: Scene) -> Attempt:
    """A thief presents a physician's licence, copied with its receipt, under a key of his own."""
    issued = scene.physician.issued
    return _by_thief(scene, _thief(scene), issued.credential, issued.receipt)


def issuer_not_accredited(scene: Scene) -> Attempt:
    """A licence, logged and all, of an issuer of whom the registry authority has no record."""
    return _shown(scene, scene.never_accredited)


def wrong_profession(scene: Scene) -> Attempt:
    """A licence of a board that is accredited for another profession."""
    return _shown(scene, scene.other_profession)


def never_logged(scene: Scene) -> Attempt:
    """A licence signed with the board's own key by somebody who stole it, but not logged."""
    thief = _thief(scene)
    return _by_thief(scene, thief, _forged(scene, thief), None)


def borrowed_receipt(scene: Scene) -> Attempt:
    """The same, with the receipt of a licence that was logged."""
    thief = _thief(scene)
    return _by_thief(scene, thief, _forged(scene, thief), scene.physician.issued.receipt)


def stale_status_list(scene: Scene) -> Attempt:
    """All evidence is fresh but for the status lists, which were proved to be the newest some seconds too long ago."""
    counter = scene.counter
    # No step of the demo takes a known time, so what is missing to the limit is waited for. ``now`` is read before the ledger is asked
    # for fresh proofs, so that these cannot be too old however slow the machine is.
    while (now := counter.directory.clock()) - scene.kept_at <= SHORT_AGE + timedelta(seconds=1):
        time.sleep(0.1)
    counter.ground.freshen()
    nonce, presentation, fresh = _rehearsed(scene)
    proofs = _status_list_proofs(scene.physician)
    old = [*proofs, *_contents_of(scene.kept, proofs)]
    evidence = fresh.with_items({url: item for url in old if (item := scene.kept.get(url)) is not None})
    policy = replace(counter.directory.policy, max_age=MappingProxyType({DEFAULT_PURPOSE: SHORT_AGE}))
    impatient = Verifier(policy, clock=counter.directory.clock)
    return Attempt(presentation, lambda: counter.verify(presentation, nonce, verifier=impatient, evidence=evidence, now=now))


def unavailable_status_list(scene: Scene) -> Attempt:
    """The ledger says which status lists are the newest, but nobody hands them out."""
    nonce, presentation, fresh = _rehearsed(scene)
    evidence = fresh.without(_contents_of(fresh, _status_list_proofs(scene.physician)))
    verifier = Verifier(scene.counter.directory.policy, clock=scene.counter.directory.clock)
    return Attempt(presentation, lambda: scene.counter.verify(presentation, nonce, verifier=verifier, evidence=evidence))


CASES: Final[tuple[Case, ...]] = (
    Case("tampered claim", Expected(Verdict.REFUSE, "proof_invalid"), tampered_claim),
    Case("expired", Expected(Verdict.REFUSE, "expired"), expired),
    Case("not yet valid", Expected(Verdict.REFUSE, "not_yet_valid"), not_yet_valid),
    Case("revoked", Expected(Verdict.REFUSE, "revoked"), revoked),
    Case("suspended", Expected(Verdict.REFUSE, "suspended"), suspended),
    Case("replayed nonce", Expected(Verdict.REFUSE, "nonce_replayed"), replayed_nonce),
    Case("wrong audience", Expected(Verdict.REFUSE, "wrong_audience"), wrong_audience),
    Case("wrong nonce", Expected(Verdict.REFUSE, "wrong_nonce"), wrong_nonce),
    Case("someone else's credential", Expected(Verdict.REFUSE, "not_the_holder"), anothers_credential),
    Case("issuer not accredited", Expected(Verdict.REFUSE, "issuer_not_accredited"), issuer_not_accredited),
    Case("issuer of another profession", Expected(Verdict.REFUSE, "wrong_profession"), wrong_profession),
    Case("stolen key, never logged", Expected(Verdict.REFUSE, "not_logged"), never_logged),
    Case("stolen key, borrowed receipt", Expected(Verdict.REFUSE, "receipt_invalid"), borrowed_receipt),
    Case("status list too old", Expected(Verdict.INDETERMINATE, "evidence_stale"), stale_status_list),
    Case("status list not to be had", Expected(Verdict.INDETERMINATE, "status_list_unavailable"), unavailable_status_list),
)


def show_gallery(scene: Scene, cases: Sequence[Case] = CASES) -> None:
    """Make every attempt and record what came of it."""
    journal = scene.counter.journal
    with journal.step("gallery of bad cases") as meter:
        for done, case in enumerate(cases, 1):
            attempt = case.attempt(scene)
            name = f"{STEP}-{done:02d}-{case.attempt.__name__.replace('_', '-')}"
            journal.verified(STEP, case.title, case.expected, attempt.presentation, attempt.verify, name=name, keep_evidence=True)
            meter.update(done, len(cases))


def _shown(scene: Scene, bearer: Bearer) -> Attempt:
    """An honest presentation by whoever holds the licence."""
    nonce = scene.counter.nonce()
    presentation = bearer.wallet.present([bearer.issued], audience=AUDIENCE, nonce=nonce)
    return Attempt(presentation, lambda: scene.counter.verify(presentation, nonce))


def _thief(scene: Scene) -> HostileHolder:
    return HostileHolder(scene.counter.directory.random)


def _forged(scene: Scene, thief: HostileHolder) -> JSONObject:
    directory, physician = scene.counter.directory, scene.physician
    return signed_with_stolen_key(
        physician.board.institution, physician.issued.credential, subject=thief.did, random=directory.random, now=directory.clock()
    )


def _by_thief(scene: Scene, thief: HostileHolder, credential: JSONObject, receipt: JSON) -> Attempt:
    nonce = scene.counter.nonce()
    presentation = thief.present([(credential, receipt)], audience=AUDIENCE, nonce=nonce, now=scene.counter.directory.clock())
    return Attempt(presentation, lambda: scene.counter.verify(presentation, nonce))


def _rehearsed(scene: Scene) -> tuple[str, bytes, Evidence]:
    """``(nonce, presentation, evidence)`` of a presentation in good order, and all that is needed to accept it, gathered just now."""
    nonce = scene.counter.nonce()
    presentation = scene.physician.wallet.present([scene.physician.issued], audience=AUDIENCE, nonce=nonce)
    return nonce, presentation, scene.counter.verify(presentation, nonce, verifier=scene.counter.ground.verifier()).evidence


def _status_list_proofs(physician: Physician) -> tuple[str, ...]:
    """Where the board's ledger proves which version of each of the credential's status lists is the newest."""
    lists = [entry["statusListCredential"] for entry in physician.issued.credential["credentialStatus"]]
    return tuple([f"{physician.board.institution.ledger.url}/latest/{subject_of(Kind.STATUS_LIST, url).hex()}" for url in lists])


def _contents_of(evidence: Evidence, proofs: Sequence[str]) -> list[str]:
    """Where the documents are that these proofs name."""
    urls = []
    for proof_url in proofs:
        item = evidence.get(proof_url)
        if item is not None and item.content is not None:
            newest = LatestBundle.parse(item.content).newest
            if newest is not None:
                urls.append(f"{proof_url.partition('/latest/')[0]}/content/{Entry.parse(newest.entry).content.hex()}")
    return urls
