"""Status over the VC-API: entries that an issuer gives, lists that it serves and signs anew, changes, and messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from did_health.encoding import strict_json
from did_health.services.vc_api.issuers import WITH_STATUS
from did_health.vc.status import StatusList
from tests.vc_api_parties import BASE, VCAPI, Document, code, vc_api

pytest.importorskip("starlette", reason="services need the extra server")
pytest.importorskip("pyld", reason="JSON-LD needs the extra rdf")
pytest.importorskip("py_arkworks_bls12381", reason="BBS needs the extra bbs")
OTHER = "https://a.example/#OtherStatus"


@pytest.fixture(scope="module")
def service() -> Iterator[VCAPI]:
    with vc_api() as running:
        yield running


def test_an_issuer_with_status_gives_one_entry_unless_it_is_asked_for_more(service: VCAPI) -> None:
    issuer = f"eddsa-rdfc-2022{WITH_STATUS}"
    assert service.issued(issuer, id=...)["credentialStatus"]["statusPurpose"] == "revocation"
    wanted = [{"type": "BitstringStatusListEntry", "statusPurpose": purpose} for purpose in ("suspension", "refresh")]
    issued = service.issued(issuer, {"credentialStatus": wanted}, id=...)
    assert [entry["statusPurpose"] for entry in issued["credentialStatus"]] == ["suspension", "refresh"]


@pytest.mark.parametrize("accept", ["application/vc", "application/ld+json", "application/json"])
def test_a_list_is_served_in_the_form_that_is_asked_for(service: VCAPI, accept: str) -> None:
    """VC Data Model 2.0 §6.2.1: verifiers of other makes read only what is called JSON."""
    entry = service.issued(f"eddsa-rdfc-2022{WITH_STATUS}", id=...)["credentialStatus"]
    answer = service.client.get(entry["statusListCredential"].removeprefix(BASE), headers={"Accept": accept})
    assert (answer.headers["content-type"], answer.headers["vary"]) == (accept, "Accept")
    assert answer.json()["type"] == ["VerifiableCredential", "BitstringStatusListCredential"]


def test_entries_are_given_whose_lists_are_served_and_changed(service: VCAPI) -> None:
    wanted = [{"type": "BitstringStatusListEntry", "statusPurpose": purpose} for purpose in ("revocation", "suspension")]
    issued = service.issued("eddsa-rdfc-2022", {"credentialStatus": wanted}, id="urn:uuid:status-1")
    revocation, suspension = issued["credentialStatus"]
    assert [entry["statusPurpose"] for entry in (revocation, suspension)] == ["revocation", "suspension"]
    assert service.verified(issued).json()["results"]["credentialStatus"] == [{"valid": True, "input": entry} for entry in (revocation, suspension)]

    def value(entry: Document) -> int:
        answer = service.client.get(entry["statusListCredential"].removeprefix(BASE))
        assert answer.headers["content-type"] == "application/vc"
        assert service.verified(answer.json()).status_code == 200
        return StatusList.decode(answer.json()["credentialSubject"]["encodedList"]).get(int(entry["statusListIndex"]))

    def changed(entry: Document, status: bool, **more: Any) -> Any:
        wanted = {"type": "BitstringStatusListEntry", "statusPurpose": entry["statusPurpose"], **more}
        return service.post("/credentials/status", {"credentialId": "urn:uuid:status-1", "credentialStatus": wanted, "status": status})

    assert (value(revocation), value(suspension)) == (0, 0)
    assert changed(suspension, True).status_code == 200
    assert (value(revocation), value(suspension)) == (0, 1)
    assert code(service.verified(issued)) == "STATUS_VERIFICATION_ERROR"
    assert service.verified(issued, checks=["proof"]).status_code == 200
    assert changed(suspension, False).status_code == 200
    assert service.verified(issued).status_code == 200
    index = {"statusListIndex": revocation["statusListIndex"], "statusListCredential": revocation["statusListCredential"]}
    assert changed(revocation, True, **index).status_code == 200
    assert "revoked" in service.verified(issued).json()["detail"]
    assert code(changed(revocation, False)) == "MALFORMED_VALUE_ERROR"
    assert changed({"statusPurpose": "refresh"}, True).status_code == 404
    assert changed(revocation, True, statusListIndex="1").status_code == 404


def test_status_entries_are_given_where_they_are_asked_for(service: VCAPI) -> None:
    wanted = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}
    options = {"credentialStatus": wanted, "credentialId": "example.com/1"}
    issued = service.issued("bbs-2023", options, id=...)
    assert issued["credentialStatus"]["statusPurpose"] == "revocation"
    update = {"credentialId": "example.com/1", "credentialStatus": wanted}
    assert service.post("/issuers/bbs-2023/credentials/status", update).status_code == 200
    both = service.issued("eddsa-jcs-2022", {"credentialStatus": [wanted]}, id="urn:uuid:own", credentialStatus={"type": OTHER, "id": "urn:a"})
    assert [entry["type"] for entry in both["credentialStatus"]] == [OTHER, "BitstringStatusListEntry"]
    assert service.verified(both).status_code == 400
    again = service.post("/issuers/bbs-2023/credentials/issue", {"credential": service.credential("bbs-2023", id=...), "options": options})
    assert again.status_code == 409
    # A refresh is no invalidation.
    refreshed = service.issued(options={"credentialStatus": [wanted | {"statusPurpose": "refresh"}]}, id="urn:uuid:refresh")
    update = {"credentialId": "urn:uuid:refresh", "credentialStatus": wanted | {"statusPurpose": "refresh"}, "status": True}
    assert service.post("/credentials/status", update).status_code == 200
    assert service.verified(refreshed).status_code == 200


@pytest.mark.parametrize("suite", ["eddsa-jcs-2022", "ecdsa-rdfc-2019"])
def test_a_status_of_several_messages_is_given_changed_and_told(service: VCAPI, suite: str) -> None:
    messages = [{"status": hex(value), "message": text} for value, text in enumerate(("pending", "accepted", "rejected", "undefined"))]
    wanted = {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "message",
        "statusSize": 2,
        "statusMessage": messages,
        "statusReference": "https://a.example/codes",
    }
    issued = service.issued(suite, {"credentialStatus": wanted}, id=f"urn:uuid:message-{suite}")
    entry = issued["credentialStatus"]
    assert (entry["statusSize"], entry["statusMessage"], entry["statusReference"]) == (2, messages, ["https://a.example/codes"])
    update = {"credentialId": issued["id"], "credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "message"}}
    for value, text in ((2, "rejected"), (0, "pending"), (True, "accepted")):
        assert service.post("/credentials/status", update | {"status": value}).status_code == 200
        assert service.verified(issued).json()["results"]["credentialStatus"] == [{"valid": True, "input": entry, "message": text}]
    assert code(service.post("/credentials/status", update | {"status": 4})) == "RANGE_ERROR"
    published = service.client.get(entry["statusListCredential"].removeprefix(BASE)).json()["credentialSubject"]
    assert (published["statusSize"], published["statusMessages"]) == (2, messages)


def test_there_are_only_so_many_lists(service: VCAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    from did_health.services.vc_api import status_lists

    monkeypatch.setattr(status_lists, "MAX_STATUS_LISTS", 0)
    body = {
        "credential": service.credential("Ed25519Signature2020"),
        "options": {"credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "refresh"}},
    }
    service.instance.status_lists._current.clear()
    assert service.post("/credentials/issue", body).status_code == 503


@pytest.mark.parametrize(
    "body",
    [
        {"credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}},
        {"credentialId": "a"},
        {"credentialId": "a", "credentialStatus": {"type": "Other", "statusPurpose": "revocation"}},
        {"credentialId": "a", "credentialStatus": {"type": "BitstringStatusListEntry"}},
        {"credentialId": "a", "credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}, "status": "yes"},
    ],
)
def test_a_malformed_update_is_a_problem_of_400(service: VCAPI, body: Document) -> None:
    assert service.post("/credentials/status", body).status_code == 400


def test_a_status_that_cannot_be_told_is_a_problem_by_its_type(service: VCAPI) -> None:
    entry = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "1", "statusListCredential": "https://nobody.example/1"}
    issued = service.issued("eddsa-jcs-2022", credentialStatus=entry)
    assert code(service.verified(issued)) == "STATUS_RETRIEVAL_ERROR"
    service.outside.files["https://board.example/list"] = strict_json.dumps(service.issued("eddsa-jcs-2022"))
    other = service.issued("eddsa-jcs-2022", credentialStatus=entry | {"statusListCredential": "https://board.example/list"})
    assert code(service.verified(other)) == "MALFORMED_VALUE_ERROR"
    unproved = service.issued("eddsa-jcs-2022")
    del unproved["proof"]
    service.outside.files["https://board.example/unproved"] = strict_json.dumps(unproved)
    third = service.issued("eddsa-jcs-2022", credentialStatus=entry | {"statusListCredential": "https://board.example/unproved"})
    assert code(service.verified(third)) == "STATUS_VERIFICATION_ERROR"


def test_lists_are_signed_anew_in_time(service: VCAPI) -> None:
    issued = service.issued(f"ecdsa-jcs-2019{WITH_STATUS}", id="urn:uuid:in-time")
    path = issued["credentialStatus"]["statusListCredential"].removeprefix(BASE)
    first = service.client.get(path).json()
    assert service.client.get(path).json() == first
    service.later(hours=2)
    assert service.client.get(path).json()["validFrom"] > first["validFrom"]
    assert first["credentialSubject"]["ttl"] == 300_000
