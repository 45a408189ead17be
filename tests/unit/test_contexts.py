from __future__ import annotations

import hashlib
import json
from importlib.resources import files

import pytest

from did_health.encoding.jcs import canonicalize
from did_health.errors import FormatError
from did_health.vc import contexts
from did_health.vc.contexts import CONTEXTS, CREDENTIALS_V1, CREDENTIALS_V2, DATA_INTEGRITY_V2, DID_HEALTH_V1, PINNED
from did_health.vc.packaged import schema_file
from tests.conftest import REPOSITORY, shared


def test_every_packed_context_equals_the_official_one() -> None:
    official = {entry["url"]: entry["file"] for entry in json.loads(shared("contexts", "index.json").read_bytes())["contexts"]}
    for url in PINNED:
        assert CONTEXTS[url] == json.loads(shared("contexts", official[url]).read_bytes()), url


def test_every_packed_context_is_pinned_by_the_digest_of_its_canonical_form() -> None:
    for url, (_, digest) in PINNED.items():
        assert hashlib.sha256(canonicalize(CONTEXTS[url])).hexdigest() == digest


def test_packed_contexts_are_normalised_json_and_all_in_use() -> None:
    folder = files("did_health.vc").joinpath("packed_contexts")
    names = {name for name, _ in PINNED.values()}
    assert {file.name for file in folder.iterdir()} == names
    for name in names:
        text = folder.joinpath(name).read_text()
        assert text == json.dumps(json.loads(text), sort_keys=True, indent=2, ensure_ascii=False) + "\n", name


def test_a_changed_packed_context_is_refused() -> None:
    name, digest = PINNED[CREDENTIALS_V2]
    with pytest.raises(FormatError, match="not the pinned one"):
        contexts._packed(name, digest[::-1])


def test_the_mapping_holds_ours_and_the_pinned_ones_and_no_other() -> None:
    assert set(CONTEXTS) == {*PINNED, DID_HEALTH_V1}
    assert len(CONTEXTS) == len(PINNED) + 1
    assert {CREDENTIALS_V1, CREDENTIALS_V2, DATA_INTEGRITY_V2, DID_HEALTH_V1} <= set(CONTEXTS)
    assert "https://www.w3.org/ns/credentials/undefined-terms/v2" not in CONTEXTS
    assert "https://www.w3.org/ns/credentials/examples/v2" not in CONTEXTS
    assert CONTEXTS.get("https://context.example/v1") is None


def test_our_own_context_is_the_file_in_schemas() -> None:
    assert CONTEXTS[DID_HEALTH_V1] == json.loads((REPOSITORY / "schemas" / "contexts" / "did-health-v1.json").read_bytes())


def test_packaged_files_are_found_by_name() -> None:
    assert json.loads(schema_file("contexts/did-health-v1.json"))["@context"]


@pytest.mark.parametrize(
    "name", ["../pyproject.toml", "/etc/hostname", "", "contexts", "contexts/", "nothing.json", "a//b", "contexts/../contexts/did-health-v1.json"]
)
def test_other_names_are_no_packaged_files(name: str) -> None:
    with pytest.raises(LookupError, match="no packaged schema file"):
        schema_file(name)
