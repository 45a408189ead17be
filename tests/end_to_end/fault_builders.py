"""Credentials, presentations and evidence with one fault each; see ``faults.py`` for what each must get."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from did_health.encoding import strict_json
from did_health.health.board_accreditation import BoardAccreditation
from did_health.health.restrictions import Restriction
from did_health.health.status_messages import MESSAGES
from did_health.ledger.entry import Kind, did_subject, subject_of
from did_health.roles.evidence import Evidence, Item
from did_health.roles.issuer import Issued
from did_health.roles.report import CheckName, Report
from did_health.roles.verifier import Verifier
from did_health.trust.registry import record_identifier
from did_health.vc.status import StatusEntry, StatusList, StatusPurpose, build_status_list_credential
from tests.any_log import AnyLog
from tests.town import AUDIENCE, LATER, Town

Case = Callable[[Town], Report]


def tampered(town: Town) -> Report:
    issued = town.issue()
    document = json.loads(json.dumps(issued.credential))
    document["credentialSubject"]["licenseNumber"] = "9999"
    return town.judge(Issued(document, issued.receipt))


def status_replaced(town: Town, **entry: object) -> Report:
    """A licence whose only status entry was changed."""
    issued = town.issue()
    raw = dict(issued.credential["credentialStatus"][0]) | entry
    return town.judge(town.made(credentialStatus=[{name: value for name, value in raw.items() if value is not None}]))


def status_list(
    town: Town, *, purpose: str = "revocation", bits: StatusList | None = None, by: object = None, **changes: object
) -> tuple[str, dict[str, object]]:
    """An unsigned status list of the board at a URL of its own."""
    url = f"{town.board.institution.base_url}/status/{town.nonce()}"
    document = build_status_list_credential(
        town.board.did,
        url,
        StatusPurpose(purpose),
        bits or StatusList.empty(131_072, 1 if purpose != "message" else 4),
        valid_from=town.clock(),
        messages=MESSAGES if purpose == "message" else None,
    )
    document |= changes
    return url, {name: value for name, value in document.items() if value is not None}


def under_list(town: Town, url: str, *, purpose: str = "revocation", index: int = 7, types: list[str] | None = None) -> Report:
    """The report on a licence whose only status is in the list at ``url``."""
    entry = StatusEntry(purpose, index, url, 4 if purpose == "message" else 1, MESSAGES if purpose == "message" else ()).to_json()
    return town.judge(town.made(credentialStatus=entry))


def with_list(town: Town, *, purpose: str = "revocation", value: int = 0, index: int = 7, **changes: object) -> Report:
    bits = StatusList.empty(131_072, 4 if purpose == "message" else 1)
    url, document = status_list(town, purpose=purpose, bits=bits.with_status({7: value}), **changes)
    town.log_content(Kind.STATUS_LIST, url, strict_json.dumps(town.signed(document)))
    return under_list(town, url, purpose=purpose, index=index)


def list_with_other_purpose(town: Town, purpose: str, value: int) -> Report:
    url, document = status_list(town, bits=StatusList.empty(131_072).with_status({7: value}))
    document["credentialSubject"]["statusPurpose"] = purpose  # type: ignore[index]
    town.log_content(Kind.STATUS_LIST, url, strict_json.dumps(town.signed(document)))
    return under_list(town, url, purpose=purpose)


def board_without_accreditation(town: Town) -> Report:
    wild = town.directory.create_institution(f"wild-{town.nonce()}", title="Nobody's Board", jurisdiction="US-NC")
    subject = {"board": {"id": wild.did, "name": "Nobody's Board", "jurisdiction": "US-NC"}}
    return town.judge(town.made(by=wild, issuer=wild.did, subject=subject, credentialStatus=None))


def accredited(town: Town, **changes: object) -> Report:
    """A licence by a board whose registry record says ``changes``."""
    board = town.directory.create_institution(f"accredited-{town.nonce()}", title="A Board", jurisdiction="US-NC")
    values: dict[str, object] = {
        "name": "A Board",
        "entity_type": "medical_board",
        "jurisdiction": "US-NC",
        "resource": "PhysicianLicenseCredential",
        "professions": ("MD",),
        "valid_until": LATER,
    }
    town.directory.authority().accredit(BoardAccreditation(**{**values, **changes}), entity=board.did)  # type: ignore[arg-type]
    subject = {"board": {"id": board.did, "name": "A Board", "jurisdiction": "US-NC"}}
    return town.judge(town.made(by=board, issuer=board.did, subject=subject, credentialStatus=None))


def record_logged(town: Town, change: Callable[[dict[str, object]], None], *, sign: bool = True, **options: object) -> Report:
    """A licence by a board whose registry record was made with a fault."""
    authority = town.directory.authority()
    board = town.directory.create_institution(f"recorded-{town.nonce()}", title="A Board", jurisdiction="US-NC")
    record = authority.accredit(
        BoardAccreditation(
            name="A Board", entity_type="medical_board", jurisdiction="US-NC", resource="PhysicianLicenseCredential", professions=("MD",), valid_until=LATER
        ),
        entity=board.did,
    )
    record = json.loads(json.dumps(record))
    if sign:
        del record["proof"]
    change(record)
    record = town.signed(record, by=authority.institution, **options) if sign else record  # type: ignore[arg-type]
    identifier = record_identifier(authority.did, board.did, "issue", "PhysicianLicenseCredential")
    town.log_content(Kind.REGISTRY_RECORD, identifier, strict_json.dumps(record), by=authority.institution)
    subject = {"board": {"id": board.did, "name": "A Board", "jurisdiction": "US-NC"}}
    issued = town.made(by=board, issuer=board.did, subject=subject, credentialStatus=None)
    if "expires" in options:
        town.ticking(3_600)
    return town.judge(issued)


def evidence_changed(town: Town, change: Callable[[Town, Issued, Evidence], Evidence], **options: object) -> Report:
    issued = town.issue()
    return town.judge(issued, evidence=change(town, issued, town.evidence(issued)), **options)


def did_url(town: Town) -> str:
    return town.latest_url(did_subject(town.board.did))


def absent(town: Town, url: str, *, days: int = 0) -> Item:
    """What the ledger would answer at ``url``, so many days from now, had it never heard of the subject."""
    log = AnyLog.like(town.directory.ledger, town.clock() + timedelta(days=days))
    return Item(log.absence(bytes.fromhex(url.rpartition("/")[2])), town.clock())


def list_urls(town: Town, issued: Issued) -> tuple[str, str]:
    """Where the revocation list's newest entry, and its content, are found."""
    url = town.status_url(issued, "revocation")
    subject = subject_of(Kind.STATUS_LIST, url)
    logged = town.directory.ledger.latest(subject)
    assert logged is not None
    return town.latest_url(subject), f"{town.directory.ledger.url}/content/{logged.parsed.content.hex()}"


def record_url(town: Town, content: bool = False) -> str:
    subject = subject_of(
        Kind.REGISTRY_RECORD, record_identifier(town.verifier.policy.registry_authority, town.board.did, "issue", "PhysicianLicenseCredential")
    )
    if not content:
        return town.latest_url(subject)
    logged = town.directory.ledger.latest(subject)
    assert logged is not None
    return f"{town.directory.ledger.url}/content/{logged.parsed.content.hex()}"


def foreign_issuer(did: str) -> Case:
    return lambda town: town.judge(
        town.signed(town.draft(issuer=did, credentialStatus=None)), waive={CheckName.PROOF, CheckName.RECEIPT, CheckName.ENTITLEMENT, CheckName.DOMAIN}
    )


def presented_with(town: Town, **changes: object) -> Report:
    nonce = town.nonce()
    return town.verifier.verify(town.presentation(town.issue(), nonce=nonce, **changes), audience=AUDIENCE, nonce=nonce)  # type: ignore[arg-type]


def restricted(town: Town) -> Report:
    return town.show(town.issue(restrictions=(Restriction("no_schedule_2", "No Schedule II drugs", date(2020, 1, 1)),)))


def replayed(town: Town) -> Report:
    nonce = town.nonce()
    presentation = town.wallet.present([town.issue()], audience=AUDIENCE, nonce=nonce)
    town.verifier.verify(presentation, audience=AUDIENCE, nonce=nonce)
    return town.verifier.verify(presentation, audience=AUDIENCE, nonce=nonce)


def unsigned_presentation(town: Town) -> Report:
    document = town.presentation(town.issue(), nonce="x")
    del document["proof"]
    return town.verifier.verify(document, audience=AUDIENCE, nonce="x")


def two_holders(town: Town) -> Report:
    document = town.presentation(town.issue(), nonce="two")
    document = town.presented(document, nonce="two", wallet=town.stranger)
    return town.verifier.verify(document, audience=AUDIENCE, nonce="two")


def held_by_method(method: str) -> Case:
    def case(town: Town) -> Report:
        document = town.presentation(town.issue(), nonce="m", holder=method)
        document["proof"]["verificationMethod"] = f"{method}#key"
        return town.verifier.verify(document, audience=AUDIENCE, nonce="m")

    return case


def message(town: Town, number: int) -> Report:
    return with_list(town, purpose="message", value=number)


def other_type(town: Town) -> Issued:
    """A credential of a type that is none of ours, by a board that is accredited for it."""
    board = town.board
    accreditation = BoardAccreditation(
        name="North Carolina Board",
        entity_type="medical_board",
        jurisdiction="US-NC",
        resource="TrainingCredential",
        valid_until=LATER,
        valid_from=town.clock() - timedelta(days=1),
    )
    town.directory.authority().accredit(accreditation, entity=board.did)
    document = town.draft(type=["VerifiableCredential", "TrainingCredential"], credentialSchema=None)
    document["credentialSubject"] = {"id": town.wallet.did}
    return town.logged(town.signed(document))


def other_type_with_message(town: Town) -> Report:
    issued = other_type(town)
    bits = StatusList.empty(131_072, 4).with_status({7: 3})
    url, document = status_list(town, purpose="message", bits=bits)
    town.log_content(Kind.STATUS_LIST, url, strict_json.dumps(town.signed(document)))
    raw = {**issued.credential, "credentialStatus": StatusEntry("message", 7, url, 4, MESSAGES).to_json()}
    del raw["proof"]
    return town.judge(town.logged(town.signed(raw)))


def stale(town: Town) -> Report:
    issued = town.issue()
    evidence = town.evidence(issued)
    town.ticking(25 * 3_600)
    return town.judge(issued, evidence=evidence)


def not_witnessed(town: Town) -> Report:
    whole = town.directory.policy
    assert whole.ledger is not None
    policy = replace(whole, ledger=replace(whole.ledger, quorum="none"))
    issued = town.issue()
    return town.judge(issued, evidence=town.evidence(issued), verifier=Verifier(policy, clock=town.clock))


def deactivated(town: Town) -> Report:
    name = f"ended-{town.nonce()}"
    board = town.directory.create_board(name, title="Ended Board", jurisdiction="US-NC", professions=["MD"])
    issued = board.issue(town.license(), to=town.wallet.did)
    town.ticking(1)
    board.institution.deactivate()
    return town.judge(issued)


def held_by_board(town: Town) -> Report:
    """An institution can hold a licence too, here the board's own."""
    board = town.board.institution
    issued = town.board.issue(town.license(), to=board.did)
    document = town.presentation(issued, nonce="board", holder=board.did)
    del document["proof"]
    nonce = town.nonce()
    document = town.presented(document, nonce=nonce, signer=board.keys.assertion, method=board.verification_method)
    return town.verifier.verify(document, audience=AUDIENCE, nonce=nonce)
