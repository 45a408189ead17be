"""Which profession a FHIR Practitioner has: MD, DO, another one (an error: this is no physician), or none stated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from did_health.errors import FormatError
from did_health.health.fhir import elements
from did_health.health.fhir.elements import Element
from did_health.health.person_name import PersonName
from did_health.health.physician_license import PROFESSIONS

NUCC_SYSTEM: Final = "http://nucc.org/provider-taxonomy"

_WORDS: Final = (("osteopath", "DO"), ("medical doctor", "MD"), ("doctor of medicine", "MD"))
# Titles that say "not a physician". A generational suffix (Jr.) or a fellowship (FACP) says nothing.
_OTHER_TITLES: Final = frozenset({
    "AA", "APN", "APRN", "ARNP", "AUD", "BSN", "CNA", "CNM", "CNP", "CNS", "CRNA", "CRNP", "DC",
    "DDS", "DMD", "DNP", "DPM", "DPT", "DVM", "EMT", "FNP", "LCSW", "LPN", "LVN", "MSN", "NP",
    "OD", "OT", "OTR", "PA", "PAC", "PHARMD", "PSYD", "PT", "RD", "RN", "RPH", "RRT",
})


@dataclass(frozen=True, slots=True)
class Qualified:
    """A profession, the degree as coded (empty if it is not), the taxonomy codes, and the qualification that said so (none or one)."""

    profession: str
    degree: str
    taxonomy: tuple[str, ...]
    elements: tuple[Element, ...]


def qualification_of(qualifications: Sequence[Element], name: PersonName, default: str | None) -> Qualified:
    """The profession by ``qualifications``: from a qualification's code, its words or the type of its licence number, a title after the name, the default.

    Raises ``FormatError`` for somebody who states other professions only, and where nothing is stated and there is no default.
    """
    taxonomy = tuple(dict.fromkeys(code for item in qualifications for system, code in elements.codings(item.child("code")) if system == NUCC_SYSTEM))
    for read in (_degree, _by_words, _by_license_type):
        for qualification in qualifications:
            if profession := read(qualification):
                return Qualified(profession, profession if read is _degree else "", taxonomy, (qualification,))
    titles = {_title(word) for word in name.suffix.replace(",", " ").split()}
    for profession in sorted(titles & PROFESSIONS):
        return Qualified(profession, "", taxonomy, ())
    codes = {_title(code) for item in qualifications for _, code in elements.codings(item.child("code"))}
    if (titles | codes) & _OTHER_TITLES:
        raise FormatError("the practitioner states another profession than MD or DO", where="qualification", hint="Only physicians can be imported")
    if default is None:
        raise FormatError("the practitioner states no profession", where="qualification", hint="Name a default profession")
    return Qualified(default, "", taxonomy, ())


def _degree(qualification: Element) -> str:
    """A code of HL7 v2 table 0360 (degrees), under whichever address and version."""
    for system, code in elements.codings(qualification.child("code")):
        if "0360" in system and code in PROFESSIONS:
            return code
    return ""


def _by_words(qualification: Element) -> str:
    concept = qualification.child("code")
    texts = (concept.text("text"), *(coding.text("display") for coding in concept.children("coding")))
    return next((profession for words, profession in _WORDS for text in texts if words in text.casefold()), "")


def _by_license_type(qualification: Element) -> str:
    """v2-0203 has a type of its own for the licence numbers of each of the two professions."""
    for identifier in qualification.children("identifier"):
        for profession in PROFESSIONS:
            if elements.has_identifier_type(identifier, frozenset({profession})):
                return profession
    return ""


def _title(word: str) -> str:
    return word.replace(".", "").replace("-", "").upper()
