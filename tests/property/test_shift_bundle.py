"""Whatever a file holds, reading it as a shift bundle or as pins gives one, or one named error."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.encoding import strict_json
from did_health.errors import FormatError, StoreError
from did_health.roles.evidence import Evidence
from did_health.roles.shift_bundle import FORMAT, ShiftBundle
from did_health.stores.pins import FilePins

JSON = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9), lambda inner: st.lists(inner, max_size=3), max_leaves=5)
WHOLE: dict[str, Any] = {
    "format": FORMAT, "for": "pharmacy", "madeAt": "2026-03-01T12:00:00Z", "madeBy": None, "policyDigest": "A" * 43 + "=", "boards": ["did:web:x.example"],
    "types": ["T"], "evidence": Evidence().to_object(),
}  # fmt: skip


def test_the_pattern_itself_is_read() -> None:
    assert ShiftBundle.from_object(WHOLE).made_at == datetime(2026, 3, 1, 12, tzinfo=UTC)


@given(data=st.binary(max_size=60))
@settings(max_examples=60, deadline=None)
def test_garbage_is_no_bundle(data: bytes) -> None:
    try:
        ShiftBundle.parse(data)
    except FormatError:
        return
    raise AssertionError(data)


@given(changes=st.dictionaries(st.sampled_from(sorted({*WHOLE, "proof"})), JSON, min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_a_bundle_with_changed_members_is_read_or_refused(changes: dict[str, Any]) -> None:
    try:
        bundle = ShiftBundle.parse(strict_json.dumps({**WHOLE, **changes}))
    except FormatError:
        return
    assert ShiftBundle.parse(bundle.to_json()) == bundle


@given(data=st.binary(max_size=40) | st.dictionaries(st.sampled_from(["format", "pins"]), JSON).map(strict_json.dumps))
@settings(max_examples=60, deadline=None)
def test_garbage_is_no_file_of_pins(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pins.json"
        path.write_bytes(data)
        with pytest.raises(StoreError) as refused:
            FilePins(path).get("x")
        assert refused.value.code == "store_foreign"
