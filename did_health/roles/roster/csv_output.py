"""A report's rows as CSV, for a spreadsheet: one line each, in the order of the roster."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Final

from did_health.encoding.strict_json import JSON, JSONObject
from did_health.roles.roster.result import outcome_of, words_of

HEADER: Final = (
    "row", "family", "given", "npi", "license_number", "state", "verdict", "codes", "reasons", "change", "verdict_before", "as_of", "credential",
    "credential_digest", "issuer", "registry_record", "status_lists", "status_list_digests", "status_list_ages_seconds", "checkpoint_origin",
    "checkpoint_size", "checkpoint_root", "policy",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def csv_header() -> bytes:
    """The line of column names."""
    return _line(HEADER)


def csv_row(result: JSONObject) -> bytes:
    """The line of one row (see ``result``); a text that a spreadsheet would take for a formula has an apostrophe before it."""
    lists, tree = result.get("statusLists", []), result.get("checkpoint", {})
    return _line((
        result["row"], result.get("family", ""), result.get("given", ""), result.get("npi", ""), result.get("licenseNumber", ""),
        result.get("state", ""), result["verdict"], " ".join(outcome_of(result).codes), "; ".join(dict.fromkeys(words_of(result))), result.get("change", ""),
        result.get("before", {}).get("verdict", ""), result.get("asOf", ""), result.get("credential", ""), result.get("credentialDigest", ""),
        result.get("issuer", ""), result.get("registryRecord", ""), *(" ".join(str(one.get(name, "-")) for one in lists) for name in (
            "url", "digest", "ageSeconds",
        )), tree.get("origin", ""), tree.get("size", ""), tree.get("root", ""), result.get("policy", ""),
    ))  # fmt: skip


def _line(cells: tuple[JSON, ...]) -> bytes:
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([_harmless(cell) for cell in cells])
    return text.getvalue().encode(errors="replace")


def _harmless(cell: JSON) -> JSON:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
