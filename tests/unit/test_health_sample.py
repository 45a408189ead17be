from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, date, datetime

from did_health.health import npi, sample
from did_health.health.assurance import Assurance
from did_health.health.fhir import Imported, LicenseDefaults, read_patients, read_practitioners

UNTIL = datetime(2028, 1, 1, tzinfo=UTC)


def test_the_physicians_of_the_sample_can_all_be_licensed() -> None:
    rows = list(read_practitioners(sample.practitioners(), defaults=LicenseDefaults(date(2020, 1, 1), UNTIL, profession=None)))
    licences = [row.claims for row in rows if isinstance(row, Imported)]
    assert len(licences) == len(rows) == 25
    assert not [note for row in rows if isinstance(row, Imported) for note in row.notes]
    assert len({licence.npi for licence in licences}) == 25
    assert all(npi.is_valid(licence.npi) and not npi.warning(licence.npi) for licence in licences)
    assert len({licence.license_number for licence in licences}) == 25
    assert Counter(licence.jurisdiction for licence in licences) == {"US-NC": 13, "US-VA": 12}
    assert {licence.profession for licence in licences} == {"MD", "DO"}
    assert all(licence.degree == licence.profession and licence.taxonomy for licence in licences)
    assert all(licence.original_issue_date < date(2024, 1, 1) for licence in licences)


def test_the_patients_of_the_sample_can_all_be_identified() -> None:
    assurance = Assurance("HL7", "IDIAL1.8", date(2026, 1, 1), "in_person")
    rows = list(read_patients(sample.patients(), assurance=assurance, valid_until=UNTIL))
    identities = [row.claims for row in rows if isinstance(row, Imported)]
    assert len(identities) == len(rows) == 50
    assert not [note for row in rows if isinstance(row, Imported) for note in row.notes]
    assert len({identity.name for identity in identities}) == 50
    assert all(identity.address and identity.address.state in ("US-NC", "US-VA") for identity in identities)


def test_the_sample_is_fictional_and_holds_no_number_of_a_person() -> None:
    for line in (sample.practitioners() + sample.patients()).splitlines():
        resource = json.loads(line)
        assert all(re.fullmatch(r"\d{3}-555-01\d\d", item["value"]) or item["value"].endswith(".example") for item in resource["telecom"])
        if resource["resourceType"] == "Patient":
            assert "identifier" not in resource
        assert b"ssn" not in line.lower()
