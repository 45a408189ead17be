"""Credentials, presentations and their proofs."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

from did_health.cli.explain import Explanation, counted, known
from did_health.cli.explain.logs import explain_receipt
from did_health.cli.output import when
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, UnsupportedError
from did_health.roles.documents import RECEIPT
from did_health.vc.credential import Credential
from did_health.vc.envelope import Envelope
from did_health.vc.presentation import Presentation
from did_health.vc.proofs.proof import Proof
from did_health.vc.status import StatusEntry, StatusList, StatusListCredential

_COUNTED: Final = 1 << 20
"""In longer status lists the set entries are not counted: it would take seconds."""

_PURPOSES: Final = MappingProxyType({
    "assertionMethod": "its signer asserts the document",
    "authentication": "its signer shows who is presenting, for one audience and nonce",
})


def explain_credential(document: JSONObject) -> Explanation:
    """A verifiable credential; raises ``FormatError`` where it is malformed."""
    credential = Credential.parse(document)
    types = credential.kinds
    if "BitstringStatusListCredential" in types:
        return _status_list(credential)
    subjects = "; ".join(", ".join(sorted(_claims(subject))) for subject in credential.subjects)
    return Explanation(
        "credential",
        f"A verifiable credential: {', '.join(types) or 'of no further type'}",
        (f"Its issuer states something about {_subjects(credential)}; the claims' values are not shown here.",),
        known(
            ("Id", credential.id),
            ("Data model", f"VC Data Model {credential.data_model}"),
            ("Issuer", credential.issuer_id),
            ("Subject", credential.subject_id),
            ("Valid from", credential.valid_from and when(credential.valid_from)),
            ("Valid until", credential.valid_until and when(credential.valid_until)),
            ("Claims about", subjects),
            ("Schema", ", ".join(str(schema.get("id")) for schema in credential.schemas)),
            ("Status", "; ".join(_status(entry) for entry in credential.status_entries)),
        ),
        _proofs(credential.proofs),
    )


def _subjects(credential: Credential) -> str:
    return "one subject" if len(credential.subjects) == 1 else f"{len(credential.subjects)} subjects"


def _claims(subject: JSONObject, path: str = "") -> list[str]:
    """The names of the claims, with those inside objects; their values are for whoever verifies."""
    names = []
    for name, value in subject.items():
        if name == "id" and not path:
            continue
        place = f"{path}.{name}".lstrip(".")
        names += _claims(value, place) if isinstance(value, dict) else [place]
    return names


def _status(entry: JSONObject) -> str:
    try:
        parsed = StatusEntry.parse(entry)
    except (FormatError, UnsupportedError):
        return f"a status of type {entry.get('type')}"
    return f"{parsed.purpose}: entry {parsed.index} of {parsed.list_url}"


def _status_list(credential: Credential) -> Explanation:
    found = StatusListCredential.parse(credential)
    size = found.declared_size or 1
    return Explanation(
        "status-list",
        f"A status list for the purpose {', '.join(found.purposes)}",
        ("Each credential of the issuer has one place in the list; the value there is its status. A value of 0 says nothing against it.",),
        known(
            ("Id", credential.id),
            ("Issuer", credential.issuer_id),
            ("Entries", len(found.status_list)),
            ("Bits of an entry", size),
            ("Entries that are set", _set_entries(found.status_list)),
            ("Made", credential.valid_from and when(credential.valid_from)),
            ("Refresh after", found.ttl),
        ),
        _proofs(credential.proofs),
    )


def _set_entries(status_list: StatusList) -> int | None:
    if len(status_list) > _COUNTED:
        return None
    return sum(1 for index in range(len(status_list)) if status_list.get(index))


def explain_issued(document: JSONObject) -> Explanation:
    """A credential with its issuance receipt, as issuers hand it out."""
    credential, receipt = document["credential"], document[RECEIPT]
    if not isinstance(credential, dict) or not isinstance(receipt, dict):
        raise FormatError("the file does not hold a credential with its issuance receipt")
    return Explanation(
        "issued-credential",
        "A credential with its issuance receipt",
        ("This is what an issuer hands to the holder: keep it with `did-health wallet add`.",),
        parts=(explain_credential(credential), explain_receipt(receipt)),
    )


def explain_presentation(document: JSONObject) -> Explanation:
    """A verifiable presentation; raises ``FormatError`` where it is malformed."""
    presentation = Presentation.parse(document)
    receipts = document.get(RECEIPT)
    count = len([one for one in receipts if one]) if isinstance(receipts, list) else 0
    return Explanation(
        "presentation",
        f"A verifiable presentation of {counted(len(presentation.credentials) + len(presentation.envelopes), 'credential')}",
        ("A holder shows credentials to one verifier; the proof says for whom (domain) and in answer to which nonce (challenge).",),
        known(("Id", presentation.id), ("Holder", presentation.holder), ("Issuance receipts", count)),
        (
            *_proofs(presentation.proofs),
            *(explain_credential(credential) for credential in presentation.credentials),
            *map(_explain_envelope, presentation.envelopes),
        ),
    )


def _explain_envelope(envelope: Envelope) -> Explanation:
    return Explanation(
        "enveloped-credential",
        f"An enveloped credential ({envelope.media_type})",
        ("The credential is inside a signed message: nothing in it counts before that is verified.",),
        known(("Bytes", len(envelope.content))),
    )


def _proofs(proofs: Sequence[JSONObject]) -> tuple[Explanation, ...]:
    if not proofs:
        return (Explanation("no-proof", "No proof", ("Nobody signed this: anybody could have written it.",)),)
    return tuple(map(explain_proof, proofs))


def explain_proof(proof: JSONObject) -> Explanation:
    """One Data Integrity proof."""
    try:
        parsed = Proof.parse(proof)
    except UnsupportedError as error:
        return Explanation("proof", "A proof that did-health cannot check", (f"{error}.",))
    return Explanation(
        "proof",
        f"A Data Integrity proof ({proof.get('cryptosuite', proof.get('type'))})",
        (f"Its purpose is {parsed.purpose}: {_PURPOSES.get(parsed.purpose, 'a purpose that did-health gives no meaning')}.",),
        known(
            ("Made with the key", parsed.verification_method),
            ("Created", parsed.created and when(parsed.created)),
            ("Expires", parsed.expires and when(parsed.expires)),
            ("Domain", ", ".join(parsed.domains)),
            ("Challenge", parsed.challenge),
            ("Proof value", f"{len(parsed.value)} bytes"),
        ),
    )
