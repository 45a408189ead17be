"""``ecdsa-sd-2023`` (Data Integrity ECDSA Cryptosuites 1.0 §3.5, §3.6): selective disclosure with one P-256 signature for each statement.

The issuer signs the mandatory statements together, and every other one by itself with a key made for this one proof. The holder hands on
the signatures of the statements that are to be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from did_health.encoding.jcs import Canonicalize
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, VerificationError
from did_health.keys import Algorithm, PublicKey, generate
from did_health.limits import MAX_DISCLOSURE_VALUE_CHARACTERS
from did_health.vc.contexts import Contexts
from did_health.vc.proofs.ecdsa_sd_values import BaseProofValue, DerivedProofValue, is_base, scoped_key_bytes, scoped_public_key
from did_health.vc.proofs.selective_disclosure import (
    base_proof_shown,
    canonicalize_and_group,
    given_labels,
    hash_mandatory,
    hmac_labels,
    label_replacement_canonicalize,
    select,
)
from did_health.vc.proofs.suite import PROOF_TYPE, Signing, proof_hash, with_proof_terms
from did_health.vc.rdf_canon import canonicalize as canonicalize_quads

_HMAC_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class ECDSASDCryptosuite:
    """The suite; implements ``DisclosureSuite``."""

    name: ClassVar[str] = "ecdsa-sd-2023"
    proof_type: ClassVar[str] = PROOF_TYPE
    algorithms: ClassVar[tuple[Algorithm, ...]] = (Algorithm.P256,)
    multibase: ClassVar[str] = "u"
    max_value_characters: ClassVar[int] = MAX_DISCLOSURE_VALUE_CHARACTERS

    def prepare(self, document: JSONObject, options: JSONObject) -> tuple[JSONObject, JSONObject]:
        return with_proof_terms(document), options

    def secured(self, document: JSONObject, options: JSONObject) -> JSONObject:  # noqa: ARG002  # all of the document, whatever the options
        return document

    def create(self, document: JSONObject, options: JSONObject, signing: Signing, contexts: Contexts, canonicalize: Canonicalize) -> bytes:  # noqa: ARG002  # not JCS
        """A base proof (§3.6.1 to §3.6.5)."""
        if signing.random is None:
            raise TypeError(f"{self.name} needs random")
        options_hash = proof_hash(document, options, contexts)
        hmac_key, scoped = signing.random(_HMAC_BYTES), generate(signing.random, Algorithm.P256)
        grouped = canonicalize_and_group(document, hmac_labels(hmac_key), {"mandatory": signing.mandatory_pointers}, contexts)
        mandatory = grouped.groups["mandatory"]
        public_key = scoped_key_bytes(scoped.public_key)
        mandatory_hash = hash_mandatory(grouped.nquads[index] for index in mandatory.matching)
        return BaseProofValue(
            signing.signer.sign(options_hash + public_key + mandatory_hash),
            public_key,
            hmac_key,
            tuple(scoped.sign(grouped.nquads[index].encode()) for index in mandatory.non_matching),
            signing.mandatory_pointers,
        ).encode()

    def derive(
        self,
        document: JSONObject,
        options: JSONObject,  # noqa: ARG002  # they stay as they are
        value: bytes,
        pointers: Sequence[str],
        *,
        random: Callable[[int], bytes] | None = None,  # noqa: ARG002  # what is revealed was signed before
        presentation_header: bytes = b"",
        contexts: Contexts,
    ) -> tuple[JSONObject, bytes]:
        """A derived proof (§3.6.6, with ``createDisclosureData``, §3.5.4), of statements that the proof-scoped key signed."""
        if presentation_header:
            raise TypeError(f"{self.name} has no presentation_header")
        base = BaseProofValue.parse(value)
        combined = (*base.mandatory_pointers, *pointers)
        revealed = select(document, combined)
        if revealed is None:
            raise FormatError("nothing is selected for disclosure", hint="Name at least one JSON pointer", code="PROOF_GENERATION_ERROR")
        selections = {"mandatory": base.mandatory_pointers, "selective": pointers, "combined": combined}
        grouped = canonicalize_and_group(document, hmac_labels(base.hmac_key), selections, contexts)
        mandatory, selective, together = (grouped.groups[name] for name in selections)
        always, chosen = set(mandatory.matching), set(selective.matching)
        if len(base.signatures) != len(mandatory.non_matching):
            raise _foreign()
        scoped = scoped_public_key(base.public_key)
        signatures = {index: signature for index, signature in zip(mandatory.non_matching, base.signatures, strict=True) if index in chosen}
        if not all(scoped.verify(signature, grouped.nquads[index].encode()) for index, signature in signatures.items()):
            raise _foreign()
        # The nodes under the labels that the verifier will find, for it sees fewer of them.
        canonical = canonicalize_quads(together.quads)[1]
        return revealed, DerivedProofValue(
            base.signature,
            base.public_key,
            tuple(signatures.values()),
            {label: grouped.label_map[node] for node, label in canonical.items()},
            tuple(place for place, index in enumerate(together.matching) if index in always),
        ).encode()

    def verify(
        self, document: JSONObject, options: JSONObject, value: bytes, key: PublicKey, contexts: Contexts, canonicalize: Canonicalize  # noqa: ARG002  # not JCS
    ) -> bool:
        """A derived proof (§3.6.7, with ``createVerifyData``, §3.5.8)."""
        if is_base(value):
            raise base_proof_shown()
        proof = DerivedProofValue.parse(value)
        scoped = scoped_public_key(proof.public_key)
        options_hash = proof_hash(document, options, contexts)
        nquads = label_replacement_canonicalize(document, given_labels(proof.labels), contexts).nquads
        always = set(proof.mandatory_indexes)
        if len(proof.signatures) + len(always) != len(nquads) or not always <= set(range(len(nquads))):
            raise VerificationError(
                f"the proof has {len(proof.signatures)} signatures and {len(always)} mandatory statements, the document {len(nquads)} statements",
                where="/proof/proofValue",
                code="PROOF_VERIFICATION_ERROR",
            )
        mandatory_hash = hash_mandatory(nquad for index, nquad in enumerate(nquads) if index in always)
        if not key.verify(proof.signature, options_hash + proof.public_key + mandatory_hash):
            return False
        others = (nquad for index, nquad in enumerate(nquads) if index not in always)
        return all(scoped.verify(signature, nquad.encode()) for signature, nquad in zip(proof.signatures, others, strict=True))


ECDSA_SD_2023: Final = ECDSASDCryptosuite()


def _foreign() -> FormatError:
    return FormatError("the base proof was not made of this document", where="/proof/proofValue", code="PROOF_GENERATION_ERROR")
