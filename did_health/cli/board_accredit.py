"""The part of ``did-health board`` by which the directory's registry authority renews, changes or ends what a board may issue."""

from __future__ import annotations

from typing import Annotated

import typer

from did_health.cli import days, options, session
from did_health.cli.board import BoardArgument, compact_role
from did_health.cli.board_publish import GROUP as app
from did_health.cli.exits import UsageError
from did_health.cli.options import DirectoryOption, JSONOption, PassphraseFileOption, example
from did_health.cli.output import Output, when

GROUP: typer.Typer = app
"""The group ``board``, with the command of this module in it."""


@app.command("accredit", epilog=example(
    "did-health board accredit nc-medical --until 2031-12-31",
    "did-health board accredit va --compact IMLC:issue_only",
))
def accredit(
    name: BoardArgument,
    profession: Annotated[list[str] | None, typer.Option("--profession", help="All professions that it licenses from now on. May be repeated.")] = None,
    compact: Annotated[str | None, typer.Option("--compact", help="Its part in an interstate compact from now on, as IMLC:issue_only.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="The last day, or the moment, of what it may issue: renews, or ends it.")] = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Log new registry records for all that a board may issue, as the directory's registry authority; what is not said stays, and so does their beginning.

    Verifiers judge by the newest record, also what was issued under the ones before, which stay on the ledger.
    """
    from did_health.health.board_accreditation import BoardAccreditation, CompactRole
    from did_health.health.claim_types import CLAIM_TYPES
    from did_health.roles.license_import import record_of
    from did_health.stores.directory import ACCREDITED_FOR

    if not (profession or compact is not None or until is not None):
        raise UsageError("nothing is to be changed", hint="Give --profession, --compact or --until")
    part, end = None if compact is None else compact_role(compact), days.given(until, "--until")
    with session.open_existing(directory, passphrase_file) as opened:
        board, authority = opened.board(name), opened.authority()
        known = [record for one in CLAIM_TYPES if (record := record_of(board.institution, authority.did, one)) is not None]
        if not known:
            raise UsageError("the registry lets this institution issue nothing", where=name, hint="Boards are made by: did-health board init")
        last = days.last_moment(end, "--until", board.details.jurisdiction)
        changed = [
            BoardAccreditation(
                name=record.name,
                entity_type=record.entity_type,
                jurisdiction=record.jurisdiction,
                resource=record.resource,
                action=record.action,
                professions=tuple(profession) if profession else record.professions,
                valid_from=record.valid_from,
                valid_until=last or record.valid_until or session.now() + ACCREDITED_FOR,
                compact=part or (CompactRole(record.compact, record.compact_role) if record.compact else None),
            )
            for record in known
        ]
        authority.accredit_many([(one, board.did) for one in changed])
    out = Output(as_json)
    if as_json:
        out.json([{**one.to_subject(board.did, authority.details), "validUntil": when(one.valid_until)} for one in changed])
    else:
        rows = [
            (one.resource, ", ".join(one.professions) or "-", f"{one.compact.name}: {one.compact.role}" if one.compact else "-", when(one.valid_until))
            for one in changed
        ]
        out.table(("May issue", "Professions", "Compact", "Until"), rows, title=changed[0].name)
