"""``did-health pickup``: a pharmacy's counter. Patients' names stand in files and never in arguments, which others on a machine can see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import options, session
from did_health.cli.exits import CONDITIONAL, FAILED, INDETERMINATE, OK, UsageError, no_verdict
from did_health.cli.options import DirectoryOption, JSONOption, OutputFileOption, PassphraseFileOption, example
from did_health.cli.output import Output, when
from did_health.cli.receipt_files import write_receipts

if TYPE_CHECKING:
    from did_health.health.air_segment import AIRCodes, AIRSegment, ShownDocument
    from did_health.health.identification_rules import IdentificationRule
    from did_health.roles.pickup import Collector, Pickup, PickupDesk, Visit
    from did_health.roles.receipts import Recorded
    from did_health.roles.request import Request
    from did_health.stores.directory import Directory

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
    claims = [ClaimName.parse(text, "--claim") for text in claim or ()] or claims_of(_collector(who))
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
    evidence: Annotated[Path | None, typer.Option("--evidence", help="Without a network: saved evidence or a shift bundle.")] = None,
    receipts: Annotated[Path | None, typer.Option("--receipts", help="Write the receipts for those who showed something into this folder.")] = None,
    air: Annotated[Path | None, typer.Option("--air", help="Write the fields AIR03 to AIR11 for the PDMP to this file (JSON).")] = None,
    air_codes: Annotated[Path | None, typer.Option("--air-codes", help="Your own table of ASAP's codes.")] = None,
    document: Annotated[Path | None, typer.Option("--id-document", help="The document that was shown: JSON with type, jurisdiction, number, name.")] = None,
    pharmacist: Annotated[str, typer.Option("--pharmacist", help="For the PDMP: Family, Given.")] = "",
    override_by: Annotated[str, typer.Option("--override-by", help="Continue by the pharmacist's judgement: who decides.")] = "",
    override_reason: Annotated[str, typer.Option("--override-reason", help="Why; it stands in log and receipt, so name nobody.")] = "",
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
    if bool(override_by.strip()) != bool(override_reason.strip()):
        raise UsageError("an override names who decides, and why", hint="Give both --override-by and --override-reason")
    if (shown is None) != (request_file is None):
        raise UsageError("what is shown answers a request", where="--request", hint="Make one with: did-health pickup ask")
    # What the segment needs is looked at before anything is written down.
    codes = None if air is None else _air_codes(air_codes)
    with no_verdict(), _counter(name, directory, passphrase_file, evidence) as counter:
        visit = _visit(patient, counter.did, who, schedule, jurisdiction, prescription, bags)
        data = None if shown is None else session.read_file(shown, max_bytes=MAX_DOCUMENT_BYTES)
        pickup = counter.decide(visit, data, _request(request_file))
        if override_by:
            pickup = pickup.continued(by=override_by, reason=override_reason)
        recorded = counter.desk.complete(pickup)
    out = Output(as_json)
    files = write_receipts(receipts, recorded)
    if air is not None and codes is not None:
        from did_health.encoding import strict_json

        session.write_file(air, strict_json.dumps(_air(pickup, codes, document, pharmacist).to_json(), indent=True) + b"\n", secret=True)
    if as_json:
        out.json(_json(pickup, recorded) | {"receiptFiles": files})
    else:
        from did_health.cli.pickup_screen import show_pickup

        show_pickup(out, pickup)
        out.facts([("Log", f"row {recorded.position}"), *(("Receipt", file) for file in files)])
    raise typer.Exit({"accept": OK, "refuse": FAILED, "conditional": CONDITIONAL}.get(pickup.verdict, INDETERMINATE))


@app.command("recheck", epilog=example("did-health pickup recheck main-street"))
def recheck(
    name: PharmacyArgument,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Check again what was decided by hand without a network. Status 1 if something of it is refused now, 3 if something still waits."""
    from did_health.roles.report import Verdict

    with _counter(name, directory, passphrase_file, None) as counter:
        found = counter.desk.recheck()
    out = Output(as_json)
    rows = [(waiting.id, when(waiting.queued_at), report.verdict, ", ".join(report.codes)) for waiting, report in found]
    if as_json:
        out.json([dict(zip(("id", "queuedAt", "verdict", "codes"), row, strict=True)) for row in rows])
    elif rows:
        out.table(("Request", "Decided by hand at", "Verdict now", "Why"), rows)
    else:
        out.line("Nothing waits to be checked again.")
    verdicts = {report.verdict for _, report in found}
    raise typer.Exit(FAILED if Verdict.REFUSE in verdicts else INDETERMINATE if Verdict.INDETERMINATE in verdicts else OK)


@dataclass(frozen=True, slots=True)
class _Counter:
    """The desk, and the evidence that the user named."""

    desk: PickupDesk
    directory: Directory
    evidence: Path | None

    @property
    def did(self) -> str:
        return self.desk.book.verifier

    def decide(self, visit: Visit, shown: bytes | None, request: Request | None) -> Pickup:
        from did_health.cli import saved_evidence

        if self.evidence is None:
            return self.desk.decide(visit, shown, request=request)
        saved = saved_evidence.read(self.evidence, self.directory.policy, session.now(), None)
        return self.desk.decide(visit, shown, request=request, evidence=saved.evidence)


@contextmanager
def _counter(name: str, directory: Path, passphrase_file: Path | None, evidence: Path | None) -> Iterator[_Counter]:
    from did_health.net.verifiers import embedded_verifier
    from did_health.stores.counter_store import SQLUsedNonces

    with session.open_existing(directory, passphrase_file) as opened:
        # Replays are told over all commands.
        verifier = embedded_verifier(opened, used_nonces=SQLUsedNonces(opened.verifier_database(name)))
        desk = opened.pickup_desk(name, verifier)
        desk.require_current_tables()
        yield _Counter(desk, opened, evidence)


def _collector(who: str) -> Collector:
    from did_health.roles.pickup import Collector

    if who not in list(Collector):
        raise UsageError("nobody of that kind picks up", where="--who", hint=f"It is one of: {', '.join(Collector)}")
    return Collector(who)


def _visit(file: Path, pharmacy: str, who: str, schedule: str, jurisdiction: str, prescription: str, bags: int) -> Visit:
    from did_health.encoding import strict_json
    from did_health.health import fields
    from did_health.health.act import Act
    from did_health.health.person_name import PersonName
    from did_health.limits import MAX_DOCUMENT_BYTES
    from did_health.roles.pickup import Visit

    def parse() -> Visit:
        document = strict_json.loads_object(session.read_file(file, max_bytes=MAX_DOCUMENT_BYTES), what="patient's record")
        born = fields.parse_day(fields.member(document, "birthDate"), "/birthDate", "birth date")
        act = Act("pickup", schedule, jurisdiction, "", pharmacy, prescription)
        return Visit(PersonName.from_json(document), born, act, _collector(who), bags)

    return session.at_file(file, parse)


def _request(file: Path | None) -> Request | None:
    from did_health.limits import MAX_REQUEST_BYTES
    from did_health.roles.request import Request

    return None if file is None else session.at_file(file, lambda: Request.parse(session.read_file(file, max_bytes=MAX_REQUEST_BYTES)))


def _air_codes(file: Path | None) -> AIRCodes:
    """The codes of the user's table, or of the one that ships; raises for one that is too old."""
    from did_health.health.air_segment import AIRCodes
    from did_health.health.dated_tables import OLDEST_TABLES, DatedTable, packaged_table
    from did_health.limits import MAX_TABLE_BYTES

    def read(file: Path) -> DatedTable:
        return session.at_file(file, lambda: DatedTable.parse(session.read_file(file, max_bytes=MAX_TABLE_BYTES)))

    table = packaged_table("asap-air-codes") if file is None else read(file)
    with no_verdict():
        table.require_current(session.now().date(), OLDEST_TABLES)
    return AIRCodes.of(table)


def _air(pickup: Pickup, codes: AIRCodes, document: Path | None, pharmacist: str) -> AIRSegment:
    from did_health.health.air_segment import AIRSegment
    from did_health.health.person_name import PersonName

    family, _, given = (part.strip() for part in pharmacist.partition(","))
    if pharmacist and not (family and given):
        raise UsageError("the pharmacist's name is not whole", where="--pharmacist", hint='Write it as "Family, Given"')
    return AIRSegment.picking_up(
        codes,
        relationship=pickup.relationship,
        person=pickup.collector_name,
        pharmacist=PersonName(family, given) if pharmacist else None,
        document=_document(document),
    )


def _document(file: Path | None) -> ShownDocument | None:
    from did_health.encoding import strict_json
    from did_health.health.air_segment import ShownDocument
    from did_health.limits import MAX_DOCUMENT_BYTES

    if file is None:
        return None
    return session.at_file(
        file, lambda: ShownDocument.from_json(strict_json.loads_object(session.read_file(file, max_bytes=MAX_DOCUMENT_BYTES), what="identity document"))
    )


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
        "logRow": recorded.position,
        "receipts": [receipt.id for receipt in recorded.receipts.values()],
    }
