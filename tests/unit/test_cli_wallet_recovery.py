from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli_runs import AUDIENCE, CLI


def test_a_wallet_is_backed_up_recovered_by_guardians_and_moved_to_a_new_key(cli: CLI) -> None:
    lost = cli.shown()
    ran = cli("wallet", "backup", "adams", "-o", "adams.backup", "--guardians", "3", "--threshold", "2", "--shares", "shares")
    assert "any 2 of the 3 shares" in ran.out
    shares = sorted(Path("shares").iterdir())
    assert [share.name for share in shares] == [f"share-{number}-of-3.txt" for number in (1, 2, 3)]
    assert {share.stat().st_mode & 0o777 for share in (*shares, Path("adams.backup"))} == {0o600}
    assert "do not bring the secret back" in cli("wallet", "recover", "again", "adams.backup", "--share", shares[0], code=2).err
    recovered = cli("wallet", "recover", "again", "adams.backup", "--share", shares[0], "--share", shares[2], "--json").json
    assert recovered["credentials"] == 1
    moved = cli("wallet", "rekey", "again", "fresh", "-o", "change.json", "--json").json
    assert moved["from"] == recovered["did"]
    done = cli("board", "replace-holder", "nc-medical", "change.json", "--wallet", "fresh", "--json").json
    assert len(done) == 1
    assert "revoked" in cli.verify(lost, "--json", code=1).json["codes"]
    cli.verify(cli.shown(wallet="fresh"))
    assert "holds nothing" in cli("board", "replace-holder", "nc-medical", "change.json").out


def test_a_backup_under_the_passphrase(cli: CLI) -> None:
    assert "your passphrase" in cli("wallet", "backup", "adams", "-o", "adams.backup").out
    assert cli("wallet", "backup", "adams", "-o", "other.backup", "--json").json["shares"] == []
    assert "wallet rekey" in cli("wallet", "recover", "again", "adams.backup").out
    names = ("PhysicianLicenseCredential",)
    cli("wallet", "present", "again", *names, "--audience", AUDIENCE, "--nonce", "n", "-o", "shown-again.json")
    rekeyed = cli("wallet", "rekey", "again", "fresh", "-o", "change.json")
    assert "change.json" in rekeyed.out
    assert "Issued" in cli("board", "replace-holder", "nc-medical", "change.json").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("backup", "adams", "-o", "b", "--guardians", "3"), "--threshold"),
        (("backup", "adams", "-o", "b", "--guardians", "3", "--threshold", "4", "--shares", "s"), "guardians"),
        (("backup", "adams", "-o", "town"), "something in that place"),
        (("backup", "adams", "-o", "b", "--guardians", "3", "--threshold", "2", "--shares", "town"), "something in that place"),
        (("backup", "adams", "-o", "brown.json/b", "--guardians", "3", "--threshold", "2", "--shares", "s"), "there already"),
        (("recover", "adams", "brown.json"), "already"),
        (("recover", "new", "brown.json"), "not a sealed"),
        (("rekey", "adams", "brown", "-o", "c"), "already"),
        (("rekey", "adams", "fresh", "-o", "town"), "directory"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(cli: CLI, arguments: tuple[str, ...], words: str) -> None:
    before = sorted(str(path) for path in Path().rglob("*"))
    assert words in cli("wallet", *arguments, code=2).err
    assert sorted(str(path) for path in Path().rglob("*")) == before


def test_a_statement_is_for_its_own_wallet(cli: CLI) -> None:
    cli("wallet", "rekey", "adams", "fresh", "-o", "change.json")
    assert "new key" in cli("board", "replace-holder", "nc-medical", "change.json", "--wallet", "brown", code=2).err
    Path("garbage.json").write_text("{}")
    assert "garbage.json" in cli("board", "replace-holder", "nc-medical", "garbage.json", code=2).err
