"""What the commands about a board's decisions share: their options, how a credential is found, and how decisions are shown."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Sequence
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from did_health.cli import session
from did_health.cli.exits import UsageError, asking
from did_health.cli.output import Output, short, when

if TYPE_CHECKING:
    from did_health.roles.decision import Decision
    from did_health.roles.issuer import Board

T = TypeVar("T")

CredentialArgument = Annotated[str, typer.Argument(metavar="CREDENTIAL", help="The credential's id (urn:uuid:…), or the licence number.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why: kept in the board's register, never published.")]
OrderOption = Annotated[str, typer.Option("--order", help="The public board order, as a number or URL.")]
EffectiveOption = Annotated[
    str | None, typer.Option("--effective", help="From when on: a day in the board's state, or a moment as 2026-01-31T13:45:00Z; by default now.")
]
def _who(given: str) -> str:
    """Who decides: as given, else whose account this is."""
    if given.strip():
        return given
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError) as error:
        raise UsageError("who decides is kept in the register, and this account has no name", where="--by", hint="Give --by") from error


ByOption = Annotated[
    str, typer.Option("--by", help="Who decides: kept in the board's register; by default the name of your account.", callback=_who, show_default=False)
]


def find_credential(directory: Path, name: str, credential: str) -> str:
    """The id of the credential with this id or licence number; the newest, if several have the number."""
    with session.register(directory, name) as (institution, register):
        if register.get(credential) is not None:
            return credential
        found = register.find(institution.did, number=credential, limit=1) if credential else ()
    if not found:
        raise UsageError(f"{name} issued no credential with this id or number", where=credential, hint=f"See: did-health board list {name}")
    return found[0].id


def by_board(name: str, directory: Path, passphrase_file: Path | None, act: Callable[[Board], T]) -> T:
    """What ``act`` does with the board of this name; raises ``UsageError`` where it has no such credential or decision, or may not do that."""
    with session.open_existing(directory, passphrase_file) as opened:
        board = opened.board(name)
        with asking("the board has no such credential or decision", hint=f"See: did-health board docket {name}"):
            return act(board)


def show_decisions(out: Output, decisions: Sequence[Decision], nothing: str = "", *, history: bool = False) -> None:
    """The decisions as a table, or what ``nothing`` says where there are none; with ``history`` what became of each too."""
    if out.as_json:
        out.json([_json(decision) for decision in decisions])
        return
    if not decisions:
        out.line(nothing)
        return
    rows = [(one.id, short(one.credential, 20), one.state, one.status, when(one.effective), one.entered_by or "-", one.order or "-") for one in decisions]
    title = f"{len(decisions)} decision{'' if len(decisions) == 1 else 's'}"
    out.table(("Decision", "Credential", "State", "Is", "Effective", "Entered by", "Order"), rows, title=title)
    if history:
        events = [(when(one.entered_at), one.state, "entered", one.entered_by or "-", one.reason or "-") for one in decisions]
        events += [
            (when(event.at), one.state, str(event.event).replace("_", " "), event.by or "-", event.why or "-") for one in decisions for event in one.events
        ]
        out.table(("When", "State", "Event", "By", "Why"), sorted(events, key=itemgetter(0)), title="What became of them")


def _json(decision: Decision) -> dict[str, object]:
    return {
        "id": decision.id,
        "credential": decision.credential,
        "axis": decision.axis,
        "state": decision.state,
        "status": decision.status,
        "reason": decision.reason,
        "order": decision.order,
        "effective": when(decision.effective),
        "until": None if decision.until is None else when(decision.until),
        "due": when(decision.due),
        "enteredBy": decision.entered_by,
        "enteredAt": when(decision.entered_at),
        "needsApproval": decision.needs_approval,
        "events": [{"event": event.event, "by": event.by, "at": when(event.at), "why": event.why} for event in decision.events],
    }
