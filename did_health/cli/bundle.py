"""``did-health bundle``: everything that a counter needs for a shift without a network, in one file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import options, session
from did_health.cli.exits import INDETERMINATE, OK, UsageError
from did_health.cli.options import AllowHostOption, DirectoryOption, JSONOption, PassphraseFileOption, PolicyOption, example
from did_health.cli.output import Output, short, when
from did_health.cli.verifiers import verifier_and_signer

if TYPE_CHECKING:
    from did_health.cli.saved_evidence import SavedEvidence
    from did_health.encoding.strict_json import JSONObject
    from did_health.roles.shift import ShiftReview
    from did_health.roles.shift_bundle import ShiftBundle
    from did_health.trust.policy import TrustPolicy

app = options.group("bundle", "Carry evidence to where there is no network.")


@app.command("make", epilog=example(
    "did-health bundle make --for pharmacy --board nc-medical --board sc-medical --by registry -o shift.json",
    "did-health bundle make --for pharmacy --board did:webvh:Qm...:board.example --policy trust-policy.toml -o shift.json",
))
def make(
    board: Annotated[list[str], typer.Option("--board", help="An issuer: a DID, or the name of an institution of the directory. May be repeated.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The bundle to write; it is replaced if it is there.")],
    counter: Annotated[str, typer.Option("--for", help="The kind of counter that it is for, which says what is shown there.")] = "pharmacy",
    credential: Annotated[list[str] | None, typer.Option("--type", help="A type of credential, instead of the counter's own. May be repeated.")] = None,
    by: Annotated[str | None, typer.Option("--by", help="Sign it as this institution of the directory; else nobody signs.")] = None,
    policy: PolicyOption = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    allow_host: AllowHostOption = None,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Gather what a counter needs to verify offline: DID logs, registry records, status lists, each proved to be the newest.

    From the directory's own ledger, or over HTTPS under --policy. Status 3 if something could not be had; the file is written all the same.
    """
    from did_health.cli.saved_evidence import checked, did_named
    from did_health.limits import MAX_SHIFT_BOARDS
    from did_health.roles.shift import COUNTERS, ShiftOrder
    from did_health.roles.shift_bundle import ShiftBundle

    if counter not in COUNTERS:
        raise UsageError("there is no such counter", where="--for", hint=f"There are: {', '.join(COUNTERS)}")
    boards = tuple(dict.fromkeys(did_named(one, directory, "--board") for one in board))
    if len(boards) > MAX_SHIFT_BOARDS:
        raise UsageError(f"a bundle has at most {MAX_SHIFT_BOARDS} boards", where="--board")
    types = tuple(dict.fromkeys(credential or COUNTERS[counter]))
    with verifier_and_signer(policy, directory, frozenset(allow_host or ()), by, passphrase_file) as (verifier, signer):
        order = ShiftOrder(counter, boards, types, signer.did if signer else None)
        evidence = verifier.collect(order.missing)
        now = session.now()
        bundle = ShiftBundle.make(order, verifier.policy, evidence, now=now, signer=signer)
        session.write_file(output, bundle.to_json() + b"\n")
        _finish(Output(as_json), checked(bundle, verifier.policy, now, None), verifier.policy, now, file=output)


@app.command("check", epilog=example(
    "did-health bundle check shift.json", "did-health bundle check shift.json --policy trust-policy.toml --signed-by did:webvh:Qm...:board.example"
))
def check(
    file: Annotated[Path, typer.Argument(help="A shift bundle; - is standard input.")],
    signed_by: Annotated[str | None, typer.Option("--signed-by", help="Who must have signed it: a DID, or an institution of the directory.")] = None,
    policy: PolicyOption = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    at: Annotated[str | None, typer.Option("--at", help="Check as of this time, as 2026-01-31T13:45:00Z; by default now.")] = None,
    as_json: JSONOption = False,
) -> None:
    """Explain a bundle: for whom, how old, what it proves, and until when the trust policy accepts it for each purpose. Fetches nothing.

    Status: 0 whole and fresh enough for the default purpose, 1 its signature does not hold, 3 too old, or something is not proved.
    """
    from did_health.cli import saved_evidence

    now = session.moment(at, "--at") or session.now()
    trusted = session.read_policy(policy, directory)
    signer = None if signed_by is None else saved_evidence.did_named(signed_by, directory, "--signed-by")
    saved = saved_evidence.read(file, trusted, now, signer)
    if saved.bundle is None:
        raise UsageError("this is evidence of one verification, and no bundle", where=str(file), hint="Explain it by: did-health inspect FILE")
    _finish(Output(as_json), saved, trusted, now)


def _finish(out: Output, saved: SavedEvidence, policy: TrustPolicy, now: datetime, *, file: Path | None = None) -> None:
    """Say what the bundle is good for, and leave with the status that follows from it."""
    from did_health.cli.saved_evidence import state_of
    from did_health.roles.shift import review
    from did_health.trust.policy import DEFAULT_PURPOSE

    bundle: ShiftBundle = saved.bundle  # type: ignore[assignment]  # the callers see to it
    found = review(bundle.order, state_of(bundle, policy), now)
    until = found.accepted_until(policy)
    is_good = found.is_whole and now <= until.get(DEFAULT_PURPOSE, now)
    if out.as_json:
        written: JSONObject = {} if file is None else {"file": str(file)}
        out.json(written | saved.to_json(now) | {
            "boards": list(bundle.order.boards),
            "types": list(bundle.order.types),
            "whole": found.is_whole,
            "good": is_good,
            "asOf": when(found.as_of),
            "acceptedUntil": {purpose: when(end) for purpose, end in until.items()},
            "findings": [
                {"about": one.about, "what": one.what, "proved": one.proved, "code": one.code, "asOf": when(one.as_of)} for one in found.findings
            ],
        })
    else:
        _show(out, saved, found, [(purpose, f"{when(end)}{'' if now <= end else ' (over)'}") for purpose, end in until.items()], now, file)
    raise typer.Exit(OK if is_good else INDETERMINATE)


def _show(out: Output, saved: SavedEvidence, found: ShiftReview, until: Sequence[tuple[str, str]], now: datetime, file: Path | None) -> None:
    out.facts([*([] if file is None else [("Written to", str(file))]), *saved.facts(now), ("True as of", when(found.as_of))])
    out.table(
        ("About", "What", "Proved", "As of"),
        [(short(one.about), one.what, one.sentence if one.proved else f"NOT: {one.sentence} ({one.code})", when(one.as_of)) for one in found.findings],
    )
    if until:
        out.heading("Accepted until, by the purpose of the verification")
        out.facts(until)
    if not found.is_whole:
        out.line("Something is not proved: whoever needs it will get an indeterminate verdict.", "yellow")
