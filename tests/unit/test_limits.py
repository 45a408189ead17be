from __future__ import annotations

import re
from pathlib import Path

from did_health import limits
from tests.conftest import REPOSITORY

NAMED = {name: value for name, value in vars(limits).items() if name.isupper()}


def test_every_limit_is_a_positive_number() -> None:
    assert len(NAMED) > 30
    for name, value in NAMED.items():
        assert type(value) in (int, float), name
        assert value > 0, name


def test_names_say_of_what_they_are_the_bound() -> None:
    assert [name for name in NAMED if not re.match(r"(MAX|MIN)_\w+$|REQUEST_TIMEOUT_SECONDS$", name)] == []


def test_every_limit_is_applied_somewhere() -> None:
    code = "\n".join(path.read_text() for path in Path(REPOSITORY / "did_health").rglob("*.py") if path.name != "limits.py")
    assert [name for name in NAMED if not re.search(rf"\b{name}\b", code)] == []


def test_limits_that_others_set() -> None:
    assert limits.MIN_STATUS_LIST_ENTRIES == 131_072  # Bitstring Status List 1.0 §6
    assert limits.MAX_PROOF_HASHES == 63  # C2SP tlog-witness
    assert limits.MAX_ENTRY_BYTES == 65_535  # C2SP tlog-tiles


def test_limits_fit_each_other() -> None:
    assert limits.MAX_RESPONSE_BYTES <= limits.MAX_GATHER_BYTES
    assert limits.MAX_DOCUMENT_BYTES <= limits.MAX_RESPONSE_BYTES
    assert limits.MAX_KEY_FILE_BYTES <= limits.MAX_WALLET_BYTES
