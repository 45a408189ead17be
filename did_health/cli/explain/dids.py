"""DIDs, their documents and logs, and public keys."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from did_health.cli.explain import Explanation, counted, known
from did_health.cli.output import when
from did_health.did.did import DIDURL
from did_health.did.document import DIDDocument
from did_health.did.methods.webvh.entry import LogEntry
from did_health.did.resolution import required_urls
from did_health.encoding import multikey
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, ResolutionError, UnsupportedError
from did_health.keys import public_key_from_jwk
from did_health.limits import MAX_DID_LOG_BYTES, MAX_DID_LOG_ENTRIES

_METHODS: Final = MappingProxyType({
    "key": "The DID is a public key itself; nothing has to be fetched, and nothing about it can ever change.",
    "jwk": "The DID is a public key itself, written as a JSON Web Key; nothing has to be fetched, and nothing about it can ever change.",
    "web": "Its document is a file on a web server: it is as trustworthy as that server is now.",
    "webvh": "Its document has a verifiable history: a log on a web server whose every line is signed and linked to the one before.",
})
_KEYS: Final = MappingProxyType({
    "ed25519-pub": "an Ed25519 key, for signatures",
    "x25519-pub": "an X25519 key, for encryption",
    "p256-pub": "a P-256 key, for signatures",
    "p384-pub": "a P-384 key, for signatures",
    "secp256k1-pub": "a secp256k1 key, which did-health does not verify with",
    "bls12_381-g2-pub": "a BLS12-381 key, for BBS signatures",
})
_RELATIONSHIPS: Final = ("authentication", "assertionMethod", "keyAgreement", "capabilityInvocation", "capabilityDelegation")


def explain_did(text: str) -> Explanation:
    """A DID or DID URL. Raises ``FormatError``."""
    url = DIDURL.parse(text)
    try:
        fetched = ", ".join(required_urls(url.did)) or "nothing"
    except ResolutionError as error:
        fetched = f"cannot be told: {error.what}"
    parts = (explain_multikey(url.did.identifier),) if url.did.method == "key" and fetched == "nothing" else ()
    return Explanation(
        "did" if str(url) == str(url.did) else "did-url",
        f"A DID of the method {url.did.method}" + ("" if str(url) == str(url.did) else ", with the name of a part of its document"),
        (_METHODS.get(url.did.method, "did-health does not know this method."),),
        known(("DID", url.did), ("Path", url.path), ("Parameters", url.query), ("Fragment", url.fragment), ("To resolve it, fetch", fetched)),
        parts,
    )


def explain_multikey(text: str) -> Explanation:
    """A public key as Multikey text. Raises ``FormatError``, ``UnsupportedError``."""
    codec, raw = multikey.decode(text)
    return Explanation("key", f"A public key: {_KEYS[codec]}", facts=known(("Multikey", text), ("Key type", codec), ("Bytes", len(raw)), ("Hex", raw.hex())))


def explain_jwk(jwk: JSONObject) -> Explanation:
    """A JSON Web Key; a private one is refused without a look at it."""
    if "d" in jwk:
        return Explanation(
            "private-key", "A private key, unprotected", ("Whoever has this file can sign as its owner. Replace the key, and keep the new one sealed.",)
        )
    try:
        key = public_key_from_jwk(jwk)
    except UnsupportedError as error:
        return Explanation("key", "A public key (JSON Web Key) that did-health does not verify with", (f"{error}.",), known(("Type", jwk.get("kty"))))
    return Explanation("key", f"A public key (JSON Web Key): {key.algorithm}", facts=known(("As Multikey", key.multikey), ("Key id", jwk.get("kid"))))


def explain_did_document(document: JSONObject) -> Explanation:
    """A DID document. Raises ``FormatError``."""
    parsed = DIDDocument.parse(document)
    methods = []
    for identifier, method in parsed.verification_methods.items():
        used = [name for name in _RELATIONSHIPS if identifier in parsed.relationship(name)]
        methods.append(("Key", f"{identifier} ({method.type}), for {', '.join(used) or 'nothing'}"))
    services = [("Service", f"{service.id} ({', '.join(service.types)}) at {', '.join(service.endpoints) or 'no URL'}") for service in parsed.services]
    return Explanation(
        "did-document",
        "A DID document",
        (f"It says which keys speak for the DID, and for what: {counted(len(methods), 'key')}, {counted(len(services), 'service')}.",),
        known(
            ("DID", parsed.id), ("Controllers", ", ".join(parsed.controllers)), ("Also known as", ", ".join(parsed.also_known_as)), *methods, *services,
        ),
    )


def explain_resolution(document: JSONObject) -> Explanation:
    """The result of a DID resolution, as ``did resolve --json`` prints it."""
    inner, metadata = document["didDocument"], document.get("didDocumentMetadata")
    deactivated = isinstance(metadata, dict) and metadata.get("deactivated") is True
    return Explanation(
        "resolution",
        "The result of a DID resolution",
        ("The DID is deactivated.",) if deactivated else (),
        known(*((metadata or {}).items() if isinstance(metadata, dict) else ())),
        (explain_did_document(inner),) if isinstance(inner, dict) else (),
    )


def explain_did_log(data: bytes) -> Explanation:
    """The lines of a ``did.jsonl``, each parsed and none verified. Raises ``FormatError`` with the line."""
    if len(data) > MAX_DID_LOG_BYTES:
        raise FormatError(f"the DID log has {len(data)} bytes, more than the {MAX_DID_LOG_BYTES} allowed")
    lines = data.removesuffix(b"\n").split(b"\n", MAX_DID_LOG_ENTRIES)
    entries = [_entry(line, number) for number, line in enumerate(lines, 1)]
    last = entries[-1]
    ended = any('"deactivated":true' in line.decode(errors="replace").replace(" ", "") for line in lines[-1:])
    versions = [(f"Version {entry.version_number}", f"{when(entry.version_time)}, {counted(len(entry.proofs), 'proof')}") for entry in entries]
    return Explanation(
        "did-log",
        f"The log of a did:webvh DID: {counted(len(entries), 'version')}",
        (
            "Each line is a version of the DID's document, signed with a key that the line before allowed.",
            *(("The last line deactivates the DID.",) if ended else ()),
        ),
        known(("DID", last.state.get("id")), ("Newest version", last.version_id), *versions),
    )


def _entry(line: bytes, number: int) -> LogEntry:
    try:
        return LogEntry.parse(line)
    except (FormatError, UnsupportedError) as error:
        error.where = f"line {number} {error.where}".rstrip()
        raise
