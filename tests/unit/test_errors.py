from __future__ import annotations

import pytest

from did_health import errors
from did_health.errors import DidHealthError, FormatError, VerificationError

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DidHealthError)]


@pytest.mark.parametrize("kind", ALL)
def test_message_says_what_where_and_what_to_do(kind: type[DidHealthError]) -> None:
    error = kind("the date is missing", where="/validFrom", hint="Add one")
    assert str(error) == "the date is missing (at /validFrom). Add one"
    assert (error.what, error.where, error.hint) == ("the date is missing", "/validFrom", "Add one")
    assert str(kind("it broke")) == "it broke"


def test_codes_are_stable_and_differ() -> None:
    assert {kind.__name__: kind("x").code for kind in ALL} == {
        "DidHealthError": "error",
        "FormatError": "malformed",
        "UnsupportedError": "unsupported",
        "ResolutionError": "NOT_FOUND",
        "VerificationError": "verification_failed",
        "EdgeError": "edge",
        "TransportError": "transport",
        "StoreError": "store",
        "ConflictError": "conflict",
    }


@pytest.mark.parametrize("kind", ALL)
def test_code_of_the_specification_wins(kind: type[DidHealthError]) -> None:
    assert kind("x", code="INVALID_DID").code == "INVALID_DID"


def test_tree() -> None:
    assert issubclass(FormatError, ValueError)
    assert {kind.__name__ for kind in ALL if issubclass(kind, errors.EdgeError)} == {"EdgeError", "TransportError", "StoreError", "ConflictError"}
    assert not issubclass(VerificationError, ValueError)


def test_refusal_carries_its_report() -> None:
    report = object()
    assert VerificationError("refused", report=report).report is report
    assert VerificationError("refused").report is None
