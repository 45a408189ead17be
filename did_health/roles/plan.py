"""Planning: what a document needs to be verified. Pure; called again with what was fetched until nothing is missing."""

from __future__ import annotations

from collections.abc import Collection

from did_health.encoding.strict_json import JSON
from did_health.errors import FormatError, ResolutionError, UnsupportedError, VerificationError
from did_health.roles.documents import Document, Part
from did_health.roles.domain.finding import Reference
from did_health.roles.domain.scopes import SELF_ISSUED
from did_health.roles.domain.table import rules_of
from did_health.roles.evidence import Need
from did_health.roles.facts import Facts, did_of
from did_health.roles.ledger_state import Unproven
from did_health.vc.credential import Credential
from did_health.vc.jose_cose.verify import verify_envelope
from did_health.vc.ledger_revocation import LedgerRevocation, is_ledger_revocation
from did_health.vc.proofs.data_integrity import verify_proofs
from did_health.vc.status import StatusEntry


def missing(document: Document, facts: Facts) -> tuple[Need, ...]:
    """What ``facts`` do not have yet, each URL once; nothing for parts that are malformed, which verification will refuse anyway."""
    needs: dict[str, Need] = {}
    present = {part.credential.get("id") for part in document.parts}
    for part in document.parts:
        needs.update((need.url, need) for need in _of_part(part, facts, present))
    presentation = document.presentation
    if presentation is not None:
        for proof in presentation.proofs:
            method = proof.get("verificationMethod")
            if isinstance(method, str):
                needs.update((need.url, need) for need in _of_did(method, facts))
        if document.secured is not None and isinstance(signer := presentation.holder or presentation.raw.get("iss"), str):
            needs.update((need.url, need) for need in _of_did(signer, facts))
    return tuple(needs.values())


def _of_did(url: str, facts: Facts) -> list[Need]:
    try:
        return facts.needs_of_did(did_of(url))
    except (FormatError, ResolutionError, UnsupportedError):
        return []


def _of_part(part: Part, facts: Facts, present: Collection[JSON]) -> list[Need]:
    """Of a credential, of what the rules of the domain want to know of it, and of the credentials that it refers to."""
    try:
        credential = part.parsed()
    except FormatError:
        return []
    needs = _of_credential(credential, facts)
    for rule in rules_of(credential):
        needs += rule.needs(credential, facts)
        for reference in rule.follows(credential):
            if reference.location and reference.identifier not in present:
                needs += _of_reference(reference, part, credential, facts)
    return needs


def _of_reference(reference: Reference, part: Part, credential: Credential, facts: Facts) -> list[Need]:
    # Whoever presents a credential must not be able to send a verifier to any server: only what its issuer signed is followed.
    if not _is_signed(part, credential, facts):
        return []
    if needs := facts.needs_of_logged_credential(reference.location):
        return needs
    try:
        return _of_credential(facts.logged_credential(reference.location).parsed(), facts)
    except (Unproven, FormatError):
        return []


def _is_signed(part: Part, credential: Credential, facts: Facts) -> bool:
    try:
        records = [facts.record(credential.issuer_id, resource)[0] for resource in credential.kinds]
        if None in records:
            return False
        if part.secured is not None:
            verify_envelope(part.secured.content, part.secured.media_type, facts.assertion_key, now=facts.now)
            return True
        verify_proofs(credential.raw, facts.assertion_key, purpose="assertionMethod", now=facts.now, controller=credential.issuer_id)
    except (VerificationError, FormatError, ResolutionError, UnsupportedError):
        return False
    return True


def _of_credential(credential: Credential, facts: Facts) -> list[Need]:
    needs = _of_did(credential.issuer_id, facts)
    needs += _of_did(facts.registry_authority, facts)
    for resource in credential.kinds:
        if resource not in SELF_ISSUED:
            needs += facts.needs_of_record(credential.issuer_id, resource)
    for raw in credential.status_entries:
        try:
            if is_ledger_revocation(raw):
                needs += facts.needs_of_revocation(LedgerRevocation.parse(raw).subject)
                continue
            entry = StatusEntry.parse(raw)
        except (FormatError, UnsupportedError):
            continue
        needs += facts.needs_of_status_list(entry.list_url)
    return needs
