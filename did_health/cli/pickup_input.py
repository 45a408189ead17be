"""What a counter's commands are given in files: the patient's record, the request, a document, a portrait, the check of a prescriber."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from did_health.cli import session
from did_health.cli.exits import UsageError, no_verdict
from did_health.errors import FormatError

if TYPE_CHECKING:
    from did_health.health.air_segment import AIRCodes, AIRSegment, ShownDocument
    from did_health.health.person_name import PersonName
    from did_health.roles.checked_prescriber import CheckedPrescriber
    from did_health.roles.pickup import Collector, Pickup, Visit
    from did_health.roles.request import Request


def collector(who: str) -> Collector:
    """Who is here, by the option ``--who``. Raises ``UsageError``."""
    from did_health.roles.pickup import Collector

    if who not in list(Collector):
        raise UsageError("nobody of that kind picks up", where="--who", hint=f"It is one of: {', '.join(Collector)}")
    return Collector(who)


def request(file: Path) -> Request:
    """The request that was answered."""
    from did_health.limits import MAX_REQUEST_BYTES
    from did_health.roles.request import Request

    return session.at_file(file, lambda: Request.parse(session.read_file(file, max_bytes=MAX_REQUEST_BYTES)))


def portrait(file: Path) -> bytes:
    """A picture, which nothing but its digest is made of."""
    from did_health.limits import MAX_PORTRAIT_BYTES

    picture = session.read_file(file, max_bytes=MAX_PORTRAIT_BYTES)
    if not picture:
        raise UsageError("the file of the portrait is empty", where=str(file))
    return picture


def prescriber(file: Path) -> CheckedPrescriber:
    """What ``prescriber check`` found."""
    from did_health.limits import MAX_PRESCRIBER_CHECK_BYTES
    from did_health.roles.checked_prescriber import CheckedPrescriber

    return session.at_file(file, lambda: CheckedPrescriber.parse(session.read_file(file, max_bytes=MAX_PRESCRIBER_CHECK_BYTES)))


@dataclass(frozen=True, slots=True)
class JudgementGiven:
    """The pharmacist's decision to go on."""

    by: str
    reason: str
    note: str

    @classmethod
    def of(cls, by: str, reason: str, note: Path | None) -> JudgementGiven | None:
        """What the options say, checked; ``None`` without any. Raises ``UsageError``, ``FormatError``."""
        from did_health.health import fields
        from did_health.health.override_reasons import check_override, packaged_override_reasons
        from did_health.limits import MAX_OVERRIDE_NOTE_CHARACTERS

        if bool(by.strip()) != bool(reason.strip()) or (note is not None and not by.strip()):
            raise UsageError("an override names who decides, and why", hint="Give both --override-by and --override-reason")
        if not by:
            return None
        fields.text(by, "--override-by", "name of who decides")
        reasons = packaged_override_reasons()
        if reason not in reasons:
            known = "; ".join(f"{code} ({meaning})" for code, meaning in reasons.items())
            raise UsageError("the reason of an override is one of the codes", where="--override-reason", hint=f"{known}. More goes into --override-note")
        text = ""
        if note is not None:
            # A character of UTF-8 has four bytes at most.
            data = session.read_file(note, max_bytes=4 * MAX_OVERRIDE_NOTE_CHARACTERS + 2)
            try:
                text = " ".join(data.decode().split())
            except UnicodeDecodeError as error:
                raise UsageError("the note is no text in UTF-8", where=str(note)) from error
        session.at_file(note or Path("--override-note"), lambda: check_override(reason, text, reasons))
        return cls(by, reason, text)


@dataclass(frozen=True, slots=True)
class AIRGiven:
    """What the fields for the PDMP are made of, beside the pickup."""

    codes: AIRCodes
    document: ShownDocument | None
    pharmacist: PersonName | None

    @classmethod
    def of(cls, codes: Path | None, document: Path | None, pharmacist: str) -> AIRGiven:
        """What the options say. Raises ``UsageError``, ``FormatError``, ``StoreError``, ``VerificationError`` for a table that is too old."""
        from did_health.health.air_segment import AIRCodes
        from did_health.health.dated_tables import OLDEST_TABLES, DatedTable, packaged_table
        from did_health.health.person_name import PersonName
        from did_health.limits import MAX_TABLE_BYTES

        def read(file: Path) -> DatedTable:
            return session.at_file(file, lambda: DatedTable.parse(session.read_file(file, max_bytes=MAX_TABLE_BYTES)))

        table = packaged_table("asap-air-codes") if codes is None else read(codes)
        with no_verdict():
            table.require_current(session.now().date(), OLDEST_TABLES)
        family, _, given = (part.strip() for part in pharmacist.partition(","))
        if pharmacist and not (family and given):
            raise UsageError("the pharmacist's name is not whole", where="--pharmacist", hint='Write it as "Family, Given"')
        return cls(AIRCodes.of(table), _document(document), PersonName(family, given) if pharmacist else None)

    def fields(self, pickup: Pickup) -> AIRSegment:
        """AIR03 to AIR11 for a pickup."""
        from did_health.health.air_segment import AIRSegment

        return AIRSegment.picking_up(
            self.codes, relationship=pickup.relationship, person=pickup.collector_name, pharmacist=self.pharmacist, document=self.document
        )


def visit(file: Path, pharmacy: str, who: str, schedule: str, jurisdiction: str, prescription: str, bags: int) -> Visit:
    """The pickup at hand, with the patient of the pharmacy's record in ``file``. Raises ``UsageError``, ``FormatError``, ``StoreError``."""
    from did_health.encoding import strict_json
    from did_health.health import fields
    from did_health.health.act import Act
    from did_health.health.person_name import PersonName
    from did_health.limits import MAX_DOCUMENT_BYTES
    from did_health.roles.pickup import Visit

    try:
        act = Act("pickup", schedule, jurisdiction, "", pharmacy, prescription)
    except FormatError as error:
        raise UsageError(error.what, where=f"--{error.where}", hint=error.hint) from error

    def parse() -> Visit:
        document = strict_json.loads_object(session.read_file(file, max_bytes=MAX_DOCUMENT_BYTES), what="patient's record")
        born = fields.parse_day(fields.member(document, "birthDate"), "/birthDate", "birth date")
        return Visit(PersonName.from_json(document), born, act, collector(who), bags)

    return session.at_file(file, parse)


def _document(file: Path | None) -> ShownDocument | None:
    from did_health.encoding import strict_json
    from did_health.health.air_segment import ShownDocument
    from did_health.limits import MAX_DOCUMENT_BYTES

    if file is None:
        return None
    return session.at_file(
        file, lambda: ShownDocument.from_json(strict_json.loads_object(session.read_file(file, max_bytes=MAX_DOCUMENT_BYTES), what="identity document"))
    )
