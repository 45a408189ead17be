from __future__ import annotations

from pathlib import Path

import pytest

from did_health.errors import StoreError
from did_health.stores.passphrase import VARIABLE, passphrase_from


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "passphrase"


@pytest.mark.parametrize("content", [b"from a file", b"from a file\n", b"from a file\r\n", b"from a file\nsecond line\n"])
def test_first_line_of_the_file(file: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "from the environment")
    file.write_bytes(content)
    assert passphrase_from(file) == "from a file"


def test_spaces_belong_to_the_passphrase(file: Path) -> None:
    file.write_bytes("  mit Ümlaut ".encode())
    assert passphrase_from(file) == "  mit Ümlaut "


def test_environment_before_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER", "from the environment")
    assert passphrase_from(env="OTHER", prompt=lambda: "from the prompt") == "from the environment"


def test_empty_variable_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    assert passphrase_from(prompt=lambda: "from the prompt") == "from the prompt"


def test_no_way_to_get_one() -> None:
    with pytest.raises(StoreError, match="no passphrase was given") as caught:
        passphrase_from()
    assert VARIABLE in caught.value.hint


def test_missing_file_does_not_fall_back(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "from the environment")
    with pytest.raises(StoreError, match="missing") as caught:
        passphrase_from(file)
    assert caught.value.where == str(file)


def test_huge_file(file: Path) -> None:
    file.write_bytes(b"a" * 5000)
    with pytest.raises(StoreError, match="larger"):
        passphrase_from(file)


@pytest.mark.parametrize("text", ["", "1234567"])
def test_too_short(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(StoreError, match="fewer than 8") as caught:
        passphrase_from(file)
    assert "1234567" not in caught.value.what


def test_bytes_that_are_not_text(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_bytes(b"\xff\xfe passphrase")
    with pytest.raises(StoreError, match="not UTF-8") as caught:
        passphrase_from(file)
    assert caught.value.__cause__ is None
    monkeypatch.setenv(VARIABLE, "passphrase \udcff")
    with pytest.raises(StoreError, match="not UTF-8"):
        passphrase_from()
