from __future__ import annotations

from base64 import b64encode

import pytest

from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, generate, signer_from_secret
from did_health.limits import MAX_NOTE_BYTES, MAX_NOTE_SIGNATURES, MAX_TREE_SIZE
from did_health.tlog.cosignature import cosign, cosignature_time, cosigner_key, verified_cosignatures
from did_health.tlog.note import NoteSigner, Signature, SignatureType, SignedNote, VerifierKey, open_note, sign_note
from tests.conftest import repeatable_bytes

TEXT = "log.example/board\n3\nno matter what\n"
ALICE = NoteSigner("log.example/alice", signer_from_secret(Algorithm.ED25519, b"a" * 32))
BOB = NoteSigner("log.example/bob", signer_from_secret(Algorithm.ED25519, b"b" * 32))
WITNESS = signer_from_secret(Algorithm.ED25519, b"w" * 32)
WITNESS_KEY = cosigner_key("witness.example", WITNESS.public_key)


def test_a_signed_note_reads_as_written() -> None:
    note = sign_note(TEXT, [ALICE, BOB])
    data = note.encode()
    assert data.decode().startswith(f"{TEXT}\n— log.example/alice ")
    assert SignedNote.parse(data) == note
    assert open_note(note, [BOB.key, ALICE.key]) == [ALICE.key, BOB.key]


def test_the_text_may_hold_empty_lines_and_ends_at_the_last_one() -> None:
    text = "\n\nfirst\n\n— not a signature\n\n"
    note = SignedNote.parse(sign_note(text, [ALICE]).encode())
    assert note.text == text
    assert open_note(note, [ALICE.key]) == [ALICE.key]


def test_lines_of_unknown_keys_are_ignored_even_if_broken_or_half_known() -> None:
    note = sign_note(TEXT, [ALICE]).with_signatures([
        Signature(ALICE.name, BOB.key.key_id, b"same name, other id"),
        Signature(BOB.name, ALICE.key.key_id, b"same id, other name"),
    ])
    assert open_note(SignedNote.parse(note.encode()), [ALICE.key]) == [ALICE.key]


def test_a_bad_signature_of_a_known_key_condemns_the_note() -> None:
    forged = Signature(ALICE.name, ALICE.key.key_id, b"\0" * 64)
    short = Signature(ALICE.name, ALICE.key.key_id, b"\0")
    for bad in (forged, short):
        for lines in ((bad,), (ALICE.sign(TEXT), bad), (bad, ALICE.sign(TEXT))):
            with pytest.raises(VerificationError) as caught:
                open_note(SignedNote(TEXT, lines), [ALICE.key, BOB.key])
            assert caught.value.code == "note_signature_invalid"


def test_a_note_that_no_known_key_signed_is_refused() -> None:
    for known in ([], [BOB.key]):
        with pytest.raises(VerificationError) as caught:
            open_note(sign_note(TEXT, [ALICE]), known)
        assert caught.value.code == "note_unverified"


def test_a_key_that_signed_twice_is_named_once() -> None:
    line = ALICE.sign(TEXT)
    assert open_note(SignedNote(TEXT, (line, line)), [ALICE.key]) == [ALICE.key]
    assert sign_note(TEXT, [ALICE]).with_signatures([line, BOB.sign(TEXT), line]).signatures == (line, BOB.sign(TEXT))


@pytest.mark.parametrize(
    ("fault", "data"),
    [
        ("empty", b""),
        ("no signature", b"text\n\n"),
        ("no empty line", "text\n— a AAAAAAA=\n".encode()),
        ("no last newline", "text\n\n— a AAAAAAA=".encode()),
        ("no text", "\n— a AAAAAAA=\n".encode()),
        ("carriage return", "text\r\n\n— a AAAAAAA=\n".encode()),
        ("tab", "te\txt\n\n— a AAAAAAA=\n".encode()),
        ("nul", "te\0xt\n\n— a AAAAAAA=\n".encode()),
        ("not UTF-8", "te\xfft\n\n— a AAAAAAA=\n".encode("latin-1", "replace")),
        ("surrogate", b"\xed\xa0\x80\n\n\xe2\x80\x94 a AAAAAAA=\n"),
        ("hyphen for a dash", b"text\n\n- a AAAAAAA=\n"),
        ("no space after the dash", "text\n\n—a AAAAAAA=\n".encode()),
        ("no name", "text\n\n—  AAAAAAA=\n".encode()),
        ("plus in name", "text\n\n— a+b AAAAAAA=\n".encode()),
        ("no-break space in name", "text\n\n— a\xa0b AAAAAAA=\n".encode()),
        ("no base64", "text\n\n— a\n".encode()),
        ("two spaces", "text\n\n— a  AAAAAAA=\n".encode()),
        ("trailing space", "text\n\n— a AAAAAAA= \n".encode()),
        ("unpadded base64", "text\n\n— a AAAAAAA\n".encode()),
        ("loose bits in base64", "text\n\n— a AAAAAAB=\n".encode()),
        ("base64url", "text\n\n— a AAAAAA_-\n".encode()),
        ("key ID only", "text\n\n— a AAAAAA==\n".encode()),
        ("line without dash", "text\n\n— a AAAAAAA=\nmore\n".encode()),
        ("too long", b"a" * MAX_NOTE_BYTES + "\n\n— a AAAAAAA=\n".encode()),
        ("too many signatures", b"text\n\n" + "— a AAAAAAA=\n".encode() * (MAX_NOTE_SIGNATURES + 1)),
    ],
)
def test_malformed_note(fault: str, data: bytes) -> None:
    with pytest.raises(FormatError):
        SignedNote.parse(data)


def test_as_many_signatures_as_the_limit_are_read() -> None:
    note = SignedNote.parse(b"text\n\n" + "— a AAAAAAA=\n".encode() * MAX_NOTE_SIGNATURES)
    assert len(note.signatures) == MAX_NOTE_SIGNATURES >= 16


def test_only_a_text_that_a_note_can_hold_is_signed() -> None:
    for text in ("no newline", "", "tab\t\n", "return\r\n"):
        with pytest.raises(ValueError, match="newline"):
            sign_note(text, [ALICE])
    for signers in ([], [ALICE] * (MAX_NOTE_SIGNATURES + 1)):
        with pytest.raises(ValueError, match="signatures"):
            sign_note(TEXT, signers)


def test_verifier_keys_read_as_written() -> None:
    for key in (ALICE.key, WITNESS_KEY, VerifierKey("pq.example", SignatureType.ML_DSA_44_COSIGNATURE, bytes(1312))):
        assert VerifierKey.parse(str(key)) == key
    assert str(ALICE.key) == ALICE.vkey
    assert ALICE.vkey.startswith("log.example/alice+")


def test_one_public_key_has_another_id_for_another_name_or_type() -> None:
    public_key = WITNESS.public_key
    keys = {VerifierKey(name, kind, public_key.raw).key_id for name in ("a", "b") for kind in (SignatureType.ED25519, SignatureType.COSIGNATURE)}
    assert len(keys) == 4


def encoded(data: bytes) -> str:
    return b64encode(data).decode()


@pytest.mark.parametrize(
    ("fault", "vkey"),
    [
        ("empty", ""),
        ("two parts", "name+00000000"),
        ("no key", "name+00000000+"),
        ("not base64", "name+00000000+!"),
        ("wrong ID", f"{ALICE.name}+00000000+{encoded(bytes([1]) + ALICE.key.raw)}"),
        ("ID in capitals", ALICE.vkey.replace(ALICE.key.key_id.hex(), ALICE.key.key_id.hex().upper())),
        ("no name", ALICE.vkey[len(ALICE.name) :]),
        ("space in name", f"a {ALICE.vkey}"),
        ("control character in name", f"a\x01{ALICE.vkey}"),
        ("half a character in name", f"\ud800{ALICE.vkey}"),
        ("short key", f"name+00000000+{encoded(bytes([1]) + bytes(31))}"),
        ("no point of the curve", f"name+00000000+{encoded(bytes([1]) + bytes(32))}"),
        ("short ML-DSA key", f"name+00000000+{encoded(bytes([6]) + bytes(32))}"),
    ],
)
def test_malformed_verifier_key(fault: str, vkey: str) -> None:
    with pytest.raises(FormatError):
        VerifierKey.parse(vkey)


def test_verifier_key_of_another_type_is_unsupported() -> None:
    for kind in (0, 2, 5, 255):
        with pytest.raises(UnsupportedError, match=f"0x{kind:02x}"):
            VerifierKey.parse(f"name+00000000+{encoded(bytes([kind]) + bytes(32))}")


def test_keys_of_other_algorithms_do_not_sign_notes() -> None:
    signer = generate(repeatable_bytes("note"), Algorithm.P256)
    with pytest.raises(UnsupportedError):
        NoteSigner("log.example", signer)
    with pytest.raises(UnsupportedError):
        cosigner_key("witness.example", signer.public_key)


def test_a_key_type_that_is_only_read_verifies_nothing() -> None:
    key = VerifierKey("pq.example", SignatureType.ML_DSA_44_COSIGNATURE, bytes(1312))
    note = sign_note(TEXT, [ALICE]).with_signatures([Signature(key.name, key.key_id, bytes(2428))])
    assert not key.verify(TEXT, bytes(2428))
    assert open_note(note, [ALICE.key, key]) == [ALICE.key]
    assert verified_cosignatures(note, [key]) == {}


def test_cosignatures_say_who_and_when() -> None:
    note = sign_note(TEXT, [ALICE])
    line = cosign(note, "witness.example", WITNESS, 1_700_000_000)
    assert cosignature_time(line) == 1_700_000_000
    cosigned = SignedNote.parse(note.with_signatures([line]).encode())
    assert verified_cosignatures(cosigned, [WITNESS_KEY]) == {WITNESS_KEY: 1_700_000_000}
    assert open_note(cosigned, [WITNESS_KEY]) == [WITNESS_KEY]
    assert verified_cosignatures(note, [WITNESS_KEY]) == {}


def test_a_witness_that_cosigned_twice_has_the_later_time() -> None:
    note = sign_note(TEXT, [ALICE])
    lines = [cosign(note, "witness.example", WITNESS, time) for time in (5, 9, 7)]
    assert verified_cosignatures(note.with_signatures(lines), [WITNESS_KEY]) == {WITNESS_KEY: 9}


def test_a_cosignature_with_another_time_or_text_is_refused() -> None:
    note = sign_note(TEXT, [ALICE])
    line = cosign(note, "witness.example", WITNESS, 1_700_000_000)
    moved = Signature(line.name, line.key_id, (1_700_000_001).to_bytes(8, "big") + line.blob[8:])
    cut = Signature(line.name, line.key_id, line.blob[:-1])
    timeless = Signature(line.name, line.key_id, bytes(8) + line.blob[8:])
    far = Signature(line.name, line.key_id, (MAX_TREE_SIZE + 1).to_bytes(8, "big") + line.blob[8:])
    for bad in (moved, cut, timeless, far, Signature(line.name, line.key_id, b"x")):
        with pytest.raises(VerificationError) as caught:
            verified_cosignatures(SignedNote(TEXT, (bad,)), [WITNESS_KEY])
        assert caught.value.code == "note_signature_invalid"
    with pytest.raises(VerificationError):
        verified_cosignatures(SignedNote("another\n", (line,)), [WITNESS_KEY])


def test_a_note_signature_does_not_pass_for_a_cosignature() -> None:
    plain = VerifierKey(WITNESS_KEY.name, SignatureType.ED25519, WITNESS_KEY.raw)
    note = sign_note(TEXT, [NoteSigner(WITNESS_KEY.name, WITNESS)])
    assert open_note(note, [plain]) == [plain]
    assert verified_cosignatures(note, [plain, WITNESS_KEY]) == {}


def test_cosignatures_need_a_time() -> None:
    note = sign_note(TEXT, [ALICE])
    for time in (0, -1, MAX_TREE_SIZE + 1):
        with pytest.raises(ValueError, match="positive"):
            cosign(note, "witness.example", WITNESS, time)
    with pytest.raises(FormatError):
        cosignature_time(note.signatures[0])
