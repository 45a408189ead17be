"""Healthcare: licences, patients' identities, accreditations, pharmacies; NPI, DEA and NUCC numbers; reading FHIR."""
