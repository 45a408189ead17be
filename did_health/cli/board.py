"""``did-health board``: an issuer: made, issuing, issuing anew to a new key, and listing what it issued."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import options, session
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
    from did_health.health.board_accreditation import CompactRole
    from did_health.roles.issuer import Issued

app = options.group("board", "Issue credentials as a board, and suspend, reinstate and revoke them.")

BoardArgument = Annotated[str, typer.Argument(help="The board's short name in the directory.")]


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
    compact: Annotated[
        str | None, typer.Option("--compact", help="Its part in an interstate compact, as IMLC:spl; the roles are spl, issue_only, enacted, none.")
    ] = None,
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
    part = None if compact is None else compact_role(compact)
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
            compact=part,
            rules=rules,
        )
        did, authority = board.did, opened.policy.registry_authority
    out = Output(as_json)
    if as_json:
        out.json({"name": name, "did": did, "registryAuthority": authority, "directory": str(directory)})
    else:
        out.facts([("Board", title), ("DID", did), ("Accredited by", authority), ("Directory", directory)])


def compact_role(text: str) -> CompactRole:
    """The part in a compact that ``IMLC:spl`` stands for. Raises ``UsageError``."""
    from did_health.errors import FormatError
    from did_health.health.board_accreditation import CompactRole

    name, _, role = text.rpartition(":")
    try:
        return CompactRole(name, role)
    except FormatError as error:
        raise UsageError(error.what, where="--compact", hint="Write it as IMLC:spl; the roles are spl, issue_only, enacted, none") from error


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


@app.command("replace-holder", epilog=example("did-health board replace-holder csp change.json --wallet adams-2"))
def replace_holder(
    name: BoardArgument,
    file: Annotated[Path, typer.Argument(help="The holder's statement, as wallet rekey wrote it; - is standard input.")],
    wallet: Annotated[str | None, typer.Option("--wallet", help="A wallet of this directory, which then holds what is issued.")] = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Issue everything that the holder's old key has to the new one, and revoke it for the old one.

    Be sure who asks: whoever has the old key can make such a statement.
    """
    from did_health.limits import MAX_DOCUMENT_BYTES
    from did_health.roles.key_change import KeyChange

    data = session.read_file(file, max_bytes=MAX_DOCUMENT_BYTES)
    change = session.at_file(file, lambda: KeyChange.verified(data, now=session.now()))
    with session.open_existing(directory, passphrase_file) as opened:
        board = opened.board(name)
        held = None if wallet is None else opened.wallet(wallet)
        if held is not None and held.did != change.new:
            raise UsageError("the wallet is not the one with the new key", where=f"--wallet {wallet}")
        replaced = []
        with asking("the board issued nothing like that"):
            for row in board.held_by(change.old):
                issued = board.replace_holder(row.id, change)
                replaced.append((row.id, issued.id))
                if held is not None and wallet is not None:
                    held.add(issued)
                    opened.save_wallet(wallet, held)
    out = Output(as_json)
    if as_json:
        out.json([{"old": old, "new": new} for old, new in replaced])
    elif replaced:
        out.table(("Revoked", "Issued"), replaced, title=f"{len(replaced)} issued to the new key")
    else:
        out.line("The old key holds nothing of this issuer's.")


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
