"""What states ask of identification at a pickup: a dated table with its source per row.

No row means that no rule is known, not that there is none: then the answer is *unknown*, and what to do is said in ``unknown_rule``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from did_health.errors import FormatError
from did_health.health import fields, jurisdictions
from did_health.health.act import NOT_CONTROLLED, SCHEDULES, Act
from did_health.health.dated_tables import DatedTable, TableSource
from did_health.health.identity_document import DOCUMENT_TYPES

DOCUMENTS: Final = DOCUMENT_TYPES | {
    "GovernmentPhotoIdentification", "OtherPhotoIdentification", "SchoolIdentificationCard", "TribalIdentificationCard",
}
"""The documents that rules name: those that a credential can speak of, and the words of statutes for wider or other kinds."""


class When(StrEnum):
    """When a rule asks for identification, for drugs of its schedules."""

    ALWAYS = "always"
    SOME_DRUGS = "some_drugs"
    """For some drugs or prescriptions, which the source lists."""
    UNKNOWN_PERSON = "unknown_person"
    """Of whoever the pharmacist does not know."""
    CIRCUMSTANCES = "circumstances"
    """Where something makes the pharmacist doubt, such as cash or prescriptions of several prescribers; the source lists them."""
    DISCRETION = "discretion"
    """The law lets the pharmacist ask, and does not oblige them to."""


@dataclass(frozen=True, slots=True)
class IdentificationRule:
    """One state's rule: for drugs of ``schedules``, one of ``documents`` must be shown (none: the source does not list them).

    ``credential_suffices`` says whether the state takes a credential in the place of the document; it is false wherever that is unsettled,
    and a credential is then supplementary. ``note`` is a condition in a few words; ``disputed_by`` are sources that say otherwise.
    """

    jurisdiction: str
    schedules: frozenset[str]
    when: When
    documents: tuple[str, ...]
    credential_suffices: bool
    source: TableSource
    note: str = ""
    disputed_by: tuple[TableSource, ...] = ()


def identification_rules(table: DatedTable) -> tuple[IdentificationRule, ...]:
    """The rules of a table; raises ``FormatError`` for a row that is none."""
    rules = []
    for place, row in enumerate(table.rows):
        where = f"/rows/{place}"
        schedules = fields.json_list(row.get("schedules"), f"{where}/schedules", "schedules")
        documents = fields.json_list(row.get("documents"), f"{where}/documents", "documents")
        for schedule in schedules:
            fields.one_of(schedule, SCHEDULES, f"{where}/schedules", "schedule")
        for document in documents:
            fields.one_of(document, DOCUMENTS, f"{where}/documents", "document")
        suffices = row.get("credentialSuffices", False)
        if not schedules or "documents" not in row or not isinstance(suffices, bool):
            raise FormatError("the rule names no schedule or no list of documents, or does not say whether a credential suffices", where=where)
        rules.append(
            IdentificationRule(
                jurisdictions.check(row.get("jurisdiction"), f"{where}/jurisdiction"),
                frozenset(schedules),
                When(fields.one_of(row.get("when"), frozenset(When), f"{where}/when", "word for when")),
                documents,
                suffices,
                table.source_of(row),
                row.get("note", ""),
                table.disputes_of(row),
            )
        )
    return tuple(rules)


def rules_for(rules: tuple[IdentificationRule, ...], act: Act) -> tuple[IdentificationRule, ...]:
    """The rules that hold for an act; all of its state's where the drug's schedule is not known."""
    here = [rule for rule in rules if rule.jurisdiction == act.jurisdiction]
    return tuple(rule for rule in here if not act.schedule or act.schedule in rule.schedules)


def unknown_rule(found: tuple[IdentificationRule, ...], act: Act) -> str:
    """What to do, in a sentence, where ``found`` says of a drug that is or may be controlled nothing that obliges; empty elsewhere."""
    if act.schedule == NOT_CONTROLLED or any(rule.when is not When.DISCRETION for rule in found):
        return ""
    place = jurisdictions.name_of(act.jurisdiction) if act.jurisdiction else "this state, which was not named,"
    return f"Whether {place} obliges you to see a photo document here is not known: ask for one, or look the law up."
