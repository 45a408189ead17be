"""What a monitor reads: names of subjects and authors, its state, its notices. Garbage gives ``FormatError`` and nothing else."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.errors import FormatError
from did_health.ledger.monitor import Alarm, Level, Mine, Notice, named_subject, own_author, subjects_of_did
from did_health.stores.monitor_state import FORMAT, MonitorState
from tests.ledger_parties import START

ALARM = Alarm(Level.CRITICAL, "code", "log.example", "", "what", START, {"a": 1})
STATE = json.loads(MonitorState({}, {ALARM.id: ALARM}, (Notice(ALARM, START),)).encode())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80) | st.tuples(st.sampled_from(["did", "status-list", "did:webvh:", "z6Mk", "#", "="]), st.text(max_size=60)).map("".join))
def test_garbage_names_nothing_or_something_of_32_bytes(text: str) -> None:
    with suppress(FormatError):
        assert len(named_subject(text)) == 32
    with suppress(FormatError):
        method, key = own_author(text)
        assert Mine({}, {method: key}).authors
    with suppress(FormatError):
        assert len(subjects_of_did(text)) > 3


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200) | st.dictionaries(st.sampled_from(["logs", "open", "unsent", "lost"]), VALUES).map(
    lambda members: json.dumps({"format": FORMAT, **members}).encode("utf-8", "surrogatepass")))  # fmt: skip
def test_garbage_is_no_state(data: bytes) -> None:
    try:
        state = MonitorState.parse(data)
    except FormatError:
        return
    assert MonitorState.parse(state.encode()) == state


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(STATE["unsent"][0])), VALUES)
def test_a_changed_notice_is_read_or_refused(member: str, value: Any) -> None:
    try:
        notice = Notice.from_json({**STATE["unsent"][0], member: value})
    except FormatError:
        return
    assert isinstance(notice.alarm.level, Level)
