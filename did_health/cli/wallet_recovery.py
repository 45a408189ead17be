"""The part of ``did-health wallet`` for lost phones: backups, guardians' shares, and a new key."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from did_health.cli import options, session
from did_health.cli.exits import UsageError, asking
from did_health.cli.options import DirectoryOption, JSONOption, PassphraseFileOption, example
from did_health.cli.output import Output
from did_health.cli.wallet import WalletArgument, app, open_wallet, wallet_path

GROUP = app
"""The group ``wallet``, with the commands of this module in it."""


@app.command("backup", epilog=example(
    "did-health wallet backup adams -o adams.backup", "did-health wallet backup adams -o adams.backup --guardians 5 --threshold 3 --shares shares",
))
def backup(
    name: WalletArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The backup: encrypted, to be kept anywhere.")],
    guardians: Annotated[int, typer.Option("--guardians", help="How many guardians get a share that helps to open the backup.")] = 0,
    threshold: Annotated[int, typer.Option("--threshold", help="How many of them must come together.")] = 0,
    shares: Annotated[Path | None, typer.Option("--shares", help="A new folder for the shares, one file each: hand each out, then delete it.")] = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Back a wallet up: under its passphrase, or (with --guardians) under a secret that k of n guardians' shares bring back."""
    from did_health.encoding.base64 import base64url_encode
    from did_health.roles.holder import wallet_sealing_key
    from did_health.stores import files
    from did_health.stores import guardians as shared

    if bool(guardians) != bool(threshold) or bool(guardians) != (shares is not None):
        raise UsageError("guardians need a number, a threshold and a folder", hint="Give --guardians, --threshold and --shares together, or none of them")
    if output.exists() or (shares is not None and shares.exists()):
        raise UsageError("there is something in that place already", where=str(output if output.exists() else shares), hint="Choose a new name")
    wallet, key = open_wallet(directory, name, passphrase_file)
    written = []
    with ExitStack() as unfinished:
        if shares is not None:
            secret = session.random_bytes(shared.SECRET_BYTES)
            with asking("these numbers make no sense"):
                parts = shared.split(secret, threshold=threshold, count=guardians)
            key = wallet_sealing_key(base64url_encode(secret), session.random_bytes)
            files.make_folder(shares)
            unfinished.callback(shares.rmdir)
            for number, share in enumerate(parts, 1):
                written.append(shares / f"share-{number}-of-{guardians}.txt")
                unfinished.callback(written[-1].unlink, missing_ok=True)
                files.create_private(written[-1], share.encode() + b"\n")
        files.create_private(output, wallet.sealed(key, session.random_bytes))
        # Shares of a backup that there is not would be taken for those of one that there is.
        unfinished.pop_all()
    out = Output(as_json)
    if as_json:
        out.json({"wallet": name, "file": str(output), "threshold": threshold, "shares": [str(path) for path in written]})
    else:
        how = "your passphrase" if shares is None else f"any {threshold} of the {guardians} shares in {shares}: hand each to one guardian, and delete it here"
        out.facts([("Backup", output), ("Opened by", how)])


@app.command("recover", epilog=example(
    "did-health wallet recover adams adams.backup", "did-health wallet recover adams adams.backup --share a.txt --share b.txt --share c.txt",
))
def recover(
    name: Annotated[str, typer.Argument(help="The name of the wallet that is made.")],
    file: Annotated[Path, typer.Argument(help="The backup.")],
    share: Annotated[list[Path] | None, typer.Option("--share", help="A guardian's share; as many as the threshold.")] = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Bring a wallet back from its backup, by its passphrase or by guardians' shares; then give it a new key (wallet rekey)."""
    from did_health.encoding.base64 import base64url_encode
    from did_health.limits import MAX_SHARE_CHARACTERS, MAX_WALLET_BYTES
    from did_health.roles.holder import Wallet, wallet_sealing_key
    from did_health.stores import files, guardians

    path = wallet_path(directory, name)
    if path.exists():
        raise UsageError(f"there is a wallet {name} already", where=str(path), hint="Choose another name")
    data = session.read_file(file, max_bytes=MAX_WALLET_BYTES)
    if share:
        texts = [session.read_file(one, max_bytes=MAX_SHARE_CHARACTERS).decode("ascii", "replace") for one in share]
        secret = base64url_encode(guardians.combine(texts))
        wallet, _ = session.at_file(file, lambda: Wallet.open(data, secret, clock=session.now))
        key = wallet_sealing_key(session.passphrase(passphrase_file, new=True), session.random_bytes)
    else:
        wallet, key = session.at_file(file, lambda: Wallet.open(data, session.passphrase(passphrase_file), clock=session.now))
    files.create_private(path, wallet.sealed(key, session.random_bytes))
    out = Output(as_json)
    if as_json:
        out.json({"name": name, "did": wallet.did, "credentials": len(wallet.credentials)})
    else:
        next_step = f"did-health wallet rekey {name} NEW-NAME -o change.json"
        out.facts([("Wallet", name), ("DID", wallet.did), ("Credentials", len(wallet.credentials)), ("Next", next_step)])


@app.command("rekey", epilog=example("did-health wallet rekey adams adams-2 -o change.json"))
def rekey(
    name: WalletArgument,
    new: Annotated[str, typer.Argument(help="The name of the wallet with the new key.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The statement for the issuers, signed by the old key and the new one.")],
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Make a wallet with a new key, and the statement on which issuers issue to it and revoke for the old one (board replace-holder)."""
    from did_health.stores import files

    path = wallet_path(directory, new)
    if path.exists():
        raise UsageError(f"there is a wallet {new} already", where=str(path), hint="Choose another name")
    wallet, key = open_wallet(directory, name, passphrase_file)
    fresh, statement = wallet.with_new_key(session.random_bytes)
    with ExitStack() as unfinished:
        files.create_private(path, fresh.sealed(key, session.random_bytes))
        # Without its statement nobody issues to the new key, and the name would be taken.
        unfinished.callback(path.unlink, missing_ok=True)
        session.write_file(output, statement + b"\n")
        unfinished.pop_all()
    out = Output(as_json)
    if as_json:
        out.json({"name": new, "from": wallet.did, "to": fresh.did, "file": str(output)})
    else:
        out.facts([("Wallet", new), ("DID", fresh.did), ("For the issuers", output)])
