"""A folder with institutions, their registers, wallets and a trust policy, whatever ledgers they are on.

::

    <folder>/institutions/<name>.json       who they are: public
    <folder>/institutions/<name>.keys       their keys, sealed
    <folder>/registers/<name>.sqlite        what each of them issued: never on the ledger
    <folder>/verifiers/<name>.sqlite        what each of them verified: its log, receipts and counters' memory
    <folder>/wallets/<name>.wallet          holders' keys and credentials, sealed
    <folder>/trust-policy.toml              whom a verifier here believes
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final, Self

from did_health.did.methods.webvh import Log
from did_health.encoding import strict_json
from did_health.encoding.base64 import base64url_encode
from did_health.errors import ConflictError, FormatError, StoreError
from did_health.health.board_accreditation import BoardAccreditation, CompactRole
from did_health.health.issuer_details import Issuer
from did_health.health.license_state import check_state
from did_health.keys import Algorithm
from did_health.keys.sealed import DEFAULT_COST, SealingCost, SealingKey, new_sealing_key, open_sealed
from did_health.ledger.entry import did_subject
from did_health.limits import MAX_DID_LOG_BYTES, MAX_KEY_FILE_BYTES, MAX_POLICY_BYTES, MAX_UNDO_SECONDS, MAX_WALLET_BYTES
from did_health.roles.authority import RegistryAuthority
from did_health.roles.board_directory import publish_issued, publish_left_out
from did_health.roles.docket import DocketRules
from did_health.roles.holder import Wallet, wallet_sealing_key
from did_health.roles.institution import SEALED_CONTENT, Institution, InstitutionKeys, PublishingLedger
from did_health.roles.issuer import Board
from did_health.roles.pickup import PickupDesk
from did_health.roles.receipts import ReceiptBook
from did_health.roles.register import IssuedCredential
from did_health.roles.signing import require_document_suite
from did_health.roles.verifier import Verifier
from did_health.stores import files
from did_health.stores.clock import system_clock
from did_health.stores.counter_store import SQLCounterMemory
from did_health.stores.database import Database
from did_health.stores.register_store import SQLRegister
from did_health.stores.verifier_records import SQLVerifierRecords
from did_health.stores.wallet_files import save_wallet
from did_health.trust.policy import TrustPolicy
from did_health.vc.status import StatusPurpose

Clock = Callable[[], datetime]
Random = Callable[[int], bytes]

AUTHORITY: Final = "registry"
"""The name of the registry authority's institution."""
ACCREDITED_FOR: Final = timedelta(days=5 * 365)

POLICY_FILE: Final = "trust-policy.toml"
_DRAFT: Final = ".draft.jsonl"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_FORMAT: Final = "did-health/institution/v1"


@dataclass(frozen=True, slots=True)
class InstitutionFile:
    """The public facts of an institution of this directory; ``suite`` is the cryptosuite that it signs with, ``rules`` how it decides, ``publishes``
    whether its ledger serves the licences that it issues, each from its issuing on."""

    name: str
    did: str
    title: str
    jurisdiction: str
    log_url: str
    suite: str = ""
    rules: DocketRules = field(default_factory=DocketRules)
    publishes: bool = False

    @property
    def base_url(self) -> str:
        """``https://host[/path]``, under which the institution publishes; without a slash at its end."""
        return self.log_url.rpartition("/")[0]

    def to_json(self) -> bytes:
        """The file's bytes."""
        return strict_json.dumps({
            "format": _FORMAT, "did": self.did, "title": self.title, "jurisdiction": self.jurisdiction, "logUrl": self.log_url, "suite": self.suite,
            "docket": {"secondPerson": sorted(self.rules.second_person), "undoWindowSeconds": int(self.rules.undo_window.total_seconds())},
            "publishesLicenses": self.publishes,
        }, indent=True)

    @classmethod
    def parse(cls, name: str, data: bytes) -> InstitutionFile:
        """Read the file; raises ``FormatError``."""
        document = strict_json.loads_object(data, what="institution's file")
        values = [document.get(member) for member in ("did", "title", "jurisdiction", "logUrl", "suite")]
        if document.get("format") != _FORMAT or not all(isinstance(value, str) for value in values):
            raise FormatError("the file does not describe an institution of this directory", where=f"institutions/{name}.json")
        described: list[str] = values  # type: ignore[assignment]  # each is a str
        did, title, jurisdiction, log_url, suite = described
        if not isinstance(publishes := document.get("publishesLicenses", False), bool):
            raise FormatError("whether the institution publishes licences is neither true nor false", where=f"institutions/{name}.json")
        return cls(name, did, title, jurisdiction, log_url, suite, _rules(document.get("docket", {}), name), publishes)


def _rules(value: object, name: str) -> DocketRules:
    states, seconds = (value.get("secondPerson", []), value.get("undoWindowSeconds", 0)) if isinstance(value, dict) else (None, None)
    if not isinstance(states, list) or type(seconds) is not int or not 0 <= seconds <= MAX_UNDO_SECONDS:
        raise FormatError("the rules by which the institution decides are malformed", where=f"institutions/{name}.json")
    return DocketRules(frozenset(check_state(state, f"institutions/{name}.json") for state in states), timedelta(seconds=seconds))


def _keep_silent(_rows: Sequence[IssuedCredential]) -> None:
    """What a board that publishes nothing does with what it has issued."""


class Office:
    """See the module's text. ``close`` it, or use it in a ``with`` statement.

    ``ledgers`` are those that its institutions write to, by the place (``host[/path]``) below which their DIDs are; the first is where
    institutions are founded unless another is named. Their owner closes them. ``authority`` is the office of the registry authority that
    accredits boards made here, if that is another one.
    """

    def __init__(
        self,
        path: Path,
        ledgers: Mapping[str, PublishingLedger],
        passphrase: str,
        *,
        clock: Clock = system_clock,
        random: Random = os.urandom,
        cost: SealingCost = DEFAULT_COST,
        authority: Office | None = None,
    ) -> None:
        self.path = path
        self.ledgers = ledgers
        self.clock = clock
        self.random = random
        self._authority_office = authority or self
        self._passphrase = passphrase
        self._cost = cost
        self._databases: list[Database] = []
        self._wallet_keys: dict[str, tuple[str, SealingKey]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the databases."""
        for database in self._databases:
            database.close()
        self._databases.clear()

    # ---- institutions

    @property
    def institutions(self) -> Sequence[InstitutionFile]:
        """Who is here, by name."""
        names = sorted(path.stem for path in (self.path / "institutions").glob("*.json"))
        return [self._institution_file(name) for name in names]

    def authority(self) -> RegistryAuthority:
        """The registry authority, which accredits the others."""
        institution, described = self._authority_office._open_institution(AUTHORITY)
        return RegistryAuthority(institution, Issuer(described.did, described.title, described.jurisdiction))

    def create_institution(
        self, name: str, *, title: str, jurisdiction: str, algorithm: Algorithm = Algorithm.ED25519, suite: str = "", place: str = ""
    ) -> Institution:
        """A new institution with a did:webvh DID on a ledger (that of ``place``, or the first), not accredited for anything yet.

        ``name`` is a short word for files and DID (``nc-medical``), ``title`` its full name. Raises ``ConflictError`` if there is one of
        this name, ``FormatError`` for a name that is no such word, ``UnsupportedError`` for a ``suite`` that does not sign whole documents
        with keys of ``algorithm``.
        """
        self._require_name(name)
        if suite:
            require_document_suite(suite, algorithm)
        if (self.path / "institutions" / f"{name}.json").exists():
            raise ConflictError("there is an institution of this name already", where=name, hint="Choose another name")
        place = place or next(iter(self.ledgers))
        institution = Institution.create(f"{place}/{name}", self.ledgers[place], clock=self.clock, random=self.random, algorithm=algorithm)
        self._save_keys(name, institution.keys)
        described = InstitutionFile(name, institution.did, title, jurisdiction, institution.log.did.log_url, suite)
        files.write_atomically(self.path / "institutions" / f"{name}.json", described.to_json())
        return institution

    def draft_institution(self, name: str, *, title: str, jurisdiction: str, place: str = "") -> Institution:
        """As ``create_institution``, for a ledger that is not up yet: keys and DID are made and kept, and logged by ``found_drafts``."""
        self._require_name(name)
        place = place or next(iter(self.ledgers))
        institution = Institution.draft(f"{place}/{name}", self.ledgers[place], clock=self.clock, random=self.random)
        files.make_folder(self.path / "institutions")
        files.write_atomically(self._draft_path(name), institution.log.encode())
        self._save_keys(name, institution.keys)
        described = InstitutionFile(name, institution.did, title, jurisdiction, institution.log.did.log_url)
        files.write_atomically(self.path / "institutions" / f"{name}.json", described.to_json())
        return institution

    def found_drafts(self) -> None:
        """Log the institutions that were drafted and are not on their ledgers yet."""
        for path in sorted((self.path / "institutions").glob(f"*{_DRAFT}")):
            name = path.name.removesuffix(_DRAFT)
            described, data = self._institution_file(name), files.read(path, max_bytes=MAX_DID_LOG_BYTES)
            ledger = self._ledger_of(described)
            if data is not None and ledger.latest(did_subject(described.did)) is None:
                Institution(Log.parse(data, now=self.clock()), self._keys(name), ledger, self.clock, self.random).found()
            path.unlink(missing_ok=True)

    def create_board(
        self,
        name: str,
        *,
        title: str,
        jurisdiction: str,
        professions: Sequence[str] = (),
        resources: Sequence[str] = ("PhysicianLicenseCredential",),
        entity_type: str = "medical_board",
        algorithm: Algorithm = Algorithm.ED25519,
        suite: str = "",
        purposes: Sequence[StatusPurpose] | None = None,
        compact: CompactRole | None = None,
        place: str = "",
        rules: DocketRules | None = None,
    ) -> Board:
        """A new issuer, accredited by the registry authority to issue ``resources`` for ``professions`` in ``jurisdiction``.

        ``purposes`` as of ``Board``; ``compact`` is its part in an interstate compact, ``place`` as of ``create_institution``; ``rules`` are
        how it decides, which ``set_rules`` changes.
        """
        for value, where in ((professions, "professions"), (resources, "resources")):
            if isinstance(value, str):
                raise FormatError("this is one text, not a list of them", where=where, hint="Put it into brackets")
        accreditations = [
            BoardAccreditation(
                name=title,
                entity_type=entity_type,
                jurisdiction=jurisdiction,
                resource=resource,
                professions=tuple(professions),
                valid_until=self.clock() + ACCREDITED_FOR,
                compact=compact,
            )
            for resource in resources
        ]
        institution = self.create_institution(name, title=title, jurisdiction=jurisdiction, algorithm=algorithm, suite=suite, place=place)
        self.authority().accredit_many([(accreditation, institution.did) for accreditation in accreditations])
        if rules is not None:
            self.set_rules(name, rules)
        return self._board(institution, self._institution_file(name), purposes)

    def set_rules(self, name: str, rules: DocketRules) -> None:
        """Change how a board decides from now on; what was entered keeps the rules that it was entered under."""
        if not timedelta(0) <= rules.undo_window <= timedelta(seconds=MAX_UNDO_SECONDS):
            raise ValueError(f"a window for undoing lasts up to {MAX_UNDO_SECONDS} seconds")
        described = replace(self._institution_file(name), rules=rules)
        files.write_atomically(self.path / "institutions" / f"{name}.json", described.to_json())

    def set_publishing(self, name: str, *, on: bool) -> None:
        """Whether a board opened from now on publishes each licence when it issues it; what is published already stays (``publish_public``)."""
        described = replace(self._institution_file(name), publishes=on)
        files.write_atomically(self.path / "institutions" / f"{name}.json", described.to_json())

    def board(self, name: str) -> Board:
        """An issuer of this directory; raises ``StoreError`` if there is none of that name."""
        return self._board(*self._open_institution(name))

    def institution(self, name: str) -> Institution:
        """An institution of this directory; raises ``StoreError`` if there is none of that name."""
        return self._open_institution(name)[0]

    def verifier_database(self, name: str) -> Database:
        """Where an institution keeps what it verified; made if it is not there yet, closed with this office."""
        self._institution_file(name)
        files.make_folder(self.path / "verifiers")
        database = Database.open(self.path / "verifiers" / f"{name}.sqlite")
        self._databases.append(database)
        return database

    def has_verifier(self, name: str) -> bool:
        """Whether an institution keeps what it verified here."""
        return (self.path / "verifiers" / f"{name}.sqlite").exists()

    def pickup_desk(self, name: str, verifier: Verifier) -> PickupDesk:
        """The counters of a pharmacy among the institutions, with what they share: log, receipts, uses of delegations, what to check again."""
        database = self.verifier_database(name)
        memory = SQLCounterMemory(database)
        return PickupDesk(verifier, ReceiptBook(self.institution(name), SQLVerifierRecords(database)), memory, memory)

    def rotate(self, name: str, *, services: Mapping[str, str] | None = None) -> Institution:
        """Rotate an institution's keys (see ``Institution.rotate``); the new ones are written before they are logged.

        A board that was opened before still has the old keys: whatever it is to issue or decide raises ``ConflictError``
        (``did_log_not_newest``) and writes nothing. Open it anew with ``board``.
        """
        institution = self.institution(name)
        institution.rotate(lambda keys: self._save_keys(name, keys), services=services)
        return institution

    # ---- wallets

    @property
    def wallets(self) -> Sequence[str]:
        """The names of the wallets here."""
        return sorted(path.stem for path in (self.path / "wallets").glob("*.wallet"))

    def create_wallet(self, name: str, *, passphrase: str | None = None, algorithm: Algorithm = Algorithm.ED25519) -> Wallet:
        """A new holder's wallet, written to its file; raises ``ConflictError`` if there is one of this name."""
        self._require_name(name)
        path = self._wallet_path(name)
        wallet = Wallet.create(clock=self.clock, random=self.random, algorithm=algorithm)
        key = wallet_sealing_key(passphrase or self._passphrase, self.random, self._cost)
        files.create_private(path, wallet.sealed(key, self.random))
        self._wallet_keys[name] = (wallet.did, key)
        return wallet

    def wallet(self, name: str, *, passphrase: str | None = None) -> Wallet:
        """The wallet of that name. Raises ``StoreError`` if there is none, ``VerificationError`` for a wrong passphrase."""
        return self._open_wallet(name, self._wallet_file(name), passphrase)[0]

    def save_wallet(self, name: str, wallet: Wallet, *, passphrase: str | None = None) -> None:
        """Write a wallet back to its file; what another process has put there meanwhile, ``wallet`` then holds too.

        The passphrase is stretched only if this directory has not opened or made that file yet. Raises ``ConflictError`` if the file is
        another holder's wallet.
        """
        data = self._wallet_file(name)
        did, key = self._wallet_keys.get(name, ("", None))
        # A file under another salt is not the one that the key was made for.
        if key is None or base64url_encode(key.salt).encode() not in data:
            kept, key = self._open_wallet(name, data, passphrase)
            did = kept.did
        if did != wallet.did:
            raise ConflictError("the file of this name is another holder's wallet", where=name)
        save_wallet(self._wallet_path(name), wallet, key, clock=self.clock, random=self.random)

    # ---- trust

    @property
    def policy(self) -> TrustPolicy:
        """The trust policy in ``trust-policy.toml``."""
        data = files.read(self.path / POLICY_FILE, max_bytes=MAX_POLICY_BYTES)
        if data is None:
            raise StoreError("the directory has no trust policy", where=str(self.path / POLICY_FILE), code="store_missing")
        return TrustPolicy.parse(data)

    # ---- how it is kept

    def _ledger_of(self, described: InstitutionFile) -> PublishingLedger:
        found = [ledger for place, ledger in self.ledgers.items() if described.log_url.startswith(f"https://{place}/")]
        if not found:
            raise StoreError("none of the ledgers at hand is that of this institution", where=described.log_url, code="store_foreign")
        return found[0]

    def _board(self, institution: Institution, described: InstitutionFile, purposes: Sequence[StatusPurpose] | None = None) -> Board:
        files.make_folder(self.path / "registers")
        database = Database.open(self.path / "registers" / f"{described.name}.sqlite")
        self._databases.append(database)
        details = Issuer(described.did, described.title, described.jurisdiction)
        announce: Callable[[Sequence[IssuedCredential]], object] = partial(publish_issued, institution) if described.publishes else _keep_silent
        board = Board(
            institution, details, SQLRegister(database), suite=described.suite or None, purposes=purposes, rules=described.rules, announce=announce
        )
        if described.publishes:
            publish_left_out(board)
        return board

    def _open_institution(self, name: str) -> tuple[Institution, InstitutionFile]:
        described = self._institution_file(name)
        keys = self._keys(name)
        return Institution.open(described.log_url, keys, self._ledger_of(described), clock=self.clock, random=self.random), described

    def _keys(self, name: str) -> InstitutionKeys:
        sealed = files.read_private(self._keys_path(name), max_bytes=MAX_KEY_FILE_BYTES)
        if sealed is None:
            raise StoreError("the institution's keys are missing", where=str(self._keys_path(name)), hint="Restore them from a copy", code="store_missing")
        return InstitutionKeys.parse(open_sealed(sealed, self._passphrase, content=SEALED_CONTENT)[0])

    def _institution_file(self, name: str) -> InstitutionFile:
        self._require_name(name)
        data = files.read(self.path / "institutions" / f"{name}.json", max_bytes=MAX_KEY_FILE_BYTES)
        if data is None:
            known = ", ".join(sorted(path.stem for path in (self.path / "institutions").glob("*.json")))
            raise StoreError(f"there is no institution {name} here", where=str(self.path), hint=f"There are: {known}", code="store_missing")
        return InstitutionFile.parse(name, data)

    def _save_keys(self, name: str, keys: InstitutionKeys) -> None:
        sealing = new_sealing_key(self._passphrase, content=SEALED_CONTENT, random=self.random, cost=self._cost)
        files.write_atomically(self._keys_path(name), sealing.seal(keys.to_bytes(), self.random), mode=files.PRIVATE)

    def _draft_path(self, name: str) -> Path:
        return self.path / "institutions" / f"{name}{_DRAFT}"

    def _keys_path(self, name: str) -> Path:
        return self.path / "institutions" / f"{name}.keys"

    def _wallet_path(self, name: str) -> Path:
        return self.path / "wallets" / f"{name}.wallet"

    def _open_wallet(self, name: str, data: bytes, passphrase: str | None) -> tuple[Wallet, SealingKey]:
        wallet, key = Wallet.open(data, passphrase or self._passphrase, clock=self.clock)
        self._wallet_keys[name] = (wallet.did, key)
        return wallet, key

    def _wallet_file(self, name: str) -> bytes:
        self._require_name(name)
        data = files.read_private(self._wallet_path(name), max_bytes=MAX_WALLET_BYTES)
        if data is None:
            known = ", ".join(self.wallets)
            raise StoreError(f"there is no wallet {name} here", where=str(self.path / "wallets"), hint=f"There are: {known}", code="store_missing")
        return data

    def _require_name(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise FormatError("a name is a short word of a to z, 0 to 9 and hyphens", where=name)
