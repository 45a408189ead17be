"""``bbs-2023`` (Data Integrity BBS Cryptosuites 1.0 §3.3, §3.4): selective disclosure whose derived proofs cannot be linked with each other.

The issuer makes one BBS signature: its header are the proof's options and the mandatory statements, its messages the others. The holder
proves to know it, and discloses the messages that are to be seen. Of the features only the baseline: no holder binding, no pseudonyms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from did_health.encoding.jcs import Canonicalize
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, VerificationError
from did_health.keys import Algorithm, PublicKey
from did_health.keys.base import MessagesSigner
from did_health.limits import MAX_DISCLOSURE_VALUE_CHARACTERS
from did_health.vc.contexts import Contexts
from did_health.vc.proofs.bbs_values import BaseProofValue, DerivedProofValue, is_base
from did_health.vc.proofs.selective_disclosure import (
    Group,
    GroupedStatements,
    base_proof_shown,
    canonicalize_and_group,
    given_labels,
    hash_mandatory,
    label_replacement_canonicalize,
    select,
    shuffled_labels,
)
from did_health.vc.proofs.suite import PROOF_TYPE, Signing, proof_hash, with_proof_terms
from did_health.vc.rdf_canon import canonicalize as canonicalize_quads

_HMAC_BYTES: Final = 32
_WHERE: Final = "/proof/proofValue"
_GENERATION: Final = "PROOF_GENERATION_ERROR"
_VERIFICATION: Final = "PROOF_VERIFICATION_ERROR"


@dataclass(frozen=True, slots=True)
class BBSCryptosuite:
    """The suite; implements ``DisclosureSuite``."""

    name: ClassVar[str] = "bbs-2023"
    proof_type: ClassVar[str] = PROOF_TYPE
    algorithms: ClassVar[tuple[Algorithm, ...]] = (Algorithm.BLS12381G2,)
    multibase: ClassVar[str] = "u"
    max_value_characters: ClassVar[int] = MAX_DISCLOSURE_VALUE_CHARACTERS

    def prepare(self, document: JSONObject, options: JSONObject) -> tuple[JSONObject, JSONObject]:
        return with_proof_terms(document), options

    def secured(self, document: JSONObject, options: JSONObject) -> JSONObject:  # noqa: ARG002  # all of the document, whatever the options
        return document

    def create(self, document: JSONObject, options: JSONObject, signing: Signing, contexts: Contexts, canonicalize: Canonicalize) -> bytes:  # noqa: ARG002  # not JCS
        """A base proof (§3.4.1 to §3.4.5)."""
        if signing.random is None:
            raise TypeError(f"{self.name} needs random")
        if not isinstance(signing.signer, MessagesSigner):
            raise TypeError(f"{self.name} needs a signer of messages")
        options_hash = proof_hash(document, options, contexts)
        hmac_key = signing.random(_HMAC_BYTES)
        grouped = canonicalize_and_group(document, shuffled_labels(hmac_key), {"mandatory": signing.mandatory_pointers}, contexts)
        mandatory = grouped.groups["mandatory"]
        header = options_hash + _mandatory_hash(grouped, mandatory)
        try:
            signature = signing.signer.sign_messages(_messages(grouped, mandatory.non_matching), header=header)
        except FormatError as error:
            raise FormatError(error.what, code=_GENERATION) from error
        return BaseProofValue(signature, header, signing.signer.public_key.raw, hmac_key, signing.mandatory_pointers).encode()

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
        """A derived proof (§3.4.6, with ``createDisclosureData``, §3.3.3), of a base proof that verifies under the key that it names."""
        from did_health.keys import bbs

        if random is None:
            raise TypeError(f"{self.name} needs random")
        base = BaseProofValue.parse(value)
        combined = (*base.mandatory_pointers, *pointers)
        revealed = select(document, combined)
        if revealed is None:
            raise FormatError("nothing is selected for disclosure", hint="Name at least one JSON pointer", code=_GENERATION)
        grouped = canonicalize_and_group(document, shuffled_labels(base.hmac_key), {"mandatory": base.mandatory_pointers, "combined": combined}, contexts)
        mandatory, together = grouped.groups["mandatory"], grouped.groups["combined"]
        messages = _messages(grouped, mandatory.non_matching)
        _require_signature(base, proof_hash(document, options, contexts) + _mandatory_hash(grouped, mandatory), messages)
        always, chosen = set(mandatory.matching), set(together.matching)
        selective = tuple(place for place, index in enumerate(mandatory.non_matching) if index in chosen)
        proof = bbs.create_proof(
            base.public_key, base.signature, messages, selective, random=random, header=base.header, presentation_header=presentation_header
        )
        # The nodes under the labels that the verifier will find, for it sees fewer of them.
        canonical = canonicalize_quads(together.quads)[1]
        return revealed, DerivedProofValue(
            proof,
            {label: grouped.label_map[node] for node, label in canonical.items()},
            tuple(place for place, index in enumerate(together.matching) if index in always),
            selective,
            presentation_header,
        ).encode()

    def verify(
        self, document: JSONObject, options: JSONObject, value: bytes, key: PublicKey, contexts: Contexts, canonicalize: Canonicalize  # noqa: ARG002  # not JCS
    ) -> bool:
        """A derived proof (§3.4.7, with ``createVerifyData``, §3.3.8)."""
        from did_health.keys import bbs

        if is_base(value):
            raise base_proof_shown()
        proof = DerivedProofValue.parse(value)
        options_hash = proof_hash(document, options, contexts)
        nquads = label_replacement_canonicalize(document, given_labels(proof.labels), contexts).nquads
        always = set(proof.mandatory_indexes)
        if len(proof.selective_indexes) + len(always) != len(nquads) or not always <= set(range(len(nquads))):
            raise VerificationError(
                f"the proof has {len(proof.selective_indexes)} messages and {len(always)} mandatory statements, the document {len(nquads)} statements",
                where=_WHERE,
                code=_VERIFICATION,
            )
        header = options_hash + hash_mandatory(nquad for index, nquad in enumerate(nquads) if index in always)
        disclosed = [nquad.encode() for index, nquad in enumerate(nquads) if index not in always]
        try:
            return bbs.verify_proof(
                key.raw, proof.proof, disclosed, proof.selective_indexes, header=header, presentation_header=proof.presentation_header
            )
        except FormatError as error:
            raise FormatError(error.what, where=_WHERE, code=_VERIFICATION) from error


BBS_2023: Final = BBSCryptosuite()


def presentation_header(value: bytes) -> bytes:
    """What a derived proof (the bytes of its ``proofValue``) is bound to besides the document: a verifier compares it with its own challenge.

    Raises ``FormatError``, or ``UnsupportedError`` for a proof with holder binding or a pseudonym.
    """
    return DerivedProofValue.parse(value).presentation_header


def _mandatory_hash(grouped: GroupedStatements, mandatory: Group) -> bytes:
    return hash_mandatory(grouped.nquads[index] for index in mandatory.matching)


def _messages(grouped: GroupedStatements, indexes: Iterable[int]) -> list[bytes]:
    return [grouped.nquads[index].encode() for index in indexes]


def _require_signature(base: BaseProofValue, header: bytes, messages: Sequence[bytes]) -> None:
    """The base proof is of this document: what is derived from another verifies nowhere."""
    from did_health.keys import bbs

    try:
        if header == base.header and bbs.verify(base.public_key, base.signature, messages, header=header):
            return
    except FormatError as error:
        raise FormatError(error.what, where=_WHERE, code=_GENERATION) from error
    raise FormatError("the base proof was not made of this document", where=_WHERE, code=_GENERATION)
