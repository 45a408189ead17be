"""What the documentation links to is there, and the tests that the threat model names are tests."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.unit.test_identity_matching import IDENTITY

PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")])
THREATS = REPOSITORY / "docs/threat-model.md"
# The `name` of a test, and the file that it links to.
_TEST_LINK = re.compile(r"\[`([\w:]+)`\]\(([^)#]+\.py)\)")


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The fragments that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", without_code(page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, fragment = target.partition("#")
        path = page.parent / name if name else page
        assert path.exists(), target
        if fragment:
            assert fragment in anchors(path), target


def names_of_tests(path: Path) -> set[str]:
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}::{member.name}" for member in node.body if isinstance(member, ast.FunctionDef)}
    return names


def test_the_tests_that_the_threat_model_names_are_there() -> None:
    links = _TEST_LINK.findall(THREATS.read_text(encoding="utf-8"))
    assert len(links) > 40
    for name, target in links:
        assert name.rpartition("::")[2].startswith("test_")
        assert name in names_of_tests(THREATS.parent / target), name


def test_every_threat_has_a_test() -> None:
    _, *sections = re.split(r"^### ", THREATS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(sections) >= 12
    for section in sections:
        assert _TEST_LINK.search(section), section.partition("\n")[0]


def test_the_page_on_conformance_names_every_test_of_vectors_and_statements() -> None:
    page = (REPOSITORY / "docs/conformance.md").read_text(encoding="utf-8")
    tests = [path for path in REPOSITORY.glob("tests/*/test_*.py") if path.parent.name == "vectors" or path.stem.endswith(("_musts", "_statements"))]
    assert len(tests) > 20
    for path in tests:
        name = path.relative_to(REPOSITORY).as_posix()
        assert f"(../{name})" in page, f"docs/conformance.md does not name {name}"


def test_the_code_of_the_page_on_selective_disclosure_runs() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", (REPOSITORY / "docs/selective-disclosure.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    exec(compile(code, "docs/selective-disclosure.md", "exec"), {})


def test_the_code_of_the_page_on_fhir_runs() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", (REPOSITORY / "docs/fhir.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    now = datetime(2026, 11, 22, tzinfo=UTC)
    names: dict[str, Any] = {"identity": IDENTITY, "name": IDENTITY.name, "born": IDENTITY.birth_date, "phone": IDENTITY.phone, "now": now}
    exec(compile(code, "docs/fhir.md", "exec"), names)
    found = names["found"]
    (told,) = re.findall(r"# (\d.*)", code)
    assert told == f'{found.weight}, {found.agreeing}, (), {found.levels}'.replace("'", '"')
