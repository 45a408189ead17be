"""Asking several witnesses at once, within one deadline; implements ``did_health.ledger.witness.Asking``.

Each witness has a thread of its own, so that one that hangs delays nobody else, and is asked one question at a time. When enough have
answered, the others are waited for a moment longer and then left behind: what they still say is nobody's business, because every
question is about one checkpoint, and the answer to an old one is not used for a newer one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from time import monotonic
from typing import Final, TypeVar

from did_health.errors import DidHealthError, EdgeError, FormatError, VerificationError
from did_health.ledger.witness import Enough
from did_health.tlog.note import VerifierKey

T = TypeVar("T")
GRACE_SECONDS: Final = 0.1
"""How long the rest is waited for once there are enough answers: the more cosign, the more may be out when a verifier looks."""


class AtOnce:
    """Asks everybody at once and waits at most ``deadline_seconds``. Close it after use; it may be used again."""

    def __init__(self, deadline_seconds: float, *, grace_seconds: float = GRACE_SECONDS) -> None:
        self._deadline, self._grace = deadline_seconds, grace_seconds
        self._threads: dict[VerifierKey, ThreadPoolExecutor] = {}

    def __call__(self, questions: Mapping[VerifierKey, Callable[[], T]], enough: Enough, /) -> dict[VerifierKey, T | DidHealthError]:
        """See ``Asking``. What is no error of a witness's (a ``TypeError``, say) is raised."""
        asked: dict[Future[T], VerifierKey] = {self._thread_of(witness).submit(question): witness for witness, question in questions.items()}
        answers: dict[VerifierKey, T | DidHealthError] = {}
        end = monotonic() + self._deadline
        waiting, satisfied = set(asked), False
        try:
            while waiting and (left := end - monotonic()) > 0:
                done, waiting = wait(waiting, left, FIRST_COMPLETED)
                for one in done:
                    try:
                        answers[asked[one]] = one.result()
                    except (VerificationError, FormatError, EdgeError) as error:
                        answers[asked[one]] = error
                if not satisfied and enough({witness for witness, answer in answers.items() if not isinstance(answer, DidHealthError)}):
                    satisfied, end = True, min(end, monotonic() + self._grace)
        finally:
            # Those that wait behind an older question never begin; the others end by their own time-out.
            for one in waiting:
                one.cancel()
        return answers

    def close(self) -> None:
        """Give the threads back, without waiting for questions that are under way."""
        for thread in self._threads.values():
            thread.shutdown(wait=False, cancel_futures=True)
        self._threads.clear()

    def _thread_of(self, witness: VerifierKey) -> ThreadPoolExecutor:
        if witness not in self._threads:
            self._threads[witness] = ThreadPoolExecutor(1, thread_name_prefix="asking")
        return self._threads[witness]
