"""``did-health ledger audit``: a whole log behind a URL, gone through as a stranger would; and what a check of a directory says, which is the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn, cast

import typer

from did_health.cli import session
from did_health.cli.exits import UsageError
from did_health.cli.ledger_show import checkpoint_json, show_checkpoint
from did_health.cli.options import AllowHostOption, JSONOption, example
from did_health.cli.output import Output
from did_health.cli.progress import counting
from did_health.errors import DidHealthError, FormatError, TransportError, UnsupportedError, VerificationError

if TYPE_CHECKING:
    from did_health.keys import PublicKey
    from did_health.ledger.audit import AuditedLog
    from did_health.net.followed_log import FollowedLog
    from did_health.tlog.note import VerifierKey
    from did_health.tlog.witness_policy import VerifiedCheckpoint, WitnessPolicy

EXAMPLE = example(
    "did-health ledger audit https://ledger.example --policy policy.txt",
    "did-health ledger audit https://m1.example --vkey ledger.example+0f3c…+Aa…",
)
_ENTRIES_AT_ONCE: Final = 256


def audit(
    url: Annotated[str, typer.Argument(help="Where the log is read: its own URL, or that of a mirror.")],
    policy: Annotated[
        Path | None, typer.Option("--policy", help="A trust policy (TOML), or C2SP tlog-policy text, that names the log and its witnesses.")
    ] = None,
    vkey: Annotated[str | None, typer.Option("--vkey", help="Instead of a policy the log's verifier key; no cosignature is asked for then.")] = None,
    allow_host: AllowHostOption = None,
    as_json: JSONOption = False,
) -> None:
    """Go through a whole log from its tiles: signatures, every entry and its author, every map head, the tree.

    Status 1 if anything is wrong, 3 if it cannot be told.
    """
    from did_health.net.exchange import HTTPExchange
    from did_health.net.followed_log import FollowedLog

    rules = _rules(policy, vkey)
    key = session.log_at(rules, url.rstrip("/")).key
    out = Output(as_json)
    try:
        with closing(HTTPExchange(allow_host or [])) as exchange:
            verified, found = _audited(FollowedLog(url, exchange), key, rules, quiet=as_json)
    except UnsupportedError as error:
        _end(out, "It cannot be told whether the log holds together", TransportError(error.what, where=error.where, hint=error.hint, code=error.code), "yellow")
    except TransportError as error:
        if error.code != "malformed_response":
            _end(out, "It cannot be told whether the log holds together", error, "yellow")
        # An answer was there, and it is not the log's.
        _end(out, "The log does not hold together", VerificationError(error.what, where=error.where, hint=error.hint, code=error.code), "red")
    except (VerificationError, FormatError) as error:
        _end(out, "The log does not hold together", VerificationError(error.what, where=error.where, hint=error.hint, code=error.code), "red")
    show_audited(out, verified, found)


def _end(out: Output, verdict: str, error: DidHealthError, style: str) -> NoReturn:
    if not out.as_json:
        out.line(f"{verdict}{f': {error.where}' if error.where.startswith('entry ') else ''}.", style)
    raise error


def _rules(policy: Path | None, vkey: str | None) -> WitnessPolicy:
    from did_health.tlog.note import VerifierKey
    from did_health.tlog.witness_policy import PolicyLog, WitnessPolicy

    if (policy is None) == (vkey is None):
        raise UsageError("it has to be said which log this is", where="--policy", hint="Give a policy with --policy, or the log's verifier key with --vkey")
    if policy is not None:
        return session.read_witness_policy(policy)
    return WitnessPolicy((PolicyLog(VerifierKey.parse(vkey or "")),))


def _audited(log: FollowedLog, key: VerifierKey, rules: WitnessPolicy, *, quiet: bool) -> tuple[VerifiedCheckpoint, AuditedLog]:
    from did_health.ledger.audit import Audit
    from did_health.tlog.merkle import Tree
    from did_health.tlog.note import SignedNote
    from did_health.tlog.tiles import tile_content, tiles_for

    data = log.checkpoint()
    if data is None:
        raise TransportError("the log shows no checkpoint", where=log.url, hint="Is anything published there?", code="unexpected_status")
    verified = rules.check(SignedNote.parse(data), now=int(session.now().timestamp()))
    point = verified.checkpoint
    if point.origin != key.name:
        raise VerificationError("the checkpoint is of another log", where=point.origin, code="checkpoint_foreign")
    tree = Tree.from_leaf_hashes(log.leaf_hashes(0, point.size))
    if (tree.size, tree.root()) != (point.size, point.root):
        raise VerificationError("the log's leaves do not give its signed root", where=f"size {point.size}", code="log_inconsistent")
    for tile in tiles_for(0, point.size):
        if tile.level and b"".join(log.tile_hashes(tile)) != tile_content(tree, tile):
            raise VerificationError("a tile is not what the leaves give", where=tile.path, code="log_damaged")
    hashes = tree.subtree_hashes(0, 0, point.size)
    expected = [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
    going = Audit(point.origin, cast("PublicKey", key.public_key), authors=True)
    with counting(f"of {point.size} entries", quiet=quiet) as count:
        for leaf, document in _documented(log, log.entries(0, point.size, expected)):
            going.add(leaf, document)
            count(1)
    return verified, going.finish(point)


def _documented(log: FollowedLog, leaves: Iterator[bytes]) -> Iterator[tuple[bytes, bytes | None]]:
    """Each leaf with its document, many of which are fetched at a time; ``None`` for map heads and what is no entry."""
    from did_health.ledger.entry import Entry, Kind

    def content(leaf: bytes) -> bytes | None:
        try:
            entry = Entry.parse(leaf)
        except (FormatError, UnsupportedError):
            return None
        return None if entry.kind is Kind.MAP_HEAD else entry.content

    start = 0
    while some := list(islice(leaves, _ENTRIES_AT_ONCE)):
        digests = [content(leaf) for leaf in some]
        documents = log.documents(start, start + len(some), {digest for digest in digests if digest is not None})
        start += len(some)
        yield from ((leaf, None if digest is None else documents[digest]) for leaf, digest in zip(some, digests, strict=True))


def show_audited(out: Output, verified: VerifiedCheckpoint, found: AuditedLog) -> None:
    """What a whole check found of a log that holds together."""
    if out.as_json:
        out.json({
            "valid": True, **checkpoint_json(verified), "entries": dict(found.kinds), "documents": found.documents, "authorsJudged": found.authors_judged,
        })  # fmt: skip
        return
    out.line("The log holds together.", "green")
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(found.kinds.items()))
    authors = "each was entitled when its batch was closed, and signed" if found.authors_judged else "not judged: the documents are not there"
    more: list[tuple[str, object]] = [
        ("Entries", f"all {found.checkpoint.size} parse and continue their histories: {kinds}"), ("Authors", authors),
        ("Documents", f"{found.documents} are there"),
    ]  # fmt: skip
    if found.head is not None:
        more.append(("Map", f"every head is that of the leaves before it; now {found.head.head.count} subjects, root {found.head.head.root.hex()}"))
    more.append(("Left to others", "who is a registry authority, and the approvals of DIDs' witnesses"))
    show_checkpoint(out, verified, more)
