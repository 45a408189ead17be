"""The problem types that three Recommendations define, as collected from their text."""

from __future__ import annotations

import json

import pytest

from did_health.vc.problem_details import MEDIA_TYPE, TYPES
from tests.conftest import shared

pytestmark = pytest.mark.vectors


def test_every_type_url_is_known_by_its_code() -> None:
    found = json.loads(shared("vectors", "problem-details", "examples.json").read_bytes())
    urls = [url for urls in found["types"].values() for url in urls]
    assert len(urls) == 12
    for url in urls:
        assert TYPES[url.partition("#")[2]] == url
    assert found["mediaType"] == MEDIA_TYPE
