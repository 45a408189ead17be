from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from did_health.encoding import strict_json
from did_health.errors import DidHealthError, FormatError, UnsupportedError, VerificationError
from did_health.keys.sealed import DEFAULT_COST, SealingCost, SealingKey, open_sealed, seal
from did_health.limits import MAX_ARGON2_MEMORY_BYTES, MAX_ARGON2_OPERATIONS

CHEAP = SealingCost(operations=1, memory_bytes=8192)
PASSPHRASE = "correct horse battery"

Random = Callable[[int], bytes]


@pytest.fixture
def sealed(random_bytes: Random) -> bytes:
    return seal(b"plain secret", PASSPHRASE, content="wallet", random=random_bytes, cost=CHEAP)


def changed(sealed: bytes, **members: Any) -> bytes:
    return strict_json.dumps({**strict_json.loads_object(sealed), **members})


def test_what_is_sealed_opens(sealed: bytes, random_bytes: Random) -> None:
    plaintext, key = open_sealed(sealed, PASSPHRASE, content="wallet")
    assert plaintext == b"plain secret"
    again = key.seal(b"another", random_bytes)
    assert open_sealed(again, PASSPHRASE, content="wallet")[0] == b"another"
    assert strict_json.loads(again)["nonce"] != strict_json.loads(sealed)["nonce"]


def test_file_tells_its_format_and_cost_and_nothing_of_the_secret(sealed: bytes) -> None:
    document = strict_json.loads_object(sealed)
    assert {name: document[name] for name in ("format", "content", "kdf", "operations", "memoryBytes")} == {
        "format": "did-health/sealed/v1",
        "content": "wallet",
        "kdf": "argon2id",
        "operations": 1,
        "memoryBytes": 8192,
    }
    assert b"secret" not in sealed
    assert b"horse" not in sealed


def test_same_secret_is_sealed_differently_each_time(random_bytes: Random) -> None:
    documents = [strict_json.loads(seal(b"x", PASSPHRASE, content="key", random=random_bytes, cost=CHEAP)) for _ in range(2)]
    assert all(documents[0][name] != documents[1][name] for name in ("salt", "nonce", "ciphertext"))


def test_cost_of_its_own_is_at_least_what_libsodium_calls_interactive() -> None:
    assert DEFAULT_COST.operations >= 2
    assert DEFAULT_COST.memory_bytes >= 64 << 20


@pytest.mark.parametrize("passphrase", ["correct horse batter", "Correct horse battery", "correct horse battery "])
def test_wrong_passphrase(sealed: bytes, passphrase: str) -> None:
    with pytest.raises(VerificationError, match="the sealed wallet does not open") as caught:
        open_sealed(sealed, passphrase, content="wallet")
    assert caught.value.code == "wrong_passphrase"
    assert "orrect" not in str(caught.value)


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({"ciphertext": "AAAA"}, VerificationError),
        ({"ciphertext": ""}, VerificationError),
        ({"nonce": "A" * 32}, VerificationError),
        ({"nonce": "AAAA"}, VerificationError),
        ({"salt": "A" * 21 + "A"}, VerificationError),
        ({"operations": 2}, VerificationError),
        ({"memoryBytes": 16384}, VerificationError),
        ({"salt": "AAAA"}, FormatError),
        ({"salt": 5}, FormatError),
        ({"nonce": None}, FormatError),
        ({"ciphertext": "not base64url!"}, FormatError),
        ({"operations": 0}, FormatError),
        ({"operations": True}, FormatError),
        ({"operations": 1.0}, FormatError),
        ({"operations": MAX_ARGON2_OPERATIONS + 1}, FormatError),
        ({"memoryBytes": 1}, FormatError),
        ({"memoryBytes": MAX_ARGON2_MEMORY_BYTES + 1}, FormatError),
        ({"memoryBytes": None}, FormatError),
        ({"content": "key"}, FormatError),
        ({"format": None}, FormatError),
        ({"format": "did-health/sealed/v2"}, UnsupportedError),
        ({"kdf": "scrypt"}, UnsupportedError),
    ],
    ids=str,
)
def test_changed_file(sealed: bytes, members: dict[str, Any], error: type[DidHealthError]) -> None:
    with pytest.raises(error):
        open_sealed(changed(sealed, **members), PASSPHRASE, content="wallet")


def test_relabelled_file_does_not_open(sealed: bytes) -> None:
    """The name of the content goes into the key."""
    with pytest.raises(VerificationError):
        open_sealed(changed(sealed, content="key"), PASSPHRASE, content="key")


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"-----BEGIN PRIVATE KEY-----", b"\x00" * 100])
def test_file_that_is_not_sealed(data: bytes) -> None:
    with pytest.raises(FormatError):
        open_sealed(data, PASSPHRASE, content="wallet")


def test_truncated_file(sealed: bytes) -> None:
    for length in range(len(sealed) - 2):
        with pytest.raises(FormatError):
            open_sealed(sealed[:length], PASSPHRASE, content="wallet")


def test_short_passphrase_is_the_callers_mistake(random_bytes: Random) -> None:
    with pytest.raises(ValueError, match="at least 8 characters"):
        seal(b"", "1234567", content="key", random=random_bytes, cost=CHEAP)


def test_repr_shows_neither_key_nor_passphrase() -> None:
    key = SealingKey(PASSPHRASE, bytes(16), "wallet", CHEAP)
    assert repr(key) == "SealingKey(content='wallet')"
    assert not hasattr(key, "__dict__")
