"""A Data Integrity proof as received (Verifiable Credential Data Integrity 1.0 §2.1), parsed but not verified."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from did_health.encoding import timestamps
from did_health.encoding.base64 import base64url_decode
from did_health.encoding.multibase import base58btc_decode
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, UnsupportedError
from did_health.limits import MAX_PROOF_VALUE_CHARACTERS, MAX_PROOFS, MAX_URL_CHARACTERS
from did_health.vc.proofs.suite import PROOF_TYPE, Cryptosuite
from did_health.vc.proofs.table import CRYPTOSUITES

MALFORMED: Final = "PROOF_VERIFICATION_ERROR"
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.")


class Proof(NamedTuple):
    """One proof: nothing in it may be relied on before it is verified.

    A named tuple, for making a frozen dataclass of so many fields takes three times as long.
    """

    cryptosuite: Cryptosuite
    verification_method: str
    purpose: str
    options: JSONObject
    """The members of the proof but ``proofValue``."""
    value: bytes
    """The bytes of ``proofValue``: one signature, or what the suite makes of several."""
    id: str | None
    created: datetime | None
    expires: datetime | None
    domains: tuple[str, ...]
    challenge: str | None
    nonce: str | None
    previous_proofs: tuple[str, ...]

    @classmethod
    def parse(cls, proof: JSON, where: str = "/proof") -> Proof:
        """Read one member of ``proof``; ``where`` is its JSON pointer.

        Raises ``FormatError`` (code ``PROOF_VERIFICATION_ERROR``), or ``UnsupportedError`` for a cryptosuite that is not in the table.
        """
        if not isinstance(proof, dict):
            raise FormatError("a proof is not a JSON object", where=where, code="PARSING_ERROR")
        options = dict(proof)
        value = options.pop("proofValue", None)
        method = verification_method(proof, where)
        purpose = _text(proof, "proofPurpose", where)
        suite = _cryptosuite(proof, where)
        # In the order of the fields: names would cost a microsecond.
        return cls(
            suite,
            method,
            purpose,
            options,
            proof_value(value, where, suite.multibase, suite.max_value_characters),
            _url(proof, "id", where) if "id" in proof else None,
            moment(proof, "created", where) if "created" in proof else None,
            moment(proof, "expires", where) if "expires" in proof else None,
            _texts(proof, "domain", where) if "domain" in proof else (),
            _text(proof, "challenge", where) if "challenge" in proof else None,
            _text(proof, "nonce", where) if "nonce" in proof else None,
            _texts(proof, "previousProof", where) if "previousProof" in proof else (),
        )


def parse_proofs(document: JSONObject) -> tuple[Proof, ...]:
    """Every proof of ``document``, in its order; raises as ``Proof.parse`` and for a document with none or with too many."""
    if not isinstance(document, dict):
        raise FormatError("the document is not a JSON object", code="PARSING_ERROR")
    proofs = document.get("proof")
    if isinstance(proofs, dict):
        return (Proof.parse(proofs),)
    if not isinstance(proofs, list) or not proofs:
        raise FormatError("the document has no proof", where="/proof", code="PARSING_ERROR")
    if len(proofs) > MAX_PROOFS:
        raise FormatError(f"the document has {len(proofs)} proofs, more than the {MAX_PROOFS} allowed", where="/proof", code=MALFORMED)
    return tuple(Proof.parse(proof, f"/proof/{index}") for index, proof in enumerate(proofs))


@lru_cache(maxsize=1024)  # issuers sign with few keys, and a hit costs a fifth
def _is_url(text: str) -> bool:
    # Printable text has no control characters and, but for U+0020, no white space.
    return len(text) <= MAX_URL_CHARACTERS and _SCHEME.match(text) is not None and text.isprintable() and " " not in text


def _cryptosuite(proof: JSONObject, where: str) -> Cryptosuite:
    kind = _text(proof, "type", where)
    # Data Integrity §2.1, cryptosuite: needed with this type, and a text with any.
    name = _text(proof, "cryptosuite", where) if "cryptosuite" in proof or kind == PROOF_TYPE else ""
    suite = CRYPTOSUITES.get((kind, name))
    if suite is None:
        raise UnsupportedError(
            f"no cryptosuite {name[:64]!r} for proofs of type {kind[:64]!r} is supported" if name else f"proofs of type {kind[:64]!r} are not supported",
            where=where,
        )
    return suite


def verification_method(proof: JSONObject, where: str) -> str:
    """The URL of a proof's key: ``where`` is the proof's JSON pointer. Raises ``FormatError``."""
    method = _text(proof, "verificationMethod", where)
    if not _is_url(method):
        raise FormatError("the verification method of a proof is not a URL", where=f"{where}/verificationMethod", code="INVALID_VERIFICATION_METHOD_URL")
    return method


def proof_value(value: JSON, where: str, header: str = "z", most: int = MAX_PROOF_VALUE_CHARACTERS) -> bytes:
    """The bytes of a ``proofValue`` of at most ``most`` characters; ``where`` is the proof's JSON pointer. Raises ``FormatError``.

    ``header`` is that of the suite's multibase, ``z`` or ``u``, and no other is read (Data Integrity §2.1, ``proofValue``).
    """
    if not isinstance(value, str):
        raise FormatError("a proof has no proofValue", where=where, code=MALFORMED)
    if not value.startswith(header) or len(value) > most:
        raise FormatError(f"a proofValue does not have the multibase header {header} of its suite, or is too long", where=f"{where}/proofValue", code=MALFORMED)
    try:
        return base58btc_decode(value[1:]) if header == "z" else base64url_decode(value[1:])
    except FormatError as error:
        raise FormatError("a proofValue is not in the multibase of its header", where=f"{where}/proofValue", code=MALFORMED) from error


def _text(proof: JSONObject, name: str, where: str) -> str:
    value = proof.get(name)
    if not isinstance(value, str) or not value:
        raise FormatError(f"a proof has no text member {name}", where=f"{where}/{name}", code=MALFORMED)
    return value


def _url(proof: JSONObject, name: str, where: str) -> str:
    value = _text(proof, name, where)
    if not _is_url(value):
        raise FormatError(f"a proof's member {name} is not a URL", where=f"{where}/{name}", code=MALFORMED)
    return value


def _texts(proof: JSONObject, name: str, where: str) -> tuple[str, ...]:
    """A member that is one text or an unordered set of them."""
    value = proof[name]
    if type(value) is str and value:
        return (value,)
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(text, str) and text for text in texts) or len(set(texts)) != len(texts):
        raise FormatError(f"a proof's member {name} is neither a text nor a set of texts", where=f"{where}/{name}", code=MALFORMED)
    return tuple(texts)


def moment(proof: JSONObject, name: str, where: str) -> datetime:
    """A timestamp of a proof: ``where`` is the proof's JSON pointer. Raises ``FormatError``."""
    try:
        return timestamps.parse(_text(proof, name, where))
    except FormatError as error:
        raise FormatError(f"a proof's member {name} is {error.what}", where=f"{where}/{name}", hint=error.hint, code=MALFORMED) from error
