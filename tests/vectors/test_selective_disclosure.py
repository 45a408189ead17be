"""W3C test vectors of the selective disclosure functions: labels, statements and groups of ecdsa-sd-2023 and bbs-2023."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.vc.proofs.selective_disclosure import (
    LabelMapFunction,
    canonicalize_and_group,
    hash_mandatory,
    hmac_labels,
    parse_pointer,
    select,
    shuffled_labels,
)
from did_health.vc.rdf import canonical_nquads
from did_health.vc.rdf_canon import canonicalize
from tests.conftest import shared
from tests.nquads import parse_nquads

pytestmark = pytest.mark.vectors
CASES = [
    pytest.param("ecdsa", "ecdsa-sd-2023/prc", "ecdsa-sd-2023/SDKeyMaterial.json", hmac_labels, id="ecdsa-sd-2023"),
    pytest.param("bbs", "prc", "BBSKeyMaterial.json", shuffled_labels, id="bbs-2023"),
]


def read(*parts: str) -> Any:
    return strict_json.loads(shared("vectors", "data-integrity", *parts).read_bytes())


@pytest.fixture(scope="module")
def contexts() -> dict[str, JSONObject]:
    index = strict_json.loads_object(shared("contexts", "index.json").read_bytes())
    return {entry["url"]: strict_json.loads_object(shared("contexts", entry["file"]).read_bytes()) for entry in index["contexts"]}


@pytest.mark.parametrize("suite", ["ecdsa", "bbs"])
def test_a_pointer_selects_the_published_value(suite: str) -> None:
    folder = "ecdsa-sd-2023/prc" if suite == "ecdsa" else "prc"
    document = read(suite, folder, "addSignedSDBase.json")
    cases = read(suite, folder, "addPointerValues.json")
    assert cases
    for case in cases:
        chosen = select(document, [case["pointer"]])
        for token in parse_pointer(case["pointer"]):
            chosen = chosen[token]  # type: ignore[index]  # none of them leads through an array
        assert chosen == case["value"]


@pytest.mark.parametrize(("suite", "folder", "keys", "labels"), CASES)
def test_statements_labels_and_groups_are_the_published_ones(
    suite: str, folder: str, keys: str, labels: Callable[[bytes], LabelMapFunction], contexts: dict[str, JSONObject]
) -> None:
    # The unsigned document beside them has another description than the one that was signed.
    document = {name: value for name, value in read(suite, folder, "addSignedSDBase.json").items() if name != "proof"}
    mandatory, selective = read(suite, "prCredMandatory.json"), read(suite, "prCredSelective.json")
    key = bytes.fromhex(read(suite, keys)["hmacKeyString"])

    grouped = canonicalize_and_group(
        document, labels(key), {"mandatory": mandatory, "selective": selective, "combined": [*mandatory, *selective]}, contexts
    )

    assert list(grouped.nquads) == read(suite, folder, "addBaseDocHMACCanon.json")
    indexes = read(suite, folder, "derivedGroupIndexes.json")
    for name, group in grouped.groups.items():
        assert list(group.matching) == indexes[f"{name}Indexes"]
        published = read(suite, folder, "derivedAllGroupData.json")["groups"][name]
        assert [[index, grouped.nquads[index]] for index in group.matching] == published["matching"]["value"]
        assert [[index, grouped.nquads[index]] for index in group.non_matching] == published["nonMatching"]["value"]
        # Their labels are random, and so are compared in canonical form.
        assert canonicalize(group.quads)[0] == canonicalize(parse_nquads("".join(published["deskolemizedNQuads"])))[0]
    assert list(grouped.groups["mandatory"].non_matching) == indexes["nonMandatoryIndexes"]
    transform = read(suite, folder, "addBaseTransform.json")
    assert [[index, grouped.nquads[index]] for index in grouped.groups["mandatory"].matching] == transform["mandatory"]["value"]
    assert [[index, grouped.nquads[index]] for index in grouped.groups["mandatory"].non_matching] == transform["nonMandatory"]["value"]
    assert canonical_nquads(document, contexts=contexts) == "".join(read(suite, folder, "addBaseDocCanon.json"))
    hashed = hash_mandatory(grouped.nquads[index] for index in grouped.groups["mandatory"].matching)
    assert hashed.hex() == read(suite, folder, "addHashData.json")["mandatoryHash"]
