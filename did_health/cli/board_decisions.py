"""The part of ``did-health board`` that decides about licences: a state, a whole order, or what another board has decided."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import days, options, session
from did_health.cli.board import BoardArgument, app
from did_health.cli.decisions import (
    ByOption,
    CredentialArgument,
    EffectiveOption,
    OrderOption,
    ReasonOption,
    by_board,
    find_credential,
    show_decisions,
)
from did_health.cli.exits import INDETERMINATE, UsageError, asking
from did_health.cli.options import DirectoryOption, JSONOption, PassphraseFileOption, example
from did_health.cli.output import Output, note

if TYPE_CHECKING:
    from datetime import datetime

    from did_health.roles.decision import Decision
    from did_health.roles.issuer import Board

GROUP = app
"""The group ``board``, with the commands of this module in it."""


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

    show_decisions(Output(as_json), by_board(name, directory, passphrase_file, enter))


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

    show_decisions(Output(as_json), by_board(name, directory, passphrase_file, enter))


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

    Reinstatement there lifts nothing here. The status is 3 if a principal licence does not tell what holds here.
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

        show_decisions(Output(as_json), by_board(name, directory, passphrase_file, suspend))
        return
    with session.open_existing(directory, passphrase_file) as opened:
        decided, unfollowed = follow_principals(opened.board(name), embedded_verifier(opened))
    show_decisions(Output(as_json), decided, "Nothing was to be decided.")
    for one in unfollowed:
        note(f"The board has to see to {one.credential}: its principal licence does not tell what holds here ({', '.join(one.codes)})", "yellow")
    if unfollowed:
        raise typer.Exit(INDETERMINATE)


Change = Callable[["Board", str, "datetime | None"], "Decision"]


def _change(
    name: str, credential: str, effective: str | None, directory: Path, passphrase_file: Path | None, as_json: bool, done: str, change: Change,
    *, favours: bool = False,
) -> None:
    """Change one credential's status, and say so; or that it is yet to come."""
    since = days.given(effective, "--effective")

    def changed(board: Board) -> tuple[str, Decision]:
        credential_id = find_credential(directory, name, credential)
        with asking(f"{name} never issued this credential", where=credential, hint=f"See: did-health board list {name}"):
            begins = days.beginning(since, "--effective", board.details.jurisdiction, favours=favours)
            return credential_id, change(board, credential_id, begins)

    credential_id, decision = by_board(name, directory, passphrase_file, changed)
    out = Output(as_json)
    state = done if decision.is_in_force else decision.status
    if as_json:
        out.json({"id": credential_id, "state": state, "decision": decision.id})
    else:
        out.facts([("Credential", credential_id), ("Is now", state), *([] if decision.is_in_force else [("Decision", decision.id)])])


def _require_state(state: str, words: list[str]) -> None:
    if state not in words:
        raise UsageError("the board's word for the state is none of those known", where="--state", hint=f"It is one of: {', '.join(words)}")
