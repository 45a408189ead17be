"""One running VC-API: its parties, issuers, status lists and contexts. Everything that changes is in the status lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.keys import Algorithm
from did_health.roles.evidence import Source
from did_health.services.vc_api.issuers import SECRET_BYTES, Issuer, Party, make_issuers, make_parties
from did_health.services.vc_api.requests import SecuringOptions
from did_health.services.vc_api.resolving import World
from did_health.services.vc_api.securing import ProofOptions
from did_health.services.vc_api.status_lists import StatusLists
from did_health.vc.contexts import Contexts
from did_health.vc.proofs import UnsafeInlineContexts

EXAMPLE_CONTEXTS: Final[Contexts] = MappingProxyType({
    "https://www.w3.org/ns/credentials/examples/v2": {"@context": {"@vocab": "https://www.w3.org/ns/credentials/examples#"}},
    "https://www.w3.org/ns/credentials/undefined-terms/v2": {"@context": {"@vocab": "https://www.w3.org/ns/credentials/undefined-term#"}},
})
"""Contexts that define every term: for tests and examples (VC Data Model 2.0 appendix B)."""

DEFAULT_SUITES: Final = MappingProxyType({
    Algorithm.ED25519: "eddsa-rdfc-2022",
    Algorithm.P256: "ecdsa-rdfc-2019",
    Algorithm.P384: "ecdsa-rdfc-2019",
    Algorithm.BLS12381G2: "bbs-2023",
})
"""What is used where a request does not say."""


class Instance:
    """``base_url`` is the URL that the status lists are published under, ``contexts`` are known besides the packed ones.

    All keys are derived from ``secret`` (``SECRET_BYTES``), or made anew without one.
    """

    def __init__(
        self,
        base_url: str,
        source: Source,
        *,
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
        contexts: Contexts = EXAMPLE_CONTEXTS,
        secret: bytes | None = None,
    ) -> None:
        self.base_url, self.clock, self.random = base_url, clock, random
        # Documents of conformance tests bring contexts along; nothing here is decided by the JSON of what was verified.
        self.contexts: Contexts = UnsafeInlineContexts(contexts)
        self._source = source
        self.parties: Mapping[Algorithm, Party] = make_parties(secret if secret is not None else random(SECRET_BYTES))
        self.issuers: Mapping[str, Issuer] = make_issuers(self.parties)
        self.status_lists = StatusLists(base_url, self._sign_list, clock=clock, random=random)

    def world(self) -> World:
        """What a verification may ask, as of now."""
        return World(self._source, self.clock(), self.status_lists.document)

    def issuer(self, options: SecuringOptions, did: str | None) -> Issuer:
        """The issuer that ``options`` ask for, with the key of ``did`` if that is one of ours. Raises ``FormatError``."""
        party = self._party(options, did)
        name = options.suite or DEFAULT_SUITES[party.algorithm if party else Algorithm.ED25519]
        issuer = self.issuers.get(f"{name}-{party.algorithm}" if party else name)
        if issuer is None:
            keyed = f" and a key of {party.algorithm}" if party else ""
            raise FormatError(f"no issuer here has the suite {name[:64]!r}{keyed}", where="/options/cryptosuite", code="PROOF_GENERATION_ERROR")
        return issuer

    def _party(self, options: SecuringOptions, did: str | None) -> Party | None:
        if options.verification_method is not None:
            for party in self.parties.values():
                if options.verification_method in (party.verification_method, party.did):
                    return party
            raise FormatError("the verification method is none of this service", where="/options/verificationMethod", code="PROOF_GENERATION_ERROR")
        return next((party for party in self.parties.values() if party.did == did), None)

    def secured(self, issuer: Issuer, document: JSONObject, options: SecuringOptions, purpose: str) -> JSONObject:
        """``document`` secured by ``issuer``. Raises ``FormatError``."""
        party = issuer.party
        proof = ProofOptions(
            options.purpose or purpose,
            options.created or self.clock(),
            options.expires,
            options.domain,
            options.challenge,
            options.mandatory_pointers,
        )
        return issuer.securing.secure(document, party.signer, party.verification_method, proof, contexts=self.contexts, random=self.random)

    def _sign_list(self, owner: str, document: JSONObject) -> JSONObject:
        party = next(party for party in self.parties.values() if party.did == owner)
        issuer = self.issuers[f"{DEFAULT_SUITES[party.algorithm]}-{party.algorithm}"]
        return self.secured(issuer, document, SecuringOptions(), "assertionMethod")

    def list_owner(self, issuer: Issuer) -> str:
        """Whose lists the credentials of ``issuer`` are on: its own, unless its key signs in no way that a list can be verified as it is."""
        discloses = issuer.party.algorithm is Algorithm.BLS12381G2
        return (self.parties[Algorithm.ED25519] if discloses else issuer.party).did
