from __future__ import annotations

from did_health.health.status_messages import CASCADES, MESSAGE_BITS, MESSAGES, SIGNALS, VERDICTS, Cascade, Message, Verdict, status_messages


def test_there_are_exactly_sixteen_messages_for_four_bits() -> None:
    assert len(Message) == len(MESSAGES) == 2**MESSAGE_BITS
    assert [message.value for message in Message] == list(range(16))
    assert status_messages()[0] == {"status": "0x0", "message": "clear"}
    assert status_messages()[15] == {"status": "0xf", "message": "undefined"}
    assert MESSAGES[6] == "summary suspension"


def test_every_message_has_a_verdict_and_only_clear_is_accepted() -> None:
    assert set(VERDICTS) == set(Message)
    assert {message for message, verdict in VERDICTS.items() if verdict is Verdict.ACCEPT} == {Message.CLEAR}
    conditional = {message for message, verdict in VERDICTS.items() if verdict is Verdict.CONDITIONAL}
    assert conditional == {Message.PROBATION, Message.RESTRICTED, Message.STAYED}


def test_what_cascades_by_law_is_what_the_compact_names() -> None:
    assert {word for word, signal in SIGNALS.items() if signal.cascade is Cascade.SAME_STATUS} == {
        "revoked", "suspended", "summary_suspension", "surrendered_in_lieu",
    }  # fmt: skip
    assert {word for word, signal in SIGNALS.items() if signal.cascade is Cascade.NONE} == {"active"}


def test_states_of_one_message_mean_the_same_to_a_compact_and_an_undefined_one_is_refused() -> None:
    assert set(CASCADES) == set(Message)
    assert all(CASCADES[signal.message] is signal.cascade for signal in SIGNALS.values())
    assert CASCADES[Message.UNDEFINED] is Cascade.REFUSAL


def test_a_stayed_suspension_sets_no_bit() -> None:
    signal = SIGNALS["stayed_suspension"]
    assert (signal.suspension, signal.revocation, signal.verdict) == (False, False, Verdict.CONDITIONAL)


def test_a_revocation_is_for_ever_and_a_suspension_is_not() -> None:
    for signal in SIGNALS.values():
        assert signal.reversible is not signal.revocation
        assert not (signal.suspension and signal.revocation)
        assert signal.verdict is Verdict.REFUSE or not (signal.suspension or signal.revocation)
    assert SIGNALS["surrendered"].revocation
    assert SIGNALS["suspended"].suspension


def test_what_changes_the_licence_asks_the_holder_to_refresh() -> None:
    assert {state for state, signal in SIGNALS.items() if signal.refresh} == {"probation", "restricted"}
