from __future__ import annotations

import pytest

from did_health.errors import DidHealthError, FormatError, ResolutionError, TransportError, UnsupportedError, VerificationError
from did_health.vc.problem_details import TYPES, code_of, problem_details, title_of


def test_a_problem_says_what_the_error_says() -> None:
    error = FormatError("the issuer is missing", where="/issuer", hint="Name one", code="MALFORMED_VALUE_ERROR")
    assert problem_details(error, 400) == {
        "type": "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR",
        "title": "A value is malformed",
        "status": 400,
        "detail": "the issuer is missing. Name one",
        "where": "/issuer",
    }
    assert problem_details(VerificationError("no", code="INVALID_DOMAIN_ERROR")) == {
        "type": "https://w3id.org/security#INVALID_DOMAIN_ERROR",
        "title": "A proof was made for another domain",
        "detail": "no",
    }


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FormatError("x"), "PARSING_ERROR"),
        (FormatError("x", where="/id"), "MALFORMED_VALUE_ERROR"),
        (FormatError("x", code="RANGE_ERROR"), "RANGE_ERROR"),
        (UnsupportedError("x"), "PROOF_VERIFICATION_ERROR"),
        (VerificationError("x"), "PROOF_VERIFICATION_ERROR"),
        (VerificationError("x", code="schema_mismatch"), "MALFORMED_VALUE_ERROR"),
        (ResolutionError("x"), "NOT_FOUND"),
        (ResolutionError("x", code="DEACTIVATED"), "INVALID_VERIFICATION_METHOD"),
        (ResolutionError("x", code="unheard_of"), "INVALID_VERIFICATION_METHOD"),
        (TransportError("x"), "CRYPTOGRAPHIC_SECURITY_ERROR"),
    ],
)
def test_every_error_has_a_code_of_the_specifications(error: DidHealthError, code: str) -> None:
    assert code_of(error) == code
    assert TYPES[code].endswith("#" + code)


def test_every_code_has_a_title_of_its_own() -> None:
    titles = [title_of(code) for code in TYPES]
    assert len(set(titles)) == len(titles)
