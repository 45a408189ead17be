"""The holder: a wallet with keys and credentials, encrypted at rest, that shows what is asked and signs it for one audience."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from did_health.did.methods.key import did_key
from did_health.encoding import strict_json
from did_health.encoding.base64 import base64url_encode
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health.claims import CREDENTIALS_CONTEXT, HEALTH_CONTEXT
from did_health.keys import Algorithm, generate
from did_health.keys.base import ExportableSigner
from did_health.keys.sealed import DEFAULT_COST, SealingCost, SealingKey, new_sealing_key, open_sealed
from did_health.limits import MAX_CREDENTIALS_PER_PRESENTATION
from did_health.roles.documents import RECEIPT
from did_health.roles.institution import signer_from_json
from did_health.roles.issuer import Issued
from did_health.roles.signing import default_suite, require_document_algorithm
from did_health.vc.credential import Credential
from did_health.vc.proofs.data_integrity import add_proof

SEALED_CONTENT: Final = "wallet"
_FORMAT: Final = "did-health/wallet/v1"


class Wallet:
    """One holder's key (as did:key) and credentials. ``clock`` gives aware UTC time. For one thread at a time."""

    __slots__ = ("_clock", "_credentials", "_signer", "did")

    def __init__(self, signer: ExportableSigner, credentials: Sequence[Issued] = (), *, clock: Callable[[], datetime]) -> None:
        self._signer = signer
        self._credentials = {item.id: item for item in credentials}
        self._clock = clock
        self.did = str(did_key(signer.public_key))

    @classmethod
    def create(cls, *, clock: Callable[[], datetime], random: Callable[[int], bytes], algorithm: Algorithm = Algorithm.ED25519) -> Wallet:
        """An empty wallet with a new key of one of ``DOCUMENT_ALGORITHMS``."""
        return cls(generate(random, require_document_algorithm(algorithm)), clock=clock)

    @property
    def credentials(self) -> tuple[Issued, ...]:
        """What the wallet holds, in the order in which it came."""
        return tuple(self._credentials.values())

    def add(self, issued: Issued) -> None:
        """Keep a credential with its receipt; one with the same id is replaced.

        Raises ``FormatError`` for a malformed credential or one without an id, and ``ValueError`` for one that is about somebody else,
        which this holder could never present.
        """
        credential = Credential.parse(issued.credential)
        if credential.id is None:
            raise FormatError("a credential without an id cannot be kept", where="/id")
        if any(subject.get("id") != self.did for subject in credential.subjects):
            raise ValueError("the credential is about somebody else than this wallet's holder")
        self._credentials[issued.id] = issued

    def take_in(self, other: Wallet) -> None:
        """Hold what another copy of this wallet holds too; of two with the same id, this one's stays. Raises ``ValueError`` for another's."""
        if other.did != self.did:
            raise ValueError("the wallets belong to different holders")
        self._credentials = other._credentials | self._credentials

    def find(self, name: str) -> Issued:
        """The credential with that id, or the newest of that type; raises ``KeyError``."""
        if name in self._credentials:
            return self._credentials[name]
        for item in reversed(self._credentials.values()):
            if Credential.parse(item.credential).has_type(name):
                return item
        raise KeyError(name)

    def present(self, credentials: Sequence[Issued | str], *, audience: str, nonce: str) -> bytes:
        """A presentation of these credentials (or their ids or types), signed for one ``audience`` and ``nonce``, as JSON.

        Raises ``KeyError`` for a credential that the wallet does not hold, ``ValueError`` for none or too many, or an empty audience or
        nonce.
        """
        if not 0 < len(credentials) <= MAX_CREDENTIALS_PER_PRESENTATION:
            raise ValueError(f"a presentation holds 1 to {MAX_CREDENTIALS_PER_PRESENTATION} credentials")
        if not audience or not nonce:
            raise ValueError("a presentation is made for an audience and a nonce, which the verifier gives")
        shown = [self.find(item if isinstance(item, str) else item.id) for item in credentials]
        document: JSONObject = {
            "@context": [CREDENTIALS_CONTEXT, HEALTH_CONTEXT],
            "type": ["VerifiablePresentation"],
            "holder": self.did,
            "verifiableCredential": [item.credential for item in shown],
            RECEIPT: [item.receipt for item in shown],
        }
        return strict_json.dumps(
            add_proof(
                document,
                suite=default_suite(self._signer),
                signer=self._signer,
                verification_method=f"{self.did}#{self._signer.public_key.multikey}",
                purpose="authentication",
                created=self._clock(),
                domain=audience,
                challenge=nonce,
            )
        )

    def sealed(self, key: SealingKey, random: Callable[[int], bytes]) -> bytes:
        """The wallet's file, encrypted."""
        document = {
            "format": _FORMAT,
            "key": {"algorithm": self._signer.public_key.algorithm, "secret": base64url_encode(self._signer.secret)},
            "credentials": [{"credential": item.credential, RECEIPT: item.receipt} for item in self._credentials.values()],
        }
        return key.seal(strict_json.dumps(document), random)

    @classmethod
    def open(cls, data: bytes, passphrase: str, *, clock: Callable[[], datetime]) -> tuple[Wallet, SealingKey]:
        """The wallet in a sealed file, and the key to seal it again.

        Raises ``VerificationError`` for a wrong passphrase or a changed file, ``FormatError`` for anything that is no wallet.
        """
        plaintext, key = open_sealed(data, passphrase, content=SEALED_CONTENT)
        return cls._parse(plaintext, clock), key

    @classmethod
    def reopen(cls, data: bytes, key: SealingKey, *, clock: Callable[[], datetime]) -> Wallet:
        """As ``open``, by the key that sealed the file before, without stretching the passphrase."""
        return cls._parse(key.reopen(data), clock)

    @classmethod
    def _parse(cls, plaintext: bytes, clock: Callable[[], datetime]) -> Wallet:
        document = strict_json.loads_object(plaintext, what="wallet", max_bytes=len(plaintext))
        entries = document.get("credentials")
        if document.get("format") != _FORMAT or not isinstance(entries, list):
            raise FormatError("the file does not hold a wallet")
        credentials = []
        for place, entry in enumerate(entries):
            if not isinstance(entry, dict) or not isinstance(entry.get("credential"), dict) or not isinstance(entry.get(RECEIPT), dict):
                raise FormatError("a credential of the wallet is malformed", where=f"/credentials/{place}")
            credentials.append(Issued(entry["credential"], entry[RECEIPT]))
        return cls(signer_from_json(document.get("key"), "/key"), credentials, clock=clock)


def wallet_sealing_key(passphrase: str, random: Callable[[int], bytes], cost: SealingCost = DEFAULT_COST) -> SealingKey:
    """The key of a new wallet's file; raises ``ValueError`` for a passphrase that is too short."""
    return new_sealing_key(passphrase, content=SEALED_CONTENT, random=random, cost=cost)
