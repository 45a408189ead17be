"""Which evidence a roster needs: that of its boards once, however many of their licences stand in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.roles.documents import Document, parse_document
from did_health.roles.evidence import Need
from did_health.roles.facts import Facts
from did_health.roles.plan import missing
from did_health.roles.roster.lookup import Claims

BATCH: Final = 24
"""Documents whose needs are gathered together."""


class RosterPlan:
    """Picks the documents that stand for all others: the first of each issuer with the same types and status lists, and every one that
    refers to another credential, as compact licences do.
    """

    def __init__(self) -> None:
        self._seen: set[tuple[str, ...]] = set()

    def pick(self, candidates: Iterable[bytes]) -> list[Document]:
        """Those among ``candidates`` whose evidence is not asked for yet; what cannot be read needs none."""
        picked: list[Document] = []
        for candidate in candidates:
            try:
                document = parse_document(candidate)
            except (FormatError, UnsupportedError, VerificationError):
                continue
            shapes = [_shape(part.credential) for part in document.parts]
            if any(shape is None or shape not in self._seen for shape in shapes):
                self._seen.update(shape for shape in shapes if shape is not None)
                picked.append(document)
        return picked


def needs(documents: Sequence[Document], signer: str | None, facts: Facts) -> list[Need]:
    """What is still missing to verify all of ``documents``, each URL once; ``signer`` (a DID) is who will sign the report."""
    found = {need.url: need for document in documents for need in missing(document, facts)}
    if signer is not None:
        found.update((need.url, need) for need in facts.needs_of_did(signer))
    return list(found.values())


def _shape(credential: JSONObject) -> tuple[str, ...] | None:
    """What two credentials have in common that need the same evidence; ``None`` for one that needs evidence of its own."""
    subject, types, entries = credential.get("credentialSubject"), credential.get("type"), credential.get("credentialStatus", [])
    if type(subject) is not dict or "compact" in subject or type(types) is not list:
        return None
    lists = [_list_of(entry) for entry in (entries if type(entries) is list else [entries])]
    if None in lists:
        return None
    return (Claims.of(credential).issuer, *[str(name) for name in types], "", *[str(url) for url in lists])


def _list_of(entry: JSON) -> str | None:
    url = entry.get("statusListCredential") if type(entry) is dict else None
    return url if type(url) is str else None
