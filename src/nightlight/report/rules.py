"""What NCMEC's documentation asks of a document and its schema cannot check. Pure.

A rule looks at the document as it would be sent, so it holds whoever wrote it: drafting, a
person's correction, or another program. Source: NCMEC CyberTipline Reporting API.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from ipaddress import ip_address
from typing import TypeAlias

from lxml import etree
from msgspec import Struct

from nightlight.errors import InvalidInput
from nightlight.report.field import LIMITS
from nightlight.report.schema import parsed


class Rule(StrEnum):
    """Every cross rule, by name."""

    ONE_PLACE_EACH = "one_place_each"
    TIME_ZONED = "time_zoned"
    TIME_PAST = "time_past"
    LENGTH = "length"
    FLAG_EMPTY = "flag_empty"
    URGENCY_SAYS_WHY = "urgency_says_why"
    ADDRESS_READS = "address_reads"
    PORT_RANGE = "port_range"
    COORDINATES = "coordinates"
    AGE_POSSIBLE = "age_possible"
    DISABLED_ONE_WAY = "disabled_one_way"
    NOTICE_TOLD = "notice_told"
    PRIOR_REPORTS = "prior_reports"
    PARTY_NAMED = "party_named"
    PARTIES_DIFFER = "parties_differ"
    REPORTER_REACHABLE = "reporter_reachable"
    VIEWED_BY_PERSON = "viewed_by_person"
    EXIF_NEEDS_VIEWED = "exif_needs_viewed"
    SUPPLEMENTAL_PLAIN = "supplemental_plain"
    MEME_OR_ANNOTATIONS = "meme_or_annotations"
    HASH_FORM = "hash_form"
    HASH_ONCE = "hash_once"


#: What each rule asks for, in words; the reference page is made of it.
RULES: Mapping[Rule, str] = {
    Rule.ONE_PLACE_EACH: "an internetDetails holds exactly one kind of incident",
    Rule.TIME_ZONED: "a time names its zone",
    Rule.TIME_PAST: "what happened does not lie in the future",
    Rule.LENGTH: "no text is longer than the documentation allows",
    Rule.FLAG_EMPTY: "an annotation is an empty element: its presence says it is so",
    Rule.URGENCY_SAYS_WHY: "an escalation to high priority says why",
    Rule.ADDRESS_READS: "an ipAddress is one of IP version 4 or 6",
    Rule.PORT_RANGE: "a port is between 1 and 65535",
    Rule.COORDINATES: "latitude and longitude are on this earth, and given together",
    Rule.AGE_POSSIBLE: "an age is between 0 and 150, and a date of birth is not ahead",
    Rule.DISABLED_ONE_WAY: "an account is disabled for a while or for good, not both",
    Rule.NOTICE_TOLD: "the date of a notice is given only where the user was notified",
    Rule.PRIOR_REPORTS: "an earlier report is named by its number, and once",
    Rule.PARTY_NAMED: "a reported person or account is named by something",
    Rule.PARTIES_DIFFER: "recipient, victim and associated account are not the reported account",
    Rule.REPORTER_REACHABLE: "whoever reports gives a name, a phone number or an e-mail address",
    Rule.VIEWED_BY_PERSON: "a file is said to be viewed only if a person viewed it whole",
    Rule.EXIF_NEEDS_VIEWED: "EXIF data is viewed only of a file that was viewed",
    Rule.SUPPLEMENTAL_PLAIN: "a supplemental file has no classification and is no meme",
    Rule.MEME_OR_ANNOTATIONS: "a file has potentialMeme or fileAnnotations, not both",
    Rule.HASH_FORM: "a hash has the length and the digits of its type",
    Rule.HASH_ONCE: "a hash of a type is given once",
}


class Breach(Struct, frozen=True, kw_only=True):
    """A rule that a document breaks, and the element that breaks it; never its value."""

    rule: Rule
    element: str

    def __str__(self) -> str:
        return f"{self.element}: {RULES[self.rule]} ({self.rule})"


Found: TypeAlias = Iterator[tuple[Rule, etree._Element]]  # noqa: SLF001  lxml has no other name

_TIMES = frozenset({"incidentDateTime", "dateTime", "uploadedToEspTimestamp"})
_TIME_ATTRIBUTES = (
    "disabledDate",
    "userNotifiedDate",
    "reenabledDate",
    "verificationDate",
    "timestamp",
)
#: May lie ahead: a suspension that ends by itself.
_MAY_BE_AHEAD = frozenset({"reenabledDate"})
_FLAGS = ("reportAnnotations", "fileAnnotations")
_PARTIES = ("intendedRecipient", "victim", "associatedAccount")
_NAMES = (
    "espIdentifier",
    "screenName",
    "displayName",
    "profileUrl",
    "personOrUserReportedPerson",
    "ipCaptureEvent",
    "vehicleDescription",
)
_HASH_DIGITS = {"MD5": 32, "SHA1": 40, "SHA256": 64, "PDQ": 64}
_OLDEST = 150
_PORTS = range(1, 65536)
_SUPPLEMENTAL = "Supplemental Reported"


def breaches_of_report(document: bytes, *, now: datetime) -> list[Breach]:
    """Return what a ``report`` document breaks, in the order of the document.

    Raises:
        InvalidInput: it is no well-formed XML.
    """
    root = parsed(document)
    checks: Sequence[Callable[[etree._Element], Found]] = (
        _anywhere,
        lambda one: _ahead(one, now),
        _where,
        _captures,
        _accounts,
        lambda one: _people(one, now.date()),
        _reporter,
    )
    return _told(checks, root)


def breaches_of_file(document: bytes, *, viewed: bool, now: datetime) -> list[Breach]:
    """Return what a ``fileDetails`` document breaks.

    Args:
        document: what would be sent.
        viewed: whether a person viewed the entire file, as the view log has it.
        now: the time.

    Raises:
        InvalidInput: it is no well-formed XML.
    """
    root = parsed(document)
    checks: Sequence[Callable[[etree._Element], Found]] = (
        _anywhere,
        lambda one: _ahead(one, now),
        _captures,
        lambda one: _viewing(one, viewed=viewed),
        _relevance,
        _hashes,
    )
    return _told(checks, root)


def check_breaches(breaches: Sequence[Breach]) -> None:
    """Return only if there are none.

    Raises:
        InvalidInput: names every rule that is broken and where, never a value.
    """
    if breaches:
        told = list(dict.fromkeys(str(one) for one in breaches))
        raise InvalidInput("; ".join(told), field=breaches[0].element)


def _told(
    checks: Iterable[Callable[[etree._Element], Found]], root: etree._Element
) -> list[Breach]:
    found = [
        Breach(rule=rule, element=str(where.tag)) for check in checks for rule, where in check(root)
    ]
    return list(dict.fromkeys(found))


def _anywhere(root: etree._Element) -> Found:
    """What holds of every element: lengths, flags, zones."""
    for element in root.iter("*"):
        limit = LIMITS.get(str(element.tag))
        if limit is not None and len(element.text or "") > limit:
            yield Rule.LENGTH, element
        parent = element.getparent()
        is_flag = parent is not None and parent.tag in _FLAGS
        if is_flag and (element.text is not None or len(element)):
            yield Rule.FLAG_EMPTY, element
        for _, time in _times(element):
            if time is not None and time.tzinfo is None:
                yield Rule.TIME_ZONED, element


def _ahead(root: etree._Element, now: datetime) -> Found:
    for element in root.iter("*"):
        for name, time in _times(element):
            zoned = time is not None and time.tzinfo is not None
            if zoned and time is not None and time > now and name not in _MAY_BE_AHEAD:
                yield Rule.TIME_PAST, element


def _times(element: etree._Element) -> Iterator[tuple[str, datetime | None]]:
    """Return the times that an element holds, None where one does not read as a time."""
    if element.tag in _TIMES:
        yield str(element.tag), _read(element.text)
    for name in _TIME_ATTRIBUTES:
        if name in element.attrib:
            yield name, _read(element.get(name))


def _read(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None  # the schema refuses it


def _where(root: etree._Element) -> Found:
    for details in root.iter("internetDetails"):
        if len(details) != 1:
            yield Rule.ONE_PLACE_EACH, details
    for urgency in root.iter("escalateToHighPriority"):
        if not (urgency.text or "").strip():
            yield Rule.URGENCY_SAYS_WHY, urgency
    for phone in root.iter("cellPhoneIncident"):
        at = [_number(phone.findtext(name)) for name in ("latitude", "longitude")]
        given = [phone.find(name) is not None for name in ("latitude", "longitude")]
        if any(given) and (not all(given) or not _on_earth(*at)):
            yield Rule.COORDINATES, phone


def _on_earth(latitude: float | None, longitude: float | None) -> bool:
    if latitude is None or longitude is None:
        return False
    return -90 <= latitude <= 90 and -180 <= longitude <= 180  # noqa: PLR2004  degrees


def _captures(root: etree._Element) -> Found:
    for capture in root.iter("ipCaptureEvent"):
        try:
            ip_address((capture.findtext("ipAddress") or "").strip())
        except ValueError:
            yield Rule.ADDRESS_READS, capture
        port = capture.find("port")
        if port is not None and _number(port.text) not in _PORTS:
            yield Rule.PORT_RANGE, port


def _accounts(root: etree._Element) -> Found:
    for party in root.iter("personOrUserReported"):
        if not any(party.find(name) is not None for name in _NAMES):
            yield Rule.PARTY_NAMED, party
    reported = {
        name
        for name in (one.text for one in root.iterfind("personOrUserReported/espIdentifier"))
        if name
    }
    for party in root.iter(*_PARTIES):
        here = party.find("platform") is None  # another platform may use the same id
        if here and party.findtext("espIdentifier") in reported:
            yield Rule.PARTIES_DIFFER, party
    for party in root.iter("personOrUserReported", *_PARTIES):
        yield from _standing(party)


def _standing(party: etree._Element) -> Found:
    ways = [
        element
        for element in party
        if element.tag in ("accountTemporarilyDisabled", "accountPermanentlyDisabled")
    ]
    if len(ways) > 1:
        yield Rule.DISABLED_ONE_WAY, party
    for way in ways:
        if way.get("userNotifiedDate") and way.get("userNotified") not in ("true", "1"):
            yield Rule.NOTICE_TOLD, way
    prior = [one for one in party if one.tag in ("priorCTReports", "priorCTReport")]
    numbers = [(one.text or "").strip() for one in prior]
    if len(set(numbers)) != len(numbers) or any(not _is_report(one) for one in numbers):
        yield Rule.PRIOR_REPORTS, party


def _is_report(number: str) -> bool:
    return number.isdecimal() and int(number) > 0


def _people(root: etree._Element, today: date) -> Found:
    for age in root.iter("age", "approximateAge"):
        years = _number(age.text)
        if years is None or not 0 <= years <= _OLDEST:
            yield Rule.AGE_POSSIBLE, age
    for born in root.iter("dateOfBirth"):
        try:
            ahead = date.fromisoformat((born.text or "").strip()[:10]) > today
        except ValueError:
            continue  # the schema refuses it
        if ahead:
            yield Rule.AGE_POSSIBLE, born


def _reporter(root: etree._Element) -> Found:
    for person in root.iterfind("reporter/reportingPerson"):
        reached = ("firstName", "lastName", "phone", "email")
        if not any((person.findtext(name) or "").strip() for name in reached):
            yield Rule.REPORTER_REACHABLE, person


def _viewing(root: etree._Element, *, viewed: bool) -> Found:
    said = root.find("fileViewedByEsp")
    exif = root.find("exifViewedByEsp")
    is_said = said is not None and _is_true(said)
    if said is not None and is_said and not viewed:
        yield Rule.VIEWED_BY_PERSON, said
    if exif is not None and _is_true(exif) and not is_said:
        yield Rule.EXIF_NEEDS_VIEWED, exif


def _relevance(root: etree._Element) -> Found:
    meme, annotations = root.find("potentialMeme"), root.find("fileAnnotations")
    if meme is not None and annotations is not None:
        yield Rule.MEME_OR_ANNOTATIONS, annotations
    if root.findtext("fileRelevance") != _SUPPLEMENTAL:
        return
    plain = (
        root.find("industryClassification"),
        meme,
        root.find("fileAnnotations/potentialMeme"),
    )
    for element in plain:
        if element is not None:
            yield Rule.SUPPLEMENTAL_PLAIN, element


def _hashes(root: etree._Element) -> Found:
    seen: set[str] = set()
    for one in root.iter("originalFileHash"):
        kind, value = (one.get("hashType") or "").upper().replace("-", ""), one.text or ""
        digits = _HASH_DIGITS.get(kind)
        if digits is not None and (len(value) != digits or not _is_hex(value)):
            yield Rule.HASH_FORM, one
        if kind in seen:
            yield Rule.HASH_ONCE, one
        seen.add(kind)


def _is_hex(value: str) -> bool:
    return all(digit in "0123456789abcdefABCDEF" for digit in value)


def _is_true(element: etree._Element) -> bool:
    return (element.text or "").strip() in ("true", "1")


def _number(text: str | None) -> float | None:
    try:
        return float((text or "").strip())
    except ValueError:
        return None
