from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.errors import FormatError
from did_health.health.fhir.practitioners import LicenseDefaults
from did_health.health.fhir.rows import Imported, RowError
from did_health.health.license_csv import ImportColumns, read_licenses_csv

CELLS = st.lists(st.text(max_size=8), min_size=10, max_size=10)
DEFAULTS = LicenseDefaults(date(2020, 1, 1), datetime(2030, 1, 1, tzinfo=UTC))
HEADER = b"family,given,license_number,profession,issue_date,expires,npi,state,taxonomy,holder\n"


@settings(max_examples=200, deadline=None)
@given(st.booleans(), st.lists(st.binary(max_size=60) | CELLS.map(lambda cells: ",".join(cells).encode()), max_size=4))
def test_every_line_is_a_licence_or_is_refused(named: bool, lines: list[bytes]) -> None:
    try:
        rows = list(read_licenses_csv((HEADER if named else b"") + b"\n".join(lines), defaults=DEFAULTS))
    except FormatError:
        assert not named
        return
    assert all(isinstance(row, Imported | RowError) for row in rows)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80) | st.text(max_size=60).map(lambda text: f'format = "did-health/import-columns/v1"\n{text}'.encode()))
def test_a_description_is_one_or_is_refused(data: bytes) -> None:
    try:
        ImportColumns.parse(data)
    except FormatError:
        return


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=12))
def test_any_way_to_write_days_is_one_or_is_refused(dates: str) -> None:
    try:
        columns = ImportColumns.parse(b'format = "did-health/import-columns/v1"\ndates = "%Y%m%d' + dates.replace("\\", "").replace('"', "").encode() + b'"')
    except FormatError:
        return
    list(read_licenses_csv(HEADER + b"Adams,Ann,1,MD,20200101,2029,,,,\n", defaults=DEFAULTS, columns=columns))
