from __future__ import annotations

import pytest

from did_health.errors import FormatError
from did_health.health.license_state import Axis, LicenseState, axis_of, check_state, combined, severity
from did_health.health.status_messages import SIGNALS, Message, Verdict


def test_two_words_tell_a_state() -> None:
    assert str(LicenseState()) == "active"
    assert str(LicenseState("active", "suspended")) == "suspended, active"
    assert str(LicenseState("delinquent", "stayed_suspension")) == "stayed suspension, delinquent"


@pytest.mark.parametrize(("renewal", "discipline"), [("suspended", "active"), ("active", "retired"), ("gone", "active"), ("active", "")])
def test_a_word_of_the_other_axis_is_refused(renewal: str, discipline: str) -> None:
    with pytest.raises(FormatError):
        LicenseState(renewal, discipline)


@pytest.mark.parametrize(
    ("words", "message", "verdict", "bits"),
    [
        ((), Message.CLEAR, Verdict.ACCEPT, (False, False, False)),
        (("active", "active"), Message.CLEAR, Verdict.ACCEPT, (False, False, False)),
        (("probation",), Message.PROBATION, Verdict.CONDITIONAL, (False, False, True)),
        (("probation", "delinquent"), Message.DELINQUENT, Verdict.REFUSE, (False, False, True)),
        (("retired", "probation"), Message.RETIRED, Verdict.REFUSE, (True, False, True)),
        (("inactive", "suspended"), Message.SUSPENDED, Verdict.REFUSE, (True, False, False)),
        (("suspended", "revoked"), Message.REVOKED, Verdict.REFUSE, (True, True, False)),
        (("stayed_suspension", "probation"), Message.STAYED, Verdict.CONDITIONAL, (False, False, True)),
    ],
)
def test_several_states_publish_all_their_bits_and_the_worst_message(
    words: tuple[str, ...], message: Message, verdict: Verdict, bits: tuple[bool, bool, bool]
) -> None:
    for order in (words, tuple(reversed(words))):
        signal = combined(order)
        assert (signal.message, signal.verdict) == (message, verdict)
        assert (signal.suspension, signal.revocation, signal.refresh) == bits


def test_a_state_publishes_what_both_its_words_say() -> None:
    assert LicenseState("retired", "probation").signal == combined(("retired", "probation"))
    assert not LicenseState("active", "revoked").signal.reversible


def test_every_word_is_on_one_axis() -> None:
    assert {word for word in SIGNALS if axis_of(word) is Axis.RENEWAL} == {"lapsed", "delinquent", "inactive", "retired", "deceased"}
    assert max(SIGNALS, key=severity) in {"revoked", "issued_in_error"}
    for word in ("", "Suspended", None, 7):
        with pytest.raises(FormatError):
            check_state(word)
