"""Documents of many entries in one answer: what a ledger gives, and how few requests a mirror needs."""

from __future__ import annotations

import hashlib
from contextlib import closing
from pathlib import Path

import pytest

from did_health.errors import FormatError, TransportError
from did_health.ledger.document_bundle import documents_path, encode_documents, parse_documents
from did_health.ledger.entry import Entry
from did_health.limits import MAX_DOCUMENT_BUNDLE_BYTES
from did_health.net.exchange import HTTPExchange
from did_health.net.followed_log import FollowedLog
from did_health.stores import log_reader
from did_health.tlog.tiles import Tile
from tests.any_log import handle, revocation
from tests.ledger_service import ledger_service
from tests.mirror_parties import Files, batch, mirroring, new_log
from tests.serving import HOST, serving


def test_a_bundle_too_large_is_none() -> None:
    half = bytes(MAX_DOCUMENT_BUNDLE_BYTES // 2 - 4)
    data = encode_documents([half, half])
    assert data is not None
    assert len(data) == MAX_DOCUMENT_BUNDLE_BYTES
    assert parse_documents(data, 2) == (half, half)
    assert encode_documents([half, half + b"x"]) is None
    with pytest.raises(FormatError, match="more than"):
        parse_documents(data + b"\0", 2)


@pytest.mark.parametrize(("data", "number"), [
    (b"\0\0\0\1", 1), (b"\0\0\0\2a", 1), (b"\0\0", 1), (b"\0\0\0\1a", 2), (b"\0\0\0\1a", 0), (b"", 1), (b"\xff\xff\xff\xffa", 1),
])  # fmt: skip
def test_a_bundle_that_is_cut_off_or_has_another_number_is_refused(data: bytes, number: int) -> None:
    with pytest.raises(FormatError):
        parse_documents(data, number)


def test_a_ledger_serves_them_for_ever_as_far_as_it_has_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ledger_service(tmp_path) as service:
        service.ledger.submit([revocation(number) for number in range(300)])
        full = service.get("documents/000")
        assert full.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert parse_documents(full.content, 256) == tuple(handle(number) for number in range(256))
        assert parse_documents(service.get("documents/000.p/3").content, 3) == tuple(handle(number) for number in range(3))
        tail = parse_documents(service.get("documents/001.p/45").content, 45)
        head = Entry.parse(service.ledger._store.entry_data(300, 301)[0])
        assert hashlib.sha256(tail[-1]).digest() == head.content
        for path in ("documents/001.p/46", "documents/001", "documents/002", "documents/000.p/0", "documents/0", "documents/x000/000", "documents/"):
            assert service.get(path).status_code == 404
        monkeypatch.setattr(log_reader, "MAX_DOCUMENT_BUNDLE_BYTES", 100)
        assert service.get("documents/000.p/2").status_code == 200
        assert service.get("documents/000.p/4").status_code == 404


def test_a_mirror_asks_a_ledger_for_few_bundles_and_no_single_document(tmp_path: Path) -> None:
    with ledger_service(tmp_path / "ledger") as service:
        service.ledger.submit([revocation(number) for number in range(600)])
        key = service.policy.logs[0].key
        with mirroring(tmp_path / "m", key, service.base, clock=service.clock) as running:
            assert running.mirror.follow()
            assert running.mirror.size == 601
        routes = [line["route"] for line in service.lines if line["event"] == "request"]
        assert [route for route in routes if "content" in route] == []
        assert len([route for route in routes if "documents" in route]) == 3


def test_of_a_log_that_is_only_files_each_document_is_asked_for(tmp_path: Path) -> None:
    log, files = new_log(), Files()
    batch(log, 1, 2, 3)
    files.lay(log)
    with serving(files) as source, mirroring(tmp_path / "m", log.signer.key, source) as running:
        assert running.mirror.follow()
        asked = sorted({path for path in files.asked if path.startswith("/content/")})
        assert asked == sorted(f"/content/{hashlib.sha256(handle(number)).hexdigest()}" for number in (1, 2, 3))


@pytest.mark.parametrize("lie", [b"\0\0\0\5ab", b"\0\0\0\1a"], ids=["cut off", "too few"])
def test_a_bundle_that_is_none_is_of_no_use(lie: bytes) -> None:
    files, tile = Files(), Tile(0, 0, 2)
    files.files[f"/{documents_path(tile)}"] = lie
    with serving(files) as source, closing(HTTPExchange([HOST])) as exchange, pytest.raises(TransportError, match="of no use"):
        FollowedLog(source, exchange).documents(0, 2, {bytes(32), b"\1" * 32})


def test_documents_in_a_bundle_that_nobody_asked_for_are_not_taken() -> None:
    files, tile = Files(), Tile(0, 0, 3)
    wanted = {hashlib.sha256(handle(number)).digest(): handle(number) for number in (1, 2)}
    bundle = encode_documents([handle(1), b"something else", handle(9)])
    assert bundle is not None
    files.files |= {f"/{documents_path(tile)}": bundle, f"/content/{hashlib.sha256(handle(2)).hexdigest()}": handle(2)}
    with serving(files) as source, closing(HTTPExchange([HOST])) as exchange:
        assert FollowedLog(source, exchange).documents(0, 3, wanted.keys()) == wanted
