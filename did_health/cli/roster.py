"""``did-health roster``: a roster of practitioners verified together, a report that can be replayed, and what changed since the last one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import options, session
from did_health.cli.exits import INDETERMINATE, OK, UsageError
from did_health.cli.options import AllowHostOption, DirectoryOption, JSONOption, PassphraseFileOption, PolicyOption, example
from did_health.cli.output import Output, note
from did_health.cli.verifiers import verifier_and_signer
from did_health.errors import VerificationError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from did_health.net.roster_lookup import RosterLookup

app = options.group("roster", "Verify many practitioners at once, and prove later what was seen.")


@app.command("verify", epilog=example(
    "did-health roster verify roster.csv --report reports/2026-03 --licenses licences/ --by hospital",
    "did-health roster verify roster.csv --report reports/2026-04 --since reports/2026-03 --board did:webvh:Qm...:board.example --policy trust-policy.toml",
))
def verify(
    file: Annotated[Path, typer.Argument(help="The roster: CSV, or FHIR Practitioner and PractitionerRole as NDJSON or a Bundle.")],
    report: Annotated[Path, typer.Option("--report", help="The folder to write the report to; it may not be there yet.")],
    since: Annotated[Path | None, typer.Option("--since", help="The last report: every row says what changed since.")] = None,
    since_signed_by: Annotated[
        str | None, typer.Option("--since-signed-by", help="Who must have signed the last report: a DID, or an institution of the directory; else --by.")
    ] = None,
    licenses: Annotated[list[Path] | None, typer.Option("--licenses", help="A folder or NDJSON of licences as boards gave them out. May be repeated.")] = None,
    board: Annotated[list[str] | None, typer.Option("--board", help="A board whose directory is asked: a URL, DID or name. May be repeated.")] = None,
    by: Annotated[str | None, typer.Option("--by", help="Sign the report as this institution of the directory; else nobody signs.")] = None,
    purpose: Annotated[str, typer.Option("--purpose", help="Picks the age of evidence that the policy allows.")] = "credentialing",
    every_days: Annotated[int, typer.Option("--every-days", min=1, max=1_100, help="How often it is done: the report says when it is due again.")] = 30,
    workers: Annotated[int | None, typer.Option("--workers", min=1, max=256, help="How many processes verify; by default one for each processor.")] = None,
    dask: Annotated[str | None, typer.Option("--dask", help="Verify on the Dask cluster of this scheduler instead, as tls://dask.example:8786.")] = None,
    chunk: Annotated[int, typer.Option("--chunk", min=1, max=5_000, help="How many rows a worker is given at a time.")] = 500,
    policy: PolicyOption = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    allow_host: AllowHostOption = None,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Verify every row of a roster, with evidence gathered once, and write a report: JSON, CSV, FHIR, a page to print, and the evidence.

    Every row gets a verdict, or "indeterminate" with its reason. A run that was interrupted goes on where it was when it is started again.
    The last report (--since) must be whole, and signed by whoever signs this one or by --since-signed-by.
    Status: 0 every row has a verdict, 3 some are unresolved, 1 or 2 there is no report.
    """
    from did_health.cli.roster_output import counting_rows, show_report
    from did_health.cli.saved_evidence import did_named
    from did_health.net.rosters import RosterOrder, verify_roster

    if not file.is_file():
        raise UsageError("there is no such file", where=str(file), hint="Name the roster's file")
    if since_signed_by is not None and since is None:
        raise UsageError("whose signature, of which report?", where="--since-signed-by", hint="Name the last report by --since")
    earlier_signer = None if since_signed_by is None else did_named(since_signed_by, directory, "--since-signed-by")
    with ExitStack() as stack:
        verifier, signer = stack.enter_context(verifier_and_signer(policy, directory, frozenset(allow_host or ()), by, passphrase_file))
        lookup = stack.enter_context(_lookup(file, licenses or [], board or [], directory, frozenset(allow_host or ())))
        executor, width = stack.enter_context(_executor(workers, dask))
        order = RosterOrder(file, report, since, signer, purpose, every_days, chunk, width, earlier_signer)
        with counting_rows(quiet=as_json) as progress, _naming_the_option():
            made = verify_roster(order, verifier, lookup, clock=session.now, executor=executor, progress=progress)
    if signer is None:
        note("Nobody signed the report: name an institution by --by.", "yellow")
    show_report(Output(as_json), made, report)
    raise typer.Exit(INDETERMINATE if made.document["unresolved"] else OK)


@app.command("replay", epilog=example(
    "did-health roster replay reports/2026-03 --signed-by hospital", "did-health roster replay reports/2026-03 --row 17 --at 2026-03-02"
))
def replay(
    report: Annotated[Path, typer.Argument(help="The folder of a report.")],
    row: Annotated[int | None, typer.Option("--row", help="Only this row, by its number in the roster, with every check.")] = None,
    at: Annotated[str | None, typer.Option("--at", help="Judge as of this time, as 2026-03-02 or 2026-03-02T13:45:00Z; by default the report's own.")] = None,
    save: Annotated[Path | None, typer.Option("--save", help="With --row: write its credential there, for: did-health verify --evidence --at.")] = None,
    signed_by: Annotated[str | None, typer.Option("--signed-by", help="Who must have signed it: a DID, or an institution of the directory.")] = None,
    policy: PolicyOption = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    as_json: JSONOption = False,
) -> None:
    """Judge a report's rows anew from its own evidence, and compare. Nothing is fetched, and no passphrase is needed.

    The files are held against the header's digests, and its signature is checked. The trust policy is the report's own; by --policy it is yours.
    Status: 0 the same, 1 something was changed or differs; with --row or --at as of verify.
    """
    from did_health.cli import roster_replay, saved_evidence

    signer = None if signed_by is None else saved_evidence.did_named(signed_by, directory, "--signed-by")
    if save is not None and row is None:
        raise UsageError("which row's credential?", where="--save", hint="Name it by --row")
    own = None if policy is None else session.read_policy(policy, directory)
    replayed = roster_replay.opened(report, own, signer, session.moment(at, "--at"))
    out = Output(as_json)
    if row is not None:
        raise typer.Exit(roster_replay.one_row(out, replayed, row, save))
    raise typer.Exit(roster_replay.all_rows(out, replayed, compare=at is None))


@contextmanager
def _naming_the_option() -> Iterator[None]:
    """Says of a last report that somebody else signed by which option that one is named."""
    try:
        yield
    except VerificationError as error:
        if error.code == "report_of_another_signer":
            error.hint = "Is it the right report? If so, name who signed it by --since-signed-by"
        raise


@contextmanager
def _lookup(roster: Path, places: list[Path], boards: list[str], directory: Path, allow_hosts: frozenset[str]) -> Iterator[RosterLookup]:
    from did_health.cli.saved_evidence import did_named
    from did_health.net.fetch import HTTPSource
    from did_health.net.published_licenses import PublishedLicenses
    from did_health.net.roster_lookup import RosterLookup
    from did_health.stores.license_files import LicenseFiles

    named = [one if one.startswith(("https://", "http://")) else did_named(one, directory, "--board") for one in boards]
    with ExitStack() as stack:
        sources = []
        if places:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="did-health-licences-")))
            found = LicenseFiles(places, folder / "index.sqlite")
            stack.callback(found.close)
            for one in found.unreadable[:10]:
                note(f"Not a credential that can be read: {one}", "yellow")
            if len(found.unreadable) > 10:
                note(f"… and {len(found.unreadable) - 10} more.", "yellow")
            sources.append(found)
        web = stack.enter_context(HTTPSource(allow_hosts))
        yield RosterLookup(roster.parent, tuple(sources), PublishedLicenses(web, named))


@contextmanager
def _executor(workers: int | None, dask: str | None) -> Iterator[tuple[Executor | None, int]]:
    from did_health.limits import MAX_ROSTER_WORKERS
    from did_health.net.roster_workers import dask_cluster, processes, usable_cores

    if dask is not None:
        if workers is not None:
            raise UsageError("a Dask cluster has workers of its own", where="--workers", hint="Leave it out with --dask")
        with dask_cluster(dask) as (cluster, threads):
            yield cluster, min(threads, MAX_ROSTER_WORKERS)
        return
    count = workers or usable_cores()
    if count == 1:
        yield None, 1
        return
    with processes(count) as pool:
        yield pool, count
