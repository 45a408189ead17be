"""The demo from beginning to end, apart from its command line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from did_health.cli.demo.counter import Counter, serve_patients
from did_health.cli.demo.discipline import discipline
from did_health.cli.demo.gallery import CASES, Case, show_gallery
from did_health.cli.demo.ground import Ground, OnFederation, OwnLedger
from did_health.cli.demo.issue import issue_everything
from did_health.cli.demo.journal import Journal, ShowStep
from did_health.cli.demo.people import read_people
from did_health.cli.demo.scene import set_scene
from did_health.cli.demo.summary import IMPORT_REPORT, SUMMARY, Summary
from did_health.cli.demo.town import build_town
from did_health.encoding import strict_json
from did_health.services.federation import Federation
from did_health.stores.clock import system_clock


def run_demo(
    path: Path,
    *,
    practitioners: bytes | Iterable[bytes] | None = None,
    patients: bytes | Iterable[bytes] | None = None,
    mint_test_npi: bool = False,
    federation: Federation | None = None,
    show: ShowStep,
    cases: Sequence[Case] = CASES,
) -> Summary:
    """Run it in ``path``, which is made; the inputs are FHIR (``None``: the sample). The ledgers are those of ``federation``, which
    must be running, or one of its own. Raises errors of the library's tree, as its parts do.

    A verdict that is not what it must be raises nothing: ``Summary.ok`` tells.
    """
    journal = Journal(path, show)
    with journal.step("read the people"):
        people = read_people(practitioners, patients, mint_test_npi=mint_test_npi, now=system_clock())
    with journal.step("found the ledger"):
        ground: Ground = OnFederation(path, federation) if federation else OwnLedger(path)
    with closing(ground):
        journal.write(IMPORT_REPORT, strict_json.dumps({account.what: account.to_json() for account in people.accounts}, indent=True))
        with journal.step("found and accredit institutions") as meter:
            town = build_town(ground.office, people.licenses, meter)
        holders = issue_everything(town, people, journal)
        counter = Counter(ground, journal)
        in_good_standing, suspended, revoked, *_ = holders.physicians
        seen = serve_patients(counter, holders)
        discipline(counter, suspended, revoked)
        with journal.step("set the scene for bad cases"):
            scene = set_scene(counter, in_good_standing, seen.report)
        show_gallery(scene, cases)
        summary = Summary.of(ground, holders, people.accounts, journal)
    journal.write(SUMMARY, strict_json.dumps(summary.to_json(), indent=True))
    return summary
