from __future__ import annotations

import re

import pytest

from did_health.errors import FormatError
from did_health.health import dea, jurisdictions, npi, nucc
from did_health.health.dated_tables import packaged_table
from did_health.limits import MAX_CODE_SET_BYTES


@pytest.mark.parametrize("number", ["1234567893", "1245319599", "9999908392"])
def test_a_valid_npi_is_given_back(number: str) -> None:
    assert npi.check(number) == number
    assert npi.is_valid(number)


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        ("1234567890", "check digit"),
        ("123456789", "9 characters"),
        ("12345678935", "11 characters"),
        ("350", "3 characters"),
        ("", "0 characters"),
        ("123456789X", "something else"),
        ("\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff13", "something else"),
        (1234567893, "something else"),
        (None, "something else"),
    ],
)
def test_a_bad_npi_is_refused_with_its_reason(number: object, problem: str) -> None:
    with pytest.raises(FormatError, match=problem) as caught:
        npi.check(number)
    assert caught.value.where == "/npi"
    assert caught.value.hint
    if isinstance(number, str):
        assert not npi.is_valid(number)


def test_an_unusual_first_digit_is_only_a_warning() -> None:
    assert npi.warning("9999908392")
    assert npi.warning("1234567893") == ""
    assert npi.warning(npi.mint_test_npi(0)) == ""


def test_test_npis_are_valid_different_and_always_the_same() -> None:
    minted = [npi.mint_test_npi(number) for number in (*range(200), npi.MAX_TEST_NUMBER)]
    assert all(npi.is_valid(number) for number in minted)
    assert len(set(minted)) == len(minted)
    assert npi.mint_test_npi(1) == "2000000010"


@pytest.mark.parametrize("number", [-1, npi.MAX_TEST_NUMBER + 1])
def test_test_npis_have_a_range(number: int) -> None:
    with pytest.raises(ValueError, match="99999999"):
        npi.mint_test_npi(number)


@pytest.mark.parametrize("digits", ["12345678", "1234567890", "12345678X", "\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19"])
def test_a_check_digit_needs_nine_digits(digits: str) -> None:
    with pytest.raises(ValueError, match="nine digits"):
        npi.check_digit(digits)


@pytest.mark.parametrize("number", ["AP5836727", "F91234563"])
def test_a_valid_dea_number_is_given_back(number: str) -> None:
    assert dea.check(number) == number
    assert dea.is_valid(number)


@pytest.mark.parametrize("number", ["AP5836728", "9P5836727", "ap5836727", "AP583672", "AP58367270", "", "AP58367\uff127", None, 7])
def test_a_bad_dea_number_is_refused(number: object) -> None:
    with pytest.raises(FormatError):
        dea.check(number)
    if isinstance(number, str):
        assert not dea.is_valid(number)


def test_the_named_taxonomy_codes_are_well_formed() -> None:
    assert len(nucc.COMMON) >= 5
    assert all(nucc.check(code) == code for code in nucc.COMMON)


@pytest.mark.parametrize("code", ["207R00000", "207R00000XX", "207r00000X", "207R00000Y", "", None, 3])
def test_a_bad_taxonomy_code_is_refused(code: object) -> None:
    with pytest.raises(FormatError, match="ten characters"):
        nucc.check(code)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('\ufeffCode,Grouping,Display Name\r\n207R00000X,Physicians,"Internal, Medicine"\r\n', "Internal, Medicine"),
        ("Code,Classification\n207R00000X,Internal\n", "Internal"),
        ("Code,Classification\n207R00000X\n", ""),
    ],
)
def test_a_taxonomy_file_is_loaded(text: str, name: str) -> None:
    assert nucc.load_csv(text.encode()) == {"207R00000X": name}


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"", "row 1"),
        (b"Code\n207R00000X\n", "row 1"),
        (b"Name,Display Name\n1,2\n", "row 1"),
        (b"Code,Display Name\n207R00000X,a\nwrong,b\n", "row 3"),
        (b"Code,Display Name\n\xff,b\n", ""),
        (b'Code,Display Name\n"207R00000X"x,b\n', ""),
        (b" " * (MAX_CODE_SET_BYTES + 1), ""),
    ],
)
def test_a_broken_taxonomy_file_is_refused(data: bytes, where: str) -> None:
    with pytest.raises(FormatError) as caught:
        nucc.load_csv(data)
    assert caught.value.where == where


def test_the_table_of_jurisdictions_is_whole_and_dated() -> None:
    names = jurisdictions.names()
    assert len(names) == 50 + 1 + 5
    assert all(re.fullmatch(r"US-[A-Z]{2}", code) for code in names)
    assert {"US-DC", "US-PR", "US-GU", "US-MP", "US-VI", "US-AS"} < set(names)
    table = packaged_table("jurisdictions")
    assert table.compiled_on.year >= 2026
    assert all("ISO 3166-2" in table.source_of(row).title for row in table.rows)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Massachusetts", "US-MA"),
        ("MA", "US-MA"),
        ("us-ma", "US-MA"),
        (" north   carolina ", "US-NC"),
        ("Puerto Rico", "US-PR"),
        ("Washington, D.C.", "US-DC"),
        ("Washington", "US-WA"),
        ("Virgin Islands", "US-VI"),
        ("Ontario", None),
        ("US", None),
        ("", None),
    ],
)
def test_a_state_is_known_by_code_and_name(text: str, code: str | None) -> None:
    assert jurisdictions.code_of(text) == code


def test_every_name_leads_to_its_code_and_back() -> None:
    for code, name in jurisdictions.names().items():
        assert jurisdictions.code_of(name) == code
        assert jurisdictions.name_of(code) == name


@pytest.mark.parametrize("code", ["NC", "US-XX", "US", "us-nc", "", None, ["US-NC"]])
def test_an_unknown_jurisdiction_is_refused(code: object) -> None:
    with pytest.raises(FormatError, match="state or territory"):
        jurisdictions.check(code)


def test_the_whole_country_is_allowed_only_where_asked_for() -> None:
    assert jurisdictions.check("US", nationwide=True) == "US"
    assert jurisdictions.check("US-NC", nationwide=True) == "US-NC"
