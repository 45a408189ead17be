"""``did-witness.json``: the approvals of witnesses, and how far they reach (did:webvh 1.0, "DID Witnesses")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from did_health.did.methods.webvh.parameters import WitnessList
from did_health.did.methods.webvh.proof import LogProof, create_proof
from did_health.did.methods.webvh.verification import VerifiedEntry
from did_health.encoding import strict_json, timestamps
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, UnsupportedError
from did_health.keys import Signer
from did_health.limits import MAX_DID_WITNESS_BYTES


@dataclass(frozen=True, slots=True)
class WitnessFile:
    """The content of ``did-witness.json``, read but not verified: for each ``versionId`` its proofs."""

    proofs: tuple[tuple[str, tuple[JSONObject, ...]], ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> WitnessFile:
        """Raises ``FormatError`` for another structure; whether a proof is good is asked only when it is needed."""
        items = strict_json.loads(data, what="witness file", max_bytes=MAX_DID_WITNESS_BYTES)
        if not isinstance(items, list):
            raise FormatError("the witness file is not a list")
        return cls(tuple(_parse_item(item, f"/{position}") for position, item in enumerate(items)))

    def encode(self) -> bytes:
        """The file's bytes; items without proofs are left out."""
        return strict_json.dumps([{"versionId": version_id, "proof": list(proofs)} for version_id, proofs in self.proofs if proofs]) + b"\n"

    def adding(self, version_id: str, *proofs: JSONObject) -> WitnessFile:
        """The file with these proofs of an entry added, to be published before the log that holds the entry."""
        known = dict(self.proofs)
        return WitnessFile(tuple({**known, version_id: known.get(version_id, ()) + proofs}.items()))

    def pruned(self, entries: Sequence[VerifiedEntry]) -> WitnessFile:
        """The file with only the latest proof of each witness for the published ``entries``, and all for unpublished ones."""
        numbers = {entry.version_id: entry.version_number for entry in entries}
        latest: dict[str, int] = {}
        for version_id, proofs in self.proofs:
            for proof in proofs:
                witness = str(proof.get("verificationMethod"))
                latest[witness] = max(latest.get(witness, 0), numbers.get(version_id, 0))
        kept = (
            (version_id, tuple(proof for proof in proofs if numbers.get(version_id, 0) in (0, latest[str(proof.get("verificationMethod"))])))
            for version_id, proofs in self.proofs
        )
        return WitnessFile(tuple((version_id, proofs) for version_id, proofs in kept if proofs))


def create_witness_proof(version_id: str, signer: Signer, now: datetime) -> JSONObject:
    """A witness's approval of the entry with that ``versionId`` and of all before it; the witness has verified and judged them first."""
    return create_proof({"versionId": version_id}, signer, timestamps.format(now))


def approved_through(entries: Sequence[VerifiedEntry], file: WitnessFile, *, already: int = 0, now: datetime | None = None) -> int:
    """How many of ``entries`` (a log from its beginning) are approved, counted up to the first that lacks a threshold of its witnesses.

    A valid proof approves every entry up to the one it names ("Verifying Witness Proofs During Resolution"); a proof of an entry that
    is not in the log, or one that does not verify (or has expired by ``now``), counts for nothing. ``already`` many are known to be approved.
    """
    approvals = _Approvals({entry.version_id: entry.version_number for entry in entries}, file, now)
    reach: dict[WitnessList, int] = {}
    for entry in entries[already:]:
        witnesses = entry.witnesses
        if not witnesses:
            continue
        if witnesses not in reach:
            # The threshold-th farthest of the witnesses: as many reach at least so far.
            reach[witnesses] = sorted((approvals.latest(witness) for witness in witnesses.witnesses), reverse=True)[witnesses.threshold - 1]
        if reach[witnesses] < entry.version_number:
            return entry.version_number - 1
    return len(entries)


class _Approvals:
    """Finds each witness's latest valid proof, verifying the latest first so that one signature a witness is the rule."""

    __slots__ = ("_candidates", "_now", "_verified")

    def __init__(self, numbers: Mapping[str, int], file: WitnessFile, now: datetime | None) -> None:
        self._now = now
        self._verified: dict[str, int] = {}
        self._candidates: dict[str, list[tuple[int, str, JSONObject]]] = {}
        for version_id, proofs in file.proofs:
            if version_id in numbers:
                for proof in proofs:
                    witness = str(proof.get("verificationMethod")).partition("#")[0]
                    self._candidates.setdefault(witness, []).append((numbers[version_id], version_id, proof))

    def latest(self, witness: str) -> int:
        if witness not in self._verified:
            candidates = sorted(self._candidates.get(witness, ()), key=lambda candidate: -candidate[0])
            self._verified[witness] = next((number for number, version_id, proof in candidates if self._is_valid(version_id, proof)), 0)
        return self._verified[witness]

    def _is_valid(self, version_id: str, proof: JSONObject) -> bool:
        try:
            parsed = LogProof.parse(proof)
        except (FormatError, UnsupportedError):
            return False
        if self._now is not None and parsed.expires is not None and parsed.expires <= self._now:
            return False
        return parsed.verifies({"versionId": version_id})


def _parse_item(item: object, where: str) -> tuple[str, tuple[JSONObject, ...]]:
    if not isinstance(item, dict) or not isinstance(version_id := item.get("versionId"), str):
        raise FormatError("an item of the witness file has no versionId", where=where)
    proofs = item.get("proof", [])
    if not isinstance(proofs, list) or not all(isinstance(proof, dict) for proof in proofs):
        raise FormatError("the proofs of an item of the witness file are not a list of objects", where=where)
    return version_id, tuple(proofs)
