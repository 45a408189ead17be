"""Whether two names can be one person's, as one compares what somebody states with a record: spelling of case, accents and punctuation aside."""

from __future__ import annotations

import unicodedata

from did_health.health.person_name import PersonName


def names_agree(one: PersonName, other: PersonName) -> bool:
    """Whether family names are the same, and given names as far as both say them: ``Ana`` agrees with ``Ana María``, and not with ``María``.

    Suffixes contradict each other where both have one and they differ (``Jr.``, ``Sr.``); prefixes say nothing. The same for both orders.
    """
    if letters_of(one.family) != letters_of(other.family) or not letters_of(one.family):
        return False
    if one.suffix and other.suffix and letters_of(one.suffix) != letters_of(other.suffix):
        return False
    first, second = _words(one.given), _words(other.given)
    shorter = min(len(first), len(second))
    return shorter > 0 and first[:shorter] == second[:shorter]


def _words(text: str) -> list[str]:
    return [letters for word in text.replace("-", " ").split() if (letters := letters_of(word))]


def letters_of(text: str) -> str:
    """Letters and digits alone, without accents and case: what is compared."""
    return "".join(character for character in unicodedata.normalize("NFKD", text).casefold() if character.isalnum())
