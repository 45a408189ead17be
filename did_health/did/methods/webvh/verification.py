"""Whether one more entry continues a verified history: the steps of "Read (Resolve)" in did:webvh 1.0, for each entry in constant time.

Left out here, and where it is: step 1's fetching (the network layer), the witness proofs of step 2.1 and 9 (``witness``), the comparison
with the present time of step 4 (``require_past``, so that a verified history can be kept and used again), the requested DID of step 6.1
and the answers of steps 10 and 11 (``log``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from did_health.did.methods.webvh.entry import LogEntry, Place
from did_health.did.methods.webvh.hashing import computed_scid, entry_hash, next_key_hash
from did_health.did.methods.webvh.parameters import Parameters, WitnessList
from did_health.did.methods.webvh.urls import SCID_PLACEHOLDER, WebvhDID
from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, VerificationError


@dataclass(frozen=True, slots=True)
class VerifiedEntry:
    """An entry that was found to continue its log.

    ``parameters`` is the active set after it, ``author_keys`` the Multikeys that were entitled to sign it, ``signers`` those that did,
    ``witnesses`` who must approve it, ``did`` the DID that it gives to the subject.
    """

    entry: LogEntry
    parameters: Parameters
    did: WebvhDID
    author_keys: tuple[str, ...]
    signers: tuple[str, ...]
    witnesses: WitnessList

    @property
    def line(self) -> bytes:
        """The exact bytes, without the newline."""
        return self.entry.line

    @property
    def version_id(self) -> str:
        """``number-hash``."""
        return self.entry.version_id

    @property
    def version_number(self) -> int:
        """1 for the first entry."""
        return self.entry.version_number

    @property
    def version_time(self) -> datetime:
        """When the controller says that this version began, UTC."""
        return self.entry.version_time

    @property
    def state(self) -> JSONObject:
        """The DID document of this version, as received; empty only in an entry that deactivates the DID."""
        return self.entry.state

    @property
    def update_keys(self) -> tuple[str, ...]:
        """The Multikeys listed after this entry; without pre-rotation they sign the next one."""
        return self.parameters.update_keys

    @property
    def next_key_hashes(self) -> tuple[str, ...]:
        """The commitments of which the next entry's update keys must be; empty without pre-rotation."""
        return self.parameters.next_key_hashes


def verify_entry(entry: LogEntry, previous: VerifiedEntry | None) -> VerifiedEntry:
    """Check ``entry`` against the entry before it (``None``: it is the first one); the costs do not depend on the log's length.

    Raises ``VerificationError``, or ``FormatError`` for parameters or a document that cannot stand here.
    """
    number = previous.version_number + 1 if previous else 1
    if entry.version_number != number:
        raise VerificationError(f"the entry is number {entry.version_number} where number {number} is due", where="/versionId", code="version_out_of_order")
    if previous and previous.parameters.deactivated:
        raise VerificationError("the DID was deactivated by the entry before", code="did_deactivated")
    if previous and entry.version_time <= previous.version_time:
        raise VerificationError("the versionTime is not after the previous entry's", where="/versionTime", code="version_time_not_increasing")
    with Place("/parameters"):
        parameters = entry.parameters.apply(previous.parameters) if previous else entry.parameters.begin()
    _verify_hashes(entry, parameters.scid, previous)
    did = _subject(entry, parameters, previous)
    authors = _author_keys(parameters, previous)
    signers = _verify_proofs(entry, authors)
    return VerifiedEntry(entry, parameters, did, authors, signers, (previous.parameters.witness if previous else None) or parameters.witness)


def require_past(entry: VerifiedEntry, now: datetime) -> None:
    """Step 4: the versionTime is not in the future; and (Data Integrity §4.3) no proof has expired. Raises ``VerificationError``."""
    if entry.version_time > now:
        raise VerificationError("the versionTime is in the future", where="/versionTime", code="version_time_in_future")
    if any(proof.expires is not None and proof.expires <= now for proof in entry.entry.proofs):
        raise VerificationError("a proof of the entry has expired", where="/proof", code="proof_expired")


def _verify_hashes(entry: LogEntry, scid: str, previous: VerifiedEntry | None) -> None:
    """Steps 3.3 and 5; both compare with a SHA-256 hash, which is how a hash by another function is refused."""
    if entry_hash(entry.unsigned, previous.version_id if previous else scid) != entry.entry_hash:
        raise VerificationError(
            "the entry hash does not match the entry and its predecessor",
            where="/versionId",
            hint="The line was changed, or is of another log",
            code="entry_hash_mismatch",
        )
    # A placeholder left over would let two different first entries share a SCID.
    if previous is None and (SCID_PLACEHOLDER.encode() in strict_json.dumps(entry.unsigned) or computed_scid(entry.unsigned, scid) != scid):
        raise VerificationError("the SCID is not the hash of the first entry", where="/parameters/scid", code="scid_mismatch")


def _subject(entry: LogEntry, parameters: Parameters, previous: VerifiedEntry | None) -> WebvhDID:
    """Step 6 and "DID Portability": the document's id holds the SCID, and changes only in a portable DID, which names the old one."""
    if previous and not entry.state and parameters.deactivated:
        return previous.did
    identifier = entry.state.get("id")
    if not isinstance(identifier, str):
        raise FormatError("the DID document has no id", where="/state/id")
    if previous and identifier == previous.did.text:
        return previous.did
    did = WebvhDID.parse(identifier)
    if did.scid != parameters.scid:
        raise VerificationError("the DID document's id holds another SCID", where="/state/id", code="scid_mismatch")
    if previous:
        if not parameters.portable:
            raise VerificationError("the DID moves but is not portable", where="/state/id", code="not_portable")
        known_as = entry.state.get("alsoKnownAs")
        if not isinstance(known_as, list) or previous.did.text not in known_as:
            raise VerificationError("the DID moves and alsoKnownAs lacks its previous name", where="/state/alsoKnownAs", code="not_portable")
    return did


def _author_keys(parameters: Parameters, previous: VerifiedEntry | None) -> tuple[str, ...]:
    """Step 7 and "Authorized Keys": this entry's keys where it is the first or pre-rotation is active, else the previous entry's."""
    if previous is None:
        return parameters.update_keys
    if not previous.parameters.pre_rotation:
        return previous.update_keys
    commitments = set(previous.next_key_hashes)
    if any(next_key_hash(key) not in commitments for key in parameters.update_keys):
        raise VerificationError("an update key was not committed to by the entry before", where="/parameters/updateKeys", code="pre_rotation_violated")
    return parameters.update_keys


def _verify_proofs(entry: LogEntry, authors: tuple[str, ...]) -> tuple[str, ...]:
    """Step 2. Every proof must be valid and by an authorized key: one that is not says that somebody else had a hand in it."""
    entitled = set(authors)
    for position, proof in enumerate(entry.proofs):
        if proof.key.multikey not in entitled:
            raise VerificationError("the entry is signed by a key that was not authorized", where=f"/proof/{position}", code="key_not_authorized")
        if not proof.verifies(entry.unsigned):
            raise VerificationError("the entry's proof does not verify", where=f"/proof/{position}", code="proof_invalid")
    return tuple(proof.key.multikey for proof in entry.proofs)
