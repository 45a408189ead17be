"""The part of ``did-health wallet`` about what a holder grants to others: delegations, and taking them back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Protocol, cast

import typer

from did_health.cli import days, options, session
from did_health.cli.exits import UsageError, asking
from did_health.cli.options import AllowHostOption, DirectoryOption, JSONOption, PassphraseFileOption, PolicyOption, example
from did_health.cli.output import Output, short
from did_health.cli.wallet import WalletArgument, changed_wallet, open_wallet
from did_health.cli.wallet_recovery import GROUP as GROUP  # noqa: PLC0414  # the group wallet, with the commands of this module in it

if TYPE_CHECKING:
    from collections.abc import Sequence

    from did_health.health.pickup_delegation import Minor
    from did_health.ledger.log import Submission
    from did_health.roles.holder import Grant

_PARTS_OF_A_MINOR: Final = 3

LedgerOption = Annotated[str | None, typer.Option("--ledger", help="The URL of a ledger of the trust policy; by default the directory's own.")]


class _Ledger(Protocol):
    """What is asked of a ledger here: whether a subject has an entry, and to take one."""

    def latest(self, subject: bytes) -> object | None: ...

    def submit(self, submissions: Sequence[Submission]) -> object: ...


@GROUP.command("delegate", epilog=example(
    "did-health wallet delegate ann --to did:key:z6Mk… --relationship friend --until 2027-01-31 -o delegation.json",
    "did-health wallet delegate ann --to did:key:z6Mk… --relationship caregiver --scope all --pharmacy did:webvh:Qm… --until 2027-01-31 --uses 5 -o d.json",
    'did-health wallet delegate mother --to did:key:z6Mk… --relationship guardian --on-behalf-of "Adams, Tim, 2018-05-01" --until 2027-01-31 -o d.json',
))
def delegate(
    name: WalletArgument,
    to: Annotated[str, typer.Option("--to", help="The DID of the person who will pick up, from their wallet.")],
    relationship: Annotated[
        str, typer.Option("--relationship", help="What they are to the patient: parent, guardian, spouse, caregiver, friend, facility or other.")
    ],
    until: Annotated[str, typer.Option("--until", help="Its last day, as 2027-01-31, or when it ends, as 2027-01-31T18:00:00Z.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The delegation, for the other person's wallet (wallet add).")],
    pharmacy: Annotated[list[str] | None, typer.Option("--pharmacy", help="A pharmacy's DID; without any, every pharmacy. May be repeated.")] = None,
    scope: Annotated[str, typer.Option("--scope", help="all, non_controlled, or rx_hash: the prescriptions named by --prescription.")] = "non_controlled",
    prescription: Annotated[
        list[str] | None, typer.Option("--prescription", help="A prescription by the hash that the pharmacy gave for it. May be repeated.")
    ] = None,
    uses: Annotated[int, typer.Option("--uses", help="How many times it can be used.")] = 1,
    on_behalf_of: Annotated[
        str | None, typer.Option("--on-behalf-of", help='For a minor, of whom you are the guardian: "Family, Given, 2018-05-01".')
    ] = None,
    identity: Annotated[
        Path | None, typer.Option("--identity", help="Write your identity credential here too, so that they can show who delegates.")
    ] = None,
    state: Annotated[
        str | None, typer.Option("--state", help="Where --until is a day, as US-NC; by default it ends when it is over everywhere in the United States.")
    ] = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Let somebody pick up medicines: a delegation that you sign, and can take back (wallet revoke). It touches no ledger."""
    from did_health.health import jurisdictions
    from did_health.health.patient_identity import PatientIdentity
    from did_health.health.pickup_delegation import PickupDelegation

    where = jurisdictions.NATIONWIDE if state is None else jurisdictions.check(state, "--state")
    end = cast("datetime", days.last_moment(days.given(until, "--until"), "--until", where))
    session.require_holder(to, where="--to")
    delegation = PickupDelegation(
        relationship=relationship,
        valid_until=end,
        pharmacies=tuple(pharmacy or ()),
        scope=scope,
        prescriptions=tuple(prescription or ()),
        max_uses=uses,
        on_behalf_of=None if on_behalf_of is None else _minor(on_behalf_of),
    )
    # The handle that revokes it is in the wallet alone: kept before the delegation leaves.
    with changed_wallet(directory, name, passphrase_file) as wallet:
        with asking("the wallet holds no identity credential", where=name, hint="Leave --identity out, or add the credential first (wallet add)"):
            own = None if identity is None else wallet.find(PatientIdentity.credential_type)
        with asking("the delegation cannot be made"):
            issued = wallet.delegate(delegation, to=to, random=session.random_bytes)
    session.write_file(output, issued.to_json() + b"\n", secret=True)
    if own is not None and identity is not None:
        session.write_file(identity, own.to_json() + b"\n", secret=True)
    out = Output(as_json)
    if as_json:
        out.json({"wallet": name, "id": issued.id, "to": to, "file": str(output), "identity": str(identity) if identity else None})
    else:
        files = str(output) if identity is None else f"{output} and {identity}: they add both (wallet add), the delegation first"
        out.facts([("Delegation", issued.id), ("To", to), ("Hand over", files), ("To take it back", f"did-health wallet revoke {name} {issued.id}")])


@GROUP.command("grants", epilog=example("did-health wallet grants ann", "did-health wallet grants ann --ledger https://ledger.example --policy policy.toml"))
def grants(
    name: WalletArgument,
    ledger: LedgerOption = None,
    policy: PolicyOption = None,
    allow_host: AllowHostOption = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """What this wallet granted, to whom, until when, and whether it was taken back: where a ledger is at hand, that is asked of it."""
    wallet, _ = open_wallet(directory, name, passphrase_file)
    if ledger is None and not (directory / "ledger.sqlite").exists():
        rows = [_row(one, None) for one in wallet.grants]
    else:
        with _open_ledger(ledger, policy, allow_host, directory, passphrase_file) as found:
            rows = [_row(one, _is_revoked(one, found)) for one in wallet.grants]
    out = Output(as_json)
    if as_json:
        out.json({"name": name, "grants": rows})
    elif rows:
        columns = ("id", "to", "relationship", "scope", "validUntil", "state")
        titles = ("Grant", "To", "Relationship", "Scope", "Until", "State")
        out.table(titles, [[short(row[column]) if column == "to" else row[column] for column in columns] for row in rows])
    else:
        out.line("This wallet has granted nothing.")


@GROUP.command("revoke", epilog=example(
    "did-health wallet revoke ann urn:uuid:5d2b1f5e-4f0c-4a93-9a55-2f1a0e9b8f11",
    "did-health wallet revoke ann urn:uuid:5d2b1f5e-4f0c-4a93-9a55-2f1a0e9b8f11 --ledger https://ledger.example --policy policy.toml",
))
def revoke(
    name: WalletArgument,
    grant: Annotated[str, typer.Argument(metavar="GRANT", help="The grant's id, as wallet grants shows it.")],
    ledger: LedgerOption = None,
    policy: PolicyOption = None,
    allow_host: AllowHostOption = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Take a grant back for ever, by publishing its handle on a ledger of the verifiers' policy. The entry tells nothing about you."""
    wallet, _ = open_wallet(directory, name, passphrase_file)
    found = next((one for one in wallet.grants if one.id == grant), None)
    if found is None:
        raise UsageError("this wallet has granted nothing of this id", where=grant, hint=f"See: did-health wallet grants {name}")
    with _open_ledger(ledger, policy, allow_host, directory, passphrase_file) as where:
        before = _is_revoked(found, where)
        if not before:
            where.submit([wallet.revocation(grant, random=session.random_bytes)])
    out = Output(as_json)
    if as_json:
        out.json({"wallet": name, "id": grant, "revoked": True, "before": before})
    else:
        out.line(f"{grant} was revoked already." if before else f"Revoked {grant}: every verification from now on sees it.")


@contextmanager
def _open_ledger(
    url: str | None, policy: Path | None, allow_hosts: Sequence[str] | None, directory: Path, passphrase_file: Path | None
) -> Iterator[_Ledger]:
    """The ledger at a URL under the trust policy, or the directory's own."""
    from did_health.net.remote_ledger import RemoteLedger

    if url is None:
        if policy is not None or allow_hosts:
            raise UsageError("the directory's own ledger needs neither a policy nor a host", hint="Name the ledger by --ledger")
        with session.open_existing(directory, passphrase_file) as opened:
            yield opened.ledger
        return
    known = session.read_witness_policy(policy or directory / session.POLICY_FILE)
    session.log_at(known, url.rstrip("/"))
    remote = RemoteLedger(url, known, allow_hosts=allow_hosts or ())
    try:
        yield remote
    finally:
        remote.close()


def _is_revoked(grant: Grant, ledger: _Ledger) -> bool:
    from did_health.ledger.entry import revocation_subject

    return ledger.latest(revocation_subject(grant.handle)) is not None


def _row(grant: Grant, revoked: bool | None) -> dict[str, str]:
    from did_health.vc.credential import Credential

    credential = Credential.parse(grant.credential)
    subject = credential.subjects[0]
    texts = {member: str(subject.get(member, "")) for member in ("relationship", "scope")}
    state = _state(credential.valid_until, revoked, session.now)
    return {"id": grant.id, "to": str(credential.subject_id), **texts, "validUntil": str(grant.credential.get("validUntil", "")), "state": state}


def _state(end: datetime | None, revoked: bool | None, clock: Callable[[], datetime]) -> str:
    if revoked:
        return "revoked"
    if end is not None and end <= clock():
        return "ended"
    return "in force" if revoked is False else "not revoked as far as this wallet can tell: no ledger was asked"


def _minor(text: str) -> Minor:
    from did_health.health.person_name import PersonName
    from did_health.health.pickup_delegation import Minor

    parts = [part.strip() for part in text.split(",")]
    if len(parts) != _PARTS_OF_A_MINOR:
        raise UsageError("this names no patient", where="--on-behalf-of", hint='Write it as "Family, Given, 2018-05-01"')
    return Minor(PersonName(parts[0], parts[1]), session.day(parts[2], "--on-behalf-of"))
