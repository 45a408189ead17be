from __future__ import annotations

from base64 import b64encode

import pytest

from did_health.errors import FormatError, VerificationError
from did_health.keys import Algorithm, signer_from_secret
from did_health.limits import MAX_PROOF_HASHES, MAX_TLOG_PROOF_BYTES, MAX_TREE_SIZE
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.merkle import Tree, leaf_hash
from did_health.tlog.note import NoteSigner, sign_note
from did_health.tlog.proof import TlogProof

ROOT = bytes(range(32))
LINE = b64encode(ROOT).decode()
LOG = NoteSigner("log.example", signer_from_secret(Algorithm.ED25519, b"l" * 32))
ENTRIES = [b"entry %d" % number for number in range(11)]
TREE = Tree.from_leaf_hashes(map(leaf_hash, ENTRIES))
HEAD = Checkpoint("log.example", TREE.size, TREE.root())
NOTE = sign_note(HEAD.encode(), [LOG])


def test_a_checkpoint_reads_as_written() -> None:
    for checkpoint in (Checkpoint("log.example", 0, ROOT), Checkpoint("a log", MAX_TREE_SIZE, ROOT), Checkpoint("o", 7, ROOT, ("one", "two more"))):
        assert Checkpoint.parse(checkpoint.encode()) == checkpoint
    assert Checkpoint("log.example", 12, ROOT).encode() == f"log.example\n12\n{LINE}\n"


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("empty", ""),
        ("two lines", "log\n1\n"),
        ("no last newline", f"log\n1\n{LINE}"),
        ("empty origin", f"\n1\n{LINE}\n"),
        ("empty extension line", f"log\n1\n{LINE}\n\n"),
        ("leading zero", f"log\n01\n{LINE}\n"),
        ("sign", f"log\n+1\n{LINE}\n"),
        ("negative", f"log\n-1\n{LINE}\n"),
        ("space", f"log\n 1\n{LINE}\n"),
        ("underscore", f"log\n1_0\n{LINE}\n"),
        ("Arabic-Indic digit", f"log\n\u0661\n{LINE}\n"),
        ("superscript digit", f"log\n\u00b2\n{LINE}\n"),
        ("2^63", f"log\n{MAX_TREE_SIZE + 1}\n{LINE}\n"),
        ("twenty digits", f"log\n{10**20}\n{LINE}\n"),
        ("short root", f"log\n1\n{LINE[4:]}\n"),
        ("31-byte root", f"log\n1\n{b64encode(bytes(31)).decode()}\n"),
        ("33-byte root", f"log\n1\n{b64encode(bytes(33)).decode()}\n"),
        ("loose bits in root", f"log\n1\n{LINE[:-2]}9=\n"),
        ("hexadecimal root", f"log\n1\n{ROOT.hex()}\n"),
        ("carriage returns", f"log\r\n1\r\n{LINE}\r\n"),
    ],
)
def test_malformed_checkpoint(fault: str, text: str) -> None:
    with pytest.raises(FormatError):
        Checkpoint.parse(text)


def test_a_proof_reads_as_written_and_proves_its_entry() -> None:
    for index, entry in enumerate(ENTRIES):
        for extra in (None, b"\0\xff", entry):
            proof = TlogProof(index, TREE.inclusion_proof(index), NOTE, extra)
            assert TlogProof.parse(proof.encode()) == proof
            proof.verify_inclusion(entry, HEAD)
    with pytest.raises(VerificationError) as caught:
        TlogProof(3, TREE.inclusion_proof(3), NOTE).verify_inclusion(b"another entry", HEAD)
    assert caught.value.code == "inclusion_proof_invalid"


def test_empty_extra_data_are_left_out() -> None:
    assert TlogProof(0, (), NOTE, b"").encode() == TlogProof(0, (), NOTE).encode()


def test_a_proof_as_long_as_the_limit_is_read() -> None:
    proof = TlogProof(MAX_TREE_SIZE, (ROOT,) * MAX_PROOF_HASHES, NOTE)
    assert TlogProof.parse(proof.encode()) == proof


FILE = NOTE.encode().decode()
HELLO = sign_note("hello\n", [LOG]).encode().decode()


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("empty", ""),
        ("no checkpoint", "c2sp.org/tlog-proof@v1\nindex 0\n"),
        ("another version", f"c2sp.org/tlog-proof@v2\nindex 0\n\n{FILE}"),
        ("no index", f"c2sp.org/tlog-proof@v1\n\n{FILE}"),
        ("index after hashes", f"c2sp.org/tlog-proof@v1\n{LINE}\nindex 0\n\n{FILE}"),
        ("leading zero", f"c2sp.org/tlog-proof@v1\nindex 00\n\n{FILE}"),
        ("two spaces", f"c2sp.org/tlog-proof@v1\nindex  0\n\n{FILE}"),
        ("two indexes", f"c2sp.org/tlog-proof@v1\nindex 0\nindex 0\n\n{FILE}"),
        ("empty extra", f"c2sp.org/tlog-proof@v1\nextra \nindex 0\n\n{FILE}"),
        ("unpadded extra", f"c2sp.org/tlog-proof@v1\nextra AA\nindex 0\n\n{FILE}"),
        ("two extras", f"c2sp.org/tlog-proof@v1\nextra AA==\nextra AA==\nindex 0\n\n{FILE}"),
        ("extra after index", f"c2sp.org/tlog-proof@v1\nindex 0\nextra AA==\n\n{FILE}"),
        ("short hash", f"c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\n{FILE}"),
        ("too many hashes", "c2sp.org/tlog-proof@v1\nindex 0\n" + f"{LINE}\n" * (MAX_PROOF_HASHES + 1) + f"\n{FILE}"),
        ("carriage returns", f"c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\n{FILE}"),
        ("not UTF-8", f"c2sp.org/tlog-proof@v1\nindex \udcff\n\n{FILE}"),
        ("note that is no checkpoint", f"c2sp.org/tlog-proof@v1\nindex 0\n\n{HELLO}"),
        ("too long", f"c2sp.org/tlog-proof@v1\nextra {'A' * MAX_TLOG_PROOF_BYTES}\nindex 0\n\n{FILE}"),
    ],
)
def test_malformed_proof(fault: str, text: str) -> None:
    with pytest.raises(FormatError):
        TlogProof.parse(text.encode("utf-8", "surrogateescape"))
