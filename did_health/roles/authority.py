"""The registry authority: says who may issue what, by signed records on the ledger."""

from __future__ import annotations

import uuid

from did_health.encoding import strict_json, timestamps
from did_health.encoding.strict_json import JSONObject
from did_health.health.board_accreditation import BoardAccreditation
from did_health.health.credential_schemas import check_before_signing
from did_health.health.issuer_details import Issuer
from did_health.ledger.entry import Kind
from did_health.roles.institution import Institution
from did_health.trust.registry import record_identifier


class RegistryAuthority:
    """Accredits institutions. A record replaces the one before about the same entity, action and resource; the ledger keeps them all."""

    def __init__(self, institution: Institution, details: Issuer) -> None:
        if details.id != institution.did:
            raise ValueError("the details are another institution's")
        self.institution = institution
        self.details = details

    @property
    def did(self) -> str:
        """The authority's DID, which trust policies name."""
        return self.institution.did

    def accredit(self, accreditation: BoardAccreditation, *, entity: str) -> JSONObject:
        """Log the record that ``entity`` (a DID) may do what ``accreditation`` says; the record's credential.

        A verifier looks at the newest record only, for the time of issuing too. To renew or change an accreditation, or to end it, give
        the ``valid_from`` with which it began; without one it begins now, and whatever was issued before is refused.
        """
        return self.accredit_many([(accreditation, entity)])[0]

    def accredit_many(self, accreditations: list[tuple[BoardAccreditation, str]]) -> list[JSONObject]:
        """Log several records in one batch."""
        records = [(self._record(accreditation, entity), accreditation, entity) for accreditation, entity in accreditations]
        self.institution.submit(*(
            self.institution.entry(
                Kind.REGISTRY_RECORD,
                record_identifier(self.did, entity, accreditation.action, accreditation.resource),
                strict_json.dumps(record),
            )
            for record, accreditation, entity in records
        ))
        return [record for record, _, _ in records]

    def _record(self, accreditation: BoardAccreditation, entity: str) -> JSONObject:
        now = self.institution.clock()
        document: JSONObject = {
            "@context": list(accreditation.contexts),
            "id": uuid.UUID(bytes=self.institution.random(16), version=4).urn,
            "type": ["VerifiableCredential", accreditation.credential_type],
            "issuer": self.did,
            "validFrom": timestamps.format(accreditation.valid_from or now),
            "validUntil": timestamps.format(accreditation.valid_until),
            "credentialSubject": accreditation.to_subject(entity, self.details),
            "credentialSchema": {"id": accreditation.schema_url, "type": "JsonSchema"},
        }
        check_before_signing(document, accreditation.credential_type)
        return self.institution.secured(document, created=now)
