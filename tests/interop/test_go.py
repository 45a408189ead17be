"""A verifier in Go that shares nothing with us but the formats accepts our ledger over HTTP, and refuses one that somebody tampered with.

It needs Go and golang.org/x/mod as Debian has them (packages golang-go and golang-golang-x-mod-dev).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from did_health.encoding import cbor
from did_health.keys import generate
from did_health.ledger.entry import revocation_subject
from did_health.ledger.latest import LatestBundle
from did_health.roles.evidence import Need
from did_health.services.published import published_app
from did_health.stores.embedded import EmbeddedLedger
from did_health.tlog.cosignature import cosign, cosigner_key
from did_health.tlog.note import SignedNote
from did_health.tlog.witness_policy import WitnessPolicy
from tests.any_log import handle, revocation
from tests.conftest import lacking, repeatable_bytes
from tests.ledger_parties import START, URL, Board, Clock, new_ledger
from tests.serving import serving

SOURCE = Path(__file__).parent / "go"
GOPATH = Path("/usr/share/gocode")
NOW = int(START.timestamp())
HOUR = 3600
# Two full tiles, and one that is not.
LEAVES = 600
FIRST, LAST, NOBODY = (revocation_subject(handle(number)) for number in (0, LEAVES - 1, LEAVES))

Change = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The verifier, built; skips the tests where it cannot be, which with ``CI`` set is a failure."""
    go = shutil.which("go")
    if go is None or not (GOPATH / "src/golang.org/x/mod").is_dir():
        lacking("the verifier in Go cannot be built: Debian's packages golang-go and golang-golang-x-mod-dev are not installed")
    folder = tmp_path_factory.mktemp("go")
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": str(GOPATH), "GOCACHE": str(folder / "cache"), "GOFLAGS": ""}
    built = subprocess.run([go, "build", "-o", folder / "verifier", "."], cwd=SOURCE, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder / "verifier"


@dataclass
class Published:
    """A ledger of three batches, and its checkpoint after the first."""

    ledger: EmbeddedLedger
    earlier: Path

    def fetch(self, path: str) -> bytes:
        content = self.ledger.fetch(Need(f"{URL}/{path}"))
        assert content is not None
        return content


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    folder = tmp_path_factory.mktemp("published")
    with closing(new_ledger(folder / "ledger", Clock())) as ledger:
        one = Published(ledger, folder / "earlier")
        ledger.submit([revocation(number) for number in range(200)])
        one.earlier.write_bytes(one.fetch("checkpoint"))
        Board("board.example", repeatable_bytes("board")).join(ledger)
        ledger.submit([revocation(number) for number in range(200, LEAVES)])
        yield one


@dataclass
class Tampering:
    """A source of what a ledger has, but for the answers that ``changes`` has a say in."""

    ledger: EmbeddedLedger
    changes: dict[str, Change]

    def fetch(self, need: Need) -> bytes | None:
        content = self.ledger.fetch(need)
        change = self.changes.get(need.url.removeprefix(f"{URL}/"))
        return change(content) if change and content is not None else content


@contextmanager
def served(ledger: EmbeddedLedger, changes: dict[str, Change] | None = None) -> Iterator[str]:
    with serving(published_app(Tampering(ledger, changes or {}), ["ledger.example"])) as base:
        yield f"{base}/log"


@dataclass
class Said:
    accepted: bool
    text: str


def run(verifier: Path, url: str, policy: WitnessPolicy, **options: object) -> Said:
    """What the verifier says of the ledger at ``url``; a name of ``options`` is that of one of its options with ``_`` for ``-``."""
    given = {
        "url": url, "log": policy.logs[0].key, "witnesses": ",".join(str(witness.key) for witness in policy.witnesses),
        "quorum": policy.groups[0].threshold, "now": NOW, **options,
    }  # fmt: skip
    arguments = [f"-{name.replace('_', '-')}={value}" for name, value in given.items()]
    # A proxy is not for the loopback, whatever the environment says.
    done = subprocess.run([verifier, *arguments], capture_output=True, text=True, timeout=60, check=False, env={"NO_PROXY": "*"})
    assert done.returncode in (0, 1), done.stderr
    assert done.stdout.startswith("in order: " if done.returncode == 0 else "refused: "), done.stdout + done.stderr
    return Said(done.returncode == 0, done.stdout)


def policy_of(published: Published) -> WitnessPolicy:
    return WitnessPolicy.parse(published.ledger.policy_text)


def test_our_ledger_is_in_order(verifier: Path, published: Published) -> None:
    with served(published.ledger) as url:
        said = run(
            verifier, url, policy_of(published), older=published.earlier, samples=50, present=f"{FIRST.hex()},{LAST.hex()}", absent=NOBODY.hex()
        )
        assert said == Said(True, f"in order: {published.ledger.size} leaves\n")


def flipped(at: int) -> Change:
    def change(content: bytes) -> bytes:
        changed = bytearray(content)
        changed[at] ^= 1
        return bytes(changed)

    return change


def without_witness_lines(content: bytes) -> bytes:
    note = SignedNote.parse(content)
    return replace(note, signatures=note.signatures[:3]).encode()


def resized(content: bytes) -> bytes:
    text, _, rest = content.decode().partition("\n")
    size, _, rest = rest.partition("\n")
    return f"{text}\n{int(size) + 1}\n{rest}".encode()


@pytest.mark.parametrize(
    ("path", "change", "complaint"),
    [
        pytest.param("checkpoint", resized, "log did not sign", id="size-of-the-checkpoint"),
        pytest.param("checkpoint", flipped(-4), "no witness cosigned", id="cosignature"),
        pytest.param("checkpoint", without_witness_lines, "2 witnesses cosigned", id="too-few-cosignatures"),
        # By the tile or by the proof made of it, as tlog's version has it.
        pytest.param("tile/0/000", flipped(40), "refused: ", id="full-tile"),
        pytest.param("tile/0/002.p/92", flipped(40), "tiles give no", id="partial-tile"),
        pytest.param("tile/1/000.p/2", flipped(40), "tiles give no", id="tile-above"),
        pytest.param("tile/entries/001", flipped(40), "not the leaf", id="entry"),
        pytest.param("tile/entries/002.p/92", lambda content: content + b"\0\0", "too long", id="one-entry-too-many"),
        pytest.param("tile/entries/000", lambda content: content[:-1], "cut off", id="entries-cut-off"),
    ],
)
def test_a_tampered_log_is_refused(verifier: Path, published: Published, path: str, change: Change, complaint: str) -> None:
    assert published.fetch(path) != change(published.fetch(path))
    with served(published.ledger, {path: change}) as url:
        said = run(verifier, url, policy_of(published), older=published.earlier, samples=2 * LEAVES)
    assert not said.accepted
    assert complaint in said.text


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        pytest.param({"quorum": 5}, "4 witnesses cosigned", id="more-witnesses-than-there-are"),
        pytest.param({"quorum": 0}, "cosigned", id="no-quorum"),
        pytest.param({"now": NOW + 25 * HOUR}, "too old", id="old-checkpoint"),
        pytest.param({"now": NOW - HOUR}, "0 witnesses cosigned", id="checkpoint-of-the-future"),
        pytest.param({"log": "other.example+c1e1b4d5+AWFi"}, "vkey", id="vkey-that-is-none"),
        pytest.param({"present": NOBODY.hex()}, "has no entry", id="subject-without-an-entry"),
        pytest.param({"absent": FIRST.hex()}, "has an entry", id="subject-with-an-entry"),
    ],
)
def test_what_the_caller_demands_is_not_waived(verifier: Path, published: Published, changes: dict[str, object], complaint: str) -> None:
    with served(published.ledger) as url:
        said = run(verifier, url, policy_of(published), **changes)
    assert not said.accepted
    assert complaint in said.text


def test_one_key_under_two_names_is_one_witness(verifier: Path, published: Published) -> None:
    text, again = published.ledger.policy_text, generate(repeatable_bytes("again"))

    def cosigned_again(content: bytes) -> bytes:
        note = SignedNote.parse(content)
        return note.with_signatures([cosign(note, name, again, NOW) for name in ("one", "two")]).encode()

    keys = [str(cosigner_key(name, again.public_key)) for name in ("one", "two")]
    with served(published.ledger, {"checkpoint": cosigned_again}) as url:
        policy = WitnessPolicy.parse(text)
        assert run(verifier, url, policy, witnesses=",".join(keys), quorum=1).accepted
        said = run(verifier, url, policy, witnesses=",".join(keys), quorum=2)
    assert said == Said(False, "refused: 1 witnesses cosigned the checkpoint, not 2\n")


def test_a_second_history_under_the_same_keys_is_refused(verifier: Path, published: Published, tmp_path: Path) -> None:
    with closing(new_ledger(tmp_path / "twin", Clock())) as twin:
        assert twin.policy_text == published.ledger.policy_text
        twin.submit([revocation(number) for number in range(300, 600)])
        with served(twin) as url:
            assert run(verifier, url, policy_of(published)).accepted
            said = run(verifier, url, policy_of(published), older=published.earlier)
    assert not said.accepted
    assert "does not continue" in said.text


def altered(**changes: object) -> Change:
    return lambda content: replace(LatestBundle.parse(content), **changes).encode()  # type: ignore[arg-type]


def member(key: int, change: Callable[[object], object]) -> Change:
    """The bundle with another value of a key, whether that parses or not."""

    def changed(content: bytes) -> bytes:
        bundle = cbor.loads(content, what="bundle", max_bytes=len(content))
        assert isinstance(bundle, dict)
        return cbor.dumps({**bundle, key: change(bundle[key])})

    return changed


def other_place(content: bytes) -> bytes:
    bundle = LatestBundle.parse(content)
    assert bundle.newest is not None
    return replace(bundle, newest=replace(bundle.newest, index=bundle.newest.index + 1)).encode()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param(altered(newest=None), "something else", id="entry-left-out"),
        pytest.param(other_place, "not where", id="another-place"),
        pytest.param(altered(root=bytes(32)), "head is not in the log", id="root-of-another-map"),
        pytest.param(altered(count=1), "head is not in the log", id="wrong-count"),
        pytest.param(altered(head_index=200), "not the last leaf", id="older-head"),
        pytest.param(member(2, lambda proof: flipped(-40)(proof)), "does not lead", id="map-proof"),  # type: ignore[arg-type]
        pytest.param(member(1, lambda _: 2), "version 1", id="another-version"),
        pytest.param(lambda content: content + b"\0", "deterministic", id="bytes-after-the-bundle"),
        pytest.param(lambda content: content[:-1], "cut off", id="bundle-cut-off"),
        pytest.param(lambda content: content[:1] + b"\x18\x01" + content[2:], "deterministic", id="long-form-of-a-key"),
        pytest.param(lambda _: b"\x9f\xff", "kind", id="indefinite-length"),
    ],
)
def test_a_tampered_bundle_is_refused(verifier: Path, published: Published, change: Change, complaint: str) -> None:
    with served(published.ledger, {f"latest/{FIRST.hex()}": change}) as url:
        said = run(verifier, url, policy_of(published), present=FIRST.hex())
    assert not said.accepted
    assert complaint in said.text


def test_the_bundle_of_another_subject_is_refused(verifier: Path, published: Published) -> None:
    other, none = published.fetch(f"latest/{LAST.hex()}"), published.fetch(f"latest/{NOBODY.hex()}")
    for content, complaint in ((other, "another subject"), (none, "map")):
        with served(published.ledger, {f"latest/{FIRST.hex()}": lambda _, content=content: content}) as url:  # type: ignore[misc]
            said = run(verifier, url, policy_of(published), present=FIRST.hex())
        assert not said.accepted
        assert complaint in said.text
