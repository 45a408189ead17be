"""How well what a person states agrees with a proofed identity: the weights and levels of HL7's Identity Matching guide (STU 2).

Levels and weights are data (``data/identity-matching.json``), for they are an agreement that changes. A credential of ours holds no document's
number, so of the numbers that weigh most only the digital identifier can agree; the last four characters of a document's number count as an
identifier of another kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Final

from did_health.errors import FormatError
from did_health.health import fields
from did_health.health.address import Address
from did_health.health.assurance import Assurance
from did_health.health.dated_tables import OLDEST_TABLES, DatedTable, Row, packaged_table
from did_health.health.identity_document import IdentityDocument
from did_health.health.local_days import local_days
from did_health.health.patient_identity import PatientIdentity
from did_health.health.person_match import letters_of, names_agree
from did_health.health.person_name import PersonName

TABLE: Final = "identity-matching"
_PHONE_DIGITS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What a person states, or another record says; ``None`` and empty for what is not. ``portrait_digest`` is of the picture that was compared."""

    name: PersonName | None = None
    birth_date: date | None = None
    address: Address | None = None
    phone: str = ""
    email: str = ""
    portrait_digest: str = ""
    id_document: IdentityDocument | None = None
    digital_identifier: str = ""


@dataclass(frozen=True, slots=True)
class MatchWeight:
    """``agreeing`` and ``differing`` attributes by name (what either side lacks is neither), and the match levels reached, the lowest first.

    None is reached when anything differs, when the proofing has expired, or when its level is not one that the table knows.
    """

    weight: int
    agreeing: tuple[str, ...]
    differing: tuple[str, ...]
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Attribute:
    category: str
    weight: int


@dataclass(frozen=True, slots=True)
class _Level:
    """A match level: the weight, and the rank of assurance, that it takes."""

    name: str
    weight: int
    rank: int


@dataclass(frozen=True, slots=True)
class MatchRules:
    """The table, read: ranks of assurance levels by framework and level, attributes, the most that a category can weigh, match levels."""

    _ranks: Mapping[tuple[str, str], int]
    _attributes: Mapping[str, _Attribute]
    _most: Mapping[str, int]
    _levels: tuple[_Level, ...]

    @classmethod
    def of(cls, table: DatedTable) -> MatchRules:
        """Read the rows; raises ``FormatError`` with the place of one that means nothing, or that names what the table does not have."""
        ranks: dict[tuple[str, str], int] = {}
        attributes: dict[str, _Attribute] = {}
        most: dict[str, int] = {}
        matches: list[tuple[str, str, int, str]] = []
        for place, row in enumerate(table.rows):
            where = f"/rows/{place}"
            match _text(row, "kind", where):
                case "assurance":
                    ranks[_text(row, "framework", where), _text(row, "level", where)] = _number(row, "rank", where)
                case "category":
                    most[_text(row, "category", where)] = _number(row, "most", where)
                case "attribute":
                    name = fields.one_of(_text(row, "attribute", where), _AGREE.keys(), f"{where}/attribute", "attribute")
                    attributes[name] = _Attribute(_text(row, "category", where), _number(row, "weight", where))
                case "match":
                    matches.append((where, _text(row, "match", where), _number(row, "weight", where), _text(row, "assurance", where)))
                case _:
                    raise FormatError("the row is of a kind that means nothing", where=f"{where}/kind")
        if unknown := [name for name, one in attributes.items() if one.category not in most]:
            raise FormatError(f"the attribute {unknown[0]} is of a category that has no row", where="/rows")
        by_level = {level: rank for (_, level), rank in ranks.items()}
        for where, _, _, level in matches:
            if level not in by_level:
                raise FormatError("the match level asks for a level of assurance that has no row", where=f"{where}/assurance")
        levels = [_Level(name, weight, by_level[level]) for _, name, weight, level in matches]
        ordered = tuple(sorted(levels, key=lambda one: (one.weight, one.rank)))
        return cls(MappingProxyType(ranks), MappingProxyType(attributes), MappingProxyType(most), ordered)

    def rank(self, assurance: Assurance) -> int | None:
        """The rank of a proofing's level, to be compared with others; ``None`` for a framework or level that the table does not have.

        The framework may say its version: ``NIST 800-63A-4`` is ``NIST``.
        """
        return self._ranks.get((assurance.framework.partition(" ")[0], assurance.level))

    def weigh(self, identity: PatientIdentity, stated: Stated, *, now: datetime) -> MatchWeight:
        """The weight of what agrees, category by category up to what each can weigh at most, and the levels that it reaches now."""
        answers = {name: _AGREE[name](identity, stated) for name in self._attributes}
        agreeing = tuple(name for name, answer in answers.items() if answer)
        differing = tuple(name for name, answer in answers.items() if answer is False)
        sums = dict.fromkeys(self._most, 0)
        for name in agreeing:
            sums[self._attributes[name].category] += self._attributes[name].weight
        weight = sum(min(total, self._most[category]) for category, total in sums.items())
        rank = self.rank(identity.assurance)
        counts = not differing and rank is not None and now < local_days(None).ends(identity.assurance.expires_on)
        levels = tuple(level.name for level in self._levels if counts and weight >= level.weight and (rank or 0) >= level.rank)
        return MatchWeight(weight, agreeing, differing, levels)


def packaged_rules(*, today: date, max_age: timedelta = OLDEST_TABLES) -> MatchRules:
    """The rules that ship with this version of the library; raises ``VerificationError`` (``table_stale``) if they are older than ``max_age``."""
    packaged_table(TABLE).require_current(today, max_age)
    return _packaged_rules()


@cache
def _packaged_rules() -> MatchRules:
    return MatchRules.of(packaged_table(TABLE))


# ---- whether an attribute agrees: True, False, or None where either side lacks it


def _names(identity: PatientIdentity, stated: Stated) -> bool | None:
    if stated.name is None:
        return None
    return names_agree(identity.name, stated.name)


def _birth_dates(identity: PatientIdentity, stated: Stated) -> bool | None:
    return None if stated.birth_date is None else identity.birth_date == stated.birth_date


def _addresses(identity: PatientIdentity, stated: Stated) -> bool | None:
    """Line plus zip, or line plus city and state: less does not count."""
    ours, theirs = identity.address, stated.address
    if ours is None or theirs is None or not ours.lines or not theirs.lines:
        return None
    if ours.postal_code and theirs.postal_code:
        places = (ours.postal_code[:5], theirs.postal_code[:5])
    elif all((ours.city, ours.state, theirs.city, theirs.state)):
        places = (f"{letters_of(ours.city)} {ours.state}", f"{letters_of(theirs.city)} {theirs.state}")
    else:
        return None
    return letters_of(" ".join(ours.lines)) == letters_of(" ".join(theirs.lines)) and places[0] == places[1]


def _phones(identity: PatientIdentity, stated: Stated) -> bool | None:
    """Without punctuation and country code."""
    return _both(_digits(identity.phone), _digits(stated.phone))


def _documents(identity: PatientIdentity, stated: Stated) -> bool | None:
    ours, theirs = identity.id_document, stated.id_document
    if ours is None or theirs is None or not ours.last4 or not theirs.last4 or (ours.type, ours.jurisdiction) != (theirs.type, theirs.jurisdiction):
        return None
    return ours.last4 == theirs.last4


def _both(ours: str, theirs: str) -> bool | None:
    return ours == theirs if ours and theirs else None


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())[-_PHONE_DIGITS:]


_AGREE: Final[Mapping[str, Callable[[PatientIdentity, Stated], bool | None]]] = MappingProxyType({
    "name": _names,
    "birth_date": _birth_dates,
    "address": _addresses,
    "phone": _phones,
    "email": lambda identity, stated: _both(identity.email.casefold(), stated.email.casefold()),
    "portrait": lambda identity, stated: _both(identity.portrait_digest, stated.portrait_digest),
    "document_last4": _documents,
    "digital_identifier": lambda identity, stated: _both(identity.digital_identifier, stated.digital_identifier),
})
"""Every attribute that a row may name."""


def _text(row: Row, member: str, where: str) -> str:
    return fields.text(fields.member(dict(row), member, where), f"{where}/{member}", member, longest=64)


def _number(row: Row, member: str, where: str) -> int:
    value = fields.member(dict(row), member, where)
    if type(value) is not int or value < 1:
        raise FormatError(f"the {member} is no whole number above zero", where=f"{where}/{member}")
    return value
