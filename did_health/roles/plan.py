"""Planning: what a document needs to be verified. Pure; called again with what was fetched until nothing is missing."""

from __future__ import annotations

from did_health.errors import FormatError, ResolutionError, UnsupportedError
from did_health.roles.documents import Document, Part
from did_health.roles.evidence import Need
from did_health.roles.facts import Facts, did_of
from did_health.vc.credential import Credential
from did_health.vc.status import StatusEntry


def missing(document: Document, facts: Facts) -> tuple[Need, ...]:
    """What ``facts`` do not have yet, each URL once; nothing for parts that are malformed, which verification will refuse anyway."""
    needs: dict[str, Need] = {}
    for part in document.parts:
        needs.update((need.url, need) for need in _of_credential(part, facts))
    presentation = document.presentation
    if presentation is not None:
        for proof in presentation.proofs:
            method = proof.get("verificationMethod")
            if isinstance(method, str):
                needs.update((need.url, need) for need in _of_did(method, facts))
    return tuple(needs.values())


def _of_did(url: str, facts: Facts) -> list[Need]:
    try:
        return facts.needs_of_did(did_of(url))
    except (FormatError, ResolutionError, UnsupportedError):
        return []


def _of_credential(part: Part, facts: Facts) -> list[Need]:
    try:
        credential = Credential.parse(part.credential)
    except FormatError:
        return []
    needs = _of_did(credential.issuer_id, facts)
    needs += _of_did(facts.registry_authority, facts)
    for resource in credential.types:
        if resource != "VerifiableCredential":
            needs += facts.needs_of_record(credential.issuer_id, resource)
    for raw in credential.status_entries:
        try:
            entry = StatusEntry.parse(raw)
        except (FormatError, UnsupportedError):
            continue
        needs += facts.needs_of_status_list(entry.list_url)
    return needs
