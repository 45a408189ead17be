from __future__ import annotations

from datetime import timedelta

import pytest

from did_health.errors import FormatError
from did_health.keys import generate
from did_health.tlog.note import NoteSigner
from did_health.trust.policy import DEFAULT_MAX_AGE, TrustPolicy
from tests.conftest import repeatable_bytes

AUTHORITY = "did:webvh:QmfGEUAcMpzo25kF2Rhn8L5FAXysfGnkzjwdKoNPi615XQ:registry.example"
LOG = NoteSigner("log.example", generate(repeatable_bytes("log"))).vkey
LEDGER = f"log {LOG} https://log.example\nquorum none\n"


def text(**replaced: str) -> str:
    members = {
        "format": '"did-health/trust-policy/v1"',
        "registry_authority": f'"{AUTHORITY}"',
        "ledger": f"'''\n{LEDGER}'''",
        "max_age_seconds": "{ default = 3600, prescriber = 60 }",
        **replaced,
    }
    return "\n".join(f"{name} = {value}" for name, value in members.items() if value)


def test_a_policy_names_logs_authority_and_ages() -> None:
    policy = TrustPolicy.parse(text())
    assert policy.registry_authority == AUTHORITY
    assert policy.ledger is not None
    assert [log.url for log in policy.ledger.logs] == ["https://log.example"]
    assert policy.max_age_for("prescriber") == timedelta(minutes=1)
    assert policy.max_age_for("pickup") == timedelta(hours=1)
    assert not policy.is_empty


def test_a_policy_is_written_as_it_is_read() -> None:
    policy = TrustPolicy.parse(text())
    assert TrustPolicy.parse(policy.encode()) == policy
    assert TrustPolicy.parse(policy.encode().encode()) == policy


def test_without_ages_the_default_age_holds() -> None:
    assert TrustPolicy.parse(text(max_age_seconds="")).max_age_for("pickup") == DEFAULT_MAX_AGE


def test_the_empty_policy_trusts_nobody_and_has_no_file() -> None:
    assert TrustPolicy().is_empty
    assert TrustPolicy.parse(text(ledger="", max_age_seconds="")).is_empty
    assert TrustPolicy.parse(text(registry_authority="")).is_empty
    with pytest.raises(ValueError, match="no file"):
        TrustPolicy().encode()


@pytest.mark.parametrize(
    ("fault", "where"),
    [
        ({"format": '"other/v1"'}, "format"),
        ({"registry_authority": "7"}, "registry_authority"),
        ({"ledger": "7"}, "ledger"),
        ({"max_age_seconds": "7"}, "max_age_seconds"),
        ({"max_age_seconds": "{ default = 0 }"}, "max_age_seconds.default"),
        ({"max_age_seconds": "{ default = true }"}, "max_age_seconds.default"),
        ({"max_age_seconds": "{ default = 999999999999 }"}, "max_age_seconds.default"),
        ({"max_age_seconds": '{ "not a word" = 5 }'}, "max_age_seconds.not a word"),
        ({"unknown_member": "7"}, "unknown_member"),
    ],
)
def test_a_wrong_member_is_named(fault: dict[str, str], where: str) -> None:
    with pytest.raises(FormatError) as caught:
        TrustPolicy.parse(text(**fault))
    assert caught.value.where == where


@pytest.mark.parametrize("garbage", ["= =", b"\xff\xfe", "a" * 100_000, text(registry_authority='"not a DID"'), text(ledger="'no such line'")])
def test_garbage_is_a_format_error(garbage: str | bytes) -> None:
    with pytest.raises(FormatError):
        TrustPolicy.parse(garbage)
