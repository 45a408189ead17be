"""What a cryptosuite is: from a document and the options of a proof to the bytes that are signed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Protocol

from did_health.encoding.data_integrity import HashName, jcs_hash_data
from did_health.encoding.jcs import Canonicalize, canonicalize
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.keys import Algorithm
from did_health.vc import rdf
from did_health.vc.contexts import CREDENTIALS_V2, DATA_INTEGRITY_V2, Contexts
from did_health.vc.proofs.plain_json import require_plain_json

PROOF_TYPE: Final = "DataIntegrityProof"
_P384: Final = Algorithm.P384
_DEFINE_PROOFS: Final = frozenset({CREDENTIALS_V2, "https://w3id.org/security/data-integrity/v1", DATA_INTEGRITY_V2})


class Cryptosuite(Protocol):
    """One cryptosuite: immutable, without state, shared by all threads."""

    @property
    def name(self) -> str:
        """The value of ``cryptosuite``, such as ``eddsa-jcs-2022``."""

    @property
    def algorithms(self) -> tuple[Algorithm, ...]:
        """The algorithms of the keys that it takes; any other key is refused."""

    def prepare(self, document: JSONObject, options: JSONObject) -> tuple[JSONObject, JSONObject]:
        """``(document, options)`` as they will be published, before a proof is created: where each suite adds its ``@context``."""

    def secured(self, document: JSONObject, options: JSONObject) -> JSONObject:
        """The document that a received proof secures (``verifiedDocument``).

        Raises ``FormatError`` when the two do not belong together.
        """

    def hash_data(
        self, document: JSONObject, options: JSONObject, algorithm: Algorithm, contexts: Contexts, canonicalize: Canonicalize = canonicalize
    ) -> bytes:
        """The bytes to sign: hash of the canonical options, then hash of the canonical document.

        ``document`` is without ``proof`` (in a chain: with the proofs before this one), ``options`` is the proof without
        ``proofValue``; ``contexts`` are known in addition to the packed ones, ``canonicalize`` is what the JCS suites call.
        Raises ``FormatError`` (``PROOF_TRANSFORMATION_ERROR``, ``DATA_LOSS_DETECTION_ERROR``), or ``UnsupportedError`` when an optional package is missing.
        """


@dataclass(frozen=True, slots=True)
class JCSCryptosuite:
    """The suites that canonicalise with JCS: Data Integrity EdDSA §3.3, ECDSA §3.3."""

    name: str
    algorithms: tuple[Algorithm, ...]

    def prepare(self, document: JSONObject, options: JSONObject) -> tuple[JSONObject, JSONObject]:
        # §3.3.1 step 2: the proof carries the contexts that it was made under.
        if "@context" not in document:
            return document, options
        contexts = document["@context"]
        return document, {**options, "@context": list(contexts) if isinstance(contexts, list) else contexts}

    def secured(self, document: JSONObject, options: JSONObject) -> JSONObject:
        # §3.3.2 step 4: a later hand may append contexts, and what the proof secures is the document without them.
        signed = options.get("@context")
        if signed is None or signed == (present := document.get("@context")):
            return document
        wanted = signed if isinstance(signed, list) else [signed]
        if not isinstance(present, list) or present[: len(wanted)] != wanted:
            raise FormatError("the proof was made under other contexts than the document's", where="/proof/@context", code="PROOF_VERIFICATION_ERROR")
        return {**document, "@context": signed}

    def hash_data(
        self, document: JSONObject, options: JSONObject, algorithm: Algorithm, contexts: Contexts, canonicalize: Canonicalize = canonicalize  # noqa: ARG002  # JCS loads none
    ) -> bytes:
        try:
            return jcs_hash_data(document, options, "sha384" if algorithm is _P384 else "sha256", canonicalize)
        except FormatError as error:
            raise FormatError(error.what, code="PROOF_TRANSFORMATION_ERROR") from error


@dataclass(frozen=True, slots=True)
class RDFCCryptosuite:
    """The suites that canonicalise with RDFC-1.0: Data Integrity EdDSA §3.2, ECDSA §3.2."""

    name: str
    algorithms: tuple[Algorithm, ...]

    def prepare(self, document: JSONObject, options: JSONObject) -> tuple[JSONObject, JSONObject]:
        # Data Integrity 1.0 §2.4.2, context injection: the terms of a proof must mean something to those who expand the document.
        present = document.get("@context", [])
        contexts = present if isinstance(present, list) else [present]
        if any(context in _DEFINE_PROOFS for context in contexts if isinstance(context, str)):
            return document, options
        return {**document, "@context": [*contexts, DATA_INTEGRITY_V2]}, options

    def secured(self, document: JSONObject, options: JSONObject) -> JSONObject:  # noqa: ARG002  # all of the document, whatever the options
        return document

    def hash_data(
        self, document: JSONObject, options: JSONObject, algorithm: Algorithm, contexts: Contexts, canonicalize: Canonicalize = canonicalize  # noqa: ARG002  # not JCS
    ) -> bytes:
        if "@context" not in document:
            raise FormatError("the document has no @context", where="/@context", code="PROOF_TRANSFORMATION_ERROR")
        require_plain_json(document)
        require_plain_json(options)
        # §3.2.5: the options are read under the document's contexts. SHA-384 goes with P-384, inside RDFC-1.0 too (ECDSA §3.2.3).
        configuration = {**options, "@context": document["@context"]}
        hash_name: HashName = "sha384" if algorithm is _P384 else "sha256"
        digest = hashlib.sha384 if algorithm is _P384 else hashlib.sha256
        return b"".join(digest(rdf.canonical_nquads(part, contexts=contexts, hash_name=hash_name).encode()).digest() for part in (configuration, document))
