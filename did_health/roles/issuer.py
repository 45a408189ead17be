"""The issuer: a board (or an identity provider) that issues, suspends, reinstates and revokes credentials, all of it logged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from did_health.encoding import strict_json, timestamps
from did_health.encoding.strict_json import JSONObject
from did_health.errors import ConflictError, FormatError, StoreError
from did_health.health.claim_types import claims_of
from did_health.health.claims import CredentialClaims
from did_health.health.credential_schemas import check_before_signing
from did_health.health.issuer_details import Issuer
from did_health.health.license_state import CLEAR, Axis, LicenseState
from did_health.health.local_days import local_days
from did_health.health.status_messages import SIGNALS
from did_health.ledger.batch import IssuanceBatch, IssuanceReceipt, credential_digest
from did_health.ledger.entry import Kind
from did_health.limits import MAX_BATCH_ENTRIES
from did_health.roles.decision import Decision
from did_health.roles.docket import Docket, DocketRules
from did_health.roles.documents import logged_credential
from did_health.roles.domain.scopes import is_self_issued
from did_health.roles.institution import Institution
from did_health.roles.key_change import KeyChange
from did_health.roles.publication import Publication
from did_health.roles.register import IssuedCredential, Register, StatusChange
from did_health.roles.signing import default_suite, require_document_suite
from did_health.roles.status_publisher import LIST_SIZE, StatusPublisher
from did_health.vc.credential import Credential
from did_health.vc.status import StatusPurpose

Progress = Callable[[int, int], None]
"""Called with ``(done, total)``."""

MAX_HELD: Final = 1_000
"""How many credentials of one holder are looked at."""
_PROGRESS_EVERY: Final = 500
_INHERITED: Final[Sequence[StatusPurpose]] = (StatusPurpose.SUSPENSION, StatusPurpose.MESSAGE)


@dataclass(frozen=True, slots=True)
class Issued:
    """A credential fresh from its issuer, with the receipt that its issuing was logged. Hand both to the holder.

    ``receipt`` is ``None`` for what a person issues in their own name, which is never logged.
    """

    # Claims stay out of logs and tracebacks.
    credential: JSONObject = field(repr=False)
    receipt: JSONObject | None = field(repr=False)

    @property
    def id(self) -> str:
        """The credential's id."""
        return str(self.credential["id"])

    def to_json(self) -> bytes:
        """The file that travels to the holder: ``{"credential": …, "issuanceReceipt": …}``, the latter if there is one."""
        return strict_json.dumps(logged_credential(self.credential, self.receipt))

    @classmethod
    def parse(cls, data: bytes) -> Issued:
        """Read what ``to_json`` wrote; raises ``FormatError``."""
        document = strict_json.loads_object(data, what="issued credential")
        credential, receipt = document.get("credential"), document.get("issuanceReceipt")
        if not isinstance(credential, dict) or not isinstance(receipt, dict | None):
            raise FormatError("the file does not hold a credential with its issuance receipt")
        parsed = Credential.parse(credential)
        if receipt is not None:
            IssuanceReceipt.parse(receipt)
        elif not is_self_issued(parsed):
            raise FormatError("the credential has no issuance receipt", hint="Ask its issuer for it")
        return cls(credential, receipt)


    @classmethod
    def of(cls, row: IssuedCredential) -> Issued:
        """What a row of the register holds."""
        return cls(strict_json.loads_object(row.document), strict_json.loads_object(row.receipt))


class Board:
    """An issuer with its register: state medical boards, pharmacy boards, identity providers, registry authorities.

    ``details`` appear in what it issues. ``suite`` is the cryptosuite, by default the JCS suite of the assertion key, and ``purposes`` are
    those of the status lists; a purpose that the register has a list for stays, and is the default. ``rules`` say how it decides. ``announce`` is
    told what was issued once the register has it, such as to publish it (``roles.board_directory``). One board object is used by one
    thread at a time; several processes may share a register, the second to write gets ``ConflictError``.

    ``docket`` holds its decisions about what it issued; ``suspend``, ``reinstate`` and ``revoke`` are the common ones.
    """

    def __init__(
        self,
        institution: Institution,
        details: Issuer,
        register: Register,
        *,
        suite: str | None = None,
        purposes: Sequence[StatusPurpose] | None = None,
        rules: DocketRules | None = None,
        announce: Callable[[Sequence[IssuedCredential]], object] = lambda _rows: None,
    ) -> None:
        if details.id != institution.did:
            raise ValueError("the details are another issuer's")
        signer = institution.keys.assertion
        self.institution = institution
        self.details = details
        self._register = register
        self._announce = announce
        self._suite = require_document_suite(suite or default_suite(signer), signer.public_key.algorithm)
        # Lists are always signed as JSON: they have members that the base context lacks terms for.
        self._status = StatusPublisher(institution, register, default_suite(signer), purposes)
        self._status.open()
        self.docket = Docket(
            self.did,
            register,
            rules or DocketRules(),
            days=local_days(details.jurisdiction),
            clock=institution.clock,
            random=institution.random,
            published=Publication(register, self._status, institution.clock, self._listed, self._reissue),
        )

    @property
    def did(self) -> str:
        """The issuer's DID."""
        return self.institution.did

    def issue(self, claims: CredentialClaims, *, to: str) -> Issued:
        """Issue one credential about the DID ``to``.

        Raises ``FormatError`` for claims that this issuer cannot state, ``ConflictError`` for a number that is already issued, or if the
        issuer's keys were rotated since it was opened (``did_log_not_newest``); then nothing is written.
        """
        return self.issue_many([(claims, to)])[0]

    def issue_many(self, orders: Sequence[tuple[CredentialClaims, str]], *, progress: Progress | None = None) -> tuple[Issued, ...]:
        """Issue a credential for each ``(claims, DID)``: all or none, in one transaction, under one entry of the ledger.

        ``progress`` is called now and then. Raises as ``issue`` does; ``where`` names the place in ``orders``.
        """
        return self._issue(orders, progress) if orders else ()

    def _issue(
        self, orders: Sequence[tuple[CredentialClaims, str]], progress: Progress | None, *, superseding: Sequence[IssuedCredential] = ()
    ) -> tuple[Issued, ...]:
        for claims, _ in orders:
            if isinstance(claims, str | bytes | Mapping):
                raise TypeError(f"claims are an object such as PhysicianLicense, not {type(claims).__name__}; the holder's DID is given by to=")
        self.institution.require_current_key()
        now = self.institution.clock()
        if not superseding:
            self._refuse_doubles([claims for claims, _ in orders])
        subjects = [self._subject(place, claims, to, now) for place, (claims, to) in enumerate(orders)]
        indices = self._register.reserve(self._status.url, len(orders), LIST_SIZE, self.institution.random)
        if superseding:
            self._inherit([row.index for row in superseding], indices)
        credentials: list[JSONObject] = []
        for place, ((claims, _), subject, index) in enumerate(zip(orders, subjects, indices, strict=True)):
            credentials.append(self._signed(claims, subject, index, now))
            if progress is not None and place % _PROGRESS_EVERY == 0:
                progress(place, len(orders))
        batch = IssuanceBatch([credential_digest(credential) for credential in credentials])
        (logged,) = self.institution.submit(self.institution.entry(Kind.ISSUANCE_BATCH, self.did, batch.content))
        receipts = batch.receipts(logged.proof)
        issued = tuple(Issued(credential, receipt.to_object()) for credential, receipt in zip(credentials, receipts, strict=True))
        rows = [
            IssuedCredential(
                id=item.id,
                issuer=self.did,
                type=claims.credential_type,
                subject=to,
                number=claims.number,
                status_set=self._status.url,
                index=index,
                issued_at=now,
                document=strict_json.dumps(item.credential),
                receipt=strict_json.dumps(item.receipt),
            )
            for item, (claims, to), index in zip(issued, orders, indices, strict=True)
        ]
        self._register.add(rows, superseding=[row.id for row in superseding])
        self._announce(rows)
        if progress is not None:
            progress(len(orders), len(orders))
        return issued

    def _inherit(self, indices: Sequence[int], successors: Sequence[int]) -> None:
        """Give what is about to be issued anew the status of what it follows, before anybody can have it: a suspended licence stays suspended."""
        alike: dict[tuple[tuple[StatusPurpose, int], ...], list[int]] = {}
        values = self._status.values(indices)
        for place, successor in enumerate(successors):
            standing = tuple((purpose, values[purpose][place]) for purpose in _INHERITED if purpose in values and values[purpose][place])
            if standing:
                alike.setdefault(standing, []).append(successor)
        for standing, changing in alike.items():
            # The history is that of the credential before it.
            self._status.change(dict(standing), changing, ())

    def suspend(
        self, credential: str | Issued, *, reason: str, effective: datetime | None = None, order: str = "", state: str = "suspended", by: str = ""
    ) -> Decision:
        """Suspend a credential until it is reinstated. ``order`` names the public board order, ``state`` the board's word for it.

        As ``docket.enter``: with ``effective`` in the future it is scheduled, and carried out by ``docket.tick``. Raises ``KeyError`` for a
        credential that this issuer never issued, ``ValueError`` for one that is revoked, and for a word that means no suspension.
        """
        _require_word(state, [word for word, signal in SIGNALS.items() if signal.suspension])
        return self._decide(credential, state, reason, effective, order, by)

    def reinstate(self, credential: str | Issued, *, reason: str, effective: datetime | None = None, order: str = "", by: str = "") -> Decision:
        """End whatever stands against a credential, on both axes; the last decision that did it.

        What is revoked stays revoked: reinstatement after a revocation is a new credential (``ValueError``).
        """
        credential_id = self._listed(credential).id
        state = self.docket.state(credential_id)
        axes = [axis for axis, word in ((Axis.RENEWAL, state.renewal), (Axis.DISCIPLINE, state.discipline)) if word != CLEAR] or [Axis.DISCIPLINE]
        return [self._decide(credential, CLEAR, reason, effective, order, by, axis) for axis in axes][-1]

    def revoke(
        self, credential: str | Issued, *, reason: str, effective: datetime | None = None, order: str = "", state: str = "revoked", by: str = ""
    ) -> Decision:
        """Revoke a credential for ever, which frees its number; arguments and errors as of ``suspend``."""
        _require_word(state, [word for word, signal in SIGNALS.items() if signal.revocation])
        return self._decide(credential, state, reason, effective, order, by)

    def reissue(self, credential: str | Issued, claims: CredentialClaims) -> Issued:
        """Issue a credential anew, with other claims, to the same holder under the same number, and tell the old one's holder to fetch it.

        The old one stays what it was, with the status ``refresh`` if this issuer has a list for it; what stands against it stands against
        the new one. Raises as ``issue`` does, and ``ValueError`` for one that is revoked, or if restrictions that stand are left out.
        """
        return self.reissue_many([(credential, claims)])[0]

    def reissue_many(self, orders: Sequence[tuple[str | Issued, CredentialClaims]]) -> tuple[Issued, ...]:
        """As ``reissue``, each credential to its own holder: all or none, under one entry of the ledger."""
        for credential, claims in orders:
            standing = [restriction for one in self.docket.standing(self._listed(credential).id) for restriction in one.restrictions]
            if not set(standing) <= set(getattr(claims, "restrictions", ())):
                raise ValueError("the licence is not issued anew without restrictions that stand: decide about them first")
        return self._reissue(orders)

    def _reissue(self, orders: Sequence[tuple[str | Issued, CredentialClaims]]) -> tuple[Issued, ...]:
        rows = [self._listed(credential) for credential, _ in orders]
        if any(row.type != claims.credential_type or row.number != claims.number for row, (_, claims) in zip(rows, orders, strict=True)):
            raise ValueError("a credential is reissued as the same type and under the same number")
        if not rows:
            return ()
        if any(self._status.values([row.index for row in rows]).get(StatusPurpose.REVOCATION, ())):
            raise ValueError("what is revoked is not issued anew: issue a new credential")
        issued = self._issue([(claims, row.subject) for row, (_, claims) in zip(rows, orders, strict=True)], None, superseding=rows)
        if StatusPurpose.REFRESH in self._status.purposes:
            now = self.institution.clock()
            changes = [StatusChange(row.id, StatusPurpose.REFRESH, 1, "a newer credential was issued", "", now, now) for row in rows]
            self._status.change({StatusPurpose.REFRESH: 1}, [row.index for row in rows], changes)
        return issued

    def replace_holder(self, credential: str | Issued, change: KeyChange) -> Issued:
        """Issue a credential anew to the holder's new key, and revoke it for the old one.

        ``change`` was verified (``KeyChange.verified``). Raises ``KeyError``, and ``ValueError`` for a credential that is not the old key's or
        is revoked, or one against which something stands: look at that first.
        """
        row = self._listed(credential)
        if row.subject != change.old:
            raise ValueError("the credential is about another holder than the one whose key changed")
        if self.is_revoked(row.id) or self.docket.state(row.id) != LicenseState():
            raise ValueError("the credential is not active: it is not issued to a new key as it stands")
        if any(not one.is_final and not one.is_in_force for one in self.docket.history(row.id)):
            raise ValueError("a decision about the credential waits to be carried out: withdraw it first, and enter it again about the new one")
        document = Credential.parse(row.document)
        if document.valid_until is None:
            raise ValueError("the credential has no end: only what this library issues is issued anew")
        claims = claims_of(row.type, document.subjects[0], valid_until=document.valid_until, valid_from=document.valid_from)
        (issued,) = self._issue([(claims, change.new)], None, superseding=[row])
        now = self.institution.clock()
        revocation = StatusChange(row.id, StatusPurpose.REVOCATION, 1, "the holder has a new key", "", now, now)
        self._status.change({StatusPurpose.REVOCATION: 1}, [row.index], [revocation])
        return issued

    def is_revoked(self, credential: str | Issued) -> bool:
        """Whether the register says that the credential is revoked."""
        return self._status.value(StatusPurpose.REVOCATION, self._listed(credential).index) == 1

    def revoked(self, rows: Sequence[IssuedCredential]) -> frozenset[str]:
        """The ids of those of ``rows`` (of this issuer's register) that it says are revoked, at one reading."""
        if any(row.status_set != self._status.url for row in rows):
            raise StoreError("a credential's status is kept in another set of lists", code="status_set_unknown")
        values = self._status.values([row.index for row in rows]).get(StatusPurpose.REVOCATION, [0] * len(rows))
        return frozenset(row.id for row, value in zip(rows, values, strict=True) if value)

    def is_suspended(self, credential: str | Issued) -> bool:
        """Whether the register says that the credential is suspended."""
        return self._status.value(StatusPurpose.SUSPENSION, self._listed(credential).index) == 1

    def issued(self, credential: str | Issued) -> IssuedCredential:
        """The register's row of a credential (or of its id); raises ``KeyError`` if this issuer never issued it."""
        credential_id = credential if isinstance(credential, str) else credential.id
        row = self._register.get(credential_id)
        if row is None or row.issuer != self.did:
            raise KeyError(f"this issuer issued no credential with this id: {credential_id}. By its number newest(…) finds it")
        return row

    def all(self) -> Iterator[IssuedCredential]:
        """Every credential of this issuer, in the order of issuing."""
        return self._register.all(self.did)

    def newest(self, credential_type: str, numbers: Sequence[str]) -> Mapping[str, IssuedCredential]:
        """By number the newest credential of this type that this issuer issued, whatever became of it."""
        return self._register.newest(self.did, credential_type, numbers)

    def last_issued(self) -> Sequence[str]:
        """The ids of what was issued last, all at one time: the only ones that a crash can have kept from their holders."""
        rows = self._register.find(self.did, limit=MAX_BATCH_ENTRIES)
        return [row.id for row in rows if row.issued_at == rows[0].issued_at]

    def held_by(self, subject: str) -> Sequence[IssuedCredential]:
        """What the holder with this DID has of this issuer's and is not revoked, newest first."""
        return [row for row in self._register.find(self.did, subject=subject, limit=MAX_HELD) if not self.is_revoked(row.id)]

    def history(self, credential: str | Issued) -> Sequence[StatusChange]:
        """Every change of a credential's status, oldest first."""
        return self._register.history(self.issued(credential).id)

    def _decide(
        self, credential: str | Issued, state: str, reason: str, effective: datetime | None, order: str, by: str, axis: Axis | None = None
    ) -> Decision:
        row = self._listed(credential)
        if self.is_revoked(row.id):
            raise ValueError("the credential is revoked for ever: issue a new one")
        return self.docket.enter(row.id, state, reason=reason, by=by, order=order, axis=axis, effective=effective)

    def _listed(self, credential: str | Issued) -> IssuedCredential:
        """As ``issued``; raises ``StoreError`` if its index is one of other lists than those that are kept here."""
        row = self.issued(credential)
        if row.status_set != self._status.url:
            raise StoreError("the credential's status is kept in another set of lists", where=row.status_set, code="status_set_unknown")
        return row

    def _refuse_doubles(self, claims: Sequence[CredentialClaims]) -> None:
        seen: set[tuple[str, str]] = set()
        for place, item in enumerate(claims):
            key = (item.credential_type, item.number)
            if item.number and key in seen:
                raise ConflictError("the same number is to be issued twice", where=f"order {place}")
            seen.add(key)
        for credential_type in {kind for kind, _ in seen}:
            taken = self._register.numbers(self.did, credential_type, [number for kind, number in seen if kind == credential_type and number])
            for place, item in enumerate(claims):
                if item.credential_type == credential_type and item.number in taken:
                    raise ConflictError(
                        "a credential with this number has been issued and not been revoked", where=f"order {place}", hint="Is it the right number?"
                    )

    def _subject(self, place: int, claims: CredentialClaims, to: str, now: datetime) -> JSONObject:
        if claims.valid_until <= (claims.valid_from or now):
            raise FormatError("the credential would end before it begins", where=f"order {place}: /validUntil", hint="It begins now unless it says when")
        try:
            return claims.to_subject(to, self.details)
        except FormatError as error:
            raise FormatError(error.what, where=f"order {place}: {error.where}", hint=error.hint, code=error.code) from error

    def signed(self, claims: CredentialClaims, *, to: str, index: int, now: datetime) -> JSONObject:
        """A credential as ``issue`` signs it, with that status list index; no verifier accepts it, for it is not logged."""
        return self._signed(claims, claims.to_subject(to, self.details), index, now)

    def _signed(self, claims: CredentialClaims, subject: JSONObject, index: int, now: datetime) -> JSONObject:
        document: JSONObject = {
            "@context": list(claims.contexts),
            "id": _random_urn(self.institution.random(16)),
            "type": ["VerifiableCredential", claims.credential_type],
            "issuer": self.did,
            "validFrom": timestamps.format(claims.valid_from or now),
            "validUntil": timestamps.format(claims.valid_until),
            "credentialSubject": subject,
            "credentialSchema": {"id": claims.schema_url, "type": "JsonSchema"},
            "credentialStatus": self._status.entries(index),
        }
        check_before_signing(document, claims.credential_type)
        return self.institution.secured(document, created=now, suite=self._suite)


def _random_urn(random: bytes) -> str:
    """A random UUID (RFC 9562 §5.4) of 16 random bytes, as a URN; the uuid package takes four times as long."""
    digits = random.hex()
    return f"urn:uuid:{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{'89ab'[random[8] >> 6]}{digits[17:20]}-{digits[20:]}"


def _require_word(state: str, words: Sequence[str]) -> None:
    if state not in words:
        raise ValueError(f"the board's word for the state is none of {', '.join(words)}")
