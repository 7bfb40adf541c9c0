"""Every cross rule catches the document that breaks it, and none speaks of a right one."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from lxml import etree
from msgspec.structs import replace
from tests.fakes.cybertip_store import NOON, MemoryMedia, make_file, make_tip

from nightlight.errors import InvalidInput
from nightlight.model.cybertip import CyberTip
from nightlight.model.incident import CellPhone
from nightlight.model.person import (
    AssociatedAccount,
    Association,
    Disabled,
    IpCapture,
    Person,
    Victim,
)
from nightlight.model.reported_file import Classification, FileHash
from nightlight.report.document import file_details_xml, report_xml
from nightlight.report.reporter import Contact, Reporter
from nightlight.report.rules import (
    RULES,
    Breach,
    Rule,
    breaches_of_file,
    breaches_of_report,
    check_breaches,
)

REPORTER = Reporter(person=Contact(email="desk@example.test"))
Mutation = Callable[[etree._Element], None]


def whole_tip() -> CyberTip:
    """Return a tip that has what every rule looks at."""
    tip = make_tip(MemoryMedia())
    [party] = tip.reported
    [file] = tip.files
    disabled = Disabled(
        permanently=False, at=NOON, user_notified=True, user_notified_at=NOON,
        reenabled_at=NOON + timedelta(days=9),
    )  # fmt: skip
    other = AssociatedAccount(kind=Association.LINKED, account_id="account-other")
    party = replace(
        party,
        disabled=disabled,
        person=Person(age=40),
        prior_reports=(1, 2),
        ip_captures=(IpCapture(address="2001:db8::1", port=443),),
        associated=(other,),
    )
    return replace(
        tip,
        reported=(party,),
        victims=(Victim(account_id="account-child"),),
        places=(*tip.places, CellPhone(latitude=1.5, longitude=-170)),
        high_priority="A nonsense reason.",
        annotations=(),
        files=(
            replace(
                file,
                viewed=True,
                exif_viewed=True,
                classification=Classification.A1,
                hashes=(FileHash(kind="MD5", value="0a" * 16),),
            ),
        ),
    )


def report() -> etree._Element:
    return etree.fromstring(report_xml(whole_tip(), reporter=REPORTER))


def details() -> etree._Element:
    [file] = whole_tip().files
    return etree.fromstring(file_details_xml(file, remote_id="1", file_id="f"))


def set_text(path: str, text: str | None) -> Mutation:
    def mutate(root: etree._Element) -> None:
        root.find(path).text = text  # type: ignore[union-attr]  # the path is of the document above

    return mutate


def set_attribute(path: str, name: str, value: str) -> Mutation:
    def mutate(root: etree._Element) -> None:
        root.find(path).set(name, value)  # type: ignore[union-attr]  # as above

    return mutate


def add(path: str, xml: str) -> Mutation:
    def mutate(root: etree._Element) -> None:
        root.find(path).append(etree.fromstring(xml))  # type: ignore[union-attr]  # as above

    return mutate


def remove(path: str) -> Mutation:
    def mutate(root: etree._Element) -> None:
        found = root.find(path)
        found.getparent().remove(found)  # type: ignore[union-attr,arg-type]  # as above

    return mutate


WHO = "personOrUserReported"
CLOSED = f"{WHO}/accountTemporarilyDisabled"
FOR_GOOD = "<accountPermanentlyDisabled>true</accountPermanentlyDisabled>"
FLAG = "<reportAnnotations><spam>{}</spam></reportAnnotations>"
SUMMARY = "incidentSummary"
REPORT_MUTATIONS: list[tuple[Rule, Mutation]] = [
    (Rule.ONE_PLACE_EACH, add("internetDetails", "<chatImIncident/>")),
    (Rule.ONE_PLACE_EACH, remove("internetDetails/webPageIncident")),
    (Rule.TIME_ZONED, set_text("incidentSummary/incidentDateTime", "2026-01-01T00:00:00")),
    (Rule.TIME_ZONED, set_attribute(CLOSED, "disabledDate", "2026-01-01T00:00:00")),
    (Rule.TIME_PAST, set_text("incidentSummary/incidentDateTime", "2027-01-01T00:00:00Z")),
    (Rule.TIME_PAST, set_attribute(CLOSED, "userNotifiedDate", "2027-01-01T00:00:00Z")),
    (Rule.LENGTH, set_text("incidentSummary/platform", "x" * 257)),
    (Rule.LENGTH, set_text(f"{WHO}/espIdentifier", "x" * 256)),
    (Rule.LENGTH, set_text(f"{WHO}/espService", "x" * 101)),
    (Rule.LENGTH, set_text(f"{WHO}/screenName", "x" * 257)),
    (Rule.LENGTH, set_text("incidentSummary/escalateToHighPriority", "x" * 3001)),
    (Rule.LENGTH, set_text("internetDetails/webPageIncident/url", "x" * 2084)),
    (Rule.FLAG_EMPTY, add(SUMMARY, FLAG.format("false"))),
    (Rule.FLAG_EMPTY, add(SUMMARY, FLAG.format("true"))),
    (Rule.URGENCY_SAYS_WHY, set_text("incidentSummary/escalateToHighPriority", " ")),
    (Rule.ADDRESS_READS, set_text(f"{WHO}/ipCaptureEvent/ipAddress", "somewhere")),
    (Rule.PORT_RANGE, set_text(f"{WHO}/ipCaptureEvent/port", "65536")),
    (Rule.PORT_RANGE, set_text(f"{WHO}/ipCaptureEvent/port", "0")),
    (Rule.COORDINATES, set_text("internetDetails/cellPhoneIncident/latitude", "91")),
    (Rule.COORDINATES, remove("internetDetails/cellPhoneIncident/longitude")),
    (Rule.COORDINATES, set_text("internetDetails/cellPhoneIncident/latitude", "north")),
    (Rule.AGE_POSSIBLE, set_text(f"{WHO}/personOrUserReportedPerson/age", "-1")),
    (Rule.AGE_POSSIBLE, set_text(f"{WHO}/personOrUserReportedPerson/age", "many")),
    (Rule.AGE_POSSIBLE, add("victim/victimPerson", "<dateOfBirth>2030-01-01</dateOfBirth>")),
    (Rule.DISABLED_ONE_WAY, add(WHO, FOR_GOOD)),
    (Rule.NOTICE_TOLD, set_attribute(CLOSED, "userNotified", "false")),
    (Rule.PRIOR_REPORTS, set_text(f"{WHO}/priorCTReports", "2")),
    (Rule.PRIOR_REPORTS, set_text(f"{WHO}/priorCTReports", "0")),
    (Rule.PRIOR_REPORTS, set_text(f"{WHO}/priorCTReports", "-5")),
    (Rule.PARTY_NAMED, add(".", f"<{WHO}><profileBio>quibble</profileBio></{WHO}>")),
    (Rule.PARTIES_DIFFER, set_text("victim/espIdentifier", "account-of-tip-1")),
    (Rule.PARTIES_DIFFER, set_text(f"{WHO}/associatedAccount/espIdentifier", "account-of-tip-1")),
    (Rule.REPORTER_REACHABLE, remove("reporter/reportingPerson/email")),
]  # fmt: skip
FILE_MUTATIONS: list[tuple[Rule, Mutation]] = [
    (Rule.EXIF_NEEDS_VIEWED, set_text("fileViewedByEsp", "false")),
    (Rule.EXIF_NEEDS_VIEWED, remove("fileViewedByEsp")),
    (Rule.SUPPLEMENTAL_PLAIN, set_text("fileRelevance", "Supplemental Reported")),
    (Rule.HASH_FORM, set_text("originalFileHash", "0a")),
    (Rule.HASH_FORM, set_text("originalFileHash", "zz" * 16)),
    (Rule.HASH_ONCE, add(".", f'<originalFileHash hashType="md5">{"0b" * 16}</originalFileHash>')),
    (Rule.TIME_PAST, set_text("uploadedToEspTimestamp", "2027-01-01T00:00:00Z")),
    (Rule.LENGTH, set_text("originalFileName", "x" * 2057)),
    (Rule.FLAG_EMPTY, add(".", "<fileAnnotations><viral>false</viral></fileAnnotations>")),
]  # fmt: skip


def both_meme_and_annotations(root: etree._Element) -> None:
    root.append(etree.fromstring("<potentialMeme>false</potentialMeme>"))
    root.append(etree.fromstring("<fileAnnotations><viral/></fileAnnotations>"))


def supplemental_meme(annotated: str) -> Mutation:
    def mutate(root: etree._Element) -> None:
        remove("industryClassification")(root)
        set_text("fileRelevance", "Supplemental Reported")(root)
        root.append(etree.fromstring(annotated))

    return mutate


FILE_MUTATIONS += [
    (Rule.MEME_OR_ANNOTATIONS, both_meme_and_annotations),
    (Rule.SUPPLEMENTAL_PLAIN, supplemental_meme("<potentialMeme>true</potentialMeme>")),
    (
        Rule.SUPPLEMENTAL_PLAIN,
        supplemental_meme("<fileAnnotations><potentialMeme/></fileAnnotations>"),
    ),
]


def rules_broken(breaches: list[Breach]) -> set[Rule]:
    return {one.rule for one in breaches}


def test_a_right_report_and_file_break_no_rule() -> None:
    assert breaches_of_report(etree.tostring(report()), now=NOON) == []
    assert breaches_of_file(etree.tostring(details()), viewed=True, now=NOON) == []


@pytest.mark.parametrize(("rule", "mutate"), REPORT_MUTATIONS)
def test_a_broken_report_is_caught(rule: Rule, mutate: Mutation) -> None:
    root = report()
    mutate(root)
    assert rules_broken(breaches_of_report(etree.tostring(root), now=NOON)) == {rule}


@pytest.mark.parametrize(("rule", "mutate"), FILE_MUTATIONS)
def test_broken_file_details_are_caught(rule: Rule, mutate: Mutation) -> None:
    root = details()
    mutate(root)
    assert rules_broken(breaches_of_file(etree.tostring(root), viewed=True, now=NOON)) == {rule}


def test_a_file_is_not_said_to_be_viewed_where_nobody_viewed_it() -> None:
    found = breaches_of_file(etree.tostring(details()), viewed=False, now=NOON)
    assert rules_broken(found) == {Rule.VIEWED_BY_PERSON}


def test_every_rule_is_in_words_and_has_a_document_that_breaks_it() -> None:
    broken = {rule for rule, _ in (*REPORT_MUTATIONS, *FILE_MUTATIONS)}
    assert set(RULES) == set(Rule) == broken | {Rule.VIEWED_BY_PERSON}


def test_a_suspension_may_end_in_the_future() -> None:
    root = report()
    way = "personOrUserReported/accountTemporarilyDisabled"
    set_attribute(way, "reenabledDate", "2030-01-01T00:00:00Z")(root)
    assert breaches_of_report(etree.tostring(root), now=NOON) == []


def test_what_the_schema_refuses_is_left_to_it() -> None:
    root = report()
    set_text("incidentSummary/incidentDateTime", "soon")(root)
    add("victim/victimPerson", "<dateOfBirth>long ago</dateOfBirth>")(root)
    assert breaches_of_report(etree.tostring(root), now=NOON) == []


def test_an_account_elsewhere_may_have_the_same_id() -> None:
    root = report()
    set_text("personOrUserReported/associatedAccount/espIdentifier", "account-of-tip-1")(root)
    add("personOrUserReported/associatedAccount", "<platform>Elsewhere</platform>")(root)
    assert breaches_of_report(etree.tostring(root), now=NOON) == []


def test_a_refusal_names_rules_and_elements_and_no_value() -> None:
    root = report()
    set_text("personOrUserReported/ipCaptureEvent/ipAddress", "zorbleflux")(root)
    with pytest.raises(InvalidInput) as refused:
        check_breaches(breaches_of_report(etree.tostring(root), now=NOON))
    assert "address_reads" in str(refused.value)
    assert "zorbleflux" not in str(refused.value)
    check_breaches([])


def test_an_unviewed_file_says_so() -> None:
    file = make_file(MemoryMedia(), 1)
    document = file_details_xml(file, remote_id="1", file_id="f")
    assert breaches_of_file(document, viewed=False, now=NOON) == []
