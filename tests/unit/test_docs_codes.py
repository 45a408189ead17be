"""docs/codes.md lists every stable code of the reports, and no other: the codes are read from the source."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

import did_health
from did_health.did.methods import key as did_key
from did_health.health.status_messages import Message
from did_health.roles.report import CheckName
from did_health.vc.status_credential import check_status

PACKAGE: Final = Path(did_health.__file__).parent
PAGE: Final = PACKAGE.parent / "docs" / "codes.md"
SOURCES: Final = (
    *sorted((PACKAGE / "roles").rglob("*.py")), PACKAGE / "trust" / "entitlement.py", PACKAGE / "health" / "purposes.py",
    PACKAGE / "health" / "dated_tables.py", PACKAGE / "net" / "roster_lookup.py",
)  # fmt: skip

PLACES: Final = {
    "Unproven": 1, "Finding": 1, "Check": 2, "Entitlement": 1, "Doubt": 0, "LogFinding": 0, "ShiftFinding": 3, "passed": 0, "_check": 1, "_condition": 0,
}
"""By what makes a finding: which of its arguments is the code."""

KINDS: Final = ("status_list", "registry_record")
CREDENTIALS: Final = ("license", "registration")
RESOLUTION: Final = (
    "not_found", "internal_error", "deactivated", "invalid_did", "invalid_did_document", "invalid_public_key", "invalid_public_key_length",
    "unsupported_public_key_type",
)  # fmt: skip
STATUS: Final = ("status_verification_error", "status_list_length_error", "range_error", "unsupported")
PASSED_ON: Final = frozenset[str]()

MADE: Final[dict[tuple[str, str], frozenset[str]]] = {
    # What only hands on a code that stands elsewhere in the source.
    **dict.fromkeys((
        ("examination.py", "code"), ("examination.py", "finding.code"), ("status.py", "doubt.code"), ("passes.py", "code"), ("steps.py", "doubt.code"),
        ("found.py", "*_texts(document['doubt'], Doubt._fields)"), ("counter_checks.py", "code"), ("prescriber.py", "reason.code"),
        ("compact.py", "one.code"), ("compact.py", "doubt.code"), ("compact.py", "f'{PRINCIPAL}{check.code}'"), ("shift.py", "doubt.code"),
        ("entitlement.py", "answer.code"), ("ledger_state.py", "code"), ("issuer.py", "error.code"), ("signed_documents.py", "code"),
        ("report.py", "self.codes[0] if self.codes else None"),
    ), PASSED_ON),
    # Of the trust policy's judgement of a checkpoint, and of the pins.
    ("ledger_state.py", "error.code"): frozenset({"log_not_in_policy"}),
    ("compact.py", "f'{PRINCIPAL}{code}'"): frozenset({"principal_license_expired"}),
    ("presentation.py", "code"): frozenset({"wrong_audience", "wrong_nonce", "presentation_proof_invalid"}),
    ("shift.py", "code"): frozenset({"accredited", "not_accredited"}),
    ("checked_prescriber.py", "code"): frozenset({"prescriber_in_order", "prescriber_conditional", "prescriber_refused", "prescriber_unknown"}),
    ("status.py", "code"): frozenset(f"license_{message.name.lower()}" for message in Message if message is not Message.CLEAR),
    ("facts.py", "error.code.lower()"): frozenset(STATUS),
    ("ledger_state.py", "f'did_{error.code.lower()}'"): frozenset(f"did_{code}" for code in RESOLUTION),
    **{
        ("ledger_state.py", f"f'{{{given}}}_{end}'"): frozenset(f"{kind}_{end}" for kind in KINDS)
        for given, end in (("_code(kind)", "unavailable"), ("code", "not_latest"), ("code", "wrong_issuer"), ("code", "malformed"), ("code", "not_authentic"))
    },
    **{
        ("prescriber.py", f"f'{{code}}_{end}'"): frozenset(f"{what}_{end}" for what in CREDENTIALS)
        for end in ("not_found", "directory_unavailable", "of_another_state")
    },
    ("prescriber.py", "f\"{('license' if what == 'licence' else what)}_in_order\""): frozenset(f"{what}_in_order" for what in CREDENTIALS),
}  # fmt: skip
"""Codes that are made when the program runs, by the file and the expression that makes them."""


class Place(NamedTuple):
    """Where a code stands in the source."""

    module: str
    file: str
    expression: ast.expr

    def codes(self) -> frozenset[str]:
        text = ast.unparse(self.expression)
        if isinstance(self.expression, ast.Constant) and isinstance(self.expression.value, str):
            return frozenset({self.expression.value})
        if (self.file, text) in MADE:
            return MADE[self.file, text]
        if isinstance(self.expression, ast.Name):
            value = getattr(importlib.import_module(self.module), text, None)
            if isinstance(value, str):
                return frozenset({value})
        pytest.fail(f"{self.file}: nobody has said which codes {text} makes: add it to MADE and to docs/codes.md")


def places_in(source: str, module: str, file: str) -> Iterator[Place]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        place = PLACES.get(name)
        if name == "add" and len(node.args) > 2:
            place = 2
        if place is not None and len(node.args) > place:
            yield Place(module, file, node.args[place])
        yield from (Place(module, file, keyword.value) for keyword in node.keywords if keyword.arg == "code")


def places() -> Iterator[Place]:
    for path in SOURCES:
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        yield from places_in(path.read_text(encoding="utf-8"), module, path.name)


def codes_of_the_source() -> set[str]:
    """All of them, with the table of checks that said nothing against a credential."""
    from did_health.roles.checks.passes import _PASSES
    from did_health.roles.roster.row import ROW_MALFORMED

    found = {code for place in places() for code in place.codes()}
    # Error codes of DID resolution are specified in capitals, and stand in no report as such.
    return {code for code in found if code.islower()} | {*_PASSES, ROW_MALFORMED, "waived"}


def codes_of_the_page(text: str) -> list[str]:
    """What stands in code style in the first cell of a table's row."""
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    return [code for row in rows for code in re.findall(r"`([^`]+)`", row.split("|")[1])]


def test_every_code_of_the_source_stands_on_the_page_and_no_other() -> None:
    on_page, in_source = set(codes_of_the_page(PAGE.read_text(encoding="utf-8"))), codes_of_the_source()
    assert sorted(in_source - on_page) == [], "these are not on the page"
    assert sorted(on_page - in_source) == [], "these are in no source"


def test_every_row_of_the_page_has_an_outcome_a_meaning_and_what_to_do() -> None:
    for row in PAGE.read_text(encoding="utf-8").splitlines():
        if row.startswith("| `"):
            cells = [cell.strip() for cell in row.strip("|").split("|")]
            assert len(cells) == 4, row
            assert all(cells), row


def test_the_checks_of_the_page_are_in_their_order() -> None:
    headings = re.findall(r"^### \d+\. `(\w+)`$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert headings == list(CheckName)


def test_a_code_that_is_added_to_the_source_is_found() -> None:
    source = 'raise Unproven(Outcome.FAIL, "brand_new", "s")\nraise ConflictError("x", code="newer")\nchecks.add(N, O, "newest", "s")'
    assert {code for place in places_in(source, "m", "f.py") for code in place.codes()} == {"brand_new", "newer", "newest"}
    (unknown,) = places_in('Finding(Outcome.FAIL, f"made_of_{x}", "s")', "m", "f.py")
    with pytest.raises(pytest.fail.Exception, match="nobody has said"):
        unknown.codes()


def test_no_expression_is_explained_that_the_source_has_not() -> None:
    there = {(place.file, ast.unparse(place.expression)) for place in places()}
    assert sorted(MADE.keys() - there) == []


def test_the_errors_of_resolving_and_of_status_lists_are_those_that_can_come() -> None:
    folder = Path(did_key.__file__).parent
    files = [folder.parent / "method.py", folder / "key.py", folder / "jwk.py", *sorted((folder / "webvh").glob("*.py"))]
    raised = set(re.findall(r'"([A-Z]+_?[A-Z_]+)"', "".join(file.read_text(encoding="utf-8") for file in files)))
    assert {code.upper() for code in RESOLUTION} <= raised
    assert {"STATUS_VERIFICATION_ERROR", "RANGE_ERROR"} <= set(re.findall(r"``([A-Z_]+)``", check_status.__doc__ or ""))
