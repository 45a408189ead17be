"""US healthcare: licences, patients, pharmacies, accreditations, NPI, DEA, NUCC, FHIR."""
