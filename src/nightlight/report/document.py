"""A CyberTip as the XML that NCMEC's schema asks for.

Owns element names, order, limits and the literal category names. Leaves sending to ``submit.py``
and checking against the live schema to ``schema.py``. Source: NCMEC CyberTipline Reporting API.
"""

from datetime import UTC, datetime

from lxml import etree
from msgspec import Struct

from nightlight.errors import InvalidInput
from nightlight.model.cybertip import CyberTip, IncidentType, ReportedFile
from nightlight.report.field import Field, Notes

#: The CyberTipline's own words for its incident types.
_INCIDENT_TYPES: dict[IncidentType, str] = {
    IncidentType.CSAM: "Child Pornography (possession, manufacture, and distribution)",
    IncidentType.SEX_TRAFFICKING: "Child Sex Trafficking",
    IncidentType.ENTICEMENT: "Online Enticement of Children for Sexual Acts",
    IncidentType.UNSOLICITED_OBSCENE_MATERIAL: "Unsolicited Obscene Material Sent to a Child",
}

# Lengths that the API's documentation gives; the schema itself has none.
_PLATFORM = Field("platform", 256)
_ESP_SERVICE = Field("espService", 100)
_ESP_IDENTIFIER = Field("espIdentifier", 255)
_SCREEN_NAME = Field("screenName", 256)
_URL = Field("url", 2083)
_PROFILE_URL = Field("profileUrl", 2083)
_ORIGINAL_FILE_NAME = Field("originalFileName", 2056)
_LOCATION = Field("locationOfFile", 2083)
_CLASSIFICATIONS = frozenset({"A1", "A2", "B1", "B2"})


class Contact(Struct, frozen=True, kw_only=True):
    """A person or desk that NCMEC or law enforcement can reach."""

    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    email: str = ""


class Reporter(Struct, frozen=True, kw_only=True):
    """Who reports: the same in every document of one provider.

    Attributes:
        person: who answers for the reports.
        contact: whom law enforcement should ask instead, if somebody else.
        company_template: what every report should say: company, legal process, retention.
        terms_of_service: the terms that bear on what is reported.
        legal_url: where law enforcement finds more.
    """

    person: Contact
    contact: Contact | None = None
    company_template: str = ""
    terms_of_service: str = ""
    legal_url: str = ""


def report_xml(tip: CyberTip, *, reporter: Reporter) -> bytes:
    """Return the ``report`` document of a tip; what had to be altered is said in it.

    Raises:
        InvalidInput: a time has no zone.
    """
    root, notes = etree.Element("report"), Notes()
    _add_incident(root, tip, notes)
    if tip.urls:
        page = etree.SubElement(etree.SubElement(root, "internetDetails"), "webPageIncident")
        for url in tip.urls:
            _URL.put(page, url, notes)
    _add_reporter(root, reporter, notes)
    _add_account(root, tip, notes)
    Field("additionalInfo").put_with_notes(root, tip.narrative, notes)
    return _written(root)


def file_details_xml(file: ReportedFile, *, remote_id: str, file_id: str) -> bytes:
    """Return the ``fileDetails`` document of one uploaded file.

    Raises:
        InvalidInput: the time of the upload has no zone.
    """
    root, notes = etree.Element("fileDetails"), Notes()
    Field("reportId").put(root, remote_id, notes)
    Field("fileId").put(root, file_id, notes)
    _ORIGINAL_FILE_NAME.put(root, file.file_name, notes)
    if file.uploaded_at is not None:
        etree.SubElement(root, "uploadedToEspTimestamp").text = _zoned(file.uploaded_at)
    _LOCATION.put(root, file.location, notes)
    # Whether a person viewed the file decides what a search needs (Wilson, 9th Cir. 2021): both
    # answers are stated, and neither is ever assumed.
    etree.SubElement(root, "fileViewedByEsp").text = "true" if file.viewed else "false"
    etree.SubElement(root, "fileRelevance").text = "Reported"
    if file.classification in _CLASSIFICATIONS:
        etree.SubElement(root, "industryClassification").text = file.classification
    for hash_type, value in _hashes(file):
        Field("originalFileHash").put(root, value, notes, hashType=hash_type)
    Field("additionalInfo").put_with_notes(root, file.match, notes)
    return _written(root)


def _add_incident(root: etree._Element, tip: CyberTip, notes: Notes) -> None:
    summary = etree.SubElement(root, "incidentSummary")
    etree.SubElement(summary, "incidentType").text = _INCIDENT_TYPES[tip.incident_type]
    _PLATFORM.put(summary, tip.platform, notes)
    if tip.solicitation:
        # An empty element means true; the schema allows no other value than its fixed one.
        etree.SubElement(etree.SubElement(summary, "reportAnnotations"), "csamSolicitation")
    etree.SubElement(summary, "incidentDateTime").text = _zoned(tip.incident_at)


def _add_reporter(root: etree._Element, reporter: Reporter, notes: Notes) -> None:
    element = etree.SubElement(root, "reporter")
    _add_contact(element, "reportingPerson", reporter.person, notes)
    if reporter.contact is not None:
        _add_contact(element, "contactPerson", reporter.contact, notes)
    Field("companyTemplate").put(element, reporter.company_template, notes)
    Field("termsOfService").put(element, reporter.terms_of_service, notes)
    Field("legalURL").put(element, reporter.legal_url, notes)


def _add_contact(parent: etree._Element, tag: str, contact: Contact, notes: Notes) -> None:
    element = etree.SubElement(parent, tag)
    Field("firstName").put(element, contact.first_name, notes)
    Field("lastName").put(element, contact.last_name, notes)
    Field("phone").put(element, contact.phone, notes)
    Field("email").put(element, contact.email, notes)


def _add_account(root: etree._Element, tip: CyberTip, notes: Notes) -> None:
    element = etree.SubElement(root, "personOrUserReported")
    _ESP_IDENTIFIER.put(element, tip.account_id, notes)
    _ESP_SERVICE.put(element, tip.platform, notes)
    _SCREEN_NAME.put(element, tip.handle, notes)
    Field("displayName").put(element, tip.display_name, notes)
    _PROFILE_URL.put(element, tip.profile_url, notes)
    Field("profileBio").put(element, tip.bio, notes)
    if tip.suspended_at is not None:
        how = "Permanently" if tip.suspended_permanently else "Temporarily"
        disabled = etree.SubElement(element, f"account{how}Disabled")
        disabled.set("disabledDate", _zoned(tip.suspended_at))
        disabled.text = "true"


def _hashes(file: ReportedFile) -> list[tuple[str, str]]:
    known = [("MD5", file.md5), ("SHA1", file.sha1), ("SHA256", file.sha256), ("PDQ", file.pdq)]
    return [(hash_type, value) for hash_type, value in known if value]


def _zoned(time: datetime) -> str:
    if time.tzinfo is None:
        raise InvalidInput("a time in a report needs a zone")
    return time.astimezone(UTC).isoformat(timespec="milliseconds")


def _written(root: etree._Element) -> bytes:
    # One element a line, so that a fault of the schema check names a line worth naming.
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
