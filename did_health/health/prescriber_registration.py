"""The registration to prescribe controlled substances: ``PrescriberRegistrationCredential`` [21 CFR 1301, 1306.03]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health import claims, dea, fields, jurisdictions
from did_health.health.act import SCHEDULES
from did_health.health.issuer_details import Issuer


@dataclass(frozen=True, slots=True, kw_only=True)
class PrescriberRegistration:
    """A DEA registration: for one state, and for the schedules that it names.

    Raises ``FormatError`` naming the member that is wrong.
    """

    credential_type: ClassVar[str] = "PrescriberRegistrationCredential"
    schema_url: ClassVar[str] = claims.schema_url(credential_type)
    contexts: ClassVar[tuple[str, ...]] = claims.CONTEXTS

    dea_number: str
    schedules: tuple[str, ...]
    state: str
    valid_until: datetime
    valid_from: datetime | None = None

    def __post_init__(self) -> None:
        dea.check(self.dea_number)
        fields.items(self.schedules, "/schedules", "schedules", lambda item, where: fields.one_of(item, SCHEDULES, where, "schedule"))
        if not self.schedules or len(set(self.schedules)) != len(self.schedules):
            raise FormatError("a registration names at least one schedule, and each once", where="/schedules")
        jurisdictions.check(self.state, "/state")
        fields.period(self.valid_from, self.valid_until)

    @property
    def number(self) -> str:
        """The DEA number."""
        return self.dea_number

    def to_subject(self, subject_id: str, issuer: Issuer) -> JSONObject:
        """The ``credentialSubject``; raises ``FormatError`` if the issuer acts for another state than the registration's."""
        if issuer.jurisdiction not in (self.state, jurisdictions.NATIONWIDE):
            raise FormatError(f"the registration is for {self.state}, but its issuer acts for {issuer.jurisdiction}", where="/state")
        return {
            "id": fields.did(subject_id, "/id", "subject's id"),
            "deaNumber": self.dea_number,
            "schedules": list(self.schedules),
            "state": self.state,
        }

    @classmethod
    def from_subject(cls, subject: Mapping[str, Any], *, valid_until: datetime, valid_from: datetime | None = None) -> PrescriberRegistration:
        """Read a ``credentialSubject``; the validity stands in the credential around it. Raises ``FormatError``."""
        document = fields.json_object(subject, "", "credentialSubject")
        return cls(
            dea_number=fields.member(document, "deaNumber"),
            schedules=fields.json_list(document.get("schedules"), "/schedules", "schedules"),
            state=fields.member(document, "state"),
            valid_until=valid_until,
            valid_from=valid_from,
        )
