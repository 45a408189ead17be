"""did:webvh as the resolver sees it (did:webvh 1.0, "Read (Resolve)", "Reading did:webvh DID URLs")."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from did_health.did.did import DID
from did_health.did.document import DIDDocument
from did_health.did.method import DocumentMetadata, Method, Resolution, ResolutionOptions, Resources, resource
from did_health.did.methods.webvh.log import Log, LogReading, read_log
from did_health.did.methods.webvh.services import path_url
from did_health.did.methods.webvh.urls import WebvhDID
from did_health.did.methods.webvh.verification import VerifiedEntry
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, ResolutionError, UnsupportedError, VerificationError


class WebvhMethod:
    """did:webvh; the log to fetch, then the witnesses' proofs, which may be missing (``None``) where a log needs none.

    Deactivation is an answer for the latest version; an earlier version that is asked for is given, with ``deactivated`` in its metadata.
    """

    name: Final = "webvh"

    def urls(self, did: DID) -> tuple[str, ...]:
        parsed = _parse(did)
        return (parsed.log_url, parsed.witness_url)

    def resolve(self, did: DID, resources: Resources, options: ResolutionOptions, now: datetime) -> Resolution:
        parsed = _parse(did)
        reading = read_log(resource(resources, parsed.log_url), resources.get(parsed.witness_url), now=now)
        try:
            entry = reading.version(version_id=options.version_id, version_number=options.version_number, version_time=options.version_time)
        except (FormatError, UnsupportedError, VerificationError) as error:
            if error.code == "witness_threshold_not_met" and parsed.witness_url not in resources:
                raise ResolutionError("the witness proofs were not fetched", where=parsed.witness_url, code="INTERNAL_ERROR") from error
            raise ResolutionError(error.what, where=f"{parsed.log_url} {error.where}", hint=error.hint, code="INVALID_DID") from error
        log = _of(did, reading)
        try:
            document = None if entry.parameters.deactivated else DIDDocument.parse(entry.state)
        except FormatError as error:
            where = f"{parsed.log_url} line {entry.version_number}, /state{error.where}"
            raise ResolutionError(error.what, where=where, hint=error.hint, code="INVALID_DID_DOCUMENT") from error
        return Resolution(did, document, document_metadata(log, entry, did))

    def path_urls(self, document: DIDDocument, path: str) -> tuple[str, ...]:
        return (path_url(WebvhDID.parse(document.id), document.raw, path),)


METHOD: Final[Method] = WebvhMethod()


def document_metadata(log: Log, entry: VerifiedEntry, did: DID) -> DocumentMetadata:
    """The metadata of one version: what is of the DID is that of the log's last entry; numbers are texts, as DID Resolution wants them.

    ``versionNumber`` alone is a number, as the implementations have it.
    """
    following = log.entries[entry.version_number] if entry.version_number < len(log.entries) else None
    parameters = log.parameters
    extra: JSONObject = {
        "versionNumber": entry.version_number,
        "versionTime": entry.entry.unsigned["versionTime"],
        "scid": log.scid,
        "portable": parameters.portable,
        "ttl": str(parameters.ttl),
    }
    if parameters.witness:
        extra["witness"] = {**parameters.witness.to_json(), "threshold": str(parameters.witness.threshold)}
    if parameters.watchers:
        extra["watchers"] = list(parameters.watchers)
    return DocumentMetadata(
        created=log.entries[0].version_time,
        updated=log.latest.version_time,
        deactivated=log.deactivated,
        version_id=entry.version_id,
        next_update=following.version_time if following else None,
        next_version_id=following.version_id if following else None,
        canonical_id=None if str(log.did) == str(did) else str(log.did),
        extra=extra,
    )


def _parse(did: DID) -> WebvhDID:
    try:
        return WebvhDID.parse(str(did))
    except FormatError as error:
        raise ResolutionError(error.what, where=str(did), hint=error.hint, code="INVALID_DID") from error


def _of(did: DID, reading: LogReading) -> Log:
    """Step 6.1: some version is a document of this DID, so that a log is not believed in the name of another."""
    log = reading.valid
    if log is None or not log.is_known_as(str(did)):
        raise ResolutionError("the log is that of another DID", where=str(did), code="INVALID_DID")
    return log
