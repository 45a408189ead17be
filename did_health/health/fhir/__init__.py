"""Reading FHIR R4: practitioners become licences to issue, patients become identities to issue; what cannot is told by row."""

from did_health.health.fhir.patients import read_patients
from did_health.health.fhir.practitioners import LicenseDefaults, read_practitioners
from did_health.health.fhir.rows import Imported, RowError, RowNote

__all__ = ["Imported", "LicenseDefaults", "RowError", "RowNote", "read_patients", "read_practitioners"]
