"""The checks that found nothing against a document, or were left out: their codes and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from did_health.roles.report import Check, CheckName, Outcome

_PASSES: Final[Mapping[str, tuple[CheckName, str]]] = MappingProxyType({
    "presented": (CheckName.PRESENTATION, "the holder signed this presentation for this audience and nonce"),
    "well_formed": (CheckName.DATA_MODEL, "the credential conforms to the data model"),
    "schema_followed": (CheckName.SCHEMA, "the claims follow the credential's schema"),
    "schema_none": (CheckName.SCHEMA, "the credential's type has no schema and it names none"),
    "in_force": (CheckName.VALIDITY, "the credential is within its validity dates"),
    "issuer_known": (CheckName.ISSUER, "the issuer's DID resolves by its newest log"),
    "proof_holds": (CheckName.PROOF, "the issuer signed exactly these claims"),
    "never_logged": (CheckName.RECEIPT, "a person's own word is not logged: nothing of a patient's is on the ledger"),
    "logged": (CheckName.RECEIPT, "the issuing was logged on the ledger"),
    "receipt_logged": (CheckName.RECEIPT, "the receipt was logged on the ledger"),
    "speaks_for_itself": (CheckName.ENTITLEMENT, "the issuer speaks in its own name, which needs no accreditation"),
    "entitled": (CheckName.ENTITLEMENT, "the registry authority lets the issuer issue this"),
    "status_none": (CheckName.STATUS, "the issuer publishes no status of this credential"),
    "status_clear": (CheckName.STATUS, "the newest status lists say nothing against it"),
    "held_by_agent": (CheckName.HOLDER_BINDING, "the credential is about the one who delegated to whoever presents it"),
    "holder_bound": (CheckName.HOLDER_BINDING, "the credential is about the one who presents it"),
    "domain_clear": (CheckName.DOMAIN, "no rule of the domain stands against it"),
})
"""The codes of checks that say nothing against a credential, with the check and its sentence."""


@lru_cache(maxsize=1024)
def passed(code: str, credential: int | None, as_of: datetime | None) -> Check:
    """The check that ``code`` stands for: it says nothing against the credential at that place of the document."""
    name, sentence = _PASSES[code]
    return Check(name, Outcome.PASS, code, sentence, as_of, credential)


@lru_cache(maxsize=1024)
def waived(name: CheckName, credential: int | None) -> Check:
    """The check as the caller left it out."""
    return Check(name, Outcome.WAIVED, "waived", f"the caller left out the check of {name.replace('_', ' ')}", None, credential)
