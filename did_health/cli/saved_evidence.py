"""Evidence that the user names by a file: what a verification kept, or a shift bundle; how old it is, and who vouches for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from did_health.cli import session
from did_health.cli.exits import UsageError
from did_health.cli.output import ago, when

if TYPE_CHECKING:
    from did_health.encoding.strict_json import JSONObject
    from did_health.roles.evidence import Evidence
    from did_health.roles.ledger_state import LedgerState
    from did_health.roles.shift_bundle import ShiftBundle
    from did_health.trust.policy import TrustPolicy

UNSIGNED: Final = "nobody: what it proves is proved by the ledger's witnesses alone"


@dataclass(frozen=True, slots=True)
class SavedEvidence:
    """``since`` is when it was gathered (the oldest item of plain evidence); ``signer`` who signed the bundle, the signature verified."""

    evidence: Evidence
    since: datetime | None
    bundle: ShiftBundle | None = None
    signer: str | None = None
    same_policy: bool = True

    def facts(self, now: datetime) -> list[tuple[str, str]]:
        """For people."""
        age = "" if self.since is None else f" ({ago(now - self.since)})"
        if self.bundle is None:
            return [("Evidence", "the file has none" if self.since is None else f"fetched {when(self.since)}{age}")]
        rows = [
            ("Evidence", f"a shift bundle for a {self.bundle.order.counter}, made {when(self.since)}{age}"),
            ("Signed by", self.signer or UNSIGNED),
        ]
        return rows if self.same_policy else [*rows, ("Attention", "it was gathered under another trust policy: something may be missing")]

    def to_json(self, now: datetime) -> JSONObject:
        """For programs."""
        age = None if self.since is None else int((now - self.since).total_seconds())
        document: JSONObject = {"since": when(self.since), "ageSeconds": age}
        if self.bundle is not None:
            document |= {"for": self.bundle.order.counter, "signedBy": self.signer, "samePolicy": self.same_policy}
        return document


def read(file: Path, policy: TrustPolicy, now: datetime, signed_by: str | None) -> SavedEvidence:
    """The evidence in ``file``; ``signed_by`` is the DID that must have signed it.

    Raises ``StoreError``, ``FormatError``, and ``VerificationError`` for a bundle whose signature does not hold or is not that one's.
    """
    from did_health.encoding import strict_json
    from did_health.limits import MAX_GATHER_BYTES
    from did_health.roles.evidence import Evidence
    from did_health.roles.shift_bundle import FORMAT, ShiftBundle

    def parse() -> SavedEvidence:
        data = session.read_file(file, max_bytes=2 * MAX_GATHER_BYTES)
        document = strict_json.loads_object(data, what="evidence file", max_bytes=2 * MAX_GATHER_BYTES)
        if document.get("format") == FORMAT:
            return checked(ShiftBundle.from_object(document), policy, now, signed_by)
        evidence = Evidence.from_object(document)
        if signed_by is not None:
            raise UsageError("evidence that a verification kept is signed by nobody", where="--signed-by", hint="Give a bundle: did-health bundle make")
        return SavedEvidence(evidence, min((item.fetched_at for item in evidence.items.values()), default=None))

    return session.at_file(file, parse)


def checked(bundle: ShiftBundle, policy: TrustPolicy, now: datetime, signed_by: str | None) -> SavedEvidence:
    """The bundle's evidence, its signature verified. Raises ``VerificationError``."""
    from did_health.roles.shift_bundle import policy_digest

    signer = bundle.verify_signature(state_of(bundle, policy), now, by=signed_by)
    same = not policy.is_empty and policy_digest(policy) == bundle.policy_digest
    return SavedEvidence(bundle.evidence, bundle.made_at, bundle, signer, same)


def state_of(bundle: ShiftBundle, policy: TrustPolicy) -> LedgerState:
    """What a bundle proves under a policy, whatever was seen elsewhere."""
    from did_health.roles.ledger_state import LedgerState
    from did_health.roles.memo import Memo

    return LedgerState(policy, bundle.evidence, Memo())


def did_named(text: str, directory: Path, option: str) -> str:
    """The DID that an option names, by itself or by the name of an institution of the directory. Raises ``UsageError``, ``FormatError``."""
    from did_health.did.did import DID
    from did_health.limits import MAX_KEY_FILE_BYTES
    from did_health.stores import files
    from did_health.stores.directory import InstitutionFile

    if text.startswith("did:"):
        return str(DID.parse(text))
    folder = directory / "institutions"
    known: Sequence[str] = sorted(one.stem for one in folder.glob("*.json"))
    data = files.read(folder / f"{text}.json", max_bytes=MAX_KEY_FILE_BYTES) if text in known else None
    if data is None:
        hint = f"There are: {', '.join(known)}; or give a DID" if known else "Give a DID"
        raise UsageError(f"there is no institution {text} here", where=option, hint=hint)
    return InstitutionFile.parse(text, data).did
