from __future__ import annotations

import pytest

from did_health.errors import TransportError
from did_health.net.guards import Guard, is_public


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "239.1.1.1",
        "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00::1", "ff02::1",
        "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a00:1::1",
        "not an address", "",
    ],
)  # fmt: skip
def test_address_that_is_not_public_unicast(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_address(address: str) -> None:
    assert is_public(address)


def guard(*addresses: str, allow: str = "") -> Guard:
    return Guard(frozenset({allow}) if allow else frozenset(), lambda host, port: addresses)


def test_only_public_addresses_of_a_name_are_given() -> None:
    assert guard("10.0.0.1", "8.8.8.8", "8.8.8.8", "::1").addresses("board.example", 443) == ("8.8.8.8",)


def test_name_with_private_addresses_only_is_refused() -> None:
    with pytest.raises(TransportError, match=r"board\.example is at a private") as caught:
        guard("10.0.0.1", "::1").addresses("board.example", 443)
    assert caught.value.code == "address_refused"


def test_name_without_addresses_is_refused() -> None:
    with pytest.raises(TransportError, match="private"):
        guard().addresses("board.example", 443)


@pytest.mark.parametrize("error", [OSError("resolver is down"), UnicodeError("label too long")])
def test_name_that_does_not_resolve(error: Exception) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise error

    with pytest.raises(TransportError, match="has no address") as caught:
        Guard(resolve=resolve).addresses("board.example", 443)
    assert caught.value.code == "name_not_found"


@pytest.mark.parametrize("allow", ["board.example", "board.example:8443"])
def test_host_allowed_by_name_may_be_private_and_without_tls(allow: str) -> None:
    allowed = guard("10.0.0.1", allow=allow)
    assert allowed.addresses("Board.example", 8443) == ("10.0.0.1",)
    allowed.check_url("http", "board.EXAMPLE", 8443, has_credentials=False)


def test_host_allowed_on_one_port_is_not_allowed_on_another() -> None:
    with pytest.raises(TransportError):
        guard("10.0.0.1", allow="board.example:8443").addresses("board.example", 22)


@pytest.mark.parametrize(
    ("scheme", "host", "has_credentials", "complaint"),
    [
        ("http", "board.example", False, "not fetched from by http"),
        ("ftp", "board.example", False, "by ftp"),
        ("file", "allowed.example", False, "by file"),
        ("", "board.example", False, "a relative URL"),
        ("https", "", False, "names no host"),
        ("https", "board.example", True, "user name or password"),
    ],
)
def test_refused_url(scheme: str, host: str, has_credentials: bool, complaint: str) -> None:
    with pytest.raises(TransportError, match=complaint) as caught:
        guard(allow="allowed.example").check_url(scheme, host, 443, has_credentials=has_credentials)
    assert caught.value.code == "url_refused"
