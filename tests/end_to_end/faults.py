"""Every fault, and the verdict, check and reason code that it must get."""

from __future__ import annotations

from datetime import date, timedelta

from did_health.encoding import timestamps
from did_health.health.restrictions import Restriction
from did_health.roles.evidence import Item
from did_health.roles.issuer import Issued
from tests.end_to_end.fault_builders import (
    Case,
    absent,
    accredited,
    board_without_accreditation,
    deactivated,
    did_url,
    evidence_changed,
    foreign_issuer,
    held_by_board,
    held_by_method,
    list_urls,
    list_with_other_purpose,
    message,
    not_witnessed,
    other_type,
    other_type_with_message,
    presented_with,
    record_logged,
    record_url,
    replayed,
    restricted,
    stale,
    status_replaced,
    tampered,
    two_holders,
    unsigned_presentation,
    with_list,
)
from tests.town import AUDIENCE

CASES: dict[str, tuple[Case, str, str, str]] = {
    # the presentation
    "no_audience": (
        lambda town: town.verifier.verify(town.presentation(town.issue(), nonce="a"), nonce="a"),
        "indeterminate",
        "presentation",
        "challenge_missing",
    ),
    "no_nonce": (
        lambda town: town.verifier.verify(town.presentation(town.issue(), nonce="a"), audience=AUDIENCE),
        "indeterminate",
        "presentation",
        "challenge_missing",
    ),
    "not_signed": (unsigned_presentation, "refuse", "presentation", "presentation_not_signed"),
    "wrong_audience": (lambda town: presented_with(town, audience="https://elsewhere.example"), "refuse", "presentation", "wrong_audience"),
    "wrong_nonce": (
        lambda town: town.verifier.verify(town.presentation(town.issue(), nonce="a"), audience=AUDIENCE, nonce="b"),
        "refuse",
        "presentation",
        "wrong_nonce",
    ),
    "replayed": (replayed, "refuse", "presentation", "nonce_replayed"),
    "holder_is_somebody_else": (
        lambda town: presented_with(town, holder="did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"),
        "refuse",
        "presentation",
        "wrong_holder",
    ),
    "two_holders": (two_holders, "refuse", "presentation", "wrong_holder"),
    "holder_did_web": (held_by_method("did:web:holder.example"), "indeterminate", "presentation", "did_not_on_ledger"),
    "holder_method_unknown": (held_by_method("did:example:1"), "indeterminate", "presentation", "did_not_on_ledger"),
    "no_credential": (
        lambda town: town.verifier.verify(town.presentation(nonce="none", verifiableCredential=None, issuanceReceipt=[]), audience=AUDIENCE, nonce="none"),
        "refuse",
        "data_model",
        "no_credential",
    ),
    # data model, schema, dates
    "malformed": (lambda town: town.judge(town.draft(validFrom="yesterday")), "refuse", "data_model", "data_model_violated"),
    "schema_violated": (lambda town: town.judge(town.made(subject={"licenseNumber": 12})), "refuse", "schema", "schema_violated"),
    "schema_unavailable": (
        lambda town: town.judge(town.made(credentialSchema={"id": "https://elsewhere.example/schema.json", "type": "JsonSchema"})),
        "indeterminate",
        "schema",
        "schema_unavailable",
    ),
    "not_yet_valid": (lambda town: town.judge(town.issue(valid_from=town.clock() + timedelta(days=1))), "refuse", "validity", "not_yet_valid"),
    "expired": (lambda town: town.judge(town.made(validUntil=timestamps.format(town.clock()))), "refuse", "validity", "expired"),
    # the issuer
    "issuer_did_web": (foreign_issuer("did:web:board.example"), "indeterminate", "issuer", "did_not_on_ledger"),
    "issuer_unknown_method": (foreign_issuer("did:example:1"), "indeterminate", "issuer", "did_not_on_ledger"),
    "issuer_no_did": (foreign_issuer("https://board.example"), "refuse", "issuer", "did_malformed"),
    "issuer_did_key_malformed": (foreign_issuer("did:key:z6Mkx"), "refuse", "issuer", "did_unsupported_public_key_type"),
    "issuer_deactivated": (deactivated, "refuse", "issuer", "did_deactivated"),
    "issuer_not_on_the_ledger": (
        lambda town: evidence_changed(town, lambda town, _, had: had.with_items({did_url(town): absent(town, did_url(town))})),
        "refuse",
        "issuer",
        "did_not_logged",
    ),
    "issuer_log_missing": (
        lambda town: evidence_changed(town, lambda town, _, had: had.without([town.board.institution.log.did.log_url])),
        "indeterminate",
        "issuer",
        "did_unavailable",
    ),
    "issuer_log_gone": (
        lambda town: evidence_changed(town, lambda town, _, had: had.with_items({town.board.institution.log.did.log_url: Item(None, town.clock())})),
        "indeterminate",
        "issuer",
        "did_unavailable",
    ),
    "issuer_log_of_another": (
        lambda town: evidence_changed(
            town, lambda town, _, had: had.with_items({town.board.institution.log.did.log_url: Item(town.other.institution.log.encode(), town.clock())})
        ),
        "indeterminate",
        "issuer",
        "did_log_not_latest",
    ),
    "issuer_log_damaged": (
        lambda town: evidence_changed(
            town,
            lambda town, _, had: had.with_items({town.board.institution.log.did.log_url: Item(b"{}\n" + town.board.institution.log.encode(), town.clock())}),
        ),
        "refuse",
        "issuer",
        "did_invalid_did",
    ),
    # the ledger
    "nobody_asked": (lambda town: evidence_changed(town, lambda town, _, had: had.without([did_url(town)])), "indeterminate", "issuer", "ledger_unavailable"),
    "ledger_answer_malformed": (
        lambda town: evidence_changed(town, lambda town, _, had: had.with_items({did_url(town): Item(b"garbage", town.clock())})),
        "indeterminate",
        "issuer",
        "ledger_proof_malformed",
    ),
    "ledger_answer_about_another": (
        lambda town: evidence_changed(town, lambda town, _, had: had.with_items({did_url(town): had.items[record_url(town)]})),
        "indeterminate",
        "issuer",
        "ledger_proof_mismatch",
    ),
    "stale": (stale, "indeterminate", "issuer", "evidence_stale"),
    "from_the_future": (
        lambda town: evidence_changed(town, lambda _town, _, had: had, now=town.clock() - timedelta(days=1)),
        "refuse",
        "issuer",
        "evidence_from_the_future",
    ),
    "absence_without_proof": (
        lambda town: evidence_changed(town, lambda town, _, had: had.with_items({record_url(town): Item(None, town.clock())})),
        "indeterminate",
        "entitlement",
        "ledger_proof_missing",
    ),
    "absence_from_the_future": (
        lambda town: evidence_changed(town, lambda town, _, had: had.with_items({record_url(town): absent(town, record_url(town), days=1)})),
        "indeterminate",
        "entitlement",
        "evidence_from_the_future",
    ),
    "absence_stale": (
        lambda town: evidence_changed(town, lambda town, _, had: had.with_items({record_url(town): absent(town, record_url(town), days=-2)})),
        "indeterminate",
        "entitlement",
        "evidence_stale",
    ),
    "not_witnessed": (not_witnessed, "indeterminate", "issuer", "checkpoint_not_witnessed"),
    # proof
    "proof_missing": (lambda town: town.judge(town.logged(town.draft())), "refuse", "proof", "proof_missing"),
    "proof_invalid": (tampered, "refuse", "proof", "proof_invalid"),
    "proof_unsupported": (
        lambda town: town.judge(town.logged({**town.draft(), "proof": {**town.signed(town.draft())["proof"], "cryptosuite": "lattice-2040"}})),
        "indeterminate",
        "proof",
        "proof_unsupported",
    ),
    "proof_by_another_controller": (
        lambda town: town.judge(town.logged(town.signed(town.draft(), by=town.other.institution))),
        "refuse",
        "proof",
        "wrong_controller",
    ),
    "proof_by_unknown_key": (
        lambda town: town.judge(town.logged(town.signed(town.draft(), method=f"{town.board.did}#nothing"))),
        "refuse",
        "proof",
        "proof_invalid",
    ),
    # receipt
    "not_logged": (lambda town: town.judge(town.signed(town.draft())), "refuse", "receipt", "not_logged"),
    "receipt_no_object": (lambda town: town.judge({"credential": town.issue().credential, "issuanceReceipt": "yes"}), "refuse", "receipt", "receipt_invalid"),
    "receipt_malformed": (lambda town: town.judge({"credential": town.issue().credential, "issuanceReceipt": {}}), "refuse", "receipt", "receipt_invalid"),
    "receipt_of_another_credential": (lambda town: town.judge(Issued(town.issue().credential, town.issue().receipt)), "refuse", "receipt", "receipt_invalid"),
    "receipt_of_another_issuer": (
        lambda town: town.judge(town.logged(town.signed(town.draft()), by=town.other.institution)),
        "refuse",
        "receipt",
        "receipt_of_another_issuer",
    ),
    # entitlement
    "not_accredited": (board_without_accreditation, "refuse", "entitlement", "issuer_not_accredited"),
    "no_type_to_be_accredited_for": (
        lambda town: town.judge(town.made(type=["VerifiableCredential"], credentialSchema=None)),
        "refuse",
        "entitlement",
        "issuer_not_accredited",
    ),
    "accredited_for_another_profession": (lambda town: accredited(town, professions=("DO",)), "refuse", "entitlement", "wrong_profession"),
    "accredited_elsewhere": (lambda town: accredited(town, jurisdiction="US-SC"), "refuse", "entitlement", "wrong_jurisdiction"),
    "accredited_later": (lambda town: accredited(town, valid_from=town.clock() + timedelta(days=1)), "refuse", "entitlement", "accreditation_not_yet_valid"),
    "accredited_before": (
        lambda town: accredited(town, valid_from=town.clock() - timedelta(days=9), valid_until=town.clock()),
        "refuse",
        "entitlement",
        "accreditation_ended",
    ),
    "record_missing": (
        lambda town: evidence_changed(town, lambda town, _, had: had.without([record_url(town, content=True)])),
        "indeterminate",
        "entitlement",
        "registry_record_unavailable",
    ),
    "record_replaced": (
        lambda town: evidence_changed(town, lambda town, _, had: had.with_items({record_url(town, content=True): Item(b"{}", town.clock())})),
        "indeterminate",
        "entitlement",
        "registry_record_not_latest",
    ),
    "record_malformed": (
        lambda town: record_logged(town, lambda record: record["credentialSubject"].pop("name")),
        "indeterminate",
        "entitlement",
        "registry_record_malformed",
    ),  # type: ignore[attr-defined]
    "record_not_a_credential": (
        lambda town: record_logged(town, lambda record: record.pop("type"), sign=False),
        "indeterminate",
        "entitlement",
        "registry_record_malformed",
    ),
    "record_not_authentic": (
        lambda town: record_logged(town, lambda record: record.update(name="x"), sign=False),
        "refuse",
        "entitlement",
        "registry_record_not_authentic",
    ),
    "record_of_another": (
        lambda town: record_logged(town, lambda record: record["credentialSubject"].update(resource="PharmacyCredential")),
        "refuse",
        "entitlement",
        "registry_record_mismatch",  # type: ignore[attr-defined]
    ),
    "record_expired": (
        lambda town: record_logged(town, lambda record: None, expires=town.clock() + timedelta(minutes=1)),
        "indeterminate",
        "entitlement",
        "evidence_expired",
    ),
    # status
    "status_of_another_kind": (lambda town: status_replaced(town, type="StatusByTelephone"), "indeterminate", "status", "status_unsupported"),
    "status_malformed": (lambda town: status_replaced(town, statusListIndex="-1"), "refuse", "status", "status_malformed"),
    "status_index_beyond_list": (lambda town: status_replaced(town, statusListIndex="131072"), "indeterminate", "status", "range_error"),
    "status_purpose_of_another_list": (lambda town: status_replaced(town, statusPurpose="suspension"), "indeterminate", "status", "status_verification_error"),
    "status_list_never_logged": (
        lambda town: status_replaced(town, statusListCredential="https://ledger.example/never"),
        "indeterminate",
        "status",
        "status_list_not_logged",
    ),
    "status_list_of_another_issuer": (
        lambda town: status_replaced(town, statusListCredential=town.status_url(town.issue(board=town.other), "revocation")),
        "refuse",
        "status",
        "status_list_wrong_issuer",
    ),
    "status_list_missing": (
        lambda town: evidence_changed(town, lambda town, issued, had: had.without([list_urls(town, issued)[1]])),
        "indeterminate",
        "status",
        "status_list_unavailable",
    ),
    "status_list_gone": (
        lambda town: evidence_changed(town, lambda town, issued, had: had.with_items({list_urls(town, issued)[1]: Item(None, town.clock())})),
        "indeterminate",
        "status",
        "status_list_unavailable",
    ),
    "status_list_replaced": (
        lambda town: evidence_changed(town, lambda town, issued, had: had.with_items({list_urls(town, issued)[1]: Item(b"{}", town.clock())})),
        "indeterminate",
        "status",
        "status_list_not_latest",
    ),
    "status_entry_missing": (
        lambda town: evidence_changed(town, lambda town, issued, had: had.without([list_urls(town, issued)[0]])),
        "indeterminate",
        "status",
        "ledger_unavailable",
    ),
    "status_list_malformed": (
        lambda town: with_list(town, credentialSubject={"type": "BitstringStatusList"}),
        "indeterminate",
        "status",
        "status_list_malformed",
    ),
    "status_list_not_authentic": (lambda town: with_list(town, proof={"type": "none"}), "indeterminate", "status", "status_list_malformed"),
    "status_list_outdated_by_itself": (
        lambda town: with_list(town, validUntil=timestamps.format(town.clock() - timedelta(seconds=1)), validFrom=None),
        "indeterminate",
        "status",
        "status_verification_error",
    ),
    "revoked": (lambda town: with_list(town, value=1), "refuse", "status", "revoked"),
    "suspended": (lambda town: with_list(town, purpose="suspension", value=1), "refuse", "status", "suspended"),
    "refresh": (lambda town: with_list(town, purpose="refresh", value=1), "conditional", "status", "refresh_available"),
    "purpose_unknown": (lambda town: list_with_other_purpose(town, "fame", 1), "indeterminate", "status", "status_purpose_unknown"),
    "probation": (lambda town: message(town, 1), "conditional", "status", "license_probation"),
    "inactive": (lambda town: message(town, 3), "refuse", "status", "license_inactive"),
    "undefined_message": (lambda town: message(town, 15), "refuse", "status", "license_undefined"),
    "message_on_another_type": (other_type_with_message, "conditional", "status", "status_message"),
    # holder and domain
    "not_presented": (lambda town: town.verifier.verify(town.issue().to_json()), "indeterminate", "holder_binding", "not_presented"),
    "of_somebody_else": (lambda town: town.show(town.issue(), wallet=town.stranger), "refuse", "holder_binding", "not_the_holder"),
    "names_another_board": (
        lambda town: town.judge(town.made(subject={"board": {"id": town.other.did, "name": "x", "jurisdiction": "US-NC"}})),
        "refuse",
        "domain",
        "wrong_board",
    ),
    "restricted": (restricted, "conditional", "domain", "license_restricted"),
    "restriction_malformed": (lambda town: town.judge(town.made(subject={"restrictions": [{"code": "X Y"}]})), "refuse", "domain", "restrictions_malformed"),
    "restrictions_no_list": (lambda town: town.judge(town.made(subject={"restrictions": 7})), "refuse", "domain", "restrictions_malformed"),
}


ACCEPTED: dict[str, tuple[Case, str, str]] = {
    "no_status": (lambda town: town.judge(town.made(credentialStatus=None)), "status", "status_none"),
    "no_schema": (lambda town: town.judge(other_type(town)), "schema", "schema_none"),
    "logged": (lambda town: town.judge(town.issue()), "receipt", "logged"),
    "presented": (lambda town: town.show(town.issue()), "holder_binding", "holder_bound"),
    "presented_without_naming_the_holder": (lambda town: presented_with(town, holder=None), "presentation", "presented"),
    "holder_with_a_webvh_did": (lambda town: held_by_board(town), "holder_binding", "holder_bound"),
    "restriction_over": (
        lambda town: town.show(town.issue(restrictions=(Restriction("rest", "Rest", date(2020, 1, 1), date(2020, 2, 1)),))),
        "domain",
        "domain_clear",
    ),
    "status_clear": (lambda town: with_list(town), "status", "status_clear"),
    "message_clear": (lambda town: message(town, 0), "status", "status_clear"),
}
