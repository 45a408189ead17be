"""Measured: verification of a licence's proof, of all that stands in a licence, and of a presentation of it; always from bytes."""

from __future__ import annotations

from collections.abc import Callable

from did_health.cli.bench.measure import Ratio, Work, in_turns, rotating
from did_health.cli.bench.workshop import AUDIENCE, BATCHES, NONCE, PURPOSES, Workshop, default_licences
from did_health.did.resolution import required_urls, resolve
from did_health.encoding import strict_json
from did_health.encoding.jcs import canonicalizer
from did_health.errors import VerificationError
from did_health.roles.evidence import Evidence
from did_health.roles.report import CheckName, Report, Verdict
from did_health.vc.proofs.data_integrity import verify_proofs

LIMIT_PROOF = 1.5
LIMIT_FULL = 2.2
LIMIT_PRESENTATION = 4.0


def proof(shop: Workshop, yardstick: Work) -> Ratio:
    """The proof alone, with the issuer's DID document at hand."""
    institution, now = shop.board.institution, shop.directory.clock()
    (log_url, *_) = required_urls(institution.did)
    document = resolve(institution.did, {log_url: institution.log.encode()}, now=now).active_document
    licences = [strict_json.dumps(issued.credential) for issued in shop.licences]

    def verify(licence: bytes) -> None:
        received, survey = strict_json.loads_surveyed(licence)
        verify_proofs(
            received,
            lambda method, purpose, _: document.key(method, purpose, now),
            purpose="assertionMethod",
            now=now,
            controller=institution.did,
            canonicalize=canonicalizer(survey),
        )

    detail = f"eddsa-jcs-2022, {_size(licences)}, with {len(PURPOSES)} status lists"
    return _ratio("proof of a licence", rotating(licences, verify), yardstick, LIMIT_PROOF, detail)


def full(shop: Workshop, yardstick: Work) -> Ratio:
    """Every check that can be made of a credential that nobody presents, with the evidence at hand."""
    documents = [issued.to_json() for issued in shop.licences]
    verify = _verification(shop, shop.evidence)
    detail = f"{_size(documents)} with the receipt, of {BATCHES} batches of {len(documents) // BATCHES}"
    return _ratio("full verification of a licence", rotating(documents, verify), yardstick, LIMIT_FULL, detail)


def full_default(shop: Workshop, yardstick: Work) -> Ratio:
    """The same of a licence as boards issue it by default, with a third status list; for information, there is no limit."""
    documents, evidence = default_licences(shop)
    work = rotating(documents, _verification(shop, evidence))
    return _ratio("full verification of a default licence", work, yardstick, None, f"{_size(documents)} with the receipt, with the list of messages")


def presentation(shop: Workshop, yardstick: Work) -> Ratio:
    """The same of a presentation, with its holder's signature."""

    def verify(document: bytes) -> None:
        accepted(shop.verifier.verify(document, audience=AUDIENCE, nonce=NONCE, evidence=shop.evidence))

    return _ratio("presentation of a licence", rotating(shop.presentations, verify), yardstick, LIMIT_PRESENTATION, _size(shop.presentations))


def accepted(report: Report) -> None:
    """Raises ``VerificationError`` for any other verdict: the way to a refusal is another one."""
    if report.verdict is not Verdict.ACCEPT:
        raise VerificationError(f"what was measured is no verification: {', '.join(report.codes)}")


def _verification(shop: Workshop, evidence: Evidence) -> Callable[[bytes], None]:
    def verify(document: bytes) -> None:
        accepted(shop.verifier.verify(document, evidence=evidence, waive=(CheckName.HOLDER_BINDING,)))

    return verify


def _ratio(name: str, work: Work, yardstick: Work, limit: float | None, detail: str) -> Ratio:
    spent, unit = in_turns(work, yardstick)
    return Ratio(f"{name} / U", spent / unit, limit, detail)


def _size(documents: list[bytes] | tuple[bytes, ...]) -> str:
    return f"{sum(map(len, documents)) / len(documents) / 1000:.1f} kB, {len(documents)} different ones"
