"""What states ask of identification at a pickup: a dated table with its source per row. No row means that no rule is known, not that there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from did_health.errors import FormatError
from did_health.health import fields, jurisdictions
from did_health.health.act import SCHEDULES, Act
from did_health.health.dated_tables import DatedTable, TableSource
from did_health.health.identity_document import DOCUMENT_TYPES


class When(StrEnum):
    """For which drugs of the schedules a rule asks for identification."""

    ALWAYS = "always"
    SOME_DRUGS = "some_drugs"
    """For some of them, which the source lists."""


@dataclass(frozen=True, slots=True)
class IdentificationRule:
    """One state's rule: for drugs of ``schedules``, one of ``documents`` must be shown.

    ``credential_suffices`` says whether the state takes a credential in the place of the document; it is false wherever that is unsettled,
    and a credential is then supplementary.
    """

    jurisdiction: str
    schedules: frozenset[str]
    when: When
    documents: tuple[str, ...]
    credential_suffices: bool
    source: TableSource


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
            fields.one_of(document, DOCUMENT_TYPES, f"{where}/documents", "document")
        suffices = row.get("credentialSuffices", False)
        if not schedules or not documents or not isinstance(suffices, bool):
            raise FormatError("the rule names no schedule or no document, or does not say whether a credential suffices", where=where)
        rules.append(
            IdentificationRule(
                jurisdictions.check(row.get("jurisdiction"), f"{where}/jurisdiction"),
                frozenset(schedules),
                When(fields.one_of(row.get("when"), frozenset(When), f"{where}/when", "word for when")),
                documents,
                suffices,
                table.source_of(row),
            )
        )
    return tuple(rules)


def rules_for(rules: tuple[IdentificationRule, ...], act: Act) -> tuple[IdentificationRule, ...]:
    """The rules that hold for an act; all of its state's where the drug's schedule is not known."""
    here = [rule for rule in rules if rule.jurisdiction == act.jurisdiction]
    return tuple(rule for rule in here if not act.schedule or act.schedule in rule.schedules)
