"""Purpose policies: what may be asked for a purpose, how old evidence may be, and what to do when it is older.

Two dated tables say so: ``purpose-claims`` (no more may be asked than is necessary [45 CFR 164.502(b)]) and ``purpose-limits``. A limit
for named drug schedules goes before the one that names none, which holds for all others and for a drug whose schedule is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Final, NamedTuple

from did_health.errors import FormatError, VerificationError
from did_health.health import fields
from did_health.health.act import NOT_CONTROLLED, SCHEDULES
from did_health.health.dated_tables import OLDEST_TABLES, DatedTable, Row, TableSource, packaged_table
from did_health.limits import MAX_PURPOSE_AGE_SECONDS

PICKUP: Final = "pickup"
PURPOSES: Final = (PICKUP, "checkin", "prescriber", "credentialing", "licensure")
"""What verifications are for."""


class ClaimName(NamedTuple):
    """One claim of one credential type by its name, never its value: ``PatientIdentityCredential.birthDate``."""

    credential: str
    claim: str

    def __str__(self) -> str:
        return f"{self.credential}.{self.claim}"

    @classmethod
    def parse(cls, value: object, where: str) -> ClaimName:
        """Read ``Type.claim``; raises ``FormatError``."""
        text = value if isinstance(value, str) else ""
        credential, separator, claim = text.partition(".")
        if not (separator and credential[:1].isalpha() and (credential + claim).isalnum() and claim and text.isascii()):
            raise FormatError("not the name of a claim", where=where, hint="Write it as PatientIdentityCredential.birthDate")
        return cls(fields.text(credential, where, "credential type", longest=64), fields.text(claim, where, "claim", longest=64))


class TooOld(StrEnum):
    """What to do when evidence is older than the limit, or cannot be had."""

    BY_HAND = "by_hand"
    """Go on by hand, with a physical document, and check again when there is a network: nobody is refused because it is down."""
    WAIT = "wait"
    """Nothing presses: check again when there is a network."""


@dataclass(frozen=True, slots=True)
class PurposeLimit:
    """How old evidence may be for drugs of ``schedules`` (none named: for all others), and what to do when it is older."""

    schedules: frozenset[str]
    max_age: timedelta
    too_old: TooOld
    source: TableSource


@dataclass(frozen=True, slots=True)
class PurposePolicy:
    """What holds for one purpose: ``claims`` that may be asked, by credential type, and ``limits``, the last of which names no schedule.

    ``policy_id`` names the policy and the day of its tables.
    """

    purpose: str
    policy_id: str
    claims: Mapping[str, frozenset[str]]
    limits: tuple[PurposeLimit, ...]

    def limit(self, schedule: str = "") -> PurposeLimit:
        """What holds for a drug of this schedule (``none``: not controlled; empty: not known)."""
        return next((limit for limit in self.limits if schedule in limit.schedules), self.limits[-1])

    def check_asked(self, asked: Iterable[ClaimName]) -> None:
        """Raises ``VerificationError`` (``purpose_exceeded``) if a claim is asked for that the purpose does not need."""
        excess = [str(one) for one in asked if one.claim not in self.claims.get(one.credential, ())]
        if excess:
            raise VerificationError(
                f"the purpose {self.purpose} does not need {', '.join(excess)}",
                hint="Ask for no more than is necessary [45 CFR 164.502(b)]",
                code="purpose_exceeded",
            )


@dataclass(frozen=True, slots=True)
class PurposePolicies:
    """The policies of all purposes, and the tables that they are from."""

    policies: Mapping[str, PurposePolicy]
    tables: tuple[DatedTable, ...]

    @classmethod
    def of(cls, claims: DatedTable, limits: DatedTable) -> PurposePolicies:
        """Put together from the two tables; raises ``FormatError`` for a row that says nothing, or a purpose without its last limit."""
        by_purpose: dict[str, dict[str, frozenset[str]]] = {}
        for place, row in enumerate(claims.rows):
            where = f"/rows/{place}"
            names = fields.json_list(fields.member(dict(row), "claims", where), f"{where}/claims", "claims")
            name = _purpose(row, where)
            credential = fields.text(fields.member(dict(row), "credential", where), f"{where}/credential", "credential type")
            asked = frozenset(ClaimName.parse(f"{credential}.{claim}", f"{where}/claims").claim for claim in names)
            by_purpose.setdefault(name, {})[credential] = asked
        allowed: dict[str, list[PurposeLimit]] = {}
        for place, row in enumerate(limits.rows):
            allowed.setdefault(_purpose(row, f"/rows/{place}"), []).append(_limit(limits, row, f"/rows/{place}"))
        policies = {}
        for name, asked_of in by_purpose.items():
            found = sorted(allowed.get(name, ()), key=lambda limit: not limit.schedules)
            if sum(not limit.schedules for limit in found) != 1:
                raise FormatError(f"the purpose {name} does not have one limit that holds for all other schedules", where="/rows")
            identifier = f"purposes/{max(claims.compiled_on, limits.compiled_on).isoformat()}#{name}"
            policies[name] = PurposePolicy(name, identifier, MappingProxyType(asked_of), tuple(found))
        return cls(MappingProxyType(policies), (claims, limits))

    def policy(self, purpose: str) -> PurposePolicy:
        """The policy of a purpose; raises ``FormatError`` for one that has none."""
        if purpose not in self.policies:
            raise FormatError("there is no policy for this purpose", where="purpose", hint=f"There is one for each of: {', '.join(self.policies)}")
        return self.policies[purpose]

    def require_current(self, today: date, max_age: timedelta = OLDEST_TABLES) -> None:
        """Raises ``VerificationError`` (``table_stale``) if one of the tables is older than ``max_age``."""
        for table in self.tables:
            table.require_current(today, max_age)


@cache
def packaged_purposes() -> PurposePolicies:
    """The policies that ship with this version of the library."""
    return PurposePolicies.of(packaged_table("purpose-claims"), packaged_table("purpose-limits"))


def _purpose(row: Row, where: str) -> str:
    return fields.one_of(row.get("purpose"), PURPOSES, f"{where}/purpose", "purpose")


def _limit(table: DatedTable, row: Row, where: str) -> PurposeLimit:
    seconds = row.get("maxAgeSeconds")
    if type(seconds) is not int or not 0 < seconds <= MAX_PURPOSE_AGE_SECONDS:
        raise FormatError(f"an age is a number of seconds from 1 to {MAX_PURPOSE_AGE_SECONDS}", where=f"{where}/maxAgeSeconds")
    schedules = fields.json_list(row.get("schedules"), f"{where}/schedules", "schedules")
    for schedule in schedules:
        fields.one_of(schedule, (*SCHEDULES, NOT_CONTROLLED), f"{where}/schedules", "schedule")
    too_old = fields.one_of(row.get("tooOld"), frozenset(TooOld), f"{where}/tooOld", "rule for what is too old")
    return PurposeLimit(frozenset(schedules), timedelta(seconds=seconds), TooOld(too_old), table.source_of(row))
