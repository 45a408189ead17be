"""A whole ledger in one folder, without a server: the log, its database, its published files, and witnesses that cosign it.

::

    <folder>/ledger.sqlite               entries, documents, checkpoint (unless they are in a PostgreSQL database)
    <folder>/keys/*.key                  the log's and each witness's key, sealed, each readable by its owner only
    <folder>/witnesses/*.sqlite          what each witness saw last: apart, so that an old ledger.sqlite cannot take it back
    <folder>/published/…                 checkpoint, tiles and entry bundles as static files (C2SP tlog-tiles)

Several threads and processes may use one folder. A batch goes through these steps, and a crash after any of them is made good
by the next writer, so that two trees of one size are never signed:

1. ask the witnesses what they saw last: if that is more than the database has, refuse;
2. admit, append, end with a map head, and store the signed checkpoint as pending, in one transaction that compares and swaps the
   checkpoint row;
3. write tiles and entry bundles;
4. collect cosignatures, until there is a quorum;
5. mark the checkpoint published and bring the map up to it, in one transaction, then replace the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

from did_health.encoding import strict_json
from did_health.errors import DidHealthError, StoreError, VerificationError
from did_health.keys.sealed import DEFAULT_COST, SealingCost
from did_health.ledger.admission import Admitted
from did_health.ledger.entry import Entry
from did_health.ledger.log import LoggedEntry, Submission
from did_health.ledger.sequencer import Batch, admit_groups, plan
from did_health.ledger.submission_receipt import SubmissionReceipt
from did_health.ledger.witness import Asking, Cosigner, ask, collect, in_turn, require_no_rollback, too_few
from did_health.stores.database import Database, Leader
from did_health.stores.key_files import create_keys, open_keys
from did_health.stores.ledger_map import head_at
from did_health.stores.ledger_place import ledger_place, require_vacant
from did_health.stores.ledger_state import StoredState
from did_health.stores.ledger_store import LedgerStore, LogState, StoredEntry, write_conflict
from did_health.stores.local_witnesses import LocalWitness, key_paths, local_witnesses
from did_health.stores.log_reader import LogReader, host_of
from did_health.stores.sqlite import SMALL_ROWS
from did_health.stores.tile_files import CHECKPOINT, TileFiles
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.note import NoteSigner, SignedNote
from did_health.tlog.proof import TlogProof
from did_health.tlog.witness_policy import WITNESSES, PolicyLog, WitnessPolicy, quorum_policy

Clock = Callable[[], datetime]
Random = Callable[[int], bytes]

POLICY_SETTING: Final = "policy"
URL_SETTING: Final = "url"
"""Among the settings of the database: what a front end has to know."""
_AUTHORITIES: Final = "registry-authorities"
_WITNESSES: Final = "witnesses"


class EmbeddedLedger(LogReader):
    """A ledger in this process; implements ``did_health.ledger.log.Ledger`` and ``did_health.roles.evidence.Source``.

    ``create`` and ``open`` are the ways in.
    """

    def __init__(
        self,
        folder: Path,
        database: Database,
        signer: NoteSigner,
        witnesses: Sequence[LocalWitness],
        clock: Clock,
        settings: Mapping[str, str],
        cosigners: Sequence[Cosigner] = (),
        asking: Asking = in_turn,
    ) -> None:
        super().__init__(settings[URL_SETTING], LedgerStore(database), TileFiles(folder / "published"), clock)
        self._database, self._signer = database, signer
        self._cosigners: list[Cosigner] = [*(local.witness for local in witnesses), *cosigners]
        self._witness_databases = [local.database for local in witnesses]
        self._policy = WitnessPolicy.parse(settings[POLICY_SETTING])
        group = next(group for group in self._policy.groups if group.name == WITNESSES)
        keys = {witness.key for witness in self._policy.witnesses if witness.name in group.members}
        # Who is asked what it saw last: of mirrors two quorums need not have one in common.
        self._witnesses = [cosigner for cosigner in self._cosigners if cosigner.key in keys]
        self._quorum = group.threshold
        self._asking = asking

    @classmethod
    def create(
        cls,
        directory: Path,
        *,
        origin: str,
        url: str,
        clock: Clock,
        random: Random,
        passphrase: str,
        witness_names: int | Sequence[str] = 4,
        quorum: int = 3,
        cost: SealingCost = DEFAULT_COST,
        registry_authorities: Sequence[str] = (),
        cosigners: Sequence[Cosigner] = (),
        mirrors: Sequence[Cosigner] = (),
        mirror_quorum: int = 1,
        asking: Asking = in_turn,
        database_url: str | None = None,
    ) -> EmbeddedLedger:
        """Make a new, empty ledger in ``directory``, which is made if it is not there.

        ``origin`` names the log in its checkpoints, ``url`` is the prefix under which verifiers will look for it, ``witness_names`` the
        witnesses' names (a number stands for ``witness-1`` and so on), ``quorum`` how many of them must cosign. Where ``cosigners`` are
        given, such as witnesses behind URLs, those are the witnesses and none is made here. Where ``mirrors`` are given, ``mirror_quorum``
        of them must cosign, too. ``asking`` is how all of them are asked (``stores.asking.AtOnce`` for those behind URLs). ``database_url``
        is where the log is kept if not in the folder: an empty PostgreSQL database. ``random`` gives secret bytes. Raises
        ``ConflictError`` where there is a ledger already, ``FormatError`` for an origin or URL that cannot be one, ``ValueError`` for a
        quorum that its witnesses cannot reach or a passphrase that is too short, ``StoreError``.
        """
        names = [f"witness-{number + 1}" for number in range(witness_names)] if isinstance(witness_names, int) else list(witness_names)
        if cosigners:
            names = []
        if not 0 < quorum <= len(names) + len(cosigners):
            raise ValueError(f"a quorum of {quorum} cannot be had of {len(names) + len(cosigners)} witnesses")
        if mirrors and not 0 < mirror_quorum <= len(mirrors):
            raise ValueError(f"a quorum of {mirror_quorum} cannot be had of {len(mirrors)} mirrors")
        url = url.rstrip("/")
        host_of(url)
        require_vacant(directory, database_url)
        signers = create_keys(key_paths(directory, len(names)), passphrase, random=random, cost=cost)
        log = NoteSigner(origin, signers[0])
        witnesses = local_witnesses(directory, names, signers[1:], log, create=True)
        keys = [*(local.witness.key for local in witnesses), *(cosigner.key for cosigner in cosigners)]
        vouchers = [mirror.key for mirror in mirrors]
        policy = quorum_policy([PolicyLog(log.key, url)], witnesses=keys, quorum=quorum, mirrors=vouchers, mirror_quorum=mirror_quorum)
        settings = {
            POLICY_SETTING: policy.encode(),
            URL_SETTING: url,
            _WITNESSES: strict_json.dumps(names).decode(),
            _AUTHORITIES: strict_json.dumps(sorted(set(registry_authorities))).decode(),
        }
        database = Database.open(ledger_place(directory, database_url), paging=SMALL_ROWS)
        LedgerStore(database).initialise(settings)
        return cls(directory, database, log, witnesses, clock, settings, [*cosigners, *mirrors], asking)

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        clock: Clock,
        random: Random,  # noqa: ARG003  # as in create
        passphrase: str,
        cosigners: Sequence[Cosigner] = (),
        asking: Asking = in_turn,
        database_url: str | None = None,
        standing_by: bool = False,
    ) -> EmbeddedLedger:
        """Open the ledger in ``directory``, and finish a batch that a crash left unpublished if enough witnesses can be reached.

        ``cosigners`` are the witnesses and mirrors that it was made with, if it was made with any; without, it can be read and not
        written to. ``asking`` is as of ``create``.
        ``database_url`` is needed again if it was made with one, for it may hold a password and is written down nowhere. Processes on
        several machines may open one such ledger, each with a folder of its own that has the same keys: what is published follows the
        database. See ``leader`` for who of them should write; one that is ``standing_by`` leaves an unpublished batch to that one.

        Raises ``StoreError``: ``store_missing`` if there is none, ``ledger_rolled_back`` or ``ledger_forked`` if the database is not what the
        witnesses have seen; ``VerificationError`` (``wrong_passphrase``).
        """
        database = Database.open(ledger_place(directory, database_url), create=False, paging=SMALL_ROWS)
        try:
            settings = LedgerStore(database).settings()
            if POLICY_SETTING not in settings:
                raise StoreError("the database holds no ledger", where=str(directory), hint="It was not created to its end; move it away", code="store_missing")
            names = strict_json.loads(settings[_WITNESSES])
            signers = open_keys(key_paths(directory, len(names)), passphrase)
            policy = WitnessPolicy.parse(settings[POLICY_SETTING])
            log = NoteSigner(policy.logs[0].key.name, signers[0])
            witnesses = local_witnesses(directory, names, signers[1:], log, create=False)
            keys = {*(local.witness.key for local in witnesses), *(cosigner.key for cosigner in cosigners)}
            of_policy = {known.key for known in policy.witnesses}
            if log.key != policy.logs[0].key or not keys <= of_policy:
                raise StoreError("the key files are not those of this ledger", where=str(directory), hint="Restore them from a copy", code="store_foreign")
            ledger = cls(directory, database, log, witnesses, clock, settings, cosigners, asking)
            ledger._recover(publish=not standing_by)
        except BaseException:
            database.close()
            raise
        return ledger

    @property
    def origin(self) -> str:
        return self._signer.name

    @property
    def vkey(self) -> str:
        return self._signer.vkey

    @property
    def policy_text(self) -> str:
        """This log, its witnesses and their quorum as a C2SP tlog-policy."""
        return self._policy.encode()

    @property
    def registry_authorities(self) -> frozenset[str]:
        """The DIDs whose registry records this ledger takes."""
        return frozenset(strict_json.loads(self._store.settings()[_AUTHORITIES]))

    def accept_authority(self, did: str) -> None:
        """Take registry records of this DID from now on."""
        old = self._store.settings()[_AUTHORITIES]
        self._store.set(_AUTHORITIES, old, strict_json.dumps(sorted({*strict_json.loads(old), did})).decode())

    # ---- writing

    def submit(self, submissions: Sequence[Submission]) -> tuple[LoggedEntry, ...]:
        (outcome,) = self.submit_groups([submissions])
        if isinstance(outcome, DidHealthError):
            raise outcome
        return outcome

    def submit_groups(self, groups: Sequence[Sequence[Submission]]) -> list[tuple[LoggedEntry, ...] | DidHealthError]:
        """Log several groups under one new checkpoint, each of them whole or not at all: what was logged, or why the group is refused.

        Raises what ``submit`` raises for a failing store, other writers and too few witnesses, which is the fault of no group.
        """
        # In whole seconds, as the head will say it: by that time mirrors judge the entries once more.
        now = self._clock().replace(microsecond=0)
        with self._turn:
            self._publish_pending(now)
            self._catch_up()
            judged = admit_groups(groups, StoredState(self._store, self._logs, self.registry_authorities, now), now=now)
            admitted = [one for group in judged if not isinstance(group, DidHealthError) for one in group]
            if not admitted:
                return [outcome for outcome in judged if isinstance(outcome, DidHealthError)]
            batch = self._planned(admitted, now)
            try:
                self._store.append(batch, now=now)
            except BaseException:
                self._tree.truncate(batch.old.size)
                raise
            self._map.remember(batch.new.size, batch.map_update)
            published = self._publish_pending(now)
            self._follow(published)
            note, size = SignedNote.parse(published.published or b""), published.published_size
            logged = iter([self._logged(position, one.data, note, size) for position, one in enumerate(batch.entries, batch.old.size)])
            return [group if isinstance(group, DidHealthError) else tuple(islice(logged, len(group))) for group in judged]

    def _planned(self, entries: Sequence[Admitted], now: datetime) -> Batch:
        with self._snapshot() as (connection, state, prefix_tree):
            if state.pending is not None or state.published_size != self._tree.size:
                raise write_conflict()
            return plan(self._tree, prefix_tree, entries, previous=head_at(connection, state.size), signer=self._signer, now=now)

    def heartbeat(self) -> None:
        """Have the witnesses cosign the published checkpoint anew, which shows that a quiet log is alive and its state the latest.

        Raises ``StoreError`` (``quorum_not_met``) if too few of them can be reached; the old cosignatures then stay.
        """
        now = self._clock()
        with self._turn:
            state = self._publish_pending(now)
            if state.published is None:
                return
            self._catch_up()
            old = SignedNote.parse(state.published)
            bare = SignedNote(old.text, tuple([line for line in old.signatures if line.key_id == self._signer.key.key_id]))
            self._store.refresh_published(state.published, self._cosigned(bare, now, "The old cosignatures stay; nothing was written").encode())
            self._write_checkpoint()

    def publish(self, url: str, data: bytes) -> None:
        """Serve ``data`` at ``url``: a ``did.jsonl``, a status list, a schema. What was there before is replaced."""
        self.publish_all({url: data})

    def publish_all(self, documents: Mapping[str, bytes]) -> None:
        """As ``publish``, many documents by their URLs: all or none."""
        self._store.publish_all({url: (host_of(url), data) for url, data in documents.items()})

    def promise(self, entry_hash: bytes, deadline: datetime) -> SignedNote:
        """A submission receipt (see ``ledger.submission_receipt``) for an entry that is kept, and due to be published by ``deadline``."""
        receipt = SubmissionReceipt(self.origin, entry_hash, int(self._clock().timestamp()), int(deadline.timestamp()))
        return receipt.sign(self._signer)

    def leader(self) -> Leader:
        """A claim to be the process that writes; see ``Database.leader``."""
        return self._database.leader("log")

    def _recover(self, *, publish: bool) -> None:
        with self._turn:
            try:
                if publish:
                    self._publish_pending(self._clock())
                self._catch_up()
            except StoreError as error:
                # Without its witnesses the log can be read; the next writer tries again.
                if error.code != "quorum_not_met":
                    raise
                self._follow(self._store.state())
            if publish:
                self._verify_map()
                self._write_checkpoint()

    def _catch_up(self) -> LogState:
        """Bring the tree to what the database has, once it is clear that the witnesses have not seen more."""
        # Asked first: what they know by now, the database must have had before.
        seen = ask(self._witnesses, self.origin, needed=self._quorum, asking=self._asking)
        state = self._store.state()
        self._follow(state)
        require_no_rollback(self._tree, seen)
        return state

    def _publish_pending(self, now: datetime) -> LogState:
        """Steps 3 to 5 for the pending checkpoint, whoever signed it; returns the checkpoint row after them."""
        state = self._store.state()
        if state.pending is None:
            return state
        state = self._catch_up()
        if state.pending is None:
            return state
        self._files.write_tiles(self._tree, self._files.reached(state.published_size), state.size, self._store.entry_data)
        try:
            cosigned = self._cosigned(SignedNote.parse(state.pending), now, "What was submitted is kept, and published with the next batch")
        except StoreError:
            # The witnesses may have moved on because another process has published this checkpoint and the next one.
            after = self._store.state()
            if after.pending == state.pending:
                raise
            return after
        self._store.mark_published(state.pending, cosigned.encode())
        self._write_checkpoint()
        return self._store.state()

    def _cosigned(self, note: SignedNote, now: datetime, hint: str) -> SignedNote:
        cosigning = collect(note, self._tree, self._cosigners, now=now, asking=self._asking, enough=self._policy.satisfied_by)
        try:
            self._policy.check(cosigning.note)
        except VerificationError as error:
            first = next(iter(cosigning.failures.values()), error)
            answered = [witness for witness in self._witnesses if witness.key.name not in cosigning.failures]
            if len(answered) >= self._quorum:
                raise StoreError("enough witnesses answered, and too few mirrors", hint=hint, code="quorum_not_met") from first
            raise too_few(len(answered), self._quorum, hint) from first
        return cosigning.note

    def _write_checkpoint(self) -> None:
        # Under the write lock, so that a slower process cannot put an older one over it.
        with self._store.published_locked() as published:
            if published is None or published == self._files.read(CHECKPOINT):
                return
            size = Checkpoint.parse(SignedNote.parse(published).text).size
            if self._files.reached(size) < size:
                # Published by a process whose files are elsewhere.
                self._follow(self._store.state())
                self._files.write_tiles(self._tree, self._files.reached(size), size, self._store.entry_data)
            self._files.write_checkpoint(published)

    # ---- reading

    def latest(self, subject: bytes) -> LoggedEntry | None:
        with self._turn:
            state = self._store.state()
            found = self._store.latest(subject, below=state.published_size)
            if found is None or state.published is None:
                return None
            self._follow(state)
            return self._logged_stored(found, state.published, state.published_size)

    def keeps(self, entry: Entry) -> bool:
        """Whether this very entry is stored, published or not."""
        found = self._store.numbered(entry.subject, entry.seq)
        return found is not None and found.data == entry.encode()

    def logged(self, kept: Sequence[Entry]) -> tuple[LoggedEntry, ...] | None:
        """Entries that this ledger keeps, with proofs; ``None`` if they are not all published yet."""
        with self._turn:
            state = self._store.state()
            self._follow(state)
            found = [self._store.numbered(entry.subject, entry.seq) for entry in kept]
            if state.published is None or any(one is None or one.position >= state.published_size for one in found):
                return None
            published, size = state.published, state.published_size
            return tuple([self._logged_stored(one, published, size) for one in found if one is not None])

    def _logged_stored(self, found: StoredEntry, published: bytes, size: int) -> LoggedEntry:
        return self._logged(found.position, found.data, SignedNote.parse(published), size)

    def _logged(self, position: int, data: bytes, note: SignedNote, size: int) -> LoggedEntry:
        return LoggedEntry(data, position, TlogProof(position, self._tree.inclusion_proof(position, size), note, data))

    def close(self) -> None:
        """Give back the database connections."""
        for database in (self._database, *self._witness_databases):
            database.close()
