"""``did-health ledger show``: the state of a log, in a directory or behind a URL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import options, session
from did_health.cli.exits import UsageError
from did_health.cli.options import AllowHostOption, DirectoryOption, JSONOption, example
from did_health.cli.output import Output, ago, when

if TYPE_CHECKING:
    from did_health.encoding.strict_json import JSONObject
    from did_health.ledger.map_head import MapHead
    from did_health.net.exchange import HTTPExchange
    from did_health.tlog.note import SignedNote
    from did_health.tlog.witness_policy import VerifiedCheckpoint, WitnessPolicy

EXAMPLE = example(
    "did-health ledger show",
    "did-health ledger show https://ledger.example --policy policy.txt --mirror https://m1.example",
)

URLPolicyOption = Annotated[
    Path | None, typer.Option("--policy", help="A trust policy (TOML), or C2SP tlog-policy text; by default the directory's own trust policy.")
]


@dataclass(frozen=True, slots=True)
class Lag:
    """How far somebody is behind the log: ``size`` is what is known there, ``None`` if nothing is, and ``why`` if it could not be learnt."""

    place: str
    size: int | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class _State:
    verified: VerifiedCheckpoint
    head: tuple[MapHead, int] | None
    """The map head under the checkpoint, and its time in POSIX seconds."""
    unpublished: int | None
    """Entries that are stored and not published; ``None`` where only the log's operator can know."""
    lags: Sequence[Lag] = ()


def show(
    url: Annotated[str | None, typer.Argument(help="The log's URL; without it the log of the directory is shown.")] = None,
    policy: URLPolicyOption = None,
    mirror: Annotated[list[str] | None, typer.Option("--mirror", help="The URL of a mirror, to show how far it is behind. May be repeated.")] = None,
    allow_host: AllowHostOption = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    as_json: JSONOption = False,
) -> None:
    """The state of a log: size, root, map, who cosigned it when, and who is behind; everything verified under the policy."""
    rules = policy_of(policy, directory)
    if url is not None:
        state = _remote(url.rstrip("/"), rules, mirror or [], allow_host or [])
    elif mirror:
        raise UsageError("mirrors are compared with a log behind a URL", where="--mirror", hint="Give the log's URL")
    else:
        state = _local(directory, rules)
    _show(Output(as_json), state, rules)


def policy_of(policy: Path | None, directory: Path) -> WitnessPolicy:
    """The logs and witnesses to believe: the policy that is named, or the directory's."""
    return session.read_witness_policy(policy or directory / session.POLICY_FILE)


def _local(directory: Path, rules: WitnessPolicy) -> _State:
    from did_health.cli.published import PublishedLog, ledger_store

    log = PublishedLog(directory)
    verified = rules.check(log.note, now=int(session.now().timestamp()))
    with ledger_store(directory) as store:
        if store is None:
            return _State(verified, None, None)
        head, state = log.head(store.content), store.state()
        return _State(verified, (head.head, head.entry.time) if head else None, state.size - state.published_size)


def _remote(url: str, rules: WitnessPolicy, mirrors: Sequence[str], allow_hosts: Sequence[str]) -> _State:
    from contextlib import closing

    from did_health.errors import TransportError
    from did_health.ledger.latest import LatestBundle
    from did_health.ledger.map_head import MapHead, head_subject
    from did_health.limits import MAX_LATEST_BUNDLE_BYTES
    from did_health.net.exchange import HTTPExchange

    log = session.log_at(rules, url)
    with closing(HTTPExchange(allow_hosts)) as exchange:
        # The map has no key for map heads: a proof of absence, with the head and the checkpoint, of any log with our map.
        subject = head_subject(log.key.name)
        answer = exchange.get(f"{url}/latest/{subject.hex()}", max_bytes=MAX_LATEST_BUNDLE_BYTES)
        if answer.status != 200:
            raise TransportError(f"the log answers with status {answer.status}", where=url, hint="Is anything published there?", code="unexpected_status")
        bundle = LatestBundle.parse(answer.body)
        found = bundle.verify(subject, rules, now=int(session.now().timestamp())).checkpoint
        head = MapHead(found.checkpoint.size - 1, bundle.root, bundle.count)
        return _State(found, (head, bundle.time), None, _lags(found.checkpoint.origin, rules, mirrors, exchange))


def _lags(origin: str, rules: WitnessPolicy, mirrors: Sequence[str], exchange: HTTPExchange) -> list[Lag]:
    """What mirrors show, and witnesses whose URL the policy has at their monitoring prefix, of checkpoints that the log signed."""
    from did_health.errors import FormatError, TransportError, VerificationError
    from did_health.net.followed_log import FollowedLog
    from did_health.net.witness_client import witnesses_of
    from did_health.tlog.checkpoint import Checkpoint
    from did_health.tlog.note import SignedNote, open_note

    def mirrored(url: str) -> SignedNote | None:
        data = FollowedLog(url, exchange).checkpoint()
        return None if data is None else SignedNote.parse(data)

    asked: list[tuple[str, Callable[[], SignedNote | None]]] = [(url, partial(mirrored, url)) for url in mirrors]
    asked += [(f"witness {name}", partial(witness.shown, origin)) for name, witness in witnesses_of(rules, exchange).items()]
    found: list[Lag] = []
    for place, ask in asked:
        try:
            note = ask()
            if note is None:
                found.append(Lag(place, None, "it has nothing of this log"))
                continue
            checkpoint = Checkpoint.parse(note.text)
            open_note(note, [one.key for one in rules.logs if one.key.name == origin])
            found.append(Lag(place, checkpoint.size) if checkpoint.origin == origin else Lag(place, None, "it is of another log"))
        except (TransportError, FormatError, VerificationError) as error:
            found.append(Lag(place, None, error.what))
    return found


# ---- output


def checkpoint_json(verified: VerifiedCheckpoint) -> JSONObject:
    """A verified checkpoint for programs."""
    cosigners = [{"witness": one.witness, "at": when(session.posix(one.timestamp))} for one in verified.cosigners]
    witnessed = None if verified.timestamp is None else when(session.posix(verified.timestamp))
    point = verified.checkpoint
    return {"origin": point.origin, "size": point.size, "root": point.root.hex(), "witnessedAt": witnessed, "cosigners": cosigners}


def show_checkpoint(out: Output, verified: VerifiedCheckpoint, more: Sequence[tuple[str, object]] = (), silent: Sequence[str] = ()) -> None:
    """A verified checkpoint for people, with ``more`` facts about it, and witnesses that were ``silent``."""
    now = session.now()
    facts: list[tuple[str, object]] = [
        ("Origin", verified.checkpoint.origin), ("Size", f"{verified.checkpoint.size} entries"), ("Root", verified.checkpoint.root.hex()),
    ]  # fmt: skip
    if verified.timestamp is not None:
        at = session.posix(verified.timestamp)
        facts.append(("Witnessed", f"{when(at)} by a quorum, {ago(now - at)}"))
    out.facts([*facts, *more])
    rows = [(one.witness, when(at := session.posix(one.timestamp)), ago(now - at)) for one in verified.cosigners]
    rows += [(name, "-", "has not cosigned") for name in silent]
    if rows:
        out.table(("Cosigner", "At", "Age"), rows)


def _show(out: Output, state: _State, rules: WitnessPolicy) -> None:
    cosigned = {one.witness for one in state.verified.cosigners}
    silent = [name for name in rules.cosigner_names if name not in cosigned]
    if out.as_json:
        lags = [{"place": one.place, "size": one.size, "behind": _behind(one, state), **({"why": one.why} if one.why else {})} for one in state.lags]
        out.json({**checkpoint_json(state.verified), "silent": silent, "map": _map_json(state), "unpublished": state.unpublished, "lag": lags})
        return
    facts: list[tuple[str, object]] = []
    if state.head is not None:
        head, time = state.head
        at = session.posix(time)
        facts += [("Map", f"{head.count} subjects, root {head.root.hex()}"), ("Last batch", f"{when(at)}, {ago(session.now() - at)}")]
    if state.unpublished is not None:
        lag = f"{state.unpublished} entries are stored and not published" if state.unpublished else "none: everything that is stored is published"
        facts.append(("Lag", lag))
    show_checkpoint(out, state.verified, facts, silent)
    if state.lags:
        rows = [(one.place, "-" if one.size is None else one.size, one.why or _behind_text(one, state)) for one in state.lags]
        out.table(("Elsewhere", "Size", "Behind"), rows)


def _map_json(state: _State) -> JSONObject | None:
    if state.head is None:
        return None
    head, time = state.head
    return {"root": head.root.hex(), "keys": head.count, "at": when(session.posix(time))}


def _behind(one: Lag, state: _State) -> int | None:
    return None if one.size is None else state.verified.checkpoint.size - one.size


def _behind_text(one: Lag, state: _State) -> str:
    behind = _behind(one, state) or 0
    return f"{behind} entries" if behind > 0 else f"{-behind} entries ahead" if behind else "no"
