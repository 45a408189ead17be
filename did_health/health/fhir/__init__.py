"""FHIR R4 both ways.

Reading: practitioners become licences to issue, organisations pharmacies' permits, patients identities; what cannot is told by row.
Writing: verified credentials become a Bundle, verifications VerificationResult, disclosures AuditEvent; what FHIR has no place for is named.
"""

from did_health.health.fhir.audit_events import AuditEvent, activity_bundle
from did_health.health.fhir.export import Exported, export
from did_health.health.fhir.organizations import PharmacyDefaults, read_pharmacies
from did_health.health.fhir.patients import read_patients
from did_health.health.fhir.practitioners import LicenseDefaults, PractitionerReader, read_practitioners
from did_health.health.fhir.register import kinds_in, read_register
from did_health.health.fhir.roles import Roles, read_roles
from did_health.health.fhir.rows import Imported, RowError, RowNote
from did_health.health.fhir.verification_results import PrimarySource, VerificationResult
from did_health.health.fhir.writing import Written

__all__ = [
    "AuditEvent", "Exported", "Imported", "LicenseDefaults", "PharmacyDefaults", "PractitionerReader", "PrimarySource", "Roles", "RowError", "RowNote",
    "VerificationResult", "Written", "activity_bundle", "export", "kinds_in", "read_patients",
    "read_pharmacies", "read_practitioners", "read_register", "read_roles",
]
