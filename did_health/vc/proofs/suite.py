"""What a cryptosuite is: from a document and the options of a proof to the bytes that are signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from did_health.encoding.data_integrity import jcs_hash_data
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.keys import Algorithm

PROOF_TYPE = "DataIntegrityProof"

Contexts = Mapping[str, JSONObject]
"""JSON-LD contexts by URL."""


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

    def hash_data(self, document: JSONObject, options: JSONObject, algorithm: Algorithm, contexts: Contexts) -> bytes:
        """The bytes to sign: hash of the canonical options, then hash of the canonical document.

        ``document`` is without ``proof`` (in a chain: with the proofs before this one), ``options`` is the proof without
        ``proofValue``; ``contexts`` are known in addition to the packed ones. Raises ``FormatError`` (``PROOF_TRANSFORMATION_ERROR``,
        ``DATA_LOSS_DETECTION_ERROR``), or ``UnsupportedError`` when an optional package is missing.
        """


@dataclass(frozen=True, slots=True)
class JCSCryptosuite:
    """The suites that canonicalise with JCS: Data Integrity EdDSA §3.3, ECDSA §3.3."""

    name: str
    algorithms: tuple[Algorithm, ...]

    def prepare(self, document: JSONObject, options: JSONObject) -> tuple[JSONObject, JSONObject]:
        # §3.3.1 step 2: the proof carries the contexts that it was made under.
        return document, {"@context": document["@context"], **options} if "@context" in document else options

    def secured(self, document: JSONObject, options: JSONObject) -> JSONObject:
        # §3.3.2 step 4: a later hand may append contexts, and what the proof secures is the document without them.
        signed = options.get("@context")
        if signed is None or signed == (present := document.get("@context")):
            return document
        wanted = signed if isinstance(signed, list) else [signed]
        if not isinstance(present, list) or present[: len(wanted)] != wanted:
            raise FormatError("the proof was made under other contexts than the document's", where="/proof/@context", code="PROOF_VERIFICATION_ERROR")
        return {**document, "@context": signed}

    def hash_data(self, document: JSONObject, options: JSONObject, algorithm: Algorithm, contexts: Contexts) -> bytes:  # noqa: ARG002  # JCS loads none
        try:
            return jcs_hash_data(document, options, "sha384" if algorithm is Algorithm.P384 else "sha256")
        except FormatError as error:
            raise FormatError(error.what, code="PROOF_TRANSFORMATION_ERROR") from error
