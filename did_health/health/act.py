"""What a verification is for: the act that is at hand, against which restrictions, registrations and purposes are judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from did_health.errors import FormatError
from did_health.health import fields, jurisdictions

SCHEDULES: Final = ("2", "2N", "3", "3N", "4", "5")
"""Schedules of controlled substances as the DEA registers them; ``N`` is for the non-narcotic ones [21 CFR 1308]."""
NOT_CONTROLLED: Final = "none"
"""The ``schedule`` of a drug that is known to be in none."""
PRESCRIBE: Final = "prescribe"
"""The purpose of a verifier that asks whether somebody may prescribe."""


@dataclass(frozen=True, slots=True)
class Act:
    """``purpose`` as the verifier names it (``prescribe``, ``pickup``, …); the rest is empty where it is unknown or does not apply.

    ``schedule`` is that of the drug (``none`` for one that is not controlled), ``jurisdiction`` (``US-NC``) where the act takes place,
    ``setting`` a word for the place of practice (``hospital``, ``solo_practice``), ``pharmacy`` the DID of the one that hands over, and
    ``prescription`` the hash by which it knows the prescription. Raises ``FormatError`` for a member that nobody can judge by.
    """

    purpose: str
    schedule: str = ""
    jurisdiction: str = ""
    setting: str = ""
    pharmacy: str = ""
    prescription: str = ""

    def __post_init__(self) -> None:
        if self.schedule and self.schedule not in (*SCHEDULES, NOT_CONTROLLED):
            known = ", ".join((*SCHEDULES, NOT_CONTROLLED))
            raise FormatError("not a schedule of controlled substances", where="schedule", hint=f"It is one of: {known}")
        if self.jurisdiction:
            jurisdictions.check(self.jurisdiction, "jurisdiction")
        if self.setting:
            fields.word(self.setting, "setting", "setting")
        if self.pharmacy:
            fields.did(self.pharmacy, "pharmacy", "pharmacy")
        if self.prescription:
            fields.text(self.prescription, "prescription", "prescription's hash")

    @property
    def is_controlled(self) -> bool:
        """Whether the drug is known to be a controlled substance."""
        return self.schedule in SCHEDULES
