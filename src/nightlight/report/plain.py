"""A tip in plain words: every field that says something, under the name by which it is corrected.

Pure. The names are those that ``report/correct.py`` takes.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

from msgspec import Struct, structs

from nightlight.model.cybertip import CyberTip, Destination
from nightlight.model.incident import IncidentType
from nightlight.report.unattached import in_words

_INCIDENTS = {
    IncidentType.CSAM: "material of child sexual abuse",
    IncidentType.SEX_TRAFFICKING: "trafficking of a child",
    IncidentType.ENTICEMENT: "enticement of a child",
    IncidentType.UNSOLICITED_OBSCENE_MATERIAL: "obscene material sent to a child",
    IncidentType.SEX_TOURISM: "sex tourism",
    IncidentType.MOLESTATION: "molestation of a child",
    IncidentType.MISLEADING_DOMAIN: "a misleading domain name",
    IncidentType.MISLEADING_WORDS: "misleading words or pictures",
}
_DESTINATIONS = {Destination.NCMEC: "NCMEC's CyberTipline", Destination.HOTLINE: "the hotline"}
#: Nobody's to correct, and said in the summary.
_SUMMARISED = frozenset({"id", "case_id", "bundled", "destination", "account_id", "unattached"})


def summary(tip: CyberTip) -> list[str]:
    """Return in a few sentences what is reported, to whom, about whom."""
    lines = [
        (
            f"To {_DESTINATIONS[tip.destination]}: {_INCIDENTS[tip.incident_type]},"
            f" on {tip.platform}, {tip.incident_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC."
        ),
        (
            f"About account {tip.account_id or 'unknown'}, from {len(tip.cases)} case(s):"
            f" {', '.join(tip.cases)}."
        ),
        *_files(tip),
    ]
    earlier = sorted({report for one in tip.reported for report in one.prior_reports})
    if earlier:
        lines.append(f"The account was reported before: {', '.join(map(str, earlier))}.")
    if tip.high_priority:
        lines.append(f"URGENT, a child may be in danger: {tip.high_priority}")
    return lines


def _files(tip: CyberTip) -> list[str]:
    viewed = sum(one.viewed is True for one in tip.files)
    lines = [in_words(one) for one in tip.unattached]
    if lines:
        lines.insert(0, f"{len(lines)} file(s) were found and are not attached:")
    if tip.files:
        return [f"{len(tip.files)} file(s); a person viewed {viewed} of them whole.", *lines]
    return lines or ["No file was found: what was written is reported."]


def fields(tip: CyberTip) -> Iterator[tuple[str, str]]:
    """Return each field that says something, and what it says."""
    for field in structs.fields(CyberTip):
        if field.name not in _SUMMARISED:
            yield from _told(field.name, getattr(tip, field.name))


def _told(name: str, value: Any) -> Iterator[tuple[str, str]]:
    match value:
        case None | "" | ():
            return
        case Struct():
            if type(value).__struct_config__.tag:
                yield f"{name}.type", str(type(value).__struct_config__.tag)
            for field in value.__struct_fields__:
                yield from _told(f"{name}.{field}", getattr(value, field))
        case tuple():
            for place, one in enumerate(value):
                yield from _told(f"{name}.{place}", one)
        case bool():
            yield name, "yes" if value else "no"
        case datetime():
            # As it is sent, wherever a person wrote it.
            yield name, value.astimezone(UTC).isoformat(timespec="seconds")
        case date():
            yield name, value.isoformat()
        case Enum():
            yield name, str(value.value)
        case _:
            yield name, str(value)
