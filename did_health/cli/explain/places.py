"""What lies around in a directory: sealed files, policies, evidence, reports, databases, FHIR to import."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from did_health.cli.explain import Explanation, counted, known
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.roles.evidence import Evidence
from did_health.stores.database import APPLICATION_ID
from did_health.tlog.witness_policy import WitnessPolicy
from did_health.trust.policy import TrustPolicy

_SEALED: Final = MappingProxyType({
    "wallet": "a holder's key and credentials", "key": "a private key", "ledger-key": "a private key of a log or witness",
    "institution keys": "the private keys of an institution",
})
_MEBIBYTE: Final = 1 << 20
_APPLICATION_ID_AT: Final = 68


def explain_sealed(document: JSONObject) -> Explanation:
    """A file sealed with a passphrase; what is inside is not opened."""
    content, operations, memory = document.get("content"), document.get("operations"), document.get("memoryBytes")
    if not isinstance(content, str) or type(operations) is not int or type(memory) is not int:
        raise FormatError("the sealed file is malformed", hint="Restore it from a copy")
    return Explanation(
        "sealed-file",
        f"A sealed file: {_SEALED.get(content, content)}",
        ("It opens with its passphrase only. Keep a copy: without file or passphrase what is inside is lost.",),
        known(("Stretching", f"Argon2id, {operations} passes over {memory // _MEBIBYTE} MiB")),
    )


def explain_evidence(document: JSONObject) -> Explanation:
    """What a verification was made with. Raises ``FormatError``."""
    from did_health.encoding import strict_json

    evidence = Evidence.parse(strict_json.dumps(document))
    items = [("Fetched", f"{url}: {'nothing there' if item.content is None else f'{len(item.content)} bytes'}") for url, item in evidence.items.items()]
    return Explanation(
        "evidence",
        f"Evidence: what was fetched from {counted(len(items), 'place')}",
        ("With it a verification can be made again, offline: did-health verify FILE --evidence THIS",),
        known(*items),
    )


def explain_shift_bundle(document: JSONObject) -> Explanation:
    """Evidence for a shift; the signature is not looked at. Raises ``FormatError``."""
    from did_health.encoding import timestamps
    from did_health.roles.shift_bundle import ShiftBundle

    bundle = ShiftBundle.from_object(document)
    order = bundle.order
    return Explanation(
        "shift-bundle",
        f"A shift bundle for a {order.counter}: evidence from {counted(len(bundle.evidence.items), 'place')}",
        ("With it a counter verifies offline. What it proves, and until when it is accepted: did-health bundle check THIS",),
        known(
            ("Made at", timestamps.format(bundle.made_at)),
            ("Signed in the name of", order.signer or "nobody"),
            *(("Board", board) for board in order.boards),
            *(("Credential", name) for name in order.types),
        ),
    )


def explain_pins(document: JSONObject) -> Explanation:
    """What verifiers have seen of ledgers."""
    pins = document.get("pins")
    if not isinstance(pins, dict) or not all(isinstance(pin, dict) for pin in pins.values()):
        raise FormatError("the file of pins is malformed", hint="Restore it from a copy")
    rows = [(origin, f"{pin.get('size')} entries, first seen at {pin.get('seenAt')}") for origin, pin in pins.items()]
    return Explanation(
        "pins",
        f"What verifiers have seen of {counted(len(rows), 'ledger')}",
        ("They believe no older state than this, and no other of the same size. Without it they know nothing of what was seen before.",),
        known(*rows),
    )


def explain_institution(document: JSONObject) -> Explanation:
    """The public facts of an institution of a directory."""
    members = {"Title": "title", "DID": "did", "Jurisdiction": "jurisdiction", "Log": "logUrl"}
    facts = known(*((name, document.get(member)) for name, member in members.items()))
    return Explanation("institution", "The public facts of an institution of a directory", facts=facts)


def explain_report(document: JSONObject) -> Explanation:
    """A verification report, as ``verify --json`` prints it."""
    checks = document["checks"] if isinstance(document["checks"], list) else []
    rows = [(str(one.get("check")), f"{one.get('outcome')}: {one.get('sentence')}") for one in checks if isinstance(one, dict)]
    return Explanation(
        "report",
        f"A verification report: {document['verdict']}",
        ("Anybody can write such a file: to rely on it, verify again with the evidence of that time.",),
        known(("Verified at", document.get("verifiedAt")), ("True as of", document.get("asOf")), *rows),
    )


def explain_fhir(document: JSONObject) -> Explanation:
    """A FHIR resource; nothing of it is repeated."""
    return Explanation(
        "fhir", f"A FHIR resource: {document['resourceType']}", ("Practitioners are imported by: did-health board import NAME FILE --wallets",)
    )


def explain_policy(text: str) -> Explanation:
    """A trust policy. Raises ``FormatError``."""
    policy = TrustPolicy.parse(text)
    ages = [(f"Oldest evidence for {purpose}", f"{int(age.total_seconds())} s") for purpose, age in policy.max_age.items()]
    return Explanation(
        "trust-policy",
        "A trust policy" + (" that trusts nobody" if policy.is_empty else ""),
        ("It says whom a verifier believes, and how old a proof of the newest state may be.",),
        known(("Registry authority", policy.registry_authority), *ages),
        () if policy.ledger is None else (_witness_policy(policy.ledger),),
    )


def explain_witness_policy(text: str) -> Explanation:
    """A C2SP tlog-policy. Raises ``FormatError``."""
    return _witness_policy(WitnessPolicy.parse(text))


def _witness_policy(policy: WitnessPolicy) -> Explanation:
    logs = [("Log", f"{log.key.name} at {log.url or 'no place'}") for log in policy.logs]
    groups = [(f"Group {group.name}", f"{group.threshold} of {', '.join(group.members)}") for group in policy.groups]
    return Explanation(
        "witness-policy",
        "A policy about logs and their witnesses",
        ("A checkpoint is believed if one of the logs signed it and the quorum of witnesses cosigned it.",),
        known(*logs, ("Witnesses", ", ".join(witness.name for witness in policy.witnesses)), *groups, ("Quorum", policy.quorum)),
    )


def explain_database(data: bytes) -> Explanation:
    """A SQLite file, by its header."""
    ours = int.from_bytes(data[_APPLICATION_ID_AT : _APPLICATION_ID_AT + 4], "big") == APPLICATION_ID
    sentence = "It is a ledger, a register or a witness's memory. Change it with did-health only." if ours else "It was not made by did-health."
    return Explanation("database", "A SQLite database", (sentence,))
