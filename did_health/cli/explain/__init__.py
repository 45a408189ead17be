"""Explanations of everything that did-health reads or writes, in plain words, without verifying any of it."""

from __future__ import annotations

from dataclasses import dataclass

from did_health.encoding.strict_json import JSONObject


@dataclass(frozen=True, slots=True)
class Explanation:
    """What something is (``kind``, stable; ``title``, for people), what that means, its facts by name, and what it holds."""

    kind: str
    title: str
    sentences: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    parts: tuple[Explanation, ...] = ()

    def to_json(self) -> JSONObject:
        """The explanation as JSON."""
        document: JSONObject = {"kind": self.kind, "title": self.title}
        if self.sentences:
            document["meaning"] = list(self.sentences)
        if self.facts:
            document["facts"] = [{"name": name, "value": value} for name, value in self.facts]
        if self.parts:
            document["parts"] = [part.to_json() for part in self.parts]
        return document


def counted(number: int, thing: str) -> str:
    """``1 key``, ``2 keys``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def known(*facts: tuple[str, object]) -> tuple[tuple[str, str], ...]:
    """The facts that there are: those with neither ``None`` nor an empty value."""
    return tuple((name, str(value)) for name, value in facts if value not in (None, "", (), []))
