from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from did_health.errors import FormatError
from did_health.health.fhir.practitioners import LicenseDefaults
from did_health.health.fhir.rows import Imported, RowError
from did_health.health.license_csv import ImportColumns, read_licenses_csv
from did_health.health.local_days import local_days
from did_health.health.physician_license import PhysicianLicense
from did_health.limits import MAX_IMPORT_COLUMNS, MAX_IMPORT_LINE_BYTES, MAX_IMPORT_SKIPPED_BYTES

DEFAULTS = LicenseDefaults(date(2020, 1, 1), datetime(2030, 1, 1, tzinfo=UTC))
HOLDER = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


def read(text: str, columns: ImportColumns | None = None) -> list[Imported[PhysicianLicense] | RowError]:
    return list(read_licenses_csv(text.encode(), defaults=DEFAULTS, columns=columns))


def one(text: str, columns: ImportColumns | None = None) -> Imported[PhysicianLicense]:
    (row,) = read(text, columns)
    assert isinstance(row, Imported), row
    return row


def refused(text: str, columns: ImportColumns | None = None) -> RowError:
    (row,) = read(text, columns)
    assert isinstance(row, RowError)
    return row


def test_every_column() -> None:
    header = "Last Name,First-Name,prefix,suffix,profession,license_number,class,issue date,expires,state,NPI,fsmb id,degree,taxonomy,holder,remarks"
    numbers = f"1234567893,123456789,MD,207R00000X; 208D00000X,{HOLDER},x"
    row = one(f"{header}\n Adams ,Ann,Dr.,Jr.,m.d.,12-3,Telemedicine,2010-06-01,2029-05-31,North Carolina,{numbers}\n")
    claims = row.claims
    assert (claims.name.family, claims.name.given, claims.name.prefix, claims.name.suffix) == ("Adams", "Ann", "Dr.", "Jr.")
    assert (claims.profession, claims.license_number, claims.license_class) == ("MD", "12-3", "telemedicine")
    assert (claims.original_issue_date, claims.jurisdiction) == (date(2010, 6, 1), "US-NC")
    assert local_days(claims.jurisdiction).last_moment(date(2029, 5, 31)) == claims.valid_until
    assert (claims.npi, claims.fid, claims.degree, claims.taxonomy) == ("1234567893", "123456789", "MD", ("207R00000X", "208D00000X"))
    assert (row.row, row.holder, row.unstated) == (2, HOLDER, frozenset())


def test_what_is_not_said_is_a_default() -> None:
    row = one("family,given,license_number\nAdams,Ann,1")
    assert row.unstated == {"original_issue_date", "valid_until", "license_class", "profession"}
    assert row.claims.valid_until == DEFAULTS.valid_until
    assert row.holder == ""


def test_columns_words_and_days_of_a_board() -> None:
    described = ImportColumns.parse(
        b'format = "did-health/import-columns/v1"\ndates = "%m/%d/%Y"\n[columns]\nlicense_number = "LIC NO"\nfamily = "LAST"\ngiven = "FIRST"\n'
        b'original_issue_date = "ISSUED"\n[professions]\n"Physician & Surgeon" = "MD"\n'
    )
    row = one("\ufeffLIC NO,LAST,FIRST,ISSUED,profession\r\nA1,Adams,Ann,06/30/2010,physician & surgeon\r\n", described)
    assert (row.claims.license_number, row.claims.original_issue_date, row.claims.profession) == ("A1", date(2010, 6, 30), "MD")
    assert refused("LIC NO,LAST,FIRST,ISSUED\nA1,Adams,Ann,2010-06-30", described).hint == "Write it as 01/31/2026"
    with pytest.raises(FormatError, match="no column LAST"):
        read("LIC NO,FIRST,ISSUED\nA1,Ann,x", described)


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ("Adams,Ann,,MD,,,,", "license_number"),
        (",Ann,1,MD,,,,", "family"),
        ("Adams,,1,MD,,,,", "given"),
        ("Adams,Ann,1,RN,,,,", "profession"),
        ("Adams,Ann,1,MD,2010-02-31,,,", "original_issue_date"),
        ("Adams,Ann,1,MD,,31.12.2029,,", "valid_until"),
        ("Adams,Ann,1,MD,2028-01-01,2027-01-01,,", "original_issue_date"),
        ("Adams,Ann,1,MD,,,1234567890,", "npi"),
        ("Adams,Ann,1,MD,,,,Utopia", "jurisdiction"),
        ("Adams,Ann,1,MD,,", ""),
        ('"Adams,Ann,1,MD,,,,', ""),
        ("Adams\0,Ann,1,MD,,,,", ""),
        ("x" * (MAX_IMPORT_LINE_BYTES + 1), ""),
    ],
)
def test_a_row_is_refused_by_its_column_and_the_rest_goes_on(cells: str, column: str) -> None:
    header = "family,given,license_number,profession,original_issue_date,valid_until,npi,state"
    first, second = read(f"{header}\n{cells}\nBaker,Bo,2,DO,,,,\n")
    assert isinstance(first, RowError)
    assert (first.row, first.field) == (2, column)
    assert isinstance(second, Imported)
    assert "1234567890" not in str(first)


def test_a_row_that_is_no_text_and_a_holder_that_is_no_did() -> None:
    rows = list(read_licenses_csv(b"family,given,license_number,did\nAd\xe4ms,Ann,1,\nAdams,Ann,1,somebody\n", defaults=DEFAULTS))
    assert [row.field if isinstance(row, RowError) else None for row in rows] == ["", "holder"]


def test_without_a_default_a_profession_is_needed() -> None:
    (row,) = read_licenses_csv(b"family,given,license_number\nAdams,Ann,1", defaults=LicenseDefaults(date(2020, 1, 1), DEFAULTS.valid_until, None))
    assert isinstance(row, RowError)
    assert row.field == "profession"


@pytest.mark.parametrize(
    "header",
    ["", "family,given", "family,given,license_number,Last Name", "\xff", ",".join(["x"] * (MAX_IMPORT_COLUMNS + 1)), "x" * (MAX_IMPORT_LINE_BYTES + 1)],
)
def test_a_file_without_the_columns_is_refused_as_a_whole(header: str) -> None:
    if not header:
        assert read("") == []
        return
    with pytest.raises(FormatError):
        read(f"{header}\nAdams,Ann,1")


def test_a_line_without_end_is_not_read_for_ever() -> None:
    pieces = [b"family,given,license_number\n", *[b"x" * (1 << 20)] * ((MAX_IMPORT_SKIPPED_BYTES >> 20) + 2), b"\nAdams,Ann,1\n"]
    rows = list(read_licenses_csv(pieces, defaults=DEFAULTS))
    assert [type(row) for row in rows] == [RowError]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("format = ", ""),
        ("", "format"),
        ('format = "did-health/import-columns/v2"', "format"),
        ('format = "did-health/import-columns/v1"\nmore = 1', "more"),
        ('format = "did-health/import-columns/v1"\n[columns]\nssn = "SSN"', "columns.ssn"),
        ('format = "did-health/import-columns/v1"\n[columns]\nnpi = 7', "columns"),
        ('format = "did-health/import-columns/v1"\nprofessions = "MD"', "professions"),
        ('format = "did-health/import-columns/v1"\ndates = "%d"', "dates"),
        ('format = "did-health/import-columns/v1"\ndates = 7', "dates"),
        ('format = "did-health/import-columns/v1"\ndates = "%Y-%m-%d %Y"', "dates"),
        ('format = "did-health/import-columns/v1"\n#' + "x" * (1 << 18), ""),
    ],
)
def test_descriptions_that_mean_nothing(text: str, where: str) -> None:
    with pytest.raises(FormatError) as error:
        ImportColumns.parse(text.encode())
    assert error.value.where == where
