"""A directory holds a whole place: it is made once, opened again as it was, and says what is missing or wrong."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from did_health.errors import ConflictError, FormatError, StoreError, VerificationError
from did_health.keys import Algorithm, sealed
from did_health.keys.sealed import SealingKey
from did_health.roles.holder import Wallet
from did_health.roles.institution import Institution, InstitutionKeys
from did_health.roles.report import Verdict
from did_health.stores.directory import AUTHORITY, Directory, InstitutionFile, open_directory
from tests.conftest import repeatable_bytes
from tests.ledger_parties import CHEAP, PASSPHRASE, Clock
from tests.town import Town


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(tmp_path: Path, clock: Clock) -> Iterator[Directory]:
    with open_directory(tmp_path / "d", PASSPHRASE, create=True, clock=clock, random=repeatable_bytes("directory"), cost=CHEAP) as made:
        yield made


def opened(directory: Directory, passphrase: str = PASSPHRASE) -> Directory:
    return open_directory(directory.path, passphrase, clock=directory.clock, random=repeatable_bytes("again"), cost=CHEAP)


class Stretched:
    """Counts how often a passphrase is stretched."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        original = SealingKey.__init__

        def counted(key: SealingKey, *args: object, **options: object) -> None:
            self.count += 1
            original(key, *args, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(sealed.SealingKey, "__init__", counted)


# ---- the whole


def test_it_is_opened_again_as_it_was_left(directory: Directory) -> None:
    board = directory.create_board("nc-medical", title="North Carolina Board", jurisdiction="US-NC", professions=["MD"])
    wallet = directory.create_wallet("ann")
    with opened(directory) as again:
        assert [one.name for one in again.institutions] == ["nc-medical", AUTHORITY]
        assert again.board("nc-medical").did == board.did
        assert again.institution("nc-medical").keys.assertion.secret == board.institution.keys.assertion.secret
        assert again.authority().did == again.policy.registry_authority == directory.policy.registry_authority
        assert again.wallets == ["ann"]
        assert again.wallet("ann").did == wallet.did
        assert again.policy == directory.policy


def test_secrets_are_for_their_owner_only_and_sealed(directory: Directory) -> None:
    directory.create_wallet("ann")
    secret = [path for path in directory.path.rglob("*") if path.suffix in {".keys", ".key", ".wallet"}]
    assert len(secret) == 1 + 5 + 1
    for path in secret:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"ciphertext" in path.read_bytes()


def test_secrets_that_everybody_may_read_are_not_used(directory: Directory) -> None:
    directory.create_wallet("ann")
    for path, use in (
        (directory.path / "wallets" / "ann.wallet", lambda: directory.wallet("ann")),
        (directory.path / "institutions" / f"{AUTHORITY}.keys", directory.authority),
    ):
        path.chmod(0o644)
        with pytest.raises(StoreError) as refused:
            use()
        assert refused.value.code == "store_open"
        path.chmod(0o600)
        use()


def test_a_directory_that_holds_something_is_not_overwritten(directory: Directory, tmp_path: Path) -> None:
    for path in (directory.path, tmp_path):
        with pytest.raises(ConflictError):
            open_directory(path, PASSPHRASE, create=True, cost=CHEAP)
    (tmp_path / "empty").mkdir()
    open_directory(tmp_path / "empty", PASSPHRASE, create=True, cost=CHEAP, random=repeatable_bytes("empty")).close()


def test_what_is_not_there_or_opens_with_another_passphrase_is_told(directory: Directory, tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        open_directory(tmp_path / "none", PASSPHRASE)
    with pytest.raises(VerificationError) as refused:
        opened(directory, "another passphrase")
    assert refused.value.code == "wrong_passphrase"
    with pytest.raises(ValueError, match="at least"):
        open_directory(tmp_path / "short", "short", create=True, cost=CHEAP)


def test_a_missing_or_foreign_policy_is_told(directory: Directory) -> None:
    path = directory.path / "trust-policy.toml"
    path.write_text("format = 'x'")
    with pytest.raises(FormatError):
        _ = directory.policy
    path.unlink()
    with pytest.raises(StoreError) as missing:
        _ = directory.policy
    assert missing.value.code == "store_missing"


# ---- institutions


@pytest.mark.parametrize("name", ["", "NC", "nc medical", "../escape", "a" * 64, "-a", "é", "a/b"])
def test_names_are_short_words(directory: Directory, name: str) -> None:
    for make in (
        lambda: directory.create_institution(name, title="T", jurisdiction="US-NC"),
        lambda: directory.create_wallet(name),
        lambda: directory.board(name),
        lambda: directory.wallet(name),
    ):
        with pytest.raises(FormatError):
            make()


def test_a_name_is_given_once(directory: Directory) -> None:
    directory.create_institution("one", title="T", jurisdiction="US-NC")
    did = directory.institution("one").did
    for make in (directory.create_institution, directory.create_board):
        with pytest.raises(ConflictError):
            make("one", title="T", jurisdiction="US-NC")
    assert directory.institution("one").did == did
    directory.create_wallet("ann")
    with pytest.raises(ConflictError):
        directory.create_wallet("ann")


def test_what_is_wrong_with_an_accreditation_is_told_before_an_institution_is_made(directory: Directory) -> None:
    for fault in ({"jurisdiction": "Atlantis"}, {"professions": ["no such profession"]}, {"entity_type": "club"}, {"resources": ["not a type"]}):
        with pytest.raises(FormatError):
            directory.create_board("board", **({"title": "T", "jurisdiction": "US-NC"} | fault))  # type: ignore[arg-type]
    assert [one.name for one in directory.institutions] == [AUTHORITY]


def test_who_is_here_is_told_to_who_asks_for_another(directory: Directory) -> None:
    directory.create_wallet("ann")
    with pytest.raises(StoreError) as refused:
        directory.board("nowhere")
    assert AUTHORITY in refused.value.hint
    with pytest.raises(StoreError) as refused:
        directory.wallet("nobody")
    assert "ann" in refused.value.hint


def test_missing_keys_are_told(directory: Directory) -> None:
    directory.create_institution("one", title="T", jurisdiction="US-NC")
    (directory.path / "institutions" / "one.keys").unlink()
    with pytest.raises(StoreError) as refused:
        directory.institution("one")
    assert refused.value.code == "store_missing"


@pytest.mark.parametrize("data", [b"", b"{}", b'{"format":"did-health/institution/v1"}', b'{"format":"did-health/institution/v1","did":7}'], ids=repr)
def test_a_file_that_describes_no_institution_is_refused(directory: Directory, data: bytes) -> None:
    (directory.path / "institutions" / "odd.json").write_bytes(data)
    with pytest.raises(FormatError):
        directory.board("odd")


def test_an_institutions_file_is_read_as_it_was_written() -> None:
    described = InstitutionFile("x", "did:webvh:Qm:x.example", "Title", "US-NC", "https://x.example/did.jsonl", "eddsa-jcs-2022")
    assert InstitutionFile.parse("x", described.to_json()) == described


def test_rotation_writes_the_new_keys_first(directory: Directory, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    board = directory.create_board("nc-medical", title="T", jurisdiction="US-NC", professions=["MD"])
    before = board.institution.keys
    clock.move(seconds=1)
    after = directory.rotate("nc-medical")
    assert directory.institution("nc-medical").keys.update.secret == after.keys.update.secret == before.next_update.secret
    clock.move(seconds=1)

    def crash(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(Institution, "submit", crash)
        with pytest.raises(RuntimeError):
            directory.rotate("nc-medical")
    kept = directory.institution("nc-medical")
    assert kept.keys.update.secret == after.keys.next_update.secret
    assert len(directory.rotate("nc-medical").log.lines) == 3


def test_a_crash_after_the_did_is_logged_and_before_its_keys_are_kept_leaves_the_name_free(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(InstitutionKeys, "to_bytes", crash)
        with pytest.raises(RuntimeError):
            directory.create_institution("one", title="T", jurisdiction="US-NC")
    made = directory.create_institution("one", title="T", jurisdiction="US-NC")
    assert directory.institution("one").did == made.did


# ---- wallets


def test_a_wallet_keeps_what_was_saved(town: Town) -> None:
    name = "keeper"
    wallet = town.directory.create_wallet(name)
    issued = town.issue(to=wallet)
    assert town.directory.wallet(name).credentials == ()
    town.directory.save_wallet(name, wallet)
    assert town.directory.wallet(name).credentials == (issued,)
    with opened(town.directory) as again:
        assert town.show(issued, wallet=again.wallet(name)).verdict is Verdict.ACCEPT


def test_the_passphrase_of_a_wallet_is_stretched_once(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    made = directory.create_wallet("made")
    stretched = Stretched(monkeypatch)
    for _ in range(3):
        directory.save_wallet("made", made)
    assert stretched.count == 0
    with opened(directory) as again:
        stretched.count = 0
        wallet = again.wallet("made")
        for _ in range(3):
            again.save_wallet("made", wallet)
        assert stretched.count == 1
        directory.save_wallet("made", made)


def test_a_wallet_that_was_not_opened_here_is_opened_to_save_it(directory: Directory) -> None:
    wallet = directory.create_wallet("ann", passphrase="a wallet's own one")
    with opened(directory) as again:
        with pytest.raises(VerificationError):
            again.save_wallet("ann", wallet)
        again.save_wallet("ann", wallet, passphrase="a wallet's own one")
        again.save_wallet("ann", wallet)
        assert again.wallet("ann", passphrase="a wallet's own one").did == wallet.did


def test_another_holders_file_is_not_overwritten(directory: Directory) -> None:
    ann, bob = directory.create_wallet("ann"), directory.create_wallet("bob", algorithm=Algorithm.P256)
    with pytest.raises(ConflictError):
        directory.save_wallet("ann", bob)
    # The file changes hands behind our back: the key that is remembered is not that file's.
    path = directory.path / "wallets" / "ann.wallet"
    path.write_bytes((directory.path / "wallets" / "bob.wallet").read_bytes())
    with pytest.raises(ConflictError):
        directory.save_wallet("ann", ann)
    directory.save_wallet("ann", bob)


def test_a_wallet_that_is_not_there_cannot_be_saved(directory: Directory, clock: Clock) -> None:
    with pytest.raises(StoreError):
        directory.save_wallet("none", Wallet.create(clock=clock, random=repeatable_bytes("none")))


def test_two_processes_lose_nothing_from_one_wallet(town: Town) -> None:
    mine = town.directory.create_wallet("shared")
    with opened(town.directory) as again:
        theirs = again.wallet("shared")
        first, second = town.issue(to=mine), town.issue(to=theirs)
        town.directory.save_wallet("shared", mine)
        again.save_wallet("shared", theirs)
    assert theirs.credentials == (first, second)
    assert town.directory.wallet("shared").credentials == (first, second)


def test_a_wallet_does_not_take_in_another_holders(directory: Directory) -> None:
    ann, bob = directory.create_wallet("ann"), directory.create_wallet("bob")
    with pytest.raises(ValueError, match="different holders"):
        ann.take_in(bob)
