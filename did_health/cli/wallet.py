"""``did-health wallet``: a holder's keys and credentials. Needs no ledger: only ``<directory>/wallets/<name>.wallet``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from did_health.cli import options, session
from did_health.cli.exits import UsageError, asking
from did_health.cli.options import AlgorithmOption, DirectoryOption, JSONOption, OutputFileOption, PassphraseFileOption, example
from did_health.cli.output import Output, note, short

if TYPE_CHECKING:
    from did_health.keys.sealed import SealingKey
    from did_health.roles.holder import Wallet
    from did_health.roles.issuer import Issued

app = options.group("wallet", "Hold credentials, and present them to a verifier.")

WalletArgument = Annotated[str, typer.Argument(help="The wallet's short name in the directory.")]


def wallet_path(directory: Path, name: str) -> Path:
    """Where the wallet of that name is. Raises ``UsageError`` for a name that would be a path."""
    session.require_name(name)
    return directory / "wallets" / f"{name}.wallet"


def open_wallet(directory: Path, name: str, passphrase_file: Path | None) -> tuple[Wallet, SealingKey]:
    """The wallet, and the key that seals it again. Raises ``StoreError``, ``VerificationError`` for a wrong passphrase."""
    from did_health.limits import MAX_WALLET_BYTES
    from did_health.roles.holder import Wallet
    from did_health.stores import files

    path = wallet_path(directory, name)
    data = files.read_private(path, max_bytes=MAX_WALLET_BYTES)
    if data is None:
        raise UsageError(f"there is no wallet {name} here", where=str(directory / "wallets"), hint=f"There are: {', '.join(names(directory)) or 'none'}")
    return session.at_file(path, lambda: Wallet.open(data, session.passphrase(passphrase_file), clock=session.now))


@contextmanager
def changed_wallet(directory: Path, name: str, passphrase_file: Path | None) -> Iterator[Wallet]:
    """The wallet, which is kept as it is when the block ends, unless that raises. Raises as ``open_wallet``."""
    from did_health.stores.wallet_files import save_wallet

    wallet, key = open_wallet(directory, name, passphrase_file)
    yield wallet
    save_wallet(wallet_path(directory, name), wallet, key, clock=session.now, random=session.random_bytes)


def names(directory: Path) -> Sequence[str]:
    """The names of the wallets in a directory."""
    return sorted(path.stem for path in (directory / "wallets").glob("*.wallet"))


@app.command("init", epilog=example("did-health wallet init adams"))
def init(
    name: WalletArgument,
    algorithm: AlgorithmOption = "Ed25519",
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Make an empty wallet with a new key, sealed with a passphrase, and print its DID."""
    from did_health.roles.holder import Wallet, wallet_sealing_key
    from did_health.stores import files

    path = wallet_path(directory, name)
    kind = session.algorithm(algorithm)
    if path.exists():
        raise UsageError(f"there is a wallet {name} already", where=str(path), hint="Choose another name")
    key = wallet_sealing_key(session.passphrase(passphrase_file, new=True), session.random_bytes)
    wallet = Wallet.create(clock=session.now, random=session.random_bytes, algorithm=kind)
    files.create_private(path, wallet.sealed(key, session.random_bytes))
    out = Output(as_json)
    if as_json:
        out.json({"name": name, "did": wallet.did, "file": str(path)})
    else:
        out.facts([("DID", wallet.did), ("File", f"{path} (sealed with your passphrase; keep a copy)")])


@app.command("add", epilog=example("did-health wallet add adams licence.json"))
def add(
    name: WalletArgument,
    file: Annotated[Path, typer.Argument(help="The credential with its issuance receipt, as the issuer gave it; - is standard input.")],
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Keep a credential. It is not verified: the verifier will do that."""
    from did_health.limits import MAX_DOCUMENT_BYTES
    from did_health.roles.issuer import Issued

    issued = session.at_file(file, lambda: Issued.parse(session.read_file(file, max_bytes=MAX_DOCUMENT_BYTES)))
    if not isinstance(issued.credential.get("id"), str):
        raise UsageError("the credential has no id, by which a wallet would find it", where=str(file))
    with changed_wallet(directory, name, passphrase_file) as wallet, asking("the wallet cannot keep it", where=str(file)):
        wallet.add(issued)
    out = Output(as_json)
    if as_json:
        out.json({"wallet": name, "id": issued.id, "credentials": len(wallet.credentials)})
    else:
        out.line(f"Wallet {name} holds {issued.id}, one of {len(wallet.credentials)}.")


@app.command("list", epilog=example("did-health wallet list", "did-health wallet list adams"))
def list_(
    name: Annotated[str | None, typer.Argument(help="Without a name: which wallets there are.")] = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Which wallets there are, or what one holds: ids, types, issuers and dates, no claims."""
    out = Output(as_json)
    if name is None:
        found = names(directory)
        if as_json:
            out.json([{"name": one} for one in found])
        else:
            out.line("\n".join(found) or f"There are no wallets in {directory}. Make one with: did-health wallet init NAME")
        return
    wallet, _ = open_wallet(directory, name, passphrase_file)
    rows = [_row(item) for item in wallet.credentials]
    if as_json:
        out.json({"name": name, "did": wallet.did, "credentials": [dict(zip(("id", "type", "issuer", "validUntil"), row, strict=True)) for row in rows]})
        return
    out.facts([("Wallet", name), ("DID", wallet.did)])
    if rows:
        out.table(("Credential", "Type", "Issuer", "Valid until"), [(row[0], row[1], short(row[2]), row[3]) for row in rows])
    else:
        out.line("It holds no credentials yet.")


def _row(item: Issued) -> tuple[str, str, str, str]:
    from did_health.vc.credential import Credential

    credential = Credential.parse(item.credential)
    return item.id, ", ".join(credential.kinds), credential.issuer_id, str(item.credential.get("validUntil", ""))


@app.command("present", epilog=example(
    "did-health wallet present adams PhysicianLicenseCredential --audience https://pharmacy.example --nonce ab12 -o shown.json",
))
def present(
    name: WalletArgument,
    credential: Annotated[list[str], typer.Argument(help="Ids of credentials, or types (the newest of the type is taken).")],
    audience: Annotated[str, typer.Option("--audience", help="For whom: the verifier's name, as the verifier gives it.")],
    nonce: Annotated[str, typer.Option("--nonce", help="The verifier's nonce, which it gives out once.")],
    as_token: Annotated[bool, typer.Option("--jwt", help="As a JSON Web Token (vp+jwt), for verifiers that want one.")] = False,
    output: OutputFileOption = None,
    directory: DirectoryOption = options.DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFileOption = None,
    as_json: JSONOption = False,
) -> None:
    """Sign a presentation of credentials for one audience and nonce; it goes to --output, or to standard output."""
    wallet, _ = open_wallet(directory, name, passphrase_file)
    with asking("the wallet holds no such credential", where=name, hint=f"See: did-health wallet list {name}"):
        presentation = (wallet.present_jwt if as_token else wallet.present)(credential, audience=audience, nonce=nonce)
    out = Output(as_json)
    if output is None:
        out.write(presentation + b"\n")
        return
    session.write_file(output, presentation + b"\n")
    if as_json:
        out.json({"file": str(output), "holder": wallet.did, "audience": audience, "nonce": nonce})
    else:
        note(f"Written to {output}; it can be shown once, to {audience}.")
