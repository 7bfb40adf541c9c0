"""The documents of a tip, field by field."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from lxml import etree
from msgspec import structs
from tests.fakes.cybertip_store import MemoryMedia, make_file, make_tip

from nightlight.errors import InvalidInput
from nightlight.model.cybertip import CyberTip
from nightlight.model.incident import Annotation, IncidentType, WebPage
from nightlight.model.person import Disabled
from nightlight.model.reported_file import Classification, FileHash, ReportedFile
from nightlight.report.document import file_details_xml, report_xml
from nightlight.report.reporter import Contact, Reporter

REPORTER = Reporter(person=Contact(email="desk@example.test"))
PERSON = "personOrUserReported"


def root_of(tip: CyberTip, reporter: Reporter = REPORTER) -> etree._Element:
    return etree.fromstring(report_xml(tip, reporter=reporter))


def root_with(**changes: object) -> etree._Element:
    return root_of(structs.replace(make_tip(MemoryMedia()), **changes))


def account_with(**changes: object) -> etree._Element:
    tip = make_tip(MemoryMedia())
    return root_of(structs.replace(tip, reported=(structs.replace(tip.reported[0], **changes),)))


def details_with(**changes: object) -> etree._Element:
    file: ReportedFile = structs.replace(make_file(MemoryMedia(), 1), **changes)
    return etree.fromstring(file_details_xml(file, remote_id="1", file_id="f"))


@pytest.mark.parametrize("incident_type", IncidentType)
def test_every_incident_type_has_a_name(incident_type: IncidentType) -> None:
    assert root_with(incident_type=incident_type).findtext("incidentSummary/incidentType")


def test_account_is_described() -> None:
    root = root_with()
    assert root.findtext(f"{PERSON}/espIdentifier") == "account-of-tip-1"
    assert root.findtext(f"{PERSON}/screenName") == "quibbleton"
    assert root.findtext(f"{PERSON}/displayName") == "Quibble Ton"
    assert root.findtext(f"{PERSON}/profileUrl") == "https://zorbleflux.example.test/quibbleton"
    assert root.findtext(f"{PERSON}/profileBio") == "nothing to see"


def test_empty_fields_are_left_out() -> None:
    root = account_with(bio="", profile_urls=(), display_names=())
    assert root.find(f"{PERSON}/profileBio") is None
    assert root.find(f"{PERSON}/profileUrl") is None
    assert root.find(f"{PERSON}/displayName") is None


def test_urls_make_a_web_page_incident() -> None:
    urls = root_with(
        places=(WebPage(urls=("https://a.example.test", "https://b.example.test")),)
    ).findall("internetDetails/webPageIncident/url")
    assert [url.text for url in urls] == ["https://a.example.test", "https://b.example.test"]


def test_without_places_there_are_no_internet_details() -> None:
    assert root_with(places=()).find("internetDetails") is None


def test_an_offer_is_annotated_as_solicitation_with_an_empty_element() -> None:
    flag = root_with(annotations=(Annotation.CSAM_SOLICITATION,)).find(
        "incidentSummary/reportAnnotations/csamSolicitation"
    )
    assert flag is not None
    assert flag.text is None


def test_no_offer_leaves_no_annotation() -> None:
    assert root_with(annotations=()).find("incidentSummary/reportAnnotations") is None


@pytest.mark.parametrize(
    ("permanently", "present", "absent"),
    [
        (False, "accountTemporarilyDisabled", "accountPermanentlyDisabled"),
        (True, "accountPermanentlyDisabled", "accountTemporarilyDisabled"),
    ],
)
def test_a_suspension_says_since_when_and_how(
    *, permanently: bool, present: str, absent: str
) -> None:
    at = datetime(2026, 2, 1, 8, 30, tzinfo=UTC)
    root = account_with(disabled=Disabled(permanently=permanently, at=at))
    element = root.find(f"{PERSON}/{present}")
    assert element is not None
    assert element.text == "true"
    assert element.get("disabledDate") == "2026-02-01T08:30:00.000+00:00"
    assert root.find(f"{PERSON}/{absent}") is None


def test_an_account_in_use_is_not_called_disabled() -> None:
    person = account_with(disabled=None).find(PERSON)
    assert person is not None
    assert not [element for element in person if "Disabled" in str(element.tag)]


def test_times_are_written_in_utc_with_their_zone() -> None:
    east = datetime(2026, 2, 1, 8, 30, tzinfo=timezone(timedelta(hours=2)))
    time = root_with(incident_at=east).findtext("incidentSummary/incidentDateTime")
    assert time == "2026-02-01T06:30:00.000+00:00"


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(InvalidInput):
        root_with(incident_at=datetime(2026, 2, 1))  # noqa: DTZ001  the fault under test


@pytest.mark.parametrize(
    ("field", "path", "limit"),
    [
        ("service", f"{PERSON}/espService", 100),
        ("account_id", f"{PERSON}/espIdentifier", 255),
        ("handle", f"{PERSON}/screenName", 256),
    ],
)
def test_long_text_is_cut_and_the_document_says_so(field: str, path: str, limit: int) -> None:
    root = account_with(**{field: "x" * (limit + 1)})
    assert root.findtext(path) == "x" * limit
    note = f"{path.rpartition('/')[2]} was cut to {limit} of {limit + 1} characters."
    assert note in (root.findtext("additionalInfo") or "")


def test_text_of_the_allowed_length_is_whole_and_unremarked() -> None:
    root = account_with(handle="x" * 256)
    assert root.findtext(f"{PERSON}/screenName") == "x" * 256
    assert root.findtext("additionalInfo") == "Found by a test."


def test_a_long_url_is_cut() -> None:
    assert (
        len(root_with(places=(WebPage(urls=("u" * 3000,)),)).findtext("internetDetails//url") or "")
        == 2083
    )


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_characters_that_xml_cannot_carry_are_removed_and_the_document_says_so(
    character: str,
) -> None:
    root = account_with(bio=f"be{character}fore")
    assert root.findtext(f"{PERSON}/profileBio") == "before"
    note = "Characters that XML cannot carry were removed from profileBio."
    assert note in (root.findtext("additionalInfo") or "")


def test_text_survives_unaltered() -> None:
    text = "a\tb\nc <b>&amp;</b> ]]> \U0001f600 ñ"
    assert account_with(bio=text).findtext(f"{PERSON}/profileBio") == text


def test_the_narrative_is_the_additional_information() -> None:
    assert root_with(narrative="What happened.").findtext("additionalInfo") == "What happened."


def test_nothing_to_add_leaves_no_additional_information() -> None:
    assert root_with(narrative="").find("additionalInfo") is None


def test_the_reporter_is_written_whole() -> None:
    reporter = Reporter(
        person=Contact(first_name="Zor", last_name="Bleflux", phone="5550100", email="a@b.test"),
        contact=Contact(email="law@b.test"),
        company_template="Serve process at the desk.",
        terms_of_service="Be kind.",
        legal_url="https://b.test/legal",
    )
    element = root_of(make_tip(MemoryMedia()), reporter).find("reporter")
    assert element is not None
    assert [child.tag for child in element] == [
        "reportingPerson", "contactPerson", "companyTemplate", "termsOfService", "legalURL",
    ]  # fmt: skip
    assert element.findtext("reportingPerson/lastName") == "Bleflux"
    assert element.findtext("contactPerson/email") == "law@b.test"


@pytest.mark.parametrize(
    ("field", "tag"),
    [
        ("viewed", "fileViewedByEsp"),
        ("exif_viewed", "exifViewedByEsp"),
        ("public", "publiclyAvailable"),
        ("potential_meme", "potentialMeme"),
    ],
)
@pytest.mark.parametrize(("told", "text"), [(True, "true"), (False, "false"), (None, None)])
def test_what_is_known_of_a_file_is_stated_and_no_more(
    field: str, tag: str, *, told: bool | None, text: str | None
) -> None:
    assert details_with(**{field: told}).findtext(tag) == text


@pytest.mark.parametrize("classification", Classification)
def test_a_classification_is_passed_on(classification: Classification) -> None:
    details = details_with(classification=classification)
    assert details.findtext("industryClassification") == classification


def test_what_is_not_classified_has_no_classification() -> None:
    assert details_with(classification=None).find("industryClassification") is None


def test_known_hashes_are_named_by_type() -> None:
    told = [("MD5", "0a"), ("SHA256", "0b"), ("PDQ", "0c")]
    hashes = details_with(
        hashes=tuple(FileHash(kind=kind, value=value) for kind, value in told)
    ).findall("originalFileHash")
    assert [(h.get("hashType"), h.text) for h in hashes] == told


def test_how_a_file_was_found_is_said() -> None:
    details = details_with(match="near match with test bank", location="https://m.example.test/1")
    assert details.findtext("additionalInfo") == "near match with test bank"
    assert details.findtext("locationOfFile") == "https://m.example.test/1"


def test_an_unknown_upload_time_is_left_out() -> None:
    assert details_with(uploaded_at=None).find("uploadedToEspTimestamp") is None


def test_a_long_file_name_is_cut() -> None:
    details = details_with(file_name="n" * 3000)
    assert len(details.findtext("originalFileName") or "") == 2056
    assert "originalFileName was cut" in (details.findtext("additionalInfo") or "")


def test_printing_a_tip_or_file_shows_no_content() -> None:
    tip = make_tip(MemoryMedia())
    for value in (tip, tip.files[0]):
        assert "quibble" not in f"{value!r}{value}".lower()
        assert "picture" not in f"{value!r}{value}"


def test_the_same_alteration_is_noted_once() -> None:
    info = (
        root_with(places=(WebPage(urls=("u" * 3000, "v" * 3000)),)).findtext("additionalInfo") or ""
    )
    assert info.count("url was cut to 2083 of 3000 characters.") == 1
