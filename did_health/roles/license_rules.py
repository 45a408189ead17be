"""What differs between the kinds of licences that a register is brought up to: who may state them, what a row leaves as it was, who is the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Protocol, TypeVar

from did_health.errors import FormatError
from did_health.health.claims import CredentialClaims
from did_health.health.pharmacy import Pharmacy
from did_health.health.physician_license import PhysicianLicense
from did_health.health.public_listing import folded

Claims = TypeVar("Claims", bound=CredentialClaims)

FIRST_YEAR: Final = 1900
"""No living physician was licensed before."""


class LicenseRules(Protocol[Claims]):
    """The rules for one kind of licence."""

    @property
    def claims(self) -> type[Claims]:
        """The kind."""

    @property
    def credential_type(self) -> str:
        """Its credential type."""

    def require_possible(self, claims: Claims, today: date) -> None:
        """Raises ``FormatError`` for what the board cannot state, whatever its state is."""

    def merged(self, claims: Claims, issued: Claims, unstated: frozenset[str]) -> Claims:
        """The claims that hold after a row with ``claims``, which does not say the members ``unstated``."""

    def is_same_holder(self, one: Claims, other: Claims) -> bool:
        """Whether both can be about one holder."""


@dataclass(frozen=True, slots=True)
class PhysicianRules:
    """Licences of physicians, of those ``professions`` that the registry lets the board license."""

    professions: frozenset[str]

    @property
    def claims(self) -> type[PhysicianLicense]:
        return PhysicianLicense

    @property
    def credential_type(self) -> str:
        return PhysicianLicense.credential_type

    def require_possible(self, claims: PhysicianLicense, today: date) -> None:
        if claims.profession not in self.professions:
            hint = f"It licenses: {', '.join(sorted(self.professions)) or 'no physicians'}"
            raise FormatError(f"the registry does not let this board license the profession {claims.profession}", where="profession", hint=hint)
        if claims.original_issue_date < date(FIRST_YEAR, 1, 1) or claims.original_issue_date > today:
            hint = f"It is a day from {FIRST_YEAR} to today"
            raise FormatError("the licence cannot have been issued first on this day", where="original_issue_date", hint=hint)

    def merged(self, claims: PhysicianLicense, issued: PhysicianLicense, unstated: frozenset[str]) -> PhysicianLicense:
        empty = {name for name in ("npi", "fid", "degree", "taxonomy") if not getattr(claims, name)}
        own = {"restrictions", "board_order_refs", "compact", "jurisdiction"}
        return replace(claims, **{name: getattr(issued, name) for name in unstated | empty | own})

    def is_same_holder(self, one: PhysicianLicense, other: PhysicianLicense) -> bool:
        """By the NPI if both have one; else a name may change, but not the family name and the given names at once."""
        if one.npi and other.npi:
            return one.npi == other.npi
        return folded(one.name.family) == folded(other.name.family) or folded(one.name.given) == folded(other.name.given)


@dataclass(frozen=True, slots=True)
class PharmacyRules:
    """Permits of pharmacies; ``accredited`` says whether the registry lets the board issue them."""

    accredited: bool

    @property
    def claims(self) -> type[Pharmacy]:
        return Pharmacy

    @property
    def credential_type(self) -> str:
        return Pharmacy.credential_type

    def require_possible(self, claims: Pharmacy, today: date) -> None:  # noqa: ARG002  # no day of a permit lies in the past but its end
        if not self.accredited:
            hint = f"Give it to the state's board that issues {claims.credential_type}"
            raise FormatError("the registry does not let this board license pharmacies", where="resourceType", hint=hint)

    def merged(self, claims: Pharmacy, issued: Pharmacy, unstated: frozenset[str]) -> Pharmacy:
        empty = {name for name in ("npi", "ncpdp_id", "dea") if not getattr(claims, name)}
        return replace(claims, **{name: getattr(issued, name) for name in unstated | empty})

    def is_same_holder(self, one: Pharmacy, other: Pharmacy) -> bool:
        """By the NPI, else the NCPDP id, if both have one; else by the name."""
        for mine, theirs in ((one.npi, other.npi), (one.ncpdp_id, other.ncpdp_id)):
            if mine and theirs:
                return mine == theirs
        return folded(one.name) == folded(other.name)
