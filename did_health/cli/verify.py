"""``did-health verify``: the verdict on a credential or presentation, with every check that it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import options, session
from did_health.cli.exits import CONDITIONAL, FAILED, INDETERMINATE, OK, UsageError, no_verdict
from did_health.cli.options import AllowHostOption, DirectoryOption, JSONOption, PassphraseFileOption, PolicyOption, example
from did_health.cli.output import Output

if TYPE_CHECKING:
    from did_health.roles.evidence import Evidence
    from did_health.roles.report import CheckName, Report
    from did_health.roles.verifier import Verifier

EXAMPLE = example(
    "did-health verify shown.json --audience https://pharmacy.example --nonce ab12",
    "did-health verify licence.json --waive holder_binding --show-claims",
    "did-health verify shown.json --policy trust-policy.toml --evidence shift.json --audience https://pharmacy.example --nonce ab12",
)


def verify(
    file: Annotated[Path, typer.Argument(help="A presentation, a credential, or a credential with its receipt; - is standard input.")],
    policy: PolicyOption = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    audience: Annotated[str | None, typer.Option("--audience", help="The audience that the holder was asked to sign for: you.")] = None,
    nonce: Annotated[str | None, typer.Option("--nonce", help="The nonce that the holder was given. Give each one out once.")] = None,
    purpose: Annotated[str, typer.Option("--purpose", help="Picks the age of evidence that the policy allows.")] = "default",
    evidence: Annotated[Path | None, typer.Option("--evidence", help="Use this saved evidence and fetch nothing.")] = None,
    save_evidence: Annotated[Path | None, typer.Option("--save-evidence", help="Keep what the checks were made with, to verify again later.")] = None,
    waive: Annotated[list[str] | None, typer.Option("--waive", help="Leave a check out, by its name; shown as waived. May be repeated.")] = None,
    at: Annotated[str | None, typer.Option("--at", help="Verify as of this time, as 2026-01-31T13:45:00Z; by default now.")] = None,
    show_claims: Annotated[bool, typer.Option("--show-claims", help="Print the claims too, if the verdict is accept (or overridden).")] = False,
    override_by: Annotated[str, typer.Option("--override-by", help="Who decides to read the claims although the verdict is not accept.")] = "",
    override_reason: Annotated[str, typer.Option("--override-reason", help="Why; both stand in the report.")] = "",
    allow_host: AllowHostOption = None,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Verify a presentation or credential: proof, dates, status, issuer, entitlement, holder, newest state on the ledger.

    With the directory's own ledger (--dir), over HTTPS under --policy, or offline with --evidence.
    Status: 0 accept, 1 refuse, 2 malformed input, 3 indeterminate, 4 conditional.
    """
    from did_health.limits import MAX_DOCUMENT_BYTES
    from did_health.roles.report import Verdict

    if bool(override_by.strip()) != bool(override_reason.strip()):
        raise UsageError("an override names who decides, and why", hint="Give both --override-by and --override-reason")
    waived = [_check_name(name) for name in waive or ()]
    moment = session.moment(at, "--at")
    with no_verdict():
        document = session.read_file(file, max_bytes=MAX_DOCUMENT_BYTES)
        saved = _saved(evidence)
        with _verifier(policy, directory, saved, frozenset(allow_host or ()), passphrase_file) as verifier:
            report = session.at_file(
                file,
                lambda: verifier.verify(document, audience=audience, nonce=nonce, purpose=purpose, evidence=saved, now=moment, waive=waived),
            )
        if save_evidence is not None:
            session.write_file(save_evidence, report.evidence.to_json() + b"\n")
    if override_by:
        report = report.overridden(by=override_by, reason=override_reason)
    _show(Output(as_json), report, show_claims=show_claims)
    raise typer.Exit({Verdict.ACCEPT: OK, Verdict.REFUSE: FAILED, Verdict.CONDITIONAL: CONDITIONAL}.get(report.verdict, INDETERMINATE))


def _check_name(name: str) -> CheckName:
    from did_health.roles.report import CheckName

    waivable = [one for one in CheckName if one is not CheckName.DATA_MODEL]
    if name not in waivable:
        raise UsageError("there is no such check, or it cannot be left out", where=f"--waive {name}", hint=f"Those that can: {', '.join(waivable)}")
    return CheckName(name)


def _saved(file: Path | None) -> Evidence | None:
    from did_health.limits import MAX_GATHER_BYTES
    from did_health.roles.evidence import Evidence

    return None if file is None else session.at_file(file, lambda: Evidence.parse(session.read_file(file, max_bytes=2 * MAX_GATHER_BYTES)))


@contextmanager
def _verifier(
    policy: Path | None, directory: Path, saved: Evidence | None, allow_hosts: frozenset[str], passphrase_file: Path | None
) -> Iterator[Verifier]:
    """Offline with evidence; over HTTPS under a policy that was named; else by the directory's ledger, whose witnesses need the passphrase."""
    from did_health.net.verifiers import embedded_verifier, web_verifier
    from did_health.roles.verifier import Verifier

    if saved is not None:
        yield Verifier(session.read_policy(policy, directory), clock=session.now)
    elif policy is not None:
        yield web_verifier(session.read_policy(policy, directory), allow_hosts=allow_hosts)
    else:
        with session.open_existing(directory, passphrase_file) as opened:
            yield embedded_verifier(opened)


def _show(out: Output, report: Report, *, show_claims: bool) -> None:
    from did_health.cli.report_output import claims_of, show_report

    claims = claims_of(report) if show_claims else None
    if out.as_json:
        shown: dict[str, Sequence[object]] = {} if claims is None else {"credentials": claims}
        out.json(report.to_json() | {"holder": report.holder} | shown)
        return
    show_report(out, report)
    if not show_claims:
        return
    if claims is None:
        out.line("The claims are shown only if the verdict is accept; a person who decides otherwise says so by --override-by and --override-reason.", "yellow")
        return
    for claim in claims:
        out.heading(f"Claims: {', '.join(claim['type'])}")
        out.facts(flattened(claim["credentialSubject"]))


def flattened(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text and number below ``value`` with its path, such as ``name.family``."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from flattened(member, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for place, member in enumerate(value):
            yield from flattened(member, f"{path}[{place}]")
    else:
        yield path, str(value)
