"""Two trust registries as processes: that of the states, on a ledger behind HTTP, recognizes that of a compact's commission, in a directory of its own."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from did_health.errors import TransportError
from did_health.health.board_accreditation import BoardAccreditation
from did_health.net.exchange import HTTPExchange
from did_health.net.trust_registry import TrustRegistryClient
from did_health.roles.issuer import Board
from did_health.stores.clock import system_clock
from did_health.stores.directory import open_directory
from did_health.stores.office import AUTHORITY, Office
from did_health.trust.policy import TrustPolicy
from did_health.trust.trqp.answer import Answer
from did_health.trust.trqp.query import Query, QueryKind
from tests.ledger_parties import CHEAP, PASSPHRASE, Clock
from tests.ledger_service import ORIGIN, Service, ledger_service
from tests.registry_parties import LETTER, LICENSE, post
from tests.service_process import ServiceProcess, killed_at_the_end
from tests.serving import HOST

FRAMED = ("--governance-framework", "https://framework.example", "--listen", f"{HOST}:0")
LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(days=300)


class States:
    """The registry authority of the states, which writes to the ledger ``service`` from elsewhere, and a board that it accredited."""

    def __init__(self, folder: Path, service: Service) -> None:
        self.remote = service.remote()
        self.office = Office(folder, {ORIGIN: self.remote}, PASSPHRASE, clock=service.clock, cost=CHEAP)
        self.did = self.office.create_institution(AUTHORITY, title="Registry of the States", jurisdiction="US").did
        service.ledger.accept_authority(self.did)
        self.board: Board = self.office.create_board("nc-medical", title="North Carolina Board", jurisdiction="US-NC", professions=["MD"])
        self.policy = folder / "trust-policy.toml"
        self.policy.write_text(TrustPolicy(service.policy, self.did).encode())

    def recognize(self, entity: str, *, until: datetime = LATER, since: datetime | None = None) -> None:
        statement = BoardAccreditation(
            name="Commission", entity_type="compact_commission", jurisdiction="US", action="recognize", resource=LETTER, valid_until=until, valid_from=since
        )
        self.office.authority().accredit(statement, entity=entity)

    def close(self) -> None:
        self.office.close()
        self.remote.close()


@pytest.fixture
def started() -> Iterator[list[ServiceProcess]]:
    processes: list[ServiceProcess] = []
    with killed_at_the_end(processes):
        yield processes


def test_whom_one_registry_recognizes_another_answers_for(tmp_path: Path, started: list[ServiceProcess]) -> None:
    exchange, clock = HTTPExchange([HOST]), Clock(system_clock())

    def ask(process: ServiceProcess, query: Query) -> Answer | None:
        return TrustRegistryClient(process.told["urls"][0], exchange, clock=system_clock).ask(query)

    with open_directory(tmp_path / "commission", PASSPHRASE, create=True, cost=CHEAP) as directory:
        issuer = directory.create_board("letters", title="Commission", jurisdiction="US", resources=[LETTER], entity_type="compact_commission").institution.did
        commission = directory.policy.registry_authority
    started.append(of_commission := ServiceProcess("registry", "--dir", tmp_path / "commission", *FRAMED))
    with ledger_service(tmp_path / "ledger", clock=clock) as service:
        states = States(tmp_path / "states", service)
        began = clock()
        states.recognize(commission)
        started.append(of_states := ServiceProcess("registry", "--policy", states.policy, "--allow-host", HOST, *FRAMED))
        assert (of_states.told["authority"], of_commission.told["authority"]) == (states.did, commission)

        recognized = Query.asking(QueryKind.RECOGNITION, entity=commission, authority=states.did, action="recognize", resource=LETTER)
        letters = Query.asking(QueryKind.AUTHORIZATION, entity=issuer, authority=commission, action="issue", resource=LETTER)
        licenses = Query.asking(
            QueryKind.AUTHORIZATION, entity=states.board.institution.did, authority=states.did, action="issue", resource=LICENSE, jurisdiction="US-NC"
        )
        for process, query in ((of_states, recognized), (of_commission, letters), (of_states, licenses)):
            answer = ask(process, query)
            assert answer is not None
            assert answer.granted, answer.message
        # Whom it recognizes it does not speak for, and the other way round.
        assert ask(of_states, letters) is None
        unheard = ask(of_commission, Query.asking(QueryKind.RECOGNITION, entity=states.did, authority=commission, action="recognize", resource=LETTER))
        assert unheard is not None
        assert not unheard.granted

        clock.move(seconds=2)
        states.recognize(commission, since=began, until=began + timedelta(seconds=1))
        ended = ask(of_states, recognized)
        assert ended is not None
        assert not ended.granted
        assert "ended" in ended.message
        states.close()

    # The ledger is gone, and with it what the registry of the states knows.
    with pytest.raises(TransportError) as unknown:
        ask(of_states, licenses)
    assert unknown.value.code == "unexpected_status"
    assert post(of_states.told["urls"][0], licenses).json()["code"] == "ledger_unavailable"
    assert ask(of_commission, letters)
    exchange.close()
    for process in (of_states, of_commission):
        status, log = process.end(signal.SIGTERM)
        assert status == 0
        assert (log[0]["event"], log[-1]["event"]) == ("started", "ended")
        for secret in (PASSPHRASE, commission, states.did, issuer, LETTER):
            assert secret not in str(log)
