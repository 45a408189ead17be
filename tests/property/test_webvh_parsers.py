from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.did.methods import webvh
from did_health.did.methods.webvh.entry import LogEntry
from did_health.did.methods.webvh.urls import WebvhDID
from did_health.errors import DidHealthError, FormatError, UnsupportedError, VerificationError
from tests.webvh_samples import LATER, approvals, day, new_log, signer, two_entries, witnesses

QUICK = settings(max_examples=150, deadline=None)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=12), children, max_size=4),
    max_leaves=12,
)
# Whole files are refused for other numbers, which is not the question there.
PLAIN = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=20) | st.lists(st.text(max_size=3), max_size=2)
LINE = new_log(portable=True, ttl=60, witness=witnesses(1, 7), pre_rotation=True).lines[0]


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for name, child in children for deeper in paths(child, (*path, name)))]


PATHS = [path for path in paths(json.loads(LINE)) if path]


def replaced(path: tuple[Any, ...], value: Any) -> bytes:
    document = json.loads(LINE)
    target = document
    for name in path[:-1]:
        target = target[name]
    target[path[-1]] = value
    return json.dumps(document).encode()


@QUICK
@given(st.binary(max_size=200))
def test_garbage_is_no_entry(data: bytes) -> None:
    try:
        LogEntry.parse(data)
    except FormatError:
        return
    raise AssertionError("garbage was read as a log entry")


@QUICK
@given(st.sampled_from(PATHS), JSON)
def test_an_entry_with_any_member_replaced_is_refused_in_one_of_our_ways(path: tuple[Any, ...], value: Any) -> None:
    line = replaced(path, value)
    with contextlib.suppress(FormatError, UnsupportedError):
        LogEntry.parse(line)
    try:
        webvh.verify_proposed(None, line, LATER)
    except (FormatError, UnsupportedError, VerificationError):
        return
    assert json.loads(line) == json.loads(LINE)


@QUICK
@given(st.integers(0, len(LINE) - 1), st.binary(max_size=3))
def test_an_entry_with_bytes_exchanged_is_refused_or_means_the_same(position: int, data: bytes) -> None:
    line = LINE[:position] + data + LINE[position + len(data) :]
    try:
        webvh.verify_proposed(None, line, LATER)
    except (FormatError, UnsupportedError, VerificationError):
        return
    assert json.loads(line) == json.loads(LINE)


@QUICK
@given(st.lists(st.sampled_from([*two_entries().lines, LINE, b"", b"{}", b"\xff"]), max_size=5).map(b"\n".join), st.binary(max_size=60) | st.none())
def test_reading_a_log_raises_nothing(data: bytes, file: bytes | None) -> None:
    reading = webvh.read_log(data, file, now=LATER)
    assert (reading.valid is None) <= (reading.fault is not None)
    assert reading.fault is None or isinstance(reading.fault, DidHealthError)
    if reading.valid is not None:
        assert reading.valid.witnessed
        assert data.startswith(b"\n".join(reading.valid.lines))


@QUICK
@given(st.binary(max_size=100) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_witness_file_is_read_or_a_format_error(data: bytes) -> None:
    try:
        file = webvh.WitnessFile.parse(data)
    except FormatError:
        return
    assert webvh.WitnessFile.parse(file.encode()).encode() == file.encode()


@QUICK
@given(st.dictionaries(st.sampled_from(["type", "cryptosuite", "proofPurpose", "verificationMethod", "proofValue", "created", "expires"]), PLAIN))
def test_any_witness_proof_counts_or_not_without_an_error(members: dict[str, Any]) -> None:
    log = new_log(witness=witnesses(1, 7))
    file = json.loads(approvals(log, 7))
    proof = file[0]["proof"][0]
    same = {**proof, **members} == proof
    proof.update(members)
    assert log.with_witness_proofs(json.dumps(file).encode(), now=LATER).witnessed == same


@QUICK
@given(st.text(max_size=60) | st.text(alphabet="abc.:%2EF3A/\\?#-1", max_size=40))
def test_any_did_goes_to_its_own_host_or_is_refused(rest: str) -> None:
    try:
        did = WebvhDID.parse(f"did:webvh:{'Q' * 46}:{rest}")
    except FormatError:
        return
    authority, _, path = did.log_url.removeprefix("https://").partition("/")
    assert authority == (did.host if did.port is None else f"{did.host}:{did.port}")
    assert did.host.isascii()
    assert not {".", "..", ""} & set(path.split("/"))
    assert did.log_url.isascii()
    assert not set("?#\\ ") & set(did.log_url)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from(["ttl", "rotate", "document", "watchers"]), max_size=6))
def test_every_log_that_we_make_is_one_that_we_read(steps: list[str]) -> None:
    log, author = new_log(), 1
    for number, step in enumerate(steps, start=1):
        changes: dict[str, Any] = {
            "ttl": {"ttl": number},
            "rotate": {"update_keys": [signer(author + 1).public_key.multikey]},
            "document": {"state": webvh.multikey_document({f"key-{number}": signer(number).public_key.multikey})},
            "watchers": {"watchers": [f"https://{number}.example"]},
        }[step]
        log = webvh.update(log, signer=signer(author), now=day(number), **changes)
        author += step == "rotate"
    assert webvh.Log.parse(log.encode(), now=LATER) == log
    assert len(log.entries) == len(steps) + 1
