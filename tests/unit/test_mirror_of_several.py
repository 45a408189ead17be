"""A mirror that follows several logs: one process, one key, and each log at its own path."""

from __future__ import annotations

import io
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from did_health.net.exchange import HTTPExchange
from did_health.net.followed_log import FollowedLog
from did_health.services.following import Following
from did_health.services.json_log import JSONLog
from did_health.services.metrics import Metrics
from did_health.services.mirror_app import mirror_app
from did_health.services.rate_limit import RateLimit
from did_health.stores.mirror import Mirror
from did_health.tlog.witness_protocol import AddCheckpoint
from tests.ledger_parties import Clock
from tests.mirror_parties import Files, batch, new_log
from tests.serving import HOST, serving
from tests.witness_parties import open_witness


def test_several_logs_are_followed_cosigned_and_served_each_at_its_own_path(tmp_path: Path) -> None:
    clock, exchange, stream = Clock(), HTTPExchange([HOST]), io.StringIO()
    logs = [new_log("a.example"), new_log("b.example")]
    sources = [Files(), Files()]
    for number, (log, files) in enumerate(zip(logs, sources, strict=True)):
        batch(log, *range(2 + number))
        files.lay(log)
    directory = open_witness(tmp_path, name="m.example", logs=[log.signer.key for log in logs])
    with ExitStack() as stack:
        stack.callback(exchange.close)
        stack.callback(directory.close)
        mirrors, followings = [], []
        metrics = Metrics("mirror")
        for name, log, files in zip("ab", logs, sources, strict=True):
            source = stack.enter_context(serving(files))
            mirrors.append(Mirror.open(tmp_path / name, log.signer.key, f"https://ledgers.example/{name}", FollowedLog(source, exchange), clock=clock))
            stack.callback(mirrors[-1].close)
            followings.append(Following(mirrors[-1], log=JSONLog("mirror", stream), metrics=metrics))
        app = mirror_app(followings, directory, clock=clock, log=JSONLog("mirror", stream), limit=RateLimit(1_000_000), metrics=metrics)
        base = stack.enter_context(serving(app))
        for log in logs:
            asked = AddCheckpoint(0, (), log.note()).encode()
            assert httpx.post(f"{base}/add-checkpoint", content=asked, trust_env=False, timeout=30).status_code == 200
        assert [following.follow() for following in followings] == [True, True]
        for name, log in zip("ab", logs, strict=True):
            assert httpx.get(f"{base}/{name}/checkpoint", trust_env=False).content == log.note().encode()
        assert httpx.get(f"{base}/c/checkpoint", trust_env=False).status_code == 404
        text = httpx.get(f"{base}/metrics", trust_env=False).text
        assert 'did_health_mirror_size{log="a.example"} 3.0' in text
        assert 'did_health_mirror_size{log="b.example"} 4.0' in text
        assert httpx.get(f"{base}/readyz", trust_env=False).status_code == 200
        with pytest.raises(ValueError, match="one path"):
            mirror_app([followings[0], followings[0]], directory, clock=clock, log=JSONLog("mirror", stream), limit=RateLimit(1), metrics=metrics)
