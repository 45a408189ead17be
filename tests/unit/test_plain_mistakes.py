"""Mistakes that everybody makes once: what is said about them names what is wrong and what would be right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

import did_health as dh
from did_health.roles.verifier import KNOWN_PURPOSES
from did_health.trust.policy import TrustPolicy
from tests.town import Town

WAIVED = (dh.CheckName.HOLDER_BINDING,)


def issued_license(town: Town) -> bytes:
    return town.issue().to_json()


def test_a_purpose_that_nobody_knows_is_refused(town: Town) -> None:
    with pytest.raises(dh.FormatError, match="purpose") as raised:
        town.verifier.verify(issued_license(town), purpose="presribe", schedule="2", jurisdiction="US-NC", waive=WAIVED)
    assert raised.value.where == "purpose"
    assert all(purpose in raised.value.hint for purpose in KNOWN_PURPOSES)


def test_a_purpose_that_the_policy_names_is_known() -> None:
    policy = replace(TrustPolicy(), max_age=MappingProxyType({"research": timedelta(hours=1)}))
    report = dh.Verifier(policy, clock=lambda: datetime.now(UTC)).verify(b'{"type": ["VerifiableCredential"]}', purpose="research")
    assert report.codes == ("policy_empty",)


@pytest.mark.parametrize("waived", ["holder_binding", ["holder"]])
def test_what_is_no_check_is_not_waived(town: Town, waived: Any) -> None:
    with pytest.raises(ValueError, match="holder_binding"):
        town.verifier.verify(issued_license(town), waive=waived)


def test_a_check_is_found_by_its_name_as_a_text(town: Town) -> None:
    report = town.verifier.verify(issued_license(town), waive=["holder_binding"])  # type: ignore[list-item]  # the name as a text
    assert report.check("status") is report.check(dh.CheckName.STATUS)
    with pytest.raises(KeyError, match="no check proofs was made; there are: data_model"):
        report.check("proofs")


MISTAKES: dict[str, tuple[type[Exception], str, Callable[[Town], object]]] = {
    "a_board_is_given_the_did_for_the_claims": (TypeError, "PhysicianLicense", lambda town: town.board.issue("did:key:z6Mk", to="x")),  # type: ignore[arg-type]
    "a_file_is_verified_by_its_path": (TypeError, "PosixPath", lambda town: town.verifier.verify(Path("x.json"))),  # type: ignore[arg-type]
    "what_was_issued_is_verified_as_it_is": (TypeError, "to_json", lambda town: town.verifier.verify(town.issue())),
    "nothing_at_all_is_verified": (dh.FormatError, "empty", lambda town: town.verifier.verify(b"")),
    "a_day_for_a_moment": (ValueError, "tzinfo=UTC", lambda town: town.verifier.verify(issued_license(town), now=date(2026, 1, 1))),  # type: ignore[arg-type]
    "one_text_is_presented": (TypeError, "list", lambda town: town.wallet.present("PhysicianLicenseCredential", audience="a", nonce="n")),
    "what_the_wallet_has_not_is_presented": (KeyError, "NoSuchCredential", lambda town: town.wallet.present(["NoSuchCredential"], audience="a", nonce="n")),
    "a_board_never_issued_it": (KeyError, "newest", lambda town: town.board.revoke("2010-1", reason="r")),
    "a_birth_date_is_a_text": (dh.FormatError, "datetime.date", lambda town: dh.Visit(dh.PersonName("A", "B"), "1980-01-01", dh.Act("pickup"))),  # type: ignore[arg-type]
    "a_name_is_a_text": (dh.FormatError, "PersonName", lambda town: dh.Visit("Ann", date(1980, 1, 1), dh.Act("pickup"))),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", MISTAKES)
def test_the_mistake_is_named(town: Town, name: str) -> None:
    kind, words, make = MISTAKES[name]
    with pytest.raises(kind, match=words):
        make(town)


def test_a_list_is_not_one_text(tmp_path: Path) -> None:
    with dh.open_directory(tmp_path / "town", "a long passphrase", create=True) as town:
        for wrong in ({"professions": "MD"}, {"resources": "PhysicianLicenseCredential"}):
            with pytest.raises(dh.FormatError) as raised:
                town.create_board("nc", title="Board", jurisdiction="US-NC", **wrong)  # type: ignore[arg-type]  # a text where a list belongs
            assert raised.value.where in wrong
        assert "nc" not in town.institutions


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(dh.StoreError, match="create=True"):
        dh.open_directory(tmp_path / "nowhere", "a long passphrase")


def test_a_misspelt_name_of_the_package() -> None:
    with pytest.raises(AttributeError) as raised:
        dh.PhysicianLicence  # type: ignore[attr-defined]  # noqa: B018
    assert (raised.value.name, raised.value.obj) == ("PhysicianLicence", dh)
    assert all(getattr(dh, name) is not None for name in dh.__all__)
    assert dir(dh) == sorted(dh.__all__)
