"""The holder: a wallet with keys and credentials, encrypted at rest, that shows what is asked and signs it for one audience."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from did_health.did.methods.key import did_key
from did_health.encoding import strict_json, timestamps
from did_health.encoding.base64 import base64url_decode, base64url_encode
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health.claims import CREDENTIALS_CONTEXT, HEALTH_CONTEXT
from did_health.health.credential_schemas import check_before_signing
from did_health.health.pickup_delegation import PickupDelegation
from did_health.keys import Algorithm, generate
from did_health.keys.base import ExportableSigner
from did_health.keys.sealed import DEFAULT_COST, SealingCost, SealingKey, new_sealing_key, open_sealed
from did_health.ledger.entry import Kind, revocation_subject
from did_health.ledger.log import Submission, prepare
from did_health.limits import MAX_ACTIVITY, MAX_CREDENTIALS_PER_PRESENTATION
from did_health.roles.documents import RECEIPT, logged_credential
from did_health.roles.domain.delegation import is_shown_for_another
from did_health.roles.institution import signer_from_json
from did_health.roles.issuer import Issued
from did_health.roles.key_change import sign_key_change
from did_health.roles.received_receipt import ReceivedReceipt
from did_health.roles.signing import default_suite, require_document_algorithm
from did_health.vc.credential import Credential
from did_health.vc.jose_cose.issue import sign_jwt
from did_health.vc.ledger_revocation import HANDLE_BYTES, LedgerRevocation
from did_health.vc.proofs.data_integrity import add_proof

SEALED_CONTENT: Final = "wallet"
_FORMAT: Final = "did-health/wallet/v1"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a holder issued to somebody else, and the secret handle (32 bytes) whose publication revokes it."""

    credential: JSONObject = field(repr=False)
    handle: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """The credential's id."""
        return str(self.credential["id"])

    @classmethod
    def from_json(cls, value: object, where: str) -> Grant:
        """Read one grant of a wallet's file; raises ``FormatError``."""
        if not isinstance(value, dict) or not isinstance(value.get("credential"), dict) or not isinstance(value.get("handle"), str):
            raise FormatError("a grant of the wallet is malformed", where=where)
        handle = base64url_decode(value["handle"], what="handle")
        if len(handle) != HANDLE_BYTES or not isinstance(value["credential"].get("id"), str):
            raise FormatError("a grant of the wallet is malformed", where=where)
        return cls(value["credential"], handle)


class Wallet:
    """One holder's key (as did:key) and credentials. ``clock`` gives aware UTC time. For one thread at a time."""

    __slots__ = ("_activity", "_clock", "_credentials", "_grants", "_signer", "did")

    def __init__(
        self,
        signer: ExportableSigner,
        credentials: Sequence[Issued] = (),
        grants: Sequence[Grant] = (),
        activity: Sequence[ReceivedReceipt] = (),
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._signer = signer
        self._credentials = {item.id: item for item in credentials}
        self._grants = {grant.id: grant for grant in grants}
        self._activity = {receipt.id: receipt for receipt in activity}
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
        which this holder could never present; the identity of who delegated to this holder can be, once the delegation is here.
        """
        credential = Credential.parse(issued.credential)
        if credential.id is None:
            raise FormatError("a credential without an id cannot be kept", where="/id")
        held = [Credential.parse(item.credential) for item in self._credentials.values()]
        if any(subject.get("id") != self.did for subject in credential.subjects) and not is_shown_for_another(credential, self.did, held):
            raise ValueError("the credential is about somebody else than this wallet's holder")
        self._credentials[issued.id] = issued

    def take_in(self, other: Wallet) -> None:
        """Hold what another copy of this wallet holds too; of two with the same id, this one's stays. Raises ``ValueError`` for another's."""
        if other.did != self.did:
            raise ValueError("the wallets belong to different holders")
        self._credentials = other._credentials | self._credentials
        self._grants = other._grants | self._grants
        # The copy with the proof that it is on the ledger is the later one.
        logged = {identifier: receipt for identifier, receipt in other._activity.items() if receipt.proof is not None}
        self._activity = other._activity | self._activity | logged

    def find(self, name: str) -> Issued:
        """The credential with that id, or the newest of that type; raises ``KeyError``."""
        if name in self._credentials:
            return self._credentials[name]
        for item in reversed(self._credentials.values()):
            if Credential.parse(item.credential).has_type(name):
                return item
        raise KeyError(f"this wallet holds no credential with this id or type: {name}")

    def present(self, credentials: Sequence[Issued | str], *, audience: str, nonce: str) -> bytes:
        """A presentation of these credentials (or their ids or types), signed for one ``audience`` and ``nonce``, as JSON.

        Raises ``KeyError`` for a credential that the wallet does not hold, ``ValueError`` for none or too many, or an empty audience or
        nonce.
        """
        document = self._presentation(credentials, audience, nonce)
        return strict_json.dumps(self._secured(document, "authentication", domain=audience, challenge=nonce))

    def present_jwt(self, credentials: Sequence[Issued | str], *, audience: str, nonce: str) -> bytes:
        """As ``present``, as a ``vp+jwt`` (VC-JOSE-COSE 1.0): for verifiers that read JSON Web Tokens. It says when it was signed."""
        document = self._presentation(credentials, audience, nonce)
        return sign_jwt(document, self._signer, kid=self._verification_method, audience=audience, nonce=nonce, issued_at=self._clock()).content

    def _presentation(self, credentials: Sequence[Issued | str], audience: str, nonce: str) -> JSONObject:
        if isinstance(credentials, str):
            raise TypeError("a list of credentials, ids or types is presented, not one text")
        if not 0 < len(credentials) <= MAX_CREDENTIALS_PER_PRESENTATION:
            raise ValueError(f"a presentation holds 1 to {MAX_CREDENTIALS_PER_PRESENTATION} credentials")
        if not audience or not nonce:
            raise ValueError("a presentation is made for an audience and a nonce, which the verifier gives")
        shown = [self.find(item if isinstance(item, str) else item.id) for item in credentials]
        return {
            "@context": [CREDENTIALS_CONTEXT, HEALTH_CONTEXT],
            "type": ["VerifiablePresentation"],
            "holder": self.did,
            "verifiableCredential": [item.credential for item in shown],
            RECEIPT: [item.receipt for item in shown],
        }

    # ---- who looked

    @property
    def activity(self) -> tuple[ReceivedReceipt, ...]:
        """The receipts of verifications of this holder's claims, in the order in which they came; see ``roles.receipts.verify_receipt``."""
        return tuple(self._activity.values())

    def keep_receipt(self, receipt: ReceivedReceipt) -> None:
        """Keep the copy of a receipt that a verifier gave; one with a proof that it is on the ledger replaces the one without.

        Raises ``ValueError`` for a receipt about somebody else, and when there are too many.
        """
        if receipt.subject != self.did:
            raise ValueError("the receipt is about somebody else than this wallet's holder")
        if len(self._activity) >= MAX_ACTIVITY and receipt.id not in self._activity:
            raise ValueError(f"the wallet holds {MAX_ACTIVITY} receipts already")
        if receipt.proof is not None or receipt.id not in self._activity:
            self._activity[receipt.id] = receipt

    # ---- what the holder grants to others

    @property
    def grants(self) -> tuple[Grant, ...]:
        """What this holder issued to others, in its order, with the handles that revoke it."""
        return tuple(self._grants.values())

    def delegate(self, delegation: PickupDelegation, *, to: str, random: Callable[[int], bytes]) -> Issued:
        """Let the agent with the DID ``to`` pick up medicines; hand them what comes back, and perhaps your identity credential.

        The wallet keeps the handle that revokes it (save the wallet). Raises ``FormatError`` for a DID that is none, ``ValueError`` for a
        delegation that has ended already, or one to oneself.
        """
        now = self._clock()
        if to == self.did:
            raise ValueError("nobody delegates to themselves")
        if delegation.valid_until <= (delegation.valid_from or now):
            raise ValueError("the delegation would end before it begins")
        handle = random(HANDLE_BYTES)
        document: JSONObject = {
            "@context": list(delegation.contexts),
            "id": uuid.UUID(bytes=random(16), version=4).urn,
            "type": ["VerifiableCredential", delegation.credential_type],
            "issuer": self.did,
            "validFrom": timestamps.format(delegation.valid_from or now),
            "validUntil": timestamps.format(delegation.valid_until),
            "credentialSubject": delegation.to_subject(to),
            "credentialSchema": {"id": delegation.schema_url, "type": "JsonSchema"},
            "credentialStatus": LedgerRevocation.of_handle(handle).to_json(),
        }
        check_before_signing(document, delegation.credential_type)
        grant = Grant(self._secured(document, "assertionMethod"), handle)
        self._grants[grant.id] = grant
        return Issued(grant.credential, None)

    def revocation(self, grant: str, *, random: Callable[[int], bytes]) -> Submission:
        """The entry that revokes a grant (by its id) for ever, once it is submitted to a ledger of the verifiers' policy.

        Its author is a key made for this one entry, so that the ledger learns nothing of this holder. Raises ``KeyError`` for a grant that
        this wallet does not have.
        """
        handle, author = self._grants[grant].handle, generate(random)
        did = did_key(author.public_key)
        return prepare(
            Kind.REVOCATION,
            revocation_subject(handle),
            handle,
            author=f"{did}#{author.public_key.multikey}",
            signer=author,
            now=self._clock(),
        )

    @property
    def _verification_method(self) -> str:
        return f"{self.did}#{self._signer.public_key.multikey}"

    def _secured(self, document: JSONObject, purpose: str, *, domain: str | None = None, challenge: str | None = None) -> JSONObject:
        return add_proof(
            document,
            suite=default_suite(self._signer),
            signer=self._signer,
            verification_method=self._verification_method,
            purpose=purpose,
            created=self._clock(),
            domain=domain,
            challenge=challenge,
        )

    # ---- a new key

    def with_new_key(self, random: Callable[[int], bytes]) -> tuple[Wallet, bytes]:
        """A wallet with a new key, and the statement, signed by both keys, on which issuers issue to the new one (see ``roles.key_change``).

        The new wallet holds no credentials yet, for those here are about the old key; what was granted to others can be revoked from either, and
        the activity log goes on.
        """
        wallet = Wallet(generate(random, self._signer.public_key.algorithm), (), self.grants, self.activity, clock=self._clock)
        return wallet, sign_key_change((self.did, self._signer), (wallet.did, wallet._signer), self._clock())

    # ---- at rest

    def sealed(self, key: SealingKey, random: Callable[[int], bytes]) -> bytes:
        """The wallet's file, encrypted: a backup. ``key`` came from ``open``, or is made of a passphrase by ``wallet_sealing_key``."""
        document = {
            "format": _FORMAT,
            "key": {"algorithm": self._signer.public_key.algorithm, "secret": base64url_encode(self._signer.secret)},
            "credentials": [logged_credential(item.credential, item.receipt) for item in self._credentials.values()],
            "grants": [{"credential": grant.credential, "handle": base64url_encode(grant.handle)} for grant in self._grants.values()],
            "activity": [receipt.to_object() for receipt in self._activity.values()],
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
            credential, receipt = (entry.get("credential"), entry.get(RECEIPT)) if isinstance(entry, dict) else (None, None)
            if not isinstance(credential, dict) or "id" not in credential or not isinstance(receipt, dict | None):
                raise FormatError("a credential of the wallet is malformed", where=f"/credentials/{place}")
            credentials.append(Issued(credential, receipt))
        granted = document.get("grants", [])
        if not isinstance(granted, list):
            raise FormatError("what the wallet grants is not a list", where="/grants")
        grants = [Grant.from_json(value, f"/grants/{place}") for place, value in enumerate(granted)]
        seen = document.get("activity", [])
        if not isinstance(seen, list) or len(seen) > MAX_ACTIVITY:
            raise FormatError("the wallet's activity is not a list", where="/activity")
        activity = [ReceivedReceipt.from_object(value, f"/activity/{place}") for place, value in enumerate(seen)]
        return cls(signer_from_json(document.get("key"), "/key"), credentials, grants, activity, clock=clock)


def wallet_sealing_key(passphrase: str, random: Callable[[int], bytes], cost: SealingCost = DEFAULT_COST) -> SealingKey:
    """The key of a new wallet's file; raises ``ValueError`` for a passphrase that is too short."""
    return new_sealing_key(passphrase, content=SEALED_CONTENT, random=random, cost=cost)
