"""``did-health verify``: the verdict on a credential or presentation, with every check that it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import options, session
from did_health.cli.exits import UsageError, no_verdict, verdict_code
from did_health.cli.options import AllowHostOption, DirectoryOption, JSONOption, PassphraseFileOption, PolicyOption, example
from did_health.cli.output import Output, note
from did_health.cli.verifiers import opened_verifier

if TYPE_CHECKING:
    from did_health.cli.saved_evidence import SavedEvidence
    from did_health.health.purposes import PurposePolicies
    from did_health.roles.report import CheckName, Report
    from did_health.stores.pins import FilePins

_NOT_HAD_SHOWN = 5

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
    purpose: Annotated[str, typer.Option("--purpose", help="The act at hand, as prescribe; it picks the age of evidence that the policy allows.")] = "default",
    schedule: Annotated[str, typer.Option("--schedule", help="The drug's schedule: 2, 2N, 3, 3N, 4 or 5. Restrictions are held against it.")] = "",
    jurisdiction: Annotated[str, typer.Option("--jurisdiction", help="Where the act takes place, as US-NC: a licence of another state is refused.")] = "",
    setting: Annotated[str, typer.Option("--setting", help="The place of practice in one word, as hospital.")] = "",
    pharmacy: Annotated[str, typer.Option("--pharmacy", help="Which pharmacy hands over: a DID, or an institution of the directory.")] = "",
    prescription: Annotated[str, typer.Option("--prescription", help="The hash by which the pharmacy knows the prescription.")] = "",
    evidence: Annotated[Path | None, typer.Option("--evidence", help="Use this saved evidence or shift bundle and fetch nothing.")] = None,
    signed_by: Annotated[str | None, typer.Option("--signed-by", help="Who must have signed the bundle: a DID, or an institution of the directory.")] = None,
    pins: Annotated[Path | None, typer.Option("--pins", help="Remember here what was seen of the ledgers; by default in the directory.")] = None,
    save_evidence: Annotated[Path | None, typer.Option("--save-evidence", help="Keep what the checks were made with, to verify again later.")] = None,
    fhir: Annotated[
        Path | None, typer.Option("--fhir", help="Write the claims and the result as a FHIR R4 Bundle, if the verdict is accept (or overridden).")
    ] = None,
    waive: Annotated[list[str] | None, typer.Option("--waive", help="Leave a check out, by its name; shown as waived. May be repeated.")] = None,
    at: Annotated[str | None, typer.Option("--at", help="Verify as of this time, as 2026-01-31T13:45:00Z; by default now.")] = None,
    receipt_by: Annotated[str, typer.Option("--receipt-by", help="Sign a receipt as this institution of the directory, and add a row to its log.")] = "",
    receipts: Annotated[Path | None, typer.Option("--receipts", help="With --receipt-by: write the receipts into this folder.")] = None,
    show_claims: Annotated[bool, typer.Option("--show-claims", help="Print the claims too, if the verdict is accept (or overridden).")] = False,
    override_by: Annotated[str, typer.Option("--override-by", help="Who decides to read the claims although the verdict is not accept.")] = "",
    override_reason: Annotated[
        str, typer.Option("--override-reason", help="Why; both stand in the report. With --receipt-by a code of the table override-reasons.")
    ] = "",
    allow_host: AllowHostOption = None,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Verify a presentation or credential: proof, dates, status, issuer, entitlement, holder, newest state on the ledger.

    With the directory's own ledger (--dir), over HTTPS under --policy, or offline with --evidence.
    Status: 0 accept, 1 refuse, 2 malformed input, 3 indeterminate, 4 conditional.
    """
    from did_health.limits import MAX_DOCUMENT_BYTES

    if bool(override_by.strip()) != bool(override_reason.strip()):
        raise UsageError("an override names who decides, and why", hint="Give both --override-by and --override-reason")
    if receipt_by:
        _require_purpose(purpose)
        _require_coded(override_reason)
    waived = [_check_name(name) for name in waive or ()]
    moment = session.moment(at, "--at")
    pharmacy = _pharmacy(pharmacy, directory)
    with no_verdict():
        document = session.read_file(file, max_bytes=MAX_DOCUMENT_BYTES)
        saved = _saved(evidence, signed_by, policy, directory, moment)
        # As of another time is a question about it, and nothing that was seen then.
        remembered = None if moment is not None and pins is None else _pins(pins, policy, directory)
        with opened_verifier(policy, directory, saved, frozenset(allow_host or ()), passphrase_file, remembered) as verifier:
            report = session.at_file(
                file,
                lambda: verifier.verify(
                    document,
                    audience=audience,
                    nonce=nonce,
                    purpose=purpose,
                    schedule=schedule,
                    jurisdiction=jurisdiction,
                    setting=setting,
                    pharmacy=pharmacy,
                    prescription=prescription,
                    max_age=_max_age(purpose, schedule),
                    evidence=saved.evidence if saved else None,
                    now=moment,
                    waive=waived,
                ),
            )
        if save_evidence is not None:
            session.write_file(save_evidence, report.evidence.to_json() + b"\n")
    if override_by:
        report = report.overridden(by=override_by, reason=override_reason)
    if remembered is not None and remembered.unsaved is not None:
        note(f"What was seen of the ledger could not be remembered: {remembered.unsaved}", "yellow")
    if receipt_by:
        _record(report, purpose, receipt_by, receipts, directory, passphrase_file)
    if fhir is not None:
        _write_fhir(fhir, report, audience or "")
    _show(Output(as_json), report, saved, show_claims=show_claims)
    raise typer.Exit(verdict_code(report.verdict))


def _pharmacy(text: str, directory: Path) -> str:
    from did_health.cli import saved_evidence

    return saved_evidence.did_named(text, directory, "--pharmacy") if text else ""


def _require_coded(reason: str) -> None:
    """What is written freely about a patient must not stand in a receipt, which others keep."""
    from did_health.health.override_reasons import packaged_override_reasons

    codes = packaged_override_reasons()
    if reason and reason not in codes:
        raise UsageError("a receipt takes an override's reason as a code", where="--override-reason", hint=f"It is one of: {', '.join(codes)}")


def _require_purpose(purpose: str) -> None:
    from did_health.health.purposes import PURPOSES

    if purpose not in PURPOSES:
        raise UsageError("a receipt says what the verification was for", where="--purpose", hint=f"It is one of: {', '.join(PURPOSES)}")


def _record(report: Report, purpose: str, name: str, folder: Path | None, directory: Path, passphrase_file: Path | None) -> None:
    """Sign receipts of the report and add a row to the institution's log."""
    from did_health.cli.receipt_files import write_receipts
    from did_health.roles.receipts import ReceiptBook
    from did_health.stores.verifier_records import SQLVerifierRecords

    with no_verdict(), session.open_existing(directory, passphrase_file) as opened:
        book = ReceiptBook(opened.institution(name), SQLVerifierRecords(opened.verifier_database(name)))
        recorded = book.record(report, purpose=purpose, policy_id=_current_purposes().policy(purpose).policy_id)
    files = write_receipts(folder, recorded)
    note(f"Row {recorded.position} of {name}'s log; receipts: {', '.join(files) or len(recorded.receipts)}")


def _max_age(purpose: str, schedule: str) -> timedelta | None:
    """How old evidence may be by the purpose's own policy, if it has one. Whether somebody may prescribe is the question of a prescriber check."""
    from did_health.health.act import PRESCRIBE
    from did_health.health.purposes import PURPOSES

    named = "prescriber" if purpose == PRESCRIBE else purpose
    return _current_purposes().policy(named).limit(schedule).max_age if named in PURPOSES else None


def _current_purposes() -> PurposePolicies:
    from did_health.health.purposes import packaged_purposes

    policies = packaged_purposes()
    with no_verdict():
        policies.require_current(session.now().date())
    return policies


def _check_name(name: str) -> CheckName:
    from did_health.roles.report import CheckName

    waivable = [one for one in CheckName if one is not CheckName.DATA_MODEL]
    if name not in waivable:
        raise UsageError("there is no such check, or it cannot be left out", where=f"--waive {name}", hint=f"Those that can: {', '.join(waivable)}")
    return CheckName(name)


def _saved(file: Path | None, signed_by: str | None, policy: Path | None, directory: Path, at: datetime | None) -> SavedEvidence | None:
    from did_health.cli import saved_evidence

    if file is None:
        if signed_by is not None:
            raise UsageError("only a shift bundle is signed", where="--signed-by", hint="Give it by --evidence")
        return None
    signer = None if signed_by is None else saved_evidence.did_named(signed_by, directory, "--signed-by")
    return saved_evidence.read(file, session.read_policy(policy, directory), at or session.now(), signer)


def _pins(file: Path | None, policy: Path | None, directory: Path) -> FilePins | None:
    """The directory's pins are those of its own policy: under another one the same names could be other logs."""
    from did_health.net.verifiers import PINS_FILE
    from did_health.stores.pins import FilePins

    if file is not None:
        return FilePins(file)
    return FilePins(directory / PINS_FILE) if policy is None and directory.is_dir() else None


def _write_fhir(file: Path, report: Report, audience: str) -> None:
    from did_health.encoding import strict_json
    from did_health.roles.fhir_report import fhir_bundle
    from did_health.roles.report import Verdict

    if report.verdict is not Verdict.ACCEPT and report.override is None:
        note(f"{file} was not written: the verdict is {report.verdict}, and nobody decided otherwise", "yellow")
        return
    bundle, unsaid = fhir_bundle(report, validator=audience)
    session.write_file(file, strict_json.dumps(bundle, indent=True) + b"\n", secret=True)
    if unsaid:
        note(f"FHIR has no place for: {', '.join(unsaid)}", "yellow")


def _show(out: Output, report: Report, saved: SavedEvidence | None, *, show_claims: bool) -> None:
    from did_health.cli.report_output import claims_of, show_report

    claims = claims_of(report) if show_claims else None
    not_had = _not_had(report)
    if out.as_json:
        shown: dict[str, Sequence[object]] = {} if claims is None else {"credentials": claims}
        carried = {} if saved is None else {"evidence": saved.to_json(report.verified_at)}
        missed: dict[str, object] = {"notHad": not_had} if not_had else {}
        out.json(report.to_json() | {"holder": report.holder} | missed | carried | shown)
        return
    show_report(out, report)
    for url, why in list(not_had.items())[:_NOT_HAD_SHOWN]:
        note(f"Not had: {url}: {why}", "yellow")
    if len(not_had) > _NOT_HAD_SHOWN:
        note(f"and {len(not_had) - _NOT_HAD_SHOWN} more, which --json shows", "yellow")
    if saved is not None:
        out.facts(saved.facts(report.verified_at))
    if not show_claims:
        return
    if claims is None:
        out.line("The claims are shown only if the verdict is accept; a person who decides otherwise says so by --override-by and --override-reason.", "yellow")
        return
    for claim in claims:
        out.heading(f"Claims: {', '.join(claim['type'])}")
        out.facts(flattened(claim["credentialSubject"]))


def _not_had(report: Report) -> dict[str, str]:
    """What could not be fetched and why, by its URL, where that keeps the verdict open."""
    from did_health.net.gather import GatheredEvidence
    from did_health.roles.report import Verdict

    if report.verdict is not Verdict.INDETERMINATE or not isinstance(report.evidence, GatheredEvidence):
        return {}
    return dict(report.evidence.failures)


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
