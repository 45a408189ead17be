"""Measured: a pharmacy's counter, from the answer of a wallet to the row of the log with its receipts; a command does it by itself, too.

Every pickup is another patient's, so that nothing that is remembered of one helps with the next.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from did_health.cli.bench.measure import Ratio
from did_health.encoding import strict_json
from did_health.errors import VerificationError
from did_health.health.act import Act
from did_health.health.assurance import Assurance
from did_health.health.patient_identity import PatientIdentity
from did_health.health.person_name import PersonName
from did_health.net.verifiers import embedded_verifier
from did_health.roles.evidence import Evidence
from did_health.roles.holder import Wallet
from did_health.roles.pickup import Collector, PickupDesk, Visit
from did_health.roles.verifier import Verifier
from did_health.stores.clock import system_clock
from did_health.stores.directory import Directory, open_directory

LIMIT_CACHED_MS: Final = 300.0
LIMIT_LEDGER_MS: Final = 2_000.0
_PHARMACY: Final = "main-street"
_AUDIENCE: Final = "https://pharmacy.example"
_PASSPHRASE: Final = "bench only, nothing is kept"  # noqa: S105  # of a directory that is deleted
_FAMILY: Final = "Adams"
_BORN: Final = date(1980, 1, 1)
_COMMAND: Final = "from did_health.cli.main import run; run()"


@dataclass(frozen=True, slots=True)
class Place:
    """A pharmacy's directory, and patients with a credential each."""

    directory: Directory
    patients: tuple[Wallet, ...]

    @property
    def path(self) -> Path:
        """The directory's folder."""
        return self.directory.path

    def desk(self, verifier: Verifier) -> PickupDesk:
        """The counter."""
        return self.directory.pickup_desk(_PHARMACY, verifier)

    def visit(self, desk: PickupDesk, patient: int) -> Visit:
        """A schedule II pickup in North Carolina."""
        return Visit(PersonName(_FAMILY, f"Ann{patient}"), _BORN, Act("pickup", "2", "US-NC", pharmacy=desk.book.verifier))


def counter(pickups: int) -> list[Ratio]:
    """The 95th percentile of so many pickups: by the directory's ledger, by cached evidence, and by cached evidence with one command each."""
    with TemporaryDirectory(prefix="did-health-bench-") as path, open_directory(Path(path) / "town", _PASSPHRASE, create=True) as directory:
        place = _built(directory, pickups)
        online, evidence = _served(place, embedded_verifier(directory), None)
        cached, _ = _served(place, Verifier(directory.policy, clock=system_clock), evidence)
        commands = _commanded(place, evidence)
    ran = f"{pickups} patients, schedule II: checked, decided, receipt signed, written down"
    return [
        _ratio("a pickup by the directory's ledger, p95 / ms", online, LIMIT_LEDGER_MS, ran),
        _ratio("a pickup from cached evidence, p95 / ms", cached, LIMIT_CACHED_MS, ran),
        _ratio("pickup check --evidence, a process each, p95 / ms", commands, None, "the same, with Python's start and the keys' passphrase"),
    ]


def _built(directory: Directory, patients: int) -> Place:
    csp = directory.create_board("csp", title="Identity Provider", jurisdiction="US", resources=["PatientIdentityCredential"], entity_type="csp")
    directory.create_institution(_PHARMACY, title="Main Street Pharmacy", jurisdiction="US-NC")
    wallets = [Wallet.create(clock=system_clock, random=os.urandom) for _ in range(patients)]
    now = system_clock()
    proofed = Assurance("NIST 800-63A-4", "IAL2", now.date() - timedelta(days=1), "in person")
    identities = [
        PatientIdentity(name=PersonName(_FAMILY, f"Ann{place}"), birth_date=_BORN, assurance=proofed, valid_until=now + timedelta(days=300))
        for place in range(patients)
    ]
    for wallet, issued in zip(wallets, csp.issue_many([(claims, wallet.did) for claims, wallet in zip(identities, wallets, strict=True)]), strict=True):
        wallet.add(issued)
    return Place(directory, tuple(wallets))


def _served(place: Place, verifier: Verifier, evidence: Evidence | None) -> tuple[list[float], Evidence]:
    """The seconds of each pickup, and the evidence that the last was decided by."""
    desk, seconds, used = place.desk(verifier), [], Evidence()
    for number, patient in enumerate(place.patients):
        request = desk.ask(Collector.PATIENT, audience=_AUDIENCE)
        shown = patient.present(patient.credentials, audience=_AUDIENCE, nonce=request.nonce)
        visit = place.visit(desk, number)
        start = perf_counter()
        pickup = desk.decide(visit, shown, request=request, evidence=evidence)
        desk.complete(pickup)
        seconds.append(perf_counter() - start)
        require_accepted(pickup.verdict, pickup.report.codes)
        used = pickup.report.evidence
    return seconds, used


def _commanded(place: Place, evidence: Evidence) -> list[float]:
    """The seconds of one command for each patient."""
    folder, desk, seconds = place.path.parent, place.desk(Verifier(place.directory.policy, clock=system_clock)), []
    (folder / "evidence.json").write_bytes(evidence.to_json())
    environment = {**os.environ, "DID_HEALTH_PASSPHRASE": _PASSPHRASE, "DID_HEALTH_DIR": str(place.path)}
    arguments = ["pickup", "check", _PHARMACY, "shown.json", "--request", "request.json", "--patient", "patient.json", "--evidence", "evidence.json"]
    act = ["--schedule", "2", "--jurisdiction", "US-NC"]
    for number, patient in enumerate(place.patients):
        request = desk.ask(Collector.PATIENT, audience=_AUDIENCE)
        (folder / "request.json").write_bytes(request.to_json())
        (folder / "shown.json").write_bytes(patient.present(patient.credentials, audience=_AUDIENCE, nonce=request.nonce))
        record = {"family": _FAMILY, "given": f"Ann{number}", "birthDate": _BORN.isoformat()}
        (folder / "patient.json").write_bytes(strict_json.dumps(record))
        start = perf_counter()
        ran = subprocess.run(  # noqa: S603  # this Python, on a constant
            [sys.executable, "-c", _COMMAND, *arguments, *act], cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=False
        )
        seconds.append(perf_counter() - start)
        require_accepted("accept" if ran.returncode == 0 else f"status {ran.returncode}", ())
    return seconds


def require_accepted(verdict: str, codes: Sequence[str]) -> None:
    """Raises ``VerificationError`` unless what was measured is a pickup that can be handed over: a refusal is quicker, and says nothing."""
    if verdict != "accept":
        raise VerificationError(f"a pickup that was to be measured ended otherwise: {verdict} {' '.join(codes)}".strip(), code="bench")


def _ratio(name: str, seconds: Sequence[float], limit: float | None, how: str) -> Ratio:
    # Of one alone there are no percentiles.
    cuts = quantiles(seconds, n=20, method="inclusive") if len(seconds) > 1 else [seconds[0]] * 19
    return Ratio(name, cuts[18] * 1000, limit, f"p50 {cuts[9] * 1000:.1f} ms; {how}")
