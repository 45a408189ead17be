"""A report's rows as FHIR R4 VerificationResult (``health.fhir.verification_results``), in a Bundle of type collection.

The target is the practitioner by NPI, else by licence number. What FHIR has no element for stands in extensions; only a credential that could be
looked at has a primary source.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Final

from did_health.encoding import timestamps
from did_health.encoding.strict_json import JSONObject
from did_health.health.fhir.verification_results import PERIODIC, PrimarySource, VerificationResult
from did_health.health.fhir.writing import NPI_SYSTEM, identifier, instant, url_of
from did_health.roles.roster.result import words_of

BUNDLE_END: Final = b"\n]}\n"
_ROW: Final = ("row", "credential", "credentialDigest", "registryRecord", "policy", "change", "asOf")


def bundle_start(made_at: datetime) -> bytes:
    """What comes before the entries, which commas separate; ``BUNDLE_END`` ends the Bundle."""
    return f'{{"resourceType":"Bundle","type":"collection","timestamp":"{instant(made_at)}","entry":[\n'.encode()


def bundle_entry(result: JSONObject, place: int, *, made_at: datetime, next_scheduled: date, frequency_days: int, made_by: str) -> JSONObject:
    """The entry of one row (see ``result``), the ``place``-th of the report; ``made_by`` is a DID, empty if nobody signed."""
    issuer, as_of = result.get("issuer"), result.get("asOf")
    url = url_of("VerificationResult", f"{result['key']} {place} {instant(made_at)}")
    asked_at = timestamps.parse(as_of) if as_of else None
    written = VerificationResult(
        target=_target(result),
        verdict=result["verdict"],
        at=made_at,
        sources=[PrimarySource(issuer, kind="lic-board", asked_at=asked_at)] if issuer else [],
        validator=made_by,
        need=PERIODIC,
        every_days=frequency_days,
        next_on=next_scheduled,
        reasons=[(reason["code"], words) for reason, words in zip(result["reasons"], words_of(result), strict=True)],
        rests_on=list(_rests_on(result)),
    )
    return {"fullUrl": url, "resource": written.to_json(url)}


def _target(result: JSONObject) -> JSONObject | None:
    name = " ".join(filter(None, (result.get("given"), result.get("family"))))
    target: JSONObject = {"type": "Practitioner", "display": name}
    if npi := result.get("npi"):
        target["identifier"] = identifier(NPI_SYSTEM, npi)
    elif number := result.get("licenseNumber"):
        target["identifier"] = identifier("", number, kind="SL", state=result.get("state", ""))
    return target if name else None


def _rests_on(result: JSONObject) -> Iterator[tuple[str, dict[str, str]]]:
    yield "roster-row", {name: str(result[name]) for name in _ROW if result.get(name)}
    for one in result.get("statusLists", []):
        yield "status-list", _texts(one)
    if tree := result.get("checkpoint"):
        yield "checkpoint", _texts(tree)


def _texts(parts: JSONObject) -> dict[str, str]:
    return {name: str(value) for name, value in parts.items()}
