"""Garbage from clients, from servers and in configuration ends in one named refusal."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from did_health.errors import FormatError, TransportError
from did_health.keys import Algorithm, signer_from_secret
from did_health.net.exchange import Answer
from did_health.net.witness_client import HTTPCosigner
from did_health.services.config import FORMAT, Config
from did_health.tlog.cosignature import cosigner_key
from did_health.tlog.note import Signature
from did_health.tlog.witness_protocol import SIZE_CONTENT_TYPE, WitnessRefusal, WitnessState
from tests.witness_parties import NOW, ORIGIN, TREE, Running, open_witness, request, running

GOOD = request(0, 9).encode()
quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def witness() -> Iterator[Running]:
    with tempfile.TemporaryDirectory() as folder:
        directory = open_witness(Path(folder) / "w")
        with running(directory) as served:
            yield served
        directory.close()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good request with some bytes replaced, left out or put in."""
    start = draw(st.integers(0, len(GOOD)))
    end = draw(st.integers(start, min(len(GOOD), start + 9)))
    return GOOD[:start] + draw(st.binary(max_size=9)) + GOOD[end:]


@quick
@given(st.one_of(st.binary(max_size=600), damaged(), st.text(max_size=200).map(lambda text: f"old 0\n\n{text}".encode())))
def test_garbage_bodies_are_refused_and_never_500(witness: Running, body: bytes) -> None:
    answer = httpx.post(f"{witness.url}/add-checkpoint", content=body, trust_env=False)
    if answer.status_code == 200:
        # The damage undid itself, or fell on a part that is ignored: it is still the log's own checkpoint.
        assert witness.directory.state(ORIGIN) == WitnessState(9, TREE.root(9))
    else:
        assert answer.status_code in (400, 403, 404, 409, 422)
        assert answer.headers["content-type"] in ("text/plain; charset=utf-8", SIZE_CONTENT_TYPE)


@quick
@given(st.binary(max_size=60), st.booleans())
def test_garbage_paths_are_404(witness: Running, path: bytes, inside: bool) -> None:
    encoded = "".join(f"%{byte:02x}" for byte in path)
    answer = httpx.get(f"{witness.url}/{encoded}{'/checkpoint' if inside else ''}", trust_env=False)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


class Saying:
    """Stands for an exchange whose server says one thing to everything."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def get(self, url: str, *, max_bytes: int) -> Answer:
        return self.answer

    def post(self, url: str, body: bytes, *, content_type: str, max_bytes: int) -> Answer:
        return self.answer


answers = st.builds(
    Answer,
    st.sampled_from([200, 204, 400, 403, 404, 409, 422, 500]),
    st.sampled_from(["text/plain", SIZE_CONTENT_TYPE, ""]),
    st.one_of(
        st.binary(max_size=200),
        st.integers(-1, 50).map(lambda size: b"%d\n" % size),
        st.text(max_size=80).map(lambda text: f"— w.example {text}\n".encode()),
    ),
)


@quick
@given(answers)
def test_whatever_a_witness_says_the_log_gets_an_answer_or_a_named_error(answer: Answer) -> None:
    key = cosigner_key("w.example", signer_from_secret(Algorithm.ED25519, b"w" * 32).public_key)
    cosigner = HTTPCosigner(key, "https://w.example", Saying(answer), prove=TREE.consistency_proof)  # type: ignore[arg-type]
    for ask in (lambda: cosigner.add_checkpoint(request(0, 9), now=NOW), lambda: cosigner.latest(ORIGIN)):
        try:
            found = ask()
        except (TransportError, WitnessRefusal):
            continue
        # Nobody here has the witness's key.
        assert not isinstance(found, Signature)
        assert found == WitnessState()


@quick
@given(st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: f'format = "{FORMAT}"\n{text}'.encode()),
    st.tuples(st.sampled_from(["name", "dir", "logs", "listen", "prefix", "key", "requests_per_minute"]), st.text(max_size=30)).map(
        lambda member: f'format = "{FORMAT}"\n[witness]\nname = "w"\ndir = "w"\n{member[0]} = {member[1]}'.encode()
    ),
))  # fmt: skip
def test_garbage_in_a_configuration_is_a_format_error(data: bytes) -> None:
    with contextlib.suppress(FormatError):
        Config.parse(data, {}, folder=Path())


@quick
@given(st.sampled_from(["NAME", "DIR", "LOGS", "LISTEN", "PREFIX", "KEY", "REQUESTS_PER_MINUTE", "TRUSTED_PROXIES", "X"]), st.text(max_size=60))
def test_garbage_in_a_variable_is_a_format_error_that_names_it(name: str, value: str) -> None:
    variables = {"DID_HEALTH_WITNESS_NAME": "w", "DID_HEALTH_WITNESS_DIR": "w", f"DID_HEALTH_WITNESS_{name}": value}
    where = f"DID_HEALTH_WITNESS_{name}"
    try:
        Config.parse(b"", variables, folder=Path())
    except FormatError as error:
        where = error.where
    assert where == f"DID_HEALTH_WITNESS_{name}"
