"""``did-health pickup``: a pharmacy's counter. Patients' names stand in files and never in arguments, which others on a machine can see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from did_health.cli import options, pickup_input, session
from did_health.cli.exits import CONDITIONAL, FAILED, INDETERMINATE, OK, NoVerdict, UsageError, no_verdict, verdict_code
from did_health.cli.options import AllowHostOption, DirectoryOption, JSONOption, OutputFileOption, PassphraseFileOption, PolicyOption, example
from did_health.cli.output import Output, when
from did_health.cli.receipt_files import write_receipts
from did_health.errors import StoreError

if TYPE_CHECKING:
    from did_health.cli.saved_evidence import SavedEvidence
    from did_health.health.identification_rules import IdentificationRule
    from did_health.roles.pickup import Pickup, PickupDesk, Rechecked
    from did_health.roles.receipts import Recorded

app = options.group("pickup", "A pharmacy's counter: ask, check who picks up, and what to do by hand.")

PharmacyArgument = Annotated[str, typer.Argument(metavar="PHARMACY", help="The pharmacy's name among the institutions of the directory.")]
WhoOption = Annotated[str, typer.Option("--who", help="Who is here, as they say: patient, agent or guardian.")]


@app.command("ask", epilog=example("did-health pickup ask --audience https://pharmacy.example -o request.json"))
def ask(
    audience: Annotated[str, typer.Option("--audience", help="The pharmacy, as wallets are to know it.")],
    who: WhoOption = "patient",
    claim: Annotated[
        list[str] | None, typer.Option("--claim", help="Ask for this claim instead, as PatientIdentityCredential.name. May be repeated.")
    ] = None,
    portrait: Annotated[bool, typer.Option("--portrait", help="Ask for the portrait's digest too: you hold a picture.")] = False,
    purpose: Annotated[str, typer.Option("--purpose", help="What it is for: pickup, checkin, prescriber, credentialing or licensure.")] = "pickup",
    output: OutputFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Make a request with a fresh nonce, of the claims that the purpose needs; one that asks for more is refused, with status 1."""
    from did_health.health.purposes import PICKUP, ClaimName, packaged_purposes
    from did_health.roles.pickup import claims_of
    from did_health.roles.request import Request

    if not claim and purpose != PICKUP:
        raise UsageError("for other purposes than pickup say what to ask for", where="--claim")
    claims = [ClaimName.parse(text, "--claim") for text in claim or ()] or claims_of(pickup_input.collector(who), portrait=portrait)
    policies, now = packaged_purposes(), session.now()
    policies.require_current(now.date())
    request = Request.ask(policies.policy(purpose), claims, audience=audience, random=session.random_bytes, now=now)
    out = Output(as_json)
    if output is None:
        out.write(request.to_json() + b"\n")
        return
    session.write_file(output, request.to_json() + b"\n")
    if as_json:
        out.json({"file": str(output), "audience": request.audience, "nonce": request.nonce})
    else:
        out.facts([("Request", output), ("Audience", request.audience), ("Nonce", request.nonce), ("Claims", ", ".join(map(str, request.claims)))])


@app.command("check", epilog=example(
    "did-health pickup check main-street shown.json --request request.json --patient patient.json --schedule none --jurisdiction US-NC",
    "did-health pickup check main-street --patient patient.json --who agent --schedule 2 --jurisdiction US-NC",
    "did-health pickup check main-street shown.json --request request.json --patient patient.json --prescriber prescriber.json --portrait portrait.jpg",
))
def check(
    name: PharmacyArgument,
    shown: Annotated[Path | None, typer.Argument(help="The presentation that answers the request; without it nothing was shown.")] = None,
    patient: Annotated[Path | None, typer.Option("--patient", help="The patient by your record, as stated: JSON with family, given and birthDate.")] = None,
    request_file: Annotated[Path | None, typer.Option("--request", help="The request that was answered, as pickup ask made it.")] = None,
    who: WhoOption = "patient",
    schedule: Annotated[str, typer.Option("--schedule", help="The strictest among the bags: 2, 2N, 3, 3N, 4, 5, or none for not controlled.")] = "",
    jurisdiction: Annotated[str, typer.Option("--jurisdiction", help="Where the counter is, as US-NC.")] = "",
    prescription: Annotated[str, typer.Option("--prescription", help="The hash by which you know the prescription, if a delegation may name it.")] = "",
    bags: Annotated[int, typer.Option("--bags", help="How many bags there are.", min=1)] = 1,
    portrait: Annotated[Path | None, typer.Option("--portrait", help="A picture of who is here that you hold; it is held against the credential.")] = None,
    prescriber: Annotated[Path | None, typer.Option("--prescriber", help="What prescriber check -o found at fill, to be shown.")] = None,
    evidence: Annotated[Path | None, typer.Option("--evidence", help="Without a network: saved evidence or a shift bundle.")] = None,
    receipts: Annotated[Path | None, typer.Option("--receipts", help="Write the receipts for those who showed something into this folder.")] = None,
    air: Annotated[Path | None, typer.Option("--air", help="Write the fields AIR03 to AIR11 for the PDMP to this file (JSON).")] = None,
    air_codes: Annotated[Path | None, typer.Option("--air-codes", help="Your own table of ASAP's codes.")] = None,
    document: Annotated[Path | None, typer.Option("--id-document", help="The document that was shown: JSON with type, jurisdiction, number, name.")] = None,
    pharmacist: Annotated[str, typer.Option("--pharmacist", help="For the PDMP: Family, Given.")] = "",
    override_by: Annotated[str, typer.Option("--override-by", help="Continue by the pharmacist's judgement: who decides.")] = "",
    override_reason: Annotated[str, typer.Option("--override-reason", help="Why, by its code; a wrong one lists them all.")] = "",
    override_note: Annotated[Path | None, typer.Option("--override-note", help="A text beside the code, for your own log alone.")] = None,
    policy: PolicyOption = None,
    allow_host: AllowHostOption = None,
    pins: Annotated[Path | None, typer.Option("--pins", help="Remember here what was seen of the ledgers; by default in the directory.")] = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Check a pickup, write it into the pharmacy's log, and sign receipts for those whose claims were shown.

    Status: 0 accept, 1 refuse, 2 malformed input, 3 by hand, 4 conditional. Nothing is ever blocked: the pharmacist decides.
    """
    from did_health.limits import MAX_DOCUMENT_BYTES

    if patient is None:
        raise UsageError("whose prescription it is has to be known", where="--patient", hint='Give a file: {"family": …, "given": …, "birthDate": …}')
    if (shown is None) != (request_file is None):
        raise UsageError("what is shown answers a request", where="--request", hint="Make one with: did-health pickup ask")
    # Everything that can be wrong with what was given is found before the request is used up by an answer.
    judgement = pickup_input.JudgementGiven.of(override_by, override_reason, override_note)
    fields = None if air is None else pickup_input.AIRGiven.of(air_codes, document, pharmacist)
    request = None if request_file is None else pickup_input.request(request_file)
    with no_verdict(), _counter(name, directory, passphrase_file, policy, allow_host, pins, evidence) as (desk, saved):
        visit = replace(
            pickup_input.visit(patient, desk.book.verifier, who, schedule, jurisdiction, prescription, bags),
            portrait=None if portrait is None else pickup_input.portrait(portrait),
            prescriber=None if prescriber is None else pickup_input.prescriber(prescriber),
        )

        def decide() -> Pickup:
            data = None if shown is None else session.read_file(shown, max_bytes=MAX_DOCUMENT_BYTES)
            return desk.decide(visit, data, request=request, evidence=None if saved is None else saved.evidence)

        pickup = session.at_file(shown, decide) if shown is not None else decide()
        if judgement is not None:
            pickup = pickup.continued(by=judgement.by, reason=judgement.reason, note=judgement.note)
        recorded = desk.complete(pickup)
    out = Output(as_json)
    if not as_json:
        from did_health.cli.pickup_screen import show_pickup

        show_pickup(out, pickup, recorded.position, saved)
    try:
        files = write_receipts(receipts, recorded)
        if air is not None and fields is not None:
            from did_health.encoding import strict_json

            session.write_file(air, strict_json.dumps(fields.fields(pickup).to_json(), indent=True) + b"\n", secret=True)
    except (StoreError, UsageError) as error:
        known = "; ".join(receipt.id for receipt in recorded.receipts.values()) or "none"
        hint = f"The verdict, {pickup.verdict}, stands in row {recorded.position} of the log. Have the receipts by verifier-log receipt: {known}"
        raise NoVerdict(error.what, where=error.where, hint=hint, code=error.code) from error
    if as_json:
        out.json(_json(pickup, recorded) | {"receiptFiles": files})
    else:
        out.facts([("Receipt", file) for file in files])
    raise typer.Exit(verdict_code(pickup.verdict))


@app.command("recheck", epilog=example("did-health pickup recheck main-street"))
def recheck(
    name: PharmacyArgument,
    policy: PolicyOption = None,
    allow_host: AllowHostOption = None,
    pins: Annotated[Path | None, typer.Option("--pins", help="Remember here what was seen of the ledgers; by default in the directory.")] = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Check again what was decided by hand without a network; each result is a row of the pharmacy's log.

    Status: 0 all of it is good now, 1 something is refused, 3 something still waits, 4 something is good under conditions.
    """
    with no_verdict(), _counter(name, directory, passphrase_file, policy, allow_host, pins, None) as (desk, _):
        found = desk.recheck()
    out = Output(as_json)
    if as_json:
        out.json([_rechecked(one) for one in found])
    elif found:
        out.table(("Decided by hand at", "Verdict now", "Why", "Log"), [
            (when(one.waiting.queued_at), one.report.verdict, ", ".join(one.report.codes) or "-", "still waits" if one.row is None else f"row {one.row}")
            for one in found
        ])
    else:
        out.line("Nothing waits to be checked again.")
    verdicts = {one.report.verdict for one in found}
    raise typer.Exit(next((code for verdict, code in _WORST_FIRST if verdict in verdicts), OK))


# As ``roles.report`` has the verdicts.
_WORST_FIRST: Final = (("refuse", FAILED), ("indeterminate", INDETERMINATE), ("conditional", CONDITIONAL))


@contextmanager
def _counter(
    name: str,
    directory: Path,
    passphrase_file: Path | None,
    policy: Path | None,
    allow_host: list[str] | None,
    pins: Path | None,
    evidence: Path | None,
) -> Iterator[tuple[PickupDesk, SavedEvidence | None]]:
    """The desk, and the evidence that the user named. By the directory's own ledger, or over HTTPS under a policy that was named."""
    from did_health.cli import saved_evidence
    from did_health.net.verifiers import embedded_verifier, web_verifier
    from did_health.stores.counter_store import SQLUsedNonces
    from did_health.stores.pins import FilePins

    with session.open_existing(directory, passphrase_file) as opened:
        # Replays are told over all commands.
        nonces = SQLUsedNonces(opened.verifier_database(name))
        remembered = None if pins is None else FilePins(pins)
        if policy is None:
            verifier = embedded_verifier(opened, used_nonces=nonces, pins=remembered)
        else:
            trusted, hosts = session.read_policy(policy, directory), frozenset(allow_host or ())
            verifier = web_verifier(trusted, allow_hosts=hosts, used_nonces=nonces, pins=remembered)
        desk = opened.pickup_desk(name, verifier)
        desk.require_current_tables()
        yield desk, None if evidence is None else saved_evidence.read(evidence, verifier.policy, session.now(), None)


def _rule(rule: IdentificationRule) -> dict[str, object]:
    return {
        "when": rule.when,
        "documents": list(rule.documents),
        "credentialSuffices": rule.credential_suffices,
        "note": rule.note,
        "source": rule.source.title,
        "asOf": rule.source.as_of and rule.source.as_of.isoformat(),
        "disputedBy": [other.title for other in rule.disputed_by],
    }


def _json(pickup: Pickup, recorded: Recorded) -> dict[str, object]:
    return {
        **pickup.report.to_json(),
        "who": pickup.collector,
        "nameAndBirthDateAgree": pickup.agrees,
        "byHand": list(pickup.by_hand),
        "identification": [_rule(rule) for rule in pickup.identification],
        "identificationKnown": bool(pickup.identification),
        "mayHandOver": pickup.may_hand_over,
        "recheck": pickup.is_to_be_rechecked,
        "portrait": pickup.portrait,
        "prescriber": None if pickup.visit.prescriber is None else pickup.visit.prescriber.line,
        "logRow": recorded.position,
        "receipts": [receipt.id for receipt in recorded.receipts.values()],
    }


def _rechecked(one: Rechecked) -> dict[str, object]:
    report = one.report
    return {"id": one.waiting.id, "decidedAt": when(one.waiting.queued_at), "verdict": report.verdict, "codes": list(report.codes), "logRow": one.row}
