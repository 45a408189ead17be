"""The part of ``did-health board`` that is about decisions: orders, approvals, what is undone, and what is due."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import days, options, session
from did_health.cli.board import BoardArgument, ByOption, CredentialArgument, EffectiveOption, OrderOption, ReasonOption, app, find_credential
from did_health.cli.exits import INDETERMINATE, UsageError, asking
from did_health.cli.options import DirectoryOption, JSONOption, PassphraseFileOption, example
from did_health.cli.output import Output, note, short, when

if TYPE_CHECKING:
    from did_health.roles.decision import Decision
    from did_health.roles.issuer import Board

GROUP = app
"""The group ``board``, with the commands of this module in it."""
DecisionArgument = Annotated[str, typer.Argument(metavar="DECISION", help="The decision's id, as board docket shows it.")]
WhyOption = Annotated[str, typer.Option("--why", help="Why: kept in the board's register.")]


@app.command("decide", epilog=example(
    'did-health board decide nc-medical 12345 probation --reason "consent order" --order 2026-017 --until 2027-01-01 --by clerk',
    'did-health board decide nc-medical 12345 active --axis discipline --reason "probation completed"',
))
def decide(
    name: BoardArgument,
    credential: CredentialArgument,
    state: Annotated[str, typer.Argument(help="The board's word: active, probation, restricted, inactive, suspended, revoked, …")],
    reason: ReasonOption,
    order: OrderOption = "",
    axis: Annotated[str | None, typer.Option("--axis", help="For active: renewal or discipline, whichever is clear again.")] = None,
    effective: EffectiveOption = None,
    until: Annotated[str | None, typer.Option("--until", help="When the state ends by itself: its last day there, or a moment.")] = None,
    by: ByOption = "",
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Enter a decision about a licence: on its axis of renewal or of discipline, from a day on, perhaps until a day."""
    from did_health.health.license_state import CLEAR, Axis

    if axis is not None and axis not in list(Axis):
        raise UsageError("there is no such axis", where="--axis", hint=f"It is one of: {', '.join(Axis)}")
    since, end = days.given(effective, "--effective"), days.given(until, "--until")

    def enter(board: Board) -> Sequence[Decision]:
        credential_id, place = find_credential(directory, name, credential), board.details.jurisdiction
        begins, ends = days.beginning(since, "--effective", place, favours=state == CLEAR), days.end(end, "--until", place)
        about = board.issued(credential_id).id
        on = None if axis is None else Axis(axis)
        return [board.docket.enter(about, state, reason=reason, by=by, order=order, axis=on, effective=begins, until=ends)]

    _with_board(name, directory, passphrase_file, as_json, enter)


@app.command("order", epilog=example("did-health board order nc-medical 12345 order.json --by clerk"))
def order(
    name: BoardArgument,
    credential: CredentialArgument,
    file: Annotated[Path, typer.Argument(help="The order as JSON: id, issued, effective, entity, actions (docs/cli.md); - is standard input.")],
    by: ByOption = "",
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Enter every action of a board order: its states, stays, terms and days."""
    from did_health.encoding import strict_json
    from did_health.health.board_orders import BoardOrder
    from did_health.limits import MAX_DOCUMENT_BYTES

    data = session.read_file(file, max_bytes=MAX_DOCUMENT_BYTES)
    parsed = session.at_file(file, lambda: BoardOrder.from_json(strict_json.loads_object(data, what="board order")))

    def enter(board: Board) -> Sequence[Decision]:
        credential_id = find_credential(directory, name, credential)
        days.tell(board.details.jurisdiction, "The order's dates")
        return board.docket.enter_order(credential_id, parsed, by=by)

    _with_board(name, directory, passphrase_file, as_json, enter)


@app.command("approve", epilog=example("did-health board approve nc-medical urn:uuid:… --by director"))
def approve(
    name: BoardArgument,
    decision: DecisionArgument,
    by: Annotated[str, typer.Option("--by", help="The second person.")],
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Approve a decision as the second person; it is carried out if its day has come."""
    _with_board(name, directory, passphrase_file, as_json, lambda board: [board.docket.approve(decision, by=by)])


@app.command("withdraw", epilog=example('did-health board withdraw nc-medical urn:uuid:… --why "entered twice"'))
def withdraw(
    name: BoardArgument,
    decision: DecisionArgument,
    why: WhyOption,
    by: ByOption = "",
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Take back a decision that is not carried out yet."""
    _with_board(name, directory, passphrase_file, as_json, lambda board: [board.docket.withdraw(decision, by=by, why=why)])


@app.command("undo", epilog=example('did-health board undo nc-medical urn:uuid:… --why "wrong licence"'))
def undo(
    name: BoardArgument,
    decision: DecisionArgument,
    why: WhyOption,
    by: ByOption = "",
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Take back a decision that was carried out, within the window that the board allows itself (board init --undo-hours)."""
    _with_board(name, directory, passphrase_file, as_json, lambda board: [board.docket.undo(decision, by=by, why=why)])


@app.command("tick", epilog=example("did-health board tick nc-medical"))
def tick(
    name: BoardArgument,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Carry out what is due and end what is over. Run it every few minutes, by cron or a timer."""
    _with_board(name, directory, passphrase_file, as_json, lambda board: board.docket.tick(), nothing="Nothing was due.")


@app.command("cascade", epilog=example(
    "did-health board cascade me-medical", "did-health board cascade me-medical 12345 --acted US-VT --order https://vt.example/orders/7 --effective 2026-03-01",
))
def cascade(
    name: BoardArgument,
    credential: Annotated[str | None, typer.Argument(metavar="CREDENTIAL", help="The licence that another board's action suspends for 90 days.")] = None,
    acted: Annotated[str, typer.Option("--acted", help="The state whose board has acted, as US-VT.")] = "",
    order: OrderOption = "",
    effective: EffectiveOption = None,
    by: ByOption = "",
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Follow the principal licences of a compact: without CREDENTIAL every compact licence takes the discipline of its principal state.

    Reinstatement there lifts nothing here. The status is 3 if the state of a principal licence could not be told.
    """
    from did_health.health import jurisdictions
    from did_health.net.verifiers import embedded_verifier
    from did_health.roles.cascade import follow_principals, suspend_for_another_board

    if (credential is None) != (not acted):
        raise UsageError("a licence is suspended because a certain board has acted", hint="Give CREDENTIAL and --acted, or neither")
    if credential is not None:
        since = days.given(effective, "--effective")
        state, chosen = jurisdictions.check(acted, "--acted"), credential

        def suspend(board: Board) -> Sequence[Decision]:
            # The other board's order counts from its own day.
            begins = days.beginning(since, "--effective", state) or session.now()
            return [suspend_for_another_board(board, find_credential(directory, name, chosen), acted=state, effective=begins, order=order, by=by)]

        _with_board(name, directory, passphrase_file, as_json, suspend)
        return
    with session.open_existing(directory, passphrase_file) as opened:
        decided, unfollowed = follow_principals(opened.board(name), embedded_verifier(opened))
    _show(Output(as_json), decided, "Nothing was to be decided.")
    for one in unfollowed:
        note(f"The principal licence of {one.credential} could not be told: {', '.join(one.codes)}", "yellow")
    if unfollowed:
        raise typer.Exit(INDETERMINATE)


@app.command("docket", epilog=example("did-health board docket nc-medical", "did-health board docket nc-medical 12345"))
def docket(
    name: BoardArgument,
    credential: Annotated[str | None, typer.Argument(metavar="CREDENTIAL", help="All history of this one: its id, or the licence number.")] = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    as_json: JSONOption = False,
) -> None:
    """What waits for its day or for a second person; or the whole history of one licence. Needs no passphrase."""
    with session.register(directory, name) as (institution, register):
        if credential is None:
            found = [decision for decision in register.open(institution.did) if not decision.is_in_force]
        else:
            row = register.get(find_credential(directory, name, credential))
            # All that was issued under its number: what was decided about one, holds for what it was issued anew as.
            alike = () if row is None else (row,) if not row.number else reversed(register.find(institution.did, number=row.number))
            found = [decision for one in alike if row is not None and one.type == row.type for decision in register.of_credential(one.id)]
    _show(Output(as_json), found, "Nothing is pending." if credential is None else "Nothing was ever decided about it.", history=credential is not None)


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


def _with_board(
    name: str, directory: Path, passphrase_file: Path | None, as_json: bool, act: Callable[[Board], Sequence[Decision]], *, nothing: str = ""
) -> None:
    with session.open_existing(directory, passphrase_file) as opened:
        board = opened.board(name)
        with asking("the board has no such credential or decision", hint=f"See: did-health board docket {name}"):
            decisions = act(board)
    _show(Output(as_json), decisions, nothing)


def _show(out: Output, decisions: Sequence[Decision], nothing: str, *, history: bool = False) -> None:
    if out.as_json:
        out.json([_json(decision) for decision in decisions])
        return
    if not decisions:
        out.line(nothing)
        return
    rows = [(one.id, short(one.credential, 24), one.state, one.status, when(one.effective), one.entered_by or "-", one.order or "-") for one in decisions]
    out.table(("Decision", "Credential", "State", "Is", "Effective", "Entered by", "Order"), rows, title=f"{len(decisions)} decisions")
    if history:
        events = [
            (when(event.at), one.state, str(event.event).replace("_", " "), event.by or "-", event.why or "-") for one in decisions for event in one.events
        ]
        out.table(("When", "State", "Event", "By", "Why"), sorted(events), title="What became of them")


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
