"""A report as FHIR R4: what was verified, and that it was."""

from __future__ import annotations

from did_health.encoding.strict_json import JSONObject
from did_health.health.fhir.export import export
from did_health.health.fhir.verification_results import PrimarySource, VerificationResult
from did_health.health.fhir.writing import URI_SYSTEM, Written, logical, url_of
from did_health.roles.report import CheckName, Report
from did_health.vc.credential import Credential


def fhir_bundle(report: Report, *, validator: str = "") -> tuple[JSONObject, tuple[str, ...]]:
    """A Bundle of the verified claims with a VerificationResult for each credential, and the names of what FHIR does not say of them.

    ``validator`` is the verifier's DID or another URI of it. Raises ``VerificationError`` unless the report was accepted or overridden, as
    ``report.credentials`` does.
    """
    exported = export(report.credentials)
    about = {one.url: one for one in exported.resources}
    results = [_result(report, place, credential, about, validator) for place, credential in enumerate(report.credentials)]
    return exported.bundle(report.verified_at, *results), exported.unsaid


def _result(report: Report, place: int, credential: Credential, about: dict[str, Written], validator: str) -> Written:
    did = credential.subject_id or ""
    found = next((about[url] for kind in ("Practitioner", "Patient", "Organization") if (url := url_of(kind, did)) in about), None)
    status = next((check for check in report.checks if check.name is CheckName.STATUS and check.credential == place), None)
    url = url_of("VerificationResult", f"{credential.id} {report.verified_at.isoformat()}")
    result = VerificationResult(
        target=found.reference if found else logical(URI_SYSTEM, did, kind="Person"),
        verdict=str(report.verdict),
        at=report.verified_at,
        sources=(PrimarySource(credential.issuer_id, asked_at=status.as_of if status else None),),
        validator=validator,
        reasons=tuple(dict.fromkeys((check.code, check.sentence) for check in report.reasons if check.credential in (None, place))),
        rests_on=[("credential", {"id": credential.id})] if credential.id else (),
    )
    return Written(url, result.to_json(url))
