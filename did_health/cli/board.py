"""``did-health board``: an issuer that issues, imports, suspends, reinstates, revokes, and lists what it issued."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import days, options, session
from did_health.cli.exits import UsageError, asking
from did_health.cli.options import (
    AlgorithmOption,
    DirectoryOption,
    HostOption,
    JSONOption,
    JurisdictionOption,
    OutputFileOption,
    PassphraseFileOption,
    TitleOption,
    example,
)
from did_health.cli.output import Output, note, short, when
from did_health.errors import DidHealthError

if TYPE_CHECKING:
    from datetime import datetime

    from did_health.roles.decision import Decision
    from did_health.roles.issuer import Board, Issued

app = options.group("board", "Issue credentials as a board, and suspend, reinstate and revoke them.")

BoardArgument = Annotated[str, typer.Argument(help="The board's short name in the directory.")]
CredentialArgument = Annotated[str, typer.Argument(metavar="CREDENTIAL", help="The credential's id (urn:uuid:…), or the licence number.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why: kept in the board's register, never published.")]
OrderOption = Annotated[str, typer.Option("--order", help="The public board order, as a number or URL.")]
EffectiveOption = Annotated[
    str | None, typer.Option("--effective", help="From when on: a day in the board's state, or a moment as 2026-01-31T13:45:00Z; by default now.")
]
ByOption = Annotated[str, typer.Option("--by", help="Who decides: kept in the board's register.")]


@app.command("init", epilog=example(
    'did-health board init nc-medical --title "North Carolina Medical Board" --jurisdiction US-NC --profession MD --profession DO',
))
def init(
    name: BoardArgument,
    title: TitleOption,
    jurisdiction: JurisdictionOption,
    profession: Annotated[list[str] | None, typer.Option("--profession", help="A profession that it licenses, as MD. May be repeated.")] = None,
    resource: Annotated[
        list[str] | None, typer.Option("--resource", help="A credential type that it may issue; by default PhysicianLicenseCredential. May be repeated.")
    ] = None,
    entity_type: Annotated[str, typer.Option("--entity-type", help="medical_board, pharmacy_board, csp (identity provider), …")] = "medical_board",
    algorithm: AlgorithmOption = "Ed25519",
    second_person: Annotated[
        list[str] | None, typer.Option("--second-person", help="A state that a second person must approve, as revoked. May be repeated.")
    ] = None,
    undo_hours: Annotated[float, typer.Option("--undo-hours", min=0, max=2160, help="How long a decision can be undone; what is for ever waits as long.")] = 0,
    host: HostOption = "ledger.example",
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Make a board with a DID, accredited by the directory's registry authority; the directory is made too if nothing is there."""
    from datetime import timedelta

    from did_health.health.board_accreditation import BoardAccreditation
    from did_health.health.status_messages import SIGNALS
    from did_health.roles.docket import DocketRules

    # Everything is looked at before a directory is made for it.
    session.require_name(name)
    session.require_details(title, jurisdiction)
    kind, professions, resources = session.algorithm(algorithm), tuple(profession or ()), tuple(resource or ("PhysicianLicenseCredential",))
    for one in resources:
        BoardAccreditation(
            name=title, entity_type=entity_type, jurisdiction=jurisdiction, resource=one, professions=professions, valid_until=session.now()
        )
    if unknown := [state for state in second_person or () if state not in SIGNALS]:
        raise UsageError(f"{unknown[0]} is no state of a licence", where="--second-person", hint=f"It is one of: {', '.join(SIGNALS)}")
    rules = DocketRules(frozenset(second_person or ()), timedelta(hours=undo_hours))
    with session.open_or_create(directory, passphrase_file, host) as opened:
        board = opened.create_board(
            name,
            title=title,
            jurisdiction=jurisdiction,
            professions=professions,
            resources=resources,
            entity_type=entity_type,
            algorithm=kind,
            rules=rules,
        )
        did, authority = board.did, opened.policy.registry_authority
    out = Output(as_json)
    if as_json:
        out.json({"name": name, "did": did, "registryAuthority": authority, "directory": str(directory)})
    else:
        out.facts([("Board", title), ("DID", did), ("Accredited by", authority), ("Directory", directory)])


@app.command("issue", epilog=example(
    "did-health board issue nc-medical claims.json --to did:key:z6Mk… -o licence.json",
    "did-health board issue nc-medical --family Adams --given Ann --license-number 12345 --issued-on 2010-01-01 --valid-until 2027-01-01 --wallet adams",
))
def issue(
    name: BoardArgument,
    file: Annotated[Path | None, typer.Argument(help="The claims: JSON with type, validUntil and credentialSubject; - is standard input.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="The holder's DID.")] = None,
    wallet: Annotated[str | None, typer.Option("--wallet", help="A wallet of this directory, which then holds the credential.")] = None,
    output: OutputFileOption = None,
    family: Annotated[str, typer.Option("--family", help="Without FILE: the physician's family name.")] = "",
    given: Annotated[str, typer.Option("--given", help="Without FILE: the given names.")] = "",
    profession: Annotated[str, typer.Option("--profession", help="Without FILE: MD or DO.")] = "MD",
    license_number: Annotated[str, typer.Option("--license-number", help="Without FILE: the licence number.")] = "",
    license_class: Annotated[str, typer.Option("--license-class", help="Without FILE: full, limited, training, …")] = "full",
    issued_on: Annotated[str, typer.Option("--issued-on", help="Without FILE: the day of the first issue, as 2010-01-31.")] = "",
    valid_until: Annotated[str, typer.Option("--valid-until", help="Without FILE: the last day of validity, as 2027-01-31; or a moment.")] = "",
    npi: Annotated[str, typer.Option("--npi", help="Without FILE: the National Provider Identifier.")] = "",
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Issue one credential to a holder's DID or into a wallet; its issuing is logged on the ledger.

    Without --wallet the credential with its receipt goes to --output, or to standard output.
    """
    from did_health.cli.claims import license_of_options, read_claims
    from did_health.encoding import strict_json

    if (to is None) == (wallet is None):
        raise UsageError("a credential has one holder", hint="Give either --to DID or --wallet NAME")
    if file is not None and (family or given or license_number):
        raise UsageError("the claims are given twice", hint="Give either FILE or options such as --family")
    with session.open_existing(directory, passphrase_file) as opened:
        board = opened.board(name)
        if file is not None:
            claims = read_claims(file, board.details)
        else:
            claims = license_of_options(family, given, profession, license_number, license_class, issued_on, valid_until, npi, board.details.jurisdiction)
        held = opened.wallet(wallet) if wallet is not None else None
        holder = held.did if held is not None else str(to)
        session.require_holder(holder, where="--to")
        with _one_order():
            issued = board.issue(claims, to=holder)
        with _kept(name, issued):
            if wallet is not None and held is not None:
                held.add(issued)
                opened.save_wallet(wallet, held)
            if output is not None:
                session.write_file(output, issued.to_json() + b"\n")
    out = Output(as_json)
    document = issued.to_json()
    if as_json:
        result = {"id": issued.id, "type": claims.credential_type, "holder": holder, "wallet": wallet, "file": str(output) if output else None}
        kept = wallet is not None or output is not None
        out.json({name: value for name, value in result.items() if value} | ({} if kept else strict_json.loads_object(document, max_bytes=len(document))))
        return
    if wallet is None and output is None:
        out.write(document + b"\n")
        note(f"Issued {issued.id}")
    else:
        place = f"wallet {wallet}" if wallet is not None else str(output)
        out.facts([("Issued", issued.id), ("Type", claims.credential_type), ("Holder", holder), ("Kept in", place)])


@contextmanager
def _kept(board: str, issued: Issued) -> Iterator[None]:
    """Says of a credential that is issued but could not be put where it was to go how to have it all the same."""
    try:
        yield
    except DidHealthError as error:
        error.hint = f"The credential is issued and logged; have it by: did-health board list {board} --credential {issued.id}"
        raise


@contextmanager
def _one_order() -> Iterator[None]:
    """Leaves out of an error that the order was number 0: there is only one."""
    try:
        yield
    except DidHealthError as error:
        error.where = error.where.removeprefix("order 0").removeprefix(": ")
        raise


Change = Callable[["Board", str, "datetime | None"], "Decision"]


def _change(
    name: str, credential: str, effective: str | None, directory: Path, passphrase_file: Path | None, as_json: bool, done: str, change: Change,
    *, favours: bool = False,
) -> None:
    """Change one credential's status, and say so; or that it is yet to come."""
    since = days.given(effective, "--effective")
    with session.open_existing(directory, passphrase_file) as opened:
        board = opened.board(name)
        credential_id = find_credential(directory, name, credential)
        with asking(f"{name} never issued this credential", where=credential, hint=f"See: did-health board list {name}"):
            begins = days.beginning(since, "--effective", board.details.jurisdiction, favours=favours)
            decision = change(board, credential_id, begins)
    out = Output(as_json)
    state = done if decision.is_in_force else decision.status
    if as_json:
        out.json({"id": credential_id, "state": state, "decision": decision.id})
    else:
        out.facts([("Credential", credential_id), ("Is now", state), *([] if decision.is_in_force else [("Decision", decision.id)])])


def find_credential(directory: Path, name: str, credential: str) -> str:
    """The id of the credential with this id or licence number; the newest, if several have the number."""
    with session.register(directory, name) as (institution, register):
        if register.get(credential) is not None:
            return credential
        found = register.find(institution.did, number=credential, limit=1) if credential else ()
    if not found:
        raise UsageError(f"{name} issued no credential with this id or number", where=credential, hint=f"See: did-health board list {name}")
    return found[0].id


@app.command("suspend", epilog=example('did-health board suspend nc-medical 12345 --reason "summary suspension" --order 2026-017'))
def suspend(
    name: BoardArgument,
    credential: CredentialArgument,
    reason: ReasonOption,
    order: OrderOption = "",
    effective: EffectiveOption = None,
    state: Annotated[str, typer.Option("--state", help="The board's word: suspended, summary_suspension, inactive or retired.")] = "suspended",
    by: ByOption = "",
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Suspend a credential until it is reinstated; the very next verification sees it."""
    from did_health.health.status_messages import SIGNALS

    _require_state(state, [word for word, signal in SIGNALS.items() if signal.suspension])
    _change(
        name, credential, effective, directory, passphrase_file, as_json, "suspended",
        lambda board, one, since: board.suspend(one, reason=reason, effective=since, order=order, state=state, by=by),
    )


@app.command("reinstate", epilog=example('did-health board reinstate nc-medical 12345 --reason "order vacated"'))
def reinstate(
    name: BoardArgument,
    credential: CredentialArgument,
    reason: ReasonOption,
    order: OrderOption = "",
    effective: EffectiveOption = None,
    by: ByOption = "",
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """End a suspension. What is revoked stays revoked."""
    _change(
        name, credential, effective, directory, passphrase_file, as_json, "reinstated",
        lambda board, one, since: board.reinstate(one, reason=reason, effective=since, order=order, by=by), favours=True,
    )


@app.command("revoke", epilog=example('did-health board revoke nc-medical 12345 --reason "final order" --order 2026-031'))
def revoke(
    name: BoardArgument,
    credential: CredentialArgument,
    reason: ReasonOption,
    order: OrderOption = "",
    effective: EffectiveOption = None,
    state: Annotated[str, typer.Option("--state", help="The board's word: revoked, surrendered, surrendered_in_lieu or issued_in_error.")] = "revoked",
    by: ByOption = "",
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Revoke a credential for ever."""
    from did_health.health.status_messages import SIGNALS

    _require_state(state, [word for word, signal in SIGNALS.items() if signal.revocation])
    _change(
        name, credential, effective, directory, passphrase_file, as_json, "revoked",
        lambda board, one, since: board.revoke(one, reason=reason, effective=since, order=order, state=state, by=by),
    )


def _require_state(state: str, words: list[str]) -> None:
    if state not in words:
        raise UsageError("the board's word for the state is none of those known", where="--state", hint=f"It is one of: {', '.join(words)}")


@app.command("list", epilog=example(
    "did-health board list nc-medical", "did-health board list nc-medical --json", "did-health board list nc-medical --credential urn:uuid:… > licence.json",
))
def list_(
    name: BoardArgument,
    number: Annotated[str | None, typer.Option("--number", help="Only those with this licence number.")] = None,
    credential: Annotated[str | None, typer.Option("--credential", help="Print the credential of this id with its receipt, as it was issued.")] = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    as_json: JSONOption = False,
) -> None:
    """What a board issued, and its state by the register. Needs no passphrase; prints no claims but licence numbers, save by --credential."""
    from did_health.encoding import strict_json
    from did_health.roles.issuer import Issued
    from did_health.roles.register_states import states

    with session.register(directory, name) as (institution, register):
        if credential is not None:
            one = register.get(credential)
            if one is None or one.issuer != institution.did:
                raise UsageError(f"{name} issued no credential with this id", where=credential, hint=f"See: did-health board list {name}")
            Output(as_json).write(Issued(strict_json.loads_object(one.document), strict_json.loads_object(one.receipt)).to_json() + b"\n")
            return
        rows = register.all(institution.did) if number is None else register.find(institution.did, number=number)
        state_of = states(register)
        found = [(row.number, row.id, row.type, row.subject, row.issued_at, state_of(row)) for row in rows]
    out = Output(as_json)
    if as_json:
        names = ("number", "id", "type", "holder", "issuedAt", "state")
        out.json([dict(zip(names, (*row[:4], when(row[4]), row[5]), strict=True)) for row in found])
    elif found:
        out.table(
            ("Number", "Credential", "Holder", "Issued", "State"),
            [(row[0] or "-", row[1], short(row[3], 24), when(row[4]), row[5]) for row in found],
            title=f"{institution.title}: {len(found)} issued",
        )
    else:
        out.line(f"{institution.title} has issued nothing yet." if number is None else "Nothing has this number.")
