"""Data Integrity proofs of log entries and of witnesses: eddsa-jcs-2022 by a did:key (did:webvh 1.0, "Authorized Keys", "The Witness Proofs File")."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from did_health.encoding import multibase, timestamps
from did_health.encoding.data_integrity import jcs_hash_data
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, UnsupportedError
from did_health.keys import Algorithm, PublicKey, Signer, public_key_from_multikey

CRYPTOSUITE: Final = "eddsa-jcs-2022"
_DID_KEY: Final = "did:key:"
_SIGNATURE_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class LogProof:
    """One parsed, not yet verified proof: the signed options, the key it names, the signature and the time after which it is void."""

    options: JSONObject
    key: PublicKey
    signature: bytes
    expires: datetime | None

    @classmethod
    def parse(cls, value: JSON) -> LogProof:
        """Raises ``FormatError``, or ``UnsupportedError`` for another cryptosuite than version 1.0 permits."""
        if not isinstance(value, dict):
            raise FormatError("the proof is not a JSON object")
        if value.get("type") != "DataIntegrityProof":
            raise FormatError("the proof is not a DataIntegrityProof", where="/type")
        if value.get("cryptosuite") != CRYPTOSUITE:
            raise UnsupportedError(f"did:webvh 1.0 permits the cryptosuite {CRYPTOSUITE} only", where="/cryptosuite")
        if value.get("proofPurpose") != "assertionMethod":
            raise FormatError("the proof's purpose is not assertionMethod", where="/proofPurpose")
        # eddsa-jcs-2022 §3.3.2 would compare @context with the entry's, which has none; a chain has no meaning in a log.
        for name in ("@context", "previousProof"):
            if name in value:
                raise FormatError("the proof holds a member that has no place in a DID log", where=f"/{name}")
        if "created" in value:
            _timestamp(value["created"], "/created")
        expires = _timestamp(value["expires"], "/expires") if "expires" in value else None
        signature = multibase.decode(_text(value, "proofValue"), what="proofValue", allowed="z")
        if len(signature) != _SIGNATURE_BYTES:
            raise FormatError("the proofValue is not an Ed25519 signature", where="/proofValue")
        key = key_of_did_key(_text(value, "verificationMethod"), with_fragment=True)
        return cls({name: member for name, member in value.items() if name != "proofValue"}, key, signature, expires)

    def verifies(self, document: JSONObject) -> bool:
        """Whether this is the key's signature of ``document`` (which comes without ``proof``); expiry is another question."""
        return self.key.verify(self.signature, jcs_hash_data(document, self.options))


def key_of_did_key(text: str, *, with_fragment: bool = False) -> PublicKey:
    """The Ed25519 key of ``did:key:z…`` (``did:key:z…#z…`` with a fragment).

    Raises ``FormatError``, or ``UnsupportedError`` for another kind of key.
    """
    multikey, _, fragment = text.removeprefix(_DID_KEY).partition("#")
    if not text.startswith(_DID_KEY) or (fragment != multikey if with_fragment else "#" in text):
        raise FormatError("a key of a DID log is not named by its did:key")
    key = public_key_from_multikey(multikey)
    if key.algorithm is not Algorithm.ED25519:
        raise UnsupportedError("a key that signs with eddsa-jcs-2022 is an Ed25519 key")
    return key


def create_proof(document: JSONObject, signer: Signer, created: str) -> JSONObject:
    """A proof of ``document`` (without ``proof``) by the did:key of ``signer``; ``created`` is a timestamp's text.

    Raises ``UnsupportedError`` unless the signer's key is an Ed25519 key.
    """
    key = signer.public_key
    if key.algorithm is not Algorithm.ED25519:
        raise UnsupportedError("did:webvh 1.0 signs with Ed25519 keys only")
    options: JSONObject = {
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        "verificationMethod": f"{_DID_KEY}{key.multikey}#{key.multikey}",
        "created": created,
        "proofPurpose": "assertionMethod",
    }
    return {**options, "proofValue": multibase.encode("z", signer.sign(jcs_hash_data(document, options)))}


def _text(value: JSONObject, name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str):
        raise FormatError("the proof lacks a text", where=f"/{name}")
    return text


def _timestamp(value: JSON, where: str) -> datetime:
    if not isinstance(value, str):
        raise FormatError("a timestamp of the proof is not a text", where=where)
    return timestamps.parse(value)
