"""Deriving a proof that discloses a part of a document, from the base proof that its issuer made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Final

from did_health.encoding import multibase
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, UnsupportedError
from did_health.limits import MAX_PROOFS
from did_health.vc.contexts import Contexts
from did_health.vc.proofs.plain_json import require_plain_json
from did_health.vc.proofs.proof import Proof
from did_health.vc.proofs.suite import PROOF_TYPE
from did_health.vc.proofs.table import DISCLOSURE_SUITES

_NO_CONTEXTS: Final[Contexts] = MappingProxyType({})


def derive_proof(
    document: JSONObject,
    pointers: Sequence[str],
    *,
    suite: str | None = None,
    random: Callable[[int], bytes] | None = None,
    presentation_header: bytes = b"",
    contexts: Contexts = _NO_CONTEXTS,
) -> JSONObject:
    """A new document: what the base proof says is mandatory and what ``pointers`` (RFC 6901) name, with a proof of just that.

    ``document`` has one base proof; ``suite`` tells which of two to take. Other proofs are left out, for they prove the whole. ``random``
    (n → n secret bytes) and ``presentation_header`` (bytes of the verifier's choice, which the proof binds) are for suites that say that
    they need them; ``contexts`` are known besides the packed ones. Whose the base proof is, ``verify_proofs`` of the result says. Raises
    ``FormatError`` for a document without such a proof or with several, for a malformed one or one of another document, for pointers
    that name nothing, and for JSON-LD that ``verify_proofs`` would refuse; ``UnsupportedError`` for a ``suite`` that discloses everything.
    """
    if suite is not None and suite not in DISCLOSURE_SUITES:
        raise UnsupportedError(f"no cryptosuite {suite!r} of selective disclosure is supported")
    bare = {name: value for name, value in document.items() if name != "proof"}
    require_plain_json(bare, contexts)
    proof = _base_proof(document.get("proof"), suite)
    parsed = Proof.parse(proof)
    chosen = DISCLOSURE_SUITES[parsed.cryptosuite.name]
    revealed, value = chosen.derive(
        bare, parsed.options, parsed.value, pointers, random=random, presentation_header=presentation_header, contexts=contexts
    )
    return {**revealed, "proof": {**proof, "proofValue": multibase.encode(chosen.multibase, value)}}


def _base_proof(proofs: JSON, suite: str | None) -> JSONObject:
    proofs = proofs if isinstance(proofs, list) else [proofs]
    if len(proofs) > MAX_PROOFS:
        raise FormatError(f"the document has more than {MAX_PROOFS} proofs", where="/proof", code="PARSING_ERROR")
    wanted = DISCLOSURE_SUITES if suite is None else (suite,)
    found: list[JSONObject] = [proof for proof in proofs if isinstance(proof, dict) and _name(proof) in wanted]
    if len(found) != 1:
        raise FormatError(
            f"the document has {len(found)} proofs of a suite of selective disclosure, not one",
            where="/proof",
            hint="Name the suite if there is one of each" if found else "",
            code="PROOF_GENERATION_ERROR",
        )
    return found[0]


def _name(proof: JSONObject) -> str:
    name = proof.get("cryptosuite")
    return name if isinstance(name, str) and proof.get("type") == PROOF_TYPE else ""
