"""Selecting parts of a JSON-LD document by JSON pointers (RFC 6901; Data Integrity ECDSA Cryptosuites 1.0 §3.4.11 to §3.4.14)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeAlias

from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError
from did_health.limits import MAX_DOCUMENT_DEPTH, MAX_POINTER_CHARACTERS, MAX_POINTERS

_CODE: Final = "PROOF_GENERATION_ERROR"
_BAD_ESCAPE: Final = re.compile(r"~(?![01])")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}")
# What is selected below a place: None for all of it.
_Selected: TypeAlias = "dict[str, _Selected] | None"


def parse_pointer(pointer: str) -> tuple[str, ...]:
    """The reference tokens of a JSON pointer (RFC 6901 §3, §4), none for the whole document. Raises ``FormatError``."""
    if not isinstance(pointer, str) or len(pointer) > MAX_POINTER_CHARACTERS:
        raise FormatError(f"a JSON pointer is no text, or has more than {MAX_POINTER_CHARACTERS} characters", code=_CODE)
    if pointer and not pointer.startswith("/"):
        raise FormatError("a JSON pointer does not start with a slash", code=_CODE)
    if _BAD_ESCAPE.search(pointer):
        raise FormatError("a JSON pointer has a tilde that is neither ~0 nor ~1", code=_CODE)
    tokens = tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:])
    if len(tokens) > MAX_DOCUMENT_DEPTH:
        raise FormatError(f"a JSON pointer leads deeper than {MAX_DOCUMENT_DEPTH} levels", code=_CODE)
    return tokens


def select(document: JSONObject, pointers: Sequence[str]) -> JSONObject | None:
    """``selectJsonLd``: a document with what the pointers name, and the ``id``, ``type`` and context of everything on the way to it.

    ``None`` if there are no pointers, for then nothing is selected. Arrays keep their order, not their indexes. What is nested in the
    result is shared with ``document``. Raises ``FormatError`` (``PROOF_GENERATION_ERROR``) for a pointer that is malformed or names nothing.
    """
    if len(pointers) > MAX_POINTERS:
        raise FormatError(f"there are {len(pointers)} JSON pointers, more than the {MAX_POINTERS} allowed", code=_CODE)
    if not pointers:
        return None
    selected: dict[str, _Selected] = {}
    is_whole = False
    for pointer in pointers:
        tokens = parse_pointer(pointer)
        is_whole = is_whole or not tokens
        _require(document, tokens, pointer)
        _add(selected, tokens)
    if is_whole:
        return document
    chosen: JSONObject = _chosen(document, selected)
    if "@context" in document:
        chosen["@context"] = document["@context"]
    return chosen


def _require(value: JSON, tokens: tuple[str, ...], pointer: str) -> None:
    for token in tokens:
        if isinstance(value, dict) and token in value:
            value = value[token]
        elif isinstance(value, list) and _INDEX.fullmatch(token) and int(token) < len(value):
            value = value[int(token)]
        else:
            raise FormatError("a JSON pointer names nothing in the document", where=pointer[:200], code=_CODE)


def _add(selected: dict[str, _Selected], tokens: tuple[str, ...]) -> None:
    for token in tokens[:-1]:
        below = selected.setdefault(token, {})
        if below is None:
            return
        selected = below
    for token in tokens[-1:]:
        selected[token] = None


def _chosen(value: JSON, selected: _Selected) -> JSON:
    if selected is None:
        return value
    if isinstance(value, list):
        return [_chosen(value[int(index)], selected[index]) for index in sorted(selected, key=int)]
    return _initial(value) | {name: _chosen(value[name], below) for name, below in selected.items()}


def _initial(source: JSONObject) -> JSONObject:
    """``createInitialSelection``: every id and type on the way must be selected, except for labels of blank nodes."""
    chosen: JSONObject = {}
    identifier = source.get("id")
    if identifier is not None and not (isinstance(identifier, str) and identifier.startswith("_:")):
        chosen["id"] = identifier
    if "type" in source:
        chosen["type"] = source["type"]
    return chosen
