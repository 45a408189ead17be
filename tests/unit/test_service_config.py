from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from did_health.errors import DidHealthError, FormatError, StoreError
from did_health.limits import MAX_CONFIG_BYTES, MAX_FOLLOWED_LOGS, MAX_REQUESTS_PER_MINUTE, MAX_SETTING_CHARACTERS
from did_health.services import setting_values as values
from did_health.services.config import FORMAT, Config, load
from did_health.services.sections.members import DEFAULT_REQUESTS_PER_MINUTE
from did_health.services.sections.witness import DEFAULT_WITNESS_ADDRESS, WitnessSettings
from did_health.services.setting_values import Address, Secret
from did_health.services.settings import Setting, Shown, shown_settings
from tests.cli_runs import CLI
from tests.witness_parties import LOG, STRANGER

HEAD = f'format = "{FORMAT}"\n'
LEAST = f'{HEAD}[witness]\nname = "w1.example"\ndir = "w1"\n'


def parse(text: str = "", folder: Path = Path("/etc/did-health"), **variables: str) -> Config:
    return Config.parse(text.encode(), variables, folder=folder)


def fault(text: str = "", **variables: str) -> FormatError:
    with pytest.raises(FormatError) as caught:
        parse(text, **variables)
    return caught.value


def test_a_file_with_everything() -> None:
    text = f"""{HEAD}
        [witness]
        name = "w1.example"
        dir = "w1"
        logs = ["{LOG.vkey}", "{STRANGER.vkey}"]
        listen = "[::1]:8101"
        prefix = "/witness/v1"
        key = "/keys/w1.key"
        passphrase_file = "passphrase"
        requests_per_minute = 60
        trusted_proxies = ["10.0.0.1"]
    """
    folder = Path("/etc/did-health")
    assert parse(text).witness == WitnessSettings(
        name="w1.example",
        dir=folder / "w1",
        logs=(LOG.key, STRANGER.key),
        listen=Address("::1", 8101),
        prefix="/witness/v1",
        key=Path("/keys/w1.key"),
        passphrase_file=folder / "passphrase",
        requests_per_minute=60,
        trusted_proxies=("10.0.0.1",),
    )


def test_defaults() -> None:
    witness = parse(LEAST).witness
    assert (witness.logs, witness.listen, witness.prefix, witness.requests_per_minute) == ((), DEFAULT_WITNESS_ADDRESS, "", DEFAULT_REQUESTS_PER_MINUTE)
    assert DEFAULT_WITNESS_ADDRESS.host == "127.0.0.1"
    assert parse(LEAST + 'prefix = ""\n').witness == witness


def test_variables_alone_and_their_paths_are_below_the_working_folder() -> None:
    witness = parse(
        DID_HEALTH_WITNESS_NAME="w.example", DID_HEALTH_WITNESS_DIR="w", DID_HEALTH_WITNESS_LOGS=f"{LOG.vkey}  {STRANGER.vkey}",
        DID_HEALTH_WITNESS_REQUESTS_PER_MINUTE="7",
    ).witness  # fmt: skip
    assert (witness.name, witness.dir, witness.logs, witness.requests_per_minute) == ("w.example", Path("w"), (LOG.key, STRANGER.key), 7)


def test_options_win_over_variables_and_those_over_the_file() -> None:
    variables = {"DID_HEALTH_WITNESS_NAME": "variable.example", "DID_HEALTH_WITNESS_DIR": "variable", "DID_HEALTH_PASSPHRASE": "of no section", "PATH": "/bin"}
    config = Config.parse(LEAST.encode(), variables, folder=Path("f"), options={"witness": {"name": "option.example"}})
    assert (config.witness.name, config.witness.dir) == ("option.example", Path("variable"))
    sources = {one.name: one.source for one in config.shown()["witness"]}
    assert (sources["name"], sources["dir"], sources["listen"]) == ("--name", "DID_HEALTH_WITNESS_DIR", "default")
    assert {one.name: one.source for one in parse(LEAST).shown()["witness"]}["name"] == "file"


@pytest.mark.parametrize(("line", "where"), [
    ('name = "two words"', "witness.name"),
    ("name = 1", "witness.name"),
    ('name = ""', "witness.name"),
    ('dir = "a\\nb"', "witness.dir"),
    ("dir = []", "witness.dir"),
    ('logs = "x"', "witness.logs"),
    ("logs = [1]", "witness.logs"),
    ("logs = {}", "witness.logs"),
    ('logs = ["log.example+00000000+AQ=="]', "witness.logs"),
    (f"logs = {json.dumps([LOG.vkey] * (MAX_FOLLOWED_LOGS + 1))}", "witness.logs"),
    ('listen = "8101"', "witness.listen"),
    ('listen = "127.0.0.1:"', "witness.listen"),
    ('listen = ":8101"', "witness.listen"),
    ('listen = "::1:8101"', "witness.listen"),
    ('listen = "[host]:8101"', "witness.listen"),
    ('listen = "127.0.0.1:65536"', "witness.listen"),
    ('listen = "http://x:1"', "witness.listen"),
    ('listen = "127.0.0.1:8१"', "witness.listen"),
    ('prefix = "witness"', "witness.prefix"),
    ('prefix = "/witness/"', "witness.prefix"),
    ('prefix = "/a/../b"', "witness.prefix"),
    ('prefix = "/{log}"', "witness.prefix"),
    ("prefix = false", "witness.prefix"),
    ("requests_per_minute = 0", "witness.requests_per_minute"),
    ("requests_per_minute = true", "witness.requests_per_minute"),
    ("requests_per_minute = 1.5", "witness.requests_per_minute"),
    (f"requests_per_minute = {MAX_REQUESTS_PER_MINUTE + 1}", "witness.requests_per_minute"),
    (f'key = "{"k" * (MAX_SETTING_CHARACTERS + 1)}"', "witness.key"),
    ("colour = 1", "witness.colour"),
])  # fmt: skip
def test_every_error_in_a_file_names_the_member(line: str, where: str) -> None:
    member = line.partition(" ")[0]
    others = "".join(f"{name}\n" for name in ('name = "w"', 'dir = "w"') if not name.startswith(f"{member} "))
    error = fault(f"{HEAD}[witness]\n{others}{line}\n")
    assert error.where == where
    assert error.hint


@pytest.mark.parametrize(("variable", "value"), [
    ("DID_HEALTH_WITNESS_LISTEN", "nowhere"),
    ("DID_HEALTH_WITNESS_LOGS", "not-a-key"),
    ("DID_HEALTH_WITNESS_REQUESTS_PER_MINUTE", "seven"),
    ("DID_HEALTH_WITNESS_REQUESTS_PER_MINUTE", "٣"),
    ("DID_HEALTH_WITNESS_REQUESTS_PER_MINUTE", "9" * 5000),
    ("DID_HEALTH_WITNESS_NAME", ""),
    ("DID_HEALTH_WITNESS_COLOUR", "red"),
])
def test_every_error_in_a_variable_names_it_and_not_its_value(variable: str, value: str) -> None:
    error = fault(LEAST, **{variable: value})
    assert error.where == variable
    assert not value or value not in str(error).replace(variable, "")


@pytest.mark.parametrize(("section", "member", "option"), [
    ("witness", "logs", "--log"), ("ledger", "witnesses", "--witness"),
    ("ledger", "registry_authorities", "--registry-authority"), ("monitor", "policies", "--policy"),
])  # fmt: skip
def test_an_error_in_an_option_that_may_be_repeated_names_it_as_it_is_written(section: str, member: str, option: str) -> None:
    with pytest.raises(FormatError) as caught:
        Config.parse(b"", {}, folder=Path(), options={section: {"dir": "d", "name": "n", member: [""]}})
    assert caught.value.where == option


def test_a_key_of_a_cosigner_or_of_another_kind_is_no_log() -> None:
    from did_health.tlog.cosignature import cosigner_key
    from did_health.tlog.note import VerifierKey

    cosigner = str(cosigner_key("w.example", LOG.signer.public_key))
    unknown = f"log.example+{VerifierKey.parse(LOG.vkey).key_id.hex()}+/w=="
    for vkey in (cosigner, unknown):
        assert fault(LEAST, DID_HEALTH_WITNESS_LOGS=vkey).where == "DID_HEALTH_WITNESS_LOGS"


def test_what_is_missing_is_named() -> None:
    error = fault(f'{HEAD}[witness]\ndir = "w"\n')
    assert error.where == "witness.name"
    assert "DID_HEALTH_WITNESS_NAME" in error.hint
    assert fault(DID_HEALTH_WITNESS_NAME="w").where == "witness.dir"
    with pytest.raises(FormatError) as caught:
        _ = parse("").witness
    assert caught.value.where == "witness"


@pytest.mark.parametrize(("text", "where"), [
    ("[witness]\n", "format"),
    ('format = "did-health/services/v9"\n', "format"),
    (f"{HEAD}[whitness]\n", "whitness"),
    (f"{HEAD}witness = 1\n", "witness"),
    ('secret = "do not quote me', ""),
    ("x = " + "[" * 100_000, ""),
    (f"{HEAD}#{'x' * MAX_CONFIG_BYTES}", ""),
])
def test_files_that_are_no_configuration(text: str, where: str) -> None:
    error = fault(text)
    assert error.where == where
    assert "quote me" not in str(error)


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(FormatError):
        Config.parse(b"\xff", {}, folder=Path())


def test_load_reads_the_file_that_is_named_or_that_the_variable_names(tmp_path: Path) -> None:
    file = tmp_path / "services.toml"
    file.write_text(LEAST)
    assert load(file, {}) == load(None, {"DID_HEALTH_CONFIG": str(file)})
    assert load(file, {}).witness.dir == tmp_path / "w1"
    assert load(None, {}).shown() == {}
    with pytest.raises(StoreError) as caught:
        load(tmp_path / "none.toml", {})
    assert caught.value.code == "store_missing"


def test_errors_of_a_file_say_in_which_and_those_of_a_variable_do_not(tmp_path: Path) -> None:
    file = tmp_path / "services.toml"
    file.write_text(LEAST + "colour = 1\n")
    with pytest.raises(DidHealthError) as caught:
        load(file, {})
    assert caught.value.where == f"{file} witness.colour"
    file.write_text(LEAST)
    for variables, options, where in (({"DID_HEALTH_WITNESS_LISTEN": "x"}, {}, "DID_HEALTH_WITNESS_LISTEN"), ({}, {"listen": "x"}, "--listen")):
        with pytest.raises(DidHealthError) as caught:
            load(file, variables, options={"witness": options})
        assert caught.value.where == where


def test_secrets_are_not_shown() -> None:
    from dataclasses import dataclass
    from typing import Annotated

    @dataclass(frozen=True)
    class Webhook:
        token: Annotated[Secret, Setting(values.secret, "a token")]
        retries: Annotated[int, Setting(values.whole_number(0, 9), "how often")] = 3

    webhook = Webhook(values.secret("hunter2", Path()))
    assert webhook.token.reveal() == "hunter2"
    assert shown_settings(webhook, {"token": "file"}) == (Shown("token", "(set)", "file"), Shown("retries", 3, "default"))
    assert "hunter2" not in f"{webhook!r} {webhook.token} {shown_settings(webhook, {})!r}"


def test_addresses_are_written_as_they_are_read() -> None:
    for text in ("127.0.0.1:0", "[::1]:8080", "witness.internal:65535"):
        assert str(values.address(text, Path())) == text


# ---- did-health config show


def test_config_show(cli: CLI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "services.toml"
    file.write_text(LEAST + f'logs = ["{LOG.vkey}"]\n')
    monkeypatch.setenv("DID_HEALTH_WITNESS_PREFIX", "/w")
    shown: dict[str, Any] = cli("config", "show", "--file", file, "--json").json["witness"]
    assert shown["name"] == {"value": "w1.example", "source": "file"}
    assert shown["logs"] == {"value": [LOG.vkey], "source": "file"}
    assert shown["prefix"] == {"value": "/w", "source": "DID_HEALTH_WITNESS_PREFIX"}
    assert shown["key"] == {"value": None, "source": "default"}
    text = cli("config", "show", "--file", file).out
    assert "w1.example" in text
    assert LOG.vkey in text
    assert "DID_HEALTH_WITNESS_PREFIX" in text
    assert "correct" not in text


def test_config_show_without_anything(cli: CLI) -> None:
    assert "Nothing is configured" in cli("config", "show").out
    assert cli("config", "show", "--json").json == {}


def test_config_show_of_a_broken_file(cli: CLI, tmp_path: Path) -> None:
    file = tmp_path / "services.toml"
    file.write_text(LEAST + "listen = 1\n")
    assert cli("config", "show", "--file", file, "--json", code=2).json["error"]["where"] == f"{file} witness.listen"
    assert cli("config", "show", "--file", tmp_path / "none", code=2).err
