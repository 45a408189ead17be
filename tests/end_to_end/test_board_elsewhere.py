"""What docs/ledger.md says of a board on a ledger that is served elsewhere, run as it is written there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import did_health as dh
from did_health.net.remote_ledger import RemoteLedger
from did_health.stores.office import AUTHORITY, Office
from tests.conftest import REPOSITORY
from tests.guides import blocks
from tests.ledger_parties import CHEAP, PASSPHRASE, Clock
from tests.ledger_service import ledger_service
from tests.serving import HOST

HOLDER = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


class Now(Clock):
    """The time that it is, which the page goes by."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)


def test_the_code_of_the_page_on_the_ledger_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with ledger_service(tmp_path / "ledger", clock=Now()) as service:
        remote = RemoteLedger(service.base, service.policy, allow_hosts=[HOST])
        registry = Office(tmp_path / "registry", {"ledger.example": remote}, PASSPHRASE, cost=CHEAP)
        authority = registry.create_institution(AUTHORITY, title="Registry", jurisdiction="US")
        service.ledger.accept_authority(authority.did)
        (tmp_path / "trust-policy.toml").write_text(dh.TrustPolicy(service.policy, authority.did).encode(), encoding="utf-8")
        license_ = dh.PhysicianLicense(
            name=dh.PersonName(family="Adams", given="Ann"), profession="MD", license_number="1", original_issue_date=date(2010, 1, 1),
            valid_until=datetime.now(UTC) + timedelta(days=300),
        )  # fmt: skip
        names: dict[str, Any] = {
            "url": service.base, "allowed": [HOST], "passphrase": PASSPHRASE, "directory": registry, "license": license_, "holder": HOLDER,
        }  # fmt: skip
        for block in blocks(REPOSITORY / "docs/ledger.md"):
            block.execute(names)
        registry.close()
        remote.close()
    assert names["report"].verdict == "refuse"
    assert names["institution"].did.endswith(":ledger.example:nc-medical")
