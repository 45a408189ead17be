"""The peers of ``did-health bench --suites`` on Node accept every licence that is measured, and refuse one that was changed.

It needs Node 20 and npm (see ``conftest``); where they are not, the tests skip.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from did_health.cli.bench import peers, suites, workshop
from did_health.cli.bench.suites import SecuredLicences
from did_health.stores import directory
from tests.interop.conftest import RunNode
from tests.ledger_parties import CHEAP


@pytest.fixture(scope="module")
def cases() -> Iterator[list[SecuredLicences]]:
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in ((workshop, "LICENCES", 2), (workshop, "BATCHES", 1), (peers, "NODE_SECONDS", 0), (directory, "DEFAULT_COST", CHEAP)):
            patch.setattr(module, name, value)
        with workshop.workshop() as shop:
            yield suites.secured_licences(shop)


def test_every_way_of_securing_is_accepted(run_node: RunNode, cases: list[SecuredLicences]) -> None:
    answer = run_node("peers.mjs", peers._task(cases))
    assert [peer["suite"] for peer in answer["peers"]] == [case.suite for case in cases]
    assert all(peer["seconds"] > 0 for peer in answer["peers"])
    assert {peer["name"].split()[0] for peer in answer["peers"]} == {"@digitalbazaar/vc", "jose"}


def test_a_changed_licence_is_refused(run_node: RunNode, cases: list[SecuredLicences]) -> None:
    for case in cases:
        changed = case.secured[0][:-9] + case.secured[1][-9:] if case.suite == "vc+jwt" else case.secured[0].replace(b'"MD"', b'"DO"')
        task = peers._task([replace(case, secured=(changed,))])
        said = "signature verification failed" if case.suite == "vc+jwt" else f"Error: {case.suite}: "
        with pytest.raises(AssertionError, match=said):
            run_node("peers.mjs", task)
