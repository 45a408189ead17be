"""What a cryptosuite is: how a proof is made of a document and the options of the proof, and how one is checked."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple, Protocol

from did_health.encoding.data_integrity import HashName, jcs_hash_data
from did_health.encoding.jcs import Canonicalize
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.keys import Algorithm, PublicKey, Signer
from did_health.limits import MAX_PROOF_VALUE_CHARACTERS
from did_health.vc import rdf
from did_health.vc.contexts import CREDENTIALS_V2, DATA_INTEGRITY_V2, Contexts
from did_health.vc.proofs.plain_json import require_plain_json

PROOF_TYPE: Final = "DataIntegrityProof"
_P384: Final = Algorithm.P384
_DEFINE_PROOFS: Final = frozenset({CREDENTIALS_V2, "https://w3id.org/security/data-integrity/v1", DATA_INTEGRITY_V2})


class Signing(NamedTuple):
    """What a new proof is signed with."""

    signer: Signer
    mandatory_pointers: tuple[str, ...] = ()
    """For suites of selective disclosure: JSON pointers to what must always be disclosed."""
    random: Callable[[int], bytes] | None = None
    """n → n secret bytes; suites of selective disclosure need it."""


class Cryptosuite(Protocol):
    """One cryptosuite: immutable, without state, shared by all threads."""

    @property
    def name(self) -> str:
        """The value of ``cryptosuite``, such as ``eddsa-jcs-2022``; of a suite with a ``proof_type`` of its own, that type."""

    @property
    def proof_type(self) -> str:
        """``DataIntegrityProof``, or the ``type`` of older proofs, which have no member ``cryptosuite``."""

    @property
    def algorithms(self) -> tuple[Algorithm, ...]:
        """The algorithms of the keys that it takes; any other key is refused."""

    @property
    def multibase(self) -> str:
        """The multibase header of ``proofValue``: ``z`` (base58btc) or ``u`` (base64url)."""

    @property
    def max_value_characters(self) -> int:
        """Longest ``proofValue`` that is read."""

    def prepare(self, document: JSONObject, options: JSONObject) -> tuple[JSONObject, JSONObject]:
        """``(document, options)`` as they will be published, before a proof is created: where each suite adds its ``@context``."""

    def secured(self, document: JSONObject, options: JSONObject) -> JSONObject:
        """The document that a received proof secures (``verifiedDocument``).

        Raises ``FormatError`` when the two do not belong together.
        """

    def create(self, document: JSONObject, options: JSONObject, signing: Signing, contexts: Contexts, canonicalize: Canonicalize) -> bytes:
        """The bytes of a new ``proofValue``, of a key whose algorithm fits.

        ``document`` is without ``proof`` (in a chain: with the proofs before this one), ``options`` is the proof without
        ``proofValue``; ``contexts`` are known in addition to the packed ones, ``canonicalize`` is what the JCS suites call.
        Raises ``FormatError`` (``PROOF_TRANSFORMATION_ERROR``, ``DATA_LOSS_DETECTION_ERROR``, ``PROOF_GENERATION_ERROR``), or
        ``UnsupportedError`` when an optional package is missing.
        """

    def verify(
        self, document: JSONObject, options: JSONObject, value: bytes, key: PublicKey, contexts: Contexts, canonicalize: Canonicalize
    ) -> bool:
        """Whether ``value``, the bytes of ``proofValue``, proves ``document`` under ``key``, whose algorithm fits.

        The other arguments are as for ``create``. Raises ``FormatError`` as ``create`` and for a malformed value, and
        ``VerificationError`` where more can be said than that it does not verify.
        """


class DisclosureSuite(Cryptosuite, Protocol):
    """A cryptosuite of selective disclosure: the issuer's base proof is for the holder, who derives proofs for verifiers from it."""

    def derive(
        self,
        document: JSONObject,
        options: JSONObject,
        value: bytes,
        pointers: Sequence[str],
        *,
        random: Callable[[int], bytes] | None,
        presentation_header: bytes,
        contexts: Contexts,
    ) -> tuple[JSONObject, bytes]:
        """``(document with what is revealed, bytes of its proofValue)``.

        ``document`` is without ``proof``, ``options`` and ``value`` are those of the base proof, ``pointers`` name what is revealed besides
        what is mandatory. Raises ``FormatError`` (``PROOF_GENERATION_ERROR``, and as ``create``).
        """


@dataclass(frozen=True, slots=True)
class SignatureSuite(ABC):
    """The suites whose proof value is one signature, of the hash of the proof's options and the hash of the document."""

    name: str
    algorithms: tuple[Algorithm, ...]
    multibase: ClassVar[str] = "z"
    max_value_characters: ClassVar[int] = MAX_PROOF_VALUE_CHARACTERS

    def create(self, document: JSONObject, options: JSONObject, signing: Signing, contexts: Contexts, canonicalize: Canonicalize) -> bytes:
        return signing.signer.sign(self.hash_data(document, options, signing.signer.public_key.algorithm, contexts, canonicalize))

    def verify(
        self, document: JSONObject, options: JSONObject, value: bytes, key: PublicKey, contexts: Contexts, canonicalize: Canonicalize
    ) -> bool:
        algorithm = key.algorithm
        require_signature_size(value, algorithm)
        return key.verify(value, self.hash_data(document, options, algorithm, contexts, canonicalize))

    @abstractmethod
    def hash_data(self, document: JSONObject, options: JSONObject, algorithm: Algorithm, contexts: Contexts, canonicalize: Canonicalize) -> bytes:
        """The bytes to sign: hash of the canonical options, then hash of the canonical document; arguments and errors as of ``create``."""


@dataclass(frozen=True, slots=True)
class JCSCryptosuite(SignatureSuite):
    """The suites that canonicalise with JCS: Data Integrity EdDSA §3.3, ECDSA §3.3."""

    proof_type: ClassVar[str] = PROOF_TYPE

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
        self, document: JSONObject, options: JSONObject, algorithm: Algorithm, contexts: Contexts, canonicalize: Canonicalize  # noqa: ARG002  # JCS loads none
    ) -> bytes:
        try:
            return jcs_hash_data(document, options, "sha384" if algorithm is _P384 else "sha256", canonicalize)
        except FormatError as error:
            raise FormatError(error.what, code="PROOF_TRANSFORMATION_ERROR") from error


@dataclass(frozen=True, slots=True)
class RDFCCryptosuite(SignatureSuite):
    """The suites that canonicalise with RDFC-1.0: Data Integrity EdDSA §3.2 and §3.4, ECDSA §3.2.

    ``terms`` are the contexts that define its proofs; where a document has none of them, ``context`` is added.
    """

    proof_type: str = PROOF_TYPE
    terms: frozenset[str] = _DEFINE_PROOFS
    context: str = DATA_INTEGRITY_V2

    def prepare(self, document: JSONObject, options: JSONObject) -> tuple[JSONObject, JSONObject]:
        return with_proof_terms(document, self.terms, self.context), options

    def secured(self, document: JSONObject, options: JSONObject) -> JSONObject:  # noqa: ARG002  # all of the document, whatever the options
        return document

    def hash_data(
        self, document: JSONObject, options: JSONObject, algorithm: Algorithm, contexts: Contexts, canonicalize: Canonicalize  # noqa: ARG002  # not JCS
    ) -> bytes:
        configuration = proof_configuration(document, options, contexts)
        # SHA-384 goes with P-384, inside RDFC-1.0 too (ECDSA §3.2.3).
        hash_name: HashName = "sha384" if algorithm is _P384 else "sha256"
        digest = hashlib.sha384 if algorithm is _P384 else hashlib.sha256
        return b"".join(digest(rdf.canonical_nquads(part, contexts=contexts, hash_name=hash_name).encode()).digest() for part in (configuration, document))


def with_proof_terms(document: JSONObject, terms: frozenset[str] = _DEFINE_PROOFS, context: str = DATA_INTEGRITY_V2) -> JSONObject:
    """``document`` under contexts that define its proof (Data Integrity 1.0 §2.4.2, context injection)."""
    present = document.get("@context", [])
    contexts = present if isinstance(present, list) else [present]
    if any(known in terms for known in contexts if isinstance(known, str)):
        return document
    return {**document, "@context": [*contexts, context]}


def proof_configuration(document: JSONObject, options: JSONObject, contexts: Contexts) -> JSONObject:
    """The options of a proof as a document of their own, under the contexts of ``document`` (EdDSA §3.2.5, ECDSA §3.2.5, §3.6.4).

    Raises ``FormatError`` if the document has no contexts, if it or the options say in JSON something else than in RDF, and if the options
    bring contexts that are not the document's: no signature would cover them, and whoever expands the document would read by them.
    """
    if "@context" not in document:
        raise FormatError("the document has no @context", where="/@context", code="PROOF_TRANSFORMATION_ERROR")
    present, brought = document["@context"], options.get("@context", [])
    known = present if isinstance(present, list) else [present]
    if brought != present and not all(context in known for context in (brought if isinstance(brought, list) else [brought])):
        raise FormatError("the proof has other contexts than the document", where="/proof/@context", code="PROOF_TRANSFORMATION_ERROR")
    require_plain_json(document, contexts)
    require_plain_json(options, contexts)
    return {**options, "@context": document["@context"]}


def proof_hash(document: JSONObject, options: JSONObject, contexts: Contexts) -> bytes:
    """SHA-256 of the canonical ``proof_configuration``, as the suites of selective disclosure take it; raises as ``Cryptosuite.create``."""
    return hashlib.sha256(rdf.canonical_nquads(proof_configuration(document, options, contexts), contexts=contexts).encode()).digest()


def require_signature_size(value: bytes, algorithm: Algorithm) -> None:
    """Raises ``FormatError`` unless a signature has the size that goes with ``algorithm``."""
    size = 96 if algorithm is _P384 else 64
    if len(value) != size:
        raise FormatError(f"a {algorithm} signature has {size} bytes, not {len(value)}", where="/proof/proofValue", code="PROOF_VERIFICATION_ERROR")
