"""Signed notes, C2SP signed-note v1.0.0: a text, an empty line, and lines ``— <key name> base64(key ID ‖ signature)``.

A parsed ``SignedNote`` proves nothing yet: its text may be believed only after ``open_note`` (or, for checkpoints, a witness policy)
has verified a signature by a key that the caller knows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from did_health.encoding.base64 import base64_decode, base64_encode
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys.base import Algorithm, PublicKey, Signer
from did_health.keys.ed25519 import Ed25519PublicKey
from did_health.limits import MAX_NOTE_BYTES, MAX_NOTE_SIGNATURES, MAX_TREE_SIZE
from did_health.tlog.lines import utf8

KEY_ID_BYTES: Final = 4
TIMESTAMP_BYTES: Final = 8
_DASH: Final = "\N{EM DASH} "
_CONTROL: Final = re.compile("[\0-\x09\x0b-\x1f]")
_NOT_IN_NAMES: Final = re.compile("[\0-\x1f+\ud800-\udfff]")


class SignatureType(IntEnum):
    """The signature type identifier bytes (§ Signature types) of the keys that can be parsed here."""

    ED25519 = 0x01
    COSIGNATURE = 0x04
    ML_DSA_44_COSIGNATURE = 0x06


_KEY_BYTES: Final = MappingProxyType({SignatureType.ED25519: 32, SignatureType.COSIGNATURE: 32, SignatureType.ML_DSA_44_COSIGNATURE: 1312})


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A key that may sign notes: its name, its type and ``raw`` public key bytes (§ Verifier keys).

    Ed25519 signatures (0x01) and cosignatures (0x04) are verified; ML-DSA-44 cosignatures (0x06) are not: such a key can be
    named in a policy and never verifies anything. Raises ``FormatError`` for a bad name or bytes that are no key.
    """

    name: str
    type: SignatureType
    raw: bytes
    key_id: bytes = field(init=False, compare=False)
    """4 bytes, SHA-256(name ‖ 0x0A ‖ type ‖ public key)[:4]."""
    public_key: PublicKey | None = field(init=False, compare=False, repr=False)
    """The parsed key; None for a type that is not verified here."""

    def __post_init__(self) -> None:
        check_key_name(self.name)
        if len(self.raw) != _KEY_BYTES[self.type]:
            raise FormatError("the verifier key has a wrong length")
        key_id = sha256(b"%b\n%c%b" % (self.name.encode(), self.type, self.raw)).digest()[:KEY_ID_BYTES]
        object.__setattr__(self, "key_id", key_id)
        object.__setattr__(self, "public_key", None if self.type is SignatureType.ML_DSA_44_COSIGNATURE else Ed25519PublicKey(self.raw))

    @classmethod
    def parse(cls, vkey: str) -> VerifierKey:
        """The key of ``name+hex8(key ID)+base64(type ‖ public key)``; ``str()`` gives the text again.

        Raises ``FormatError``, or ``UnsupportedError`` for a signature type that is not one of ``SignatureType``.
        """
        parts = vkey.split("+", 2)
        if len(parts) != 3:
            raise FormatError("the verifier key is not name+id+key")
        name, key_id, encoded = parts
        data = base64_decode(encoded, what="verifier key")
        if not data:
            raise FormatError("the verifier key is empty")
        try:
            kind = SignatureType(data[0])
        except ValueError as error:
            raise UnsupportedError(f"notes signed by keys of type 0x{data[0]:02x} are not read here") from error
        key = cls(name, kind, data[1:])
        if key.key_id.hex() != key_id:
            raise FormatError("the verifier key's ID does not belong to its name and key")
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64_encode(bytes([self.type]) + self.raw)}"

    def verify(self, text: str, blob: bytes) -> bool:
        """Whether ``blob`` (a signature line's bytes after the key ID) is this key's signature of the note's ``text``."""
        if self.public_key is None:
            return False
        if self.type is SignatureType.ED25519:
            return self.public_key.verify(blob, text.encode())
        timestamp = int.from_bytes(blob[:TIMESTAMP_BYTES], "big")
        if not 0 < timestamp <= MAX_TREE_SIZE:
            return False
        return self.public_key.verify(blob[TIMESTAMP_BYTES:], cosigned_message(text, timestamp))


def cosigned_message(text: str, timestamp: int) -> bytes:
    """What an Ed25519 cosignature signs: two header lines and the whole note body (tlog-cosignature v1.0.1, § Ed25519 signed message)."""
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: ``blob`` is what follows the 4 bytes of ``key_id``. Unverified."""

    name: str
    key_id: bytes
    blob: bytes

    @classmethod
    def parse(cls, line: str) -> Signature:
        """The signature of a line without its newline.

        Raises ``FormatError``, with the code ``note_signature_malformed`` where the line is one but its signature is not base64.
        """
        if not line.startswith(_DASH):
            raise FormatError("the signature line does not start with a dash")
        name, _, encoded = line[len(_DASH) :].partition(" ")
        check_key_name(name)
        try:
            data = base64_decode(encoded, what="note signature")
        except FormatError as error:
            raise FormatError(error.what, code="note_signature_malformed") from error
        if len(data) <= KEY_ID_BYTES:
            raise FormatError("the note signature is too short", code="note_signature_malformed")
        return cls(name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])

    def encode(self) -> str:
        """The line, ended by a newline."""
        return f"{_DASH}{self.name} {base64_encode(self.key_id + self.blob)}\n"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A note as received: ``text`` (ended by a newline) with its signature lines, nothing of it verified."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, data: bytes) -> SignedNote:
        """Read a note (§ Format). Each part has one spelling, so ``encode`` gives ``data`` again. Raises ``FormatError``."""
        if len(data) > MAX_NOTE_BYTES:
            raise FormatError(f"the note is longer than {MAX_NOTE_BYTES} bytes")
        note = utf8(data, "note")
        if _CONTROL.search(note):
            raise FormatError("the note contains a control character")
        text_end = note.rfind("\n\n") + 1
        if not text_end or not note.endswith("\n"):
            raise FormatError("the note has no signatures or lacks the last newline")
        lines = note[text_end + 1 : -1].split("\n")
        if len(lines) > MAX_NOTE_SIGNATURES:
            raise FormatError(f"the note has more than {MAX_NOTE_SIGNATURES} signatures")
        return cls(note[:text_end], tuple([Signature.parse(line) for line in lines]))

    def encode(self) -> bytes:
        """The note's bytes."""
        return f"{self.text}\n{''.join([signature.encode() for signature in self.signatures])}".encode()

    def with_signatures(self, signatures: Iterable[Signature]) -> SignedNote:
        """This note with more signature lines after its own; lines that it has already are not repeated."""
        return SignedNote(self.text, tuple(dict.fromkeys((*self.signatures, *signatures))))


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """Signs notes with Ed25519 under a key name (type 0x01). Raises ``UnsupportedError`` for a signer of another algorithm."""

    name: str
    signer: Signer
    key: VerifierKey = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", verifier_key(self.name, SignatureType.ED25519, self.signer.public_key))

    @property
    def vkey(self) -> str:
        """The text by which others know this signer: ``name+hex8(key ID)+base64(type ‖ public key)``."""
        return str(self.key)

    def sign(self, text: str) -> Signature:
        """A signature line for a note's ``text``."""
        return Signature(self.name, self.key.key_id, self.signer.sign(text.encode()))


def verifier_key(name: str, kind: SignatureType, public_key: PublicKey) -> VerifierKey:
    """The verifier key of an Ed25519 public key. Raises ``UnsupportedError`` for a key of another algorithm."""
    if public_key.algorithm is not Algorithm.ED25519:
        raise UnsupportedError(f"notes are signed with Ed25519 here, not with {public_key.algorithm}")
    return VerifierKey(name, kind, public_key.raw)


def sign_note(text: str, signers: Collection[NoteSigner]) -> SignedNote:
    """A note of ``text`` signed by each of ``signers``. Raises ``ValueError`` for a text that a note cannot hold, or no signer."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise ValueError("a note's text ends in a newline and contains no other control character")
    if not 0 < len(signers) <= MAX_NOTE_SIGNATURES:
        raise ValueError(f"a note has 1 to {MAX_NOTE_SIGNATURES} signatures")
    return SignedNote(text, tuple([signer.sign(text) for signer in signers]))


def open_note(note: SignedNote, known: Collection[VerifierKey]) -> list[VerifierKey]:
    """The ``known`` keys that signed ``note``, each once, in the order of the signature lines; never empty (§ Signatures).

    Lines of unknown keys are ignored. Raises ``VerificationError``: ``note_signature_invalid`` if a known key's signature does not
    verify, ``note_unverified`` if there is none by a known key.
    """
    by_identity = {(key.name, key.key_id): key for key in known if key.public_key is not None}
    verified: dict[VerifierKey, None] = {}
    for signature in note.signatures:
        key = by_identity.get((signature.name, signature.key_id))
        if key is not None:
            verify_line(note, key, signature)
            verified[key] = None
    if not verified:
        raise VerificationError("no known key signed the note", code="note_unverified")
    return list(verified)


def verify_line(note: SignedNote, key: VerifierKey, signature: Signature) -> None:
    """Raises ``VerificationError`` (``note_signature_invalid``) unless ``signature``, of a line with the key's name and ID, verifies."""
    if not key.verify(note.text, signature.blob):
        raise VerificationError(f"the note's signature by {key.name} is not valid", code="note_signature_invalid")


def check_key_name(name: str) -> None:
    """Raises ``FormatError`` unless ``name`` is a key name: not empty, no Unicode space, no ``+``, no control character (§ Format)."""
    # split() parts at exactly the Unicode spaces, and gives [] for an empty text.
    if name.split() != [name] or _NOT_IN_NAMES.search(name):
        raise FormatError("the key name is empty or contains a space, a plus, a control character or half a character")
