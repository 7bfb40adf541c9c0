"""Generated tips follow our own schema, and NCMEC's where it lies beside; broken ones do not."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import lru_cache

import pytest
from lxml import etree
from tests.synthetic.drafts import drafted_tip
from tests.synthetic.ncmec_schema import SCHEMAS
from tests.synthetic.tips import NOW, generated_tip

from nightlight.errors import InvalidInput
from nightlight.model.cybertip import CyberTip
from nightlight.model.reported_file import ReportedFile
from nightlight.report.document import file_details_xml, report_xml
from nightlight.report.reporter import Contact, Reporter
from nightlight.report.rules import breaches_of_file, breaches_of_report
from nightlight.report.schema import Schema

REPORTER = Reporter(
    person=Contact(first_name="Zor", last_name="Bleflux", phone="5550100", email="d@example.test"),
    contact=Contact(email="law@example.test"),
    company_template="a",
    terms_of_service="b",
    legal_url="https://example.test",
)
HELD = [Schema(one) for one in SCHEMAS]
#: When the drafts are drafted.
LATER = NOW + timedelta(hours=1)
_TIPS, _DRAFTS = 200, 100


@lru_cache(maxsize=1)
def documents() -> list[tuple[bytes, ReportedFile | None]]:
    """Return the documents of tips of every kind, with the file that each is about."""
    generated = [one for seed in range(_TIPS) for one in written(generated_tip(seed))]
    return generated + [one for seed in range(_DRAFTS) for one in written(drafted_tip(seed))]


def written(tip: CyberTip) -> Iterator[tuple[bytes, ReportedFile | None]]:
    yield report_xml(tip, reporter=REPORTER), None
    for file in tip.files:
        yield file_details_xml(file, remote_id="1", file_id="f"), file


@pytest.mark.parametrize("schema", HELD)
def test_generated_tips_of_every_kind_follow_the_schema(schema: Schema) -> None:
    for document, _ in documents():
        schema.check(document)


def test_generated_tips_of_every_kind_break_no_cross_rule() -> None:
    for document, file in documents():
        if file is None:
            assert breaches_of_report(document, now=LATER) == []
        else:
            assert breaches_of_file(document, viewed=bool(file.viewed), now=LATER) == []


def test_generated_tips_use_every_element_that_the_schema_knows() -> None:
    used = {
        str(one.tag) for document, _ in documents() for one in etree.fromstring(document).iter()
    }
    root = etree.fromstring(SCHEMAS[0])
    known = {one.get("name") for one in root.iter("{http://www.w3.org/2001/XMLSchema}element")}
    # Answers are not ours to write; the name that NCMEC gives a file is not ours to give.
    answers = {"reportResponse", "reportDoneResponse", "responseCode", "responseDescription"}
    assert known - used == answers | {"hash", "files", "fileName"}


def swap_first_two(root: etree._Element) -> None:
    root.insert(0, root[1])


def retag(path: str, tag: str) -> Callable[[etree._Element], None]:
    def mutate(root: etree._Element) -> None:
        root.find(path).tag = tag  # type: ignore[union-attr]  # of the documents that are mutated

    return mutate


def say(path: str, text: str) -> Callable[[etree._Element], None]:
    def mutate(root: etree._Element) -> None:
        root.find(path).text = text  # type: ignore[union-attr]  # as above

    return mutate


def twice(path: str) -> Callable[[etree._Element], None]:
    def mutate(root: etree._Element) -> None:
        found = root.find(path)
        found.addnext(etree.fromstring(etree.tostring(found)))  # type: ignore[union-attr,arg-type]

    return mutate


def drop(path: str) -> Callable[[etree._Element], None]:
    def mutate(root: etree._Element) -> None:
        found = root.find(path)
        found.getparent().remove(found)  # type: ignore[union-attr,arg-type]  # as above

    return mutate


def attribute(path: str, name: str, value: str) -> Callable[[etree._Element], None]:
    def mutate(root: etree._Element) -> None:
        root.find(path).set(name, value)  # type: ignore[union-attr]  # as above

    return mutate


WHO = "personOrUserReported"
MUTATIONS = [
    swap_first_two,
    drop("incidentSummary"),
    drop("incidentSummary/incidentType"),
    drop("incidentSummary/incidentDateTime"),
    drop("reporter"),
    drop("reporter/reportingPerson"),
    drop("victim/victimPerson"),
    drop(f"{WHO}/ipCaptureEvent/ipAddress"),
    drop(f"{WHO}/deviceId/idType"),
    twice("incidentSummary"),
    twice("reporter"),
    twice(f"{WHO}/espIdentifier"),
    retag("incidentSummary", "summary"),
    retag("internetDetails/*", "gossipIncident"),
    say("incidentSummary/incidentType", "Something else"),
    say("incidentSummary/incidentDateTime", "yesterday"),
    say(f"{WHO}/thirdPartyUserReported", "perhaps"),
    say(f"{WHO}/priorCTReports", "the last one"),
    say(f"{WHO}/ipCaptureEvent/eventName", "Walked by"),
    say("incidentSummary/reportAnnotations/*", "false"),
    attribute(f"{WHO}/associatedAccount", "type", "Friend"),
    attribute(f"{WHO}/associatedAccount", "associatedAccountType", "Linked"),
    attribute("incidentSummary", "mood", "grave"),
]
FILE_MUTATIONS = [
    drop("reportId"),
    drop("fileId"),
    say("reportId", "the first"),
    say("fileViewedByEsp", "partly"),
    say("fileRelevance", "Somewhat"),
    say("industryClassification", "C3"),
    say("fileAnnotations/*", "false"),
    twice("fileAnnotations"),
    twice("ipCaptureEvent"),
    drop("details/nameValuePair/value"),
    attribute("details", "type", "GUESS"),
    swap_first_two,
]


def applied(mutations: list[Callable[[etree._Element], None]], root_tag: str) -> list[bytes]:
    """Return a broken document for each mutation, from the first generated one that it fits."""
    sources = [one for one, file in documents() if (file is None) == (root_tag == "report")]
    broken = []
    for mutate in mutations:
        for source in sources:
            root = etree.fromstring(source)
            try:
                mutate(root)
            except (AttributeError, IndexError):
                continue  # it has not got what this mutation breaks
            broken.append(etree.tostring(root))
            break
    assert len(broken) == len(mutations)
    return broken


@pytest.mark.parametrize("schema", HELD)
@pytest.mark.parametrize(
    ("mutations", "root_tag"), [(MUTATIONS, "report"), (FILE_MUTATIONS, "fileDetails")]
)
def test_every_mutation_is_caught(
    schema: Schema, mutations: list[Callable[[etree._Element], None]], root_tag: str
) -> None:
    passed = []
    for place, document in enumerate(applied(mutations, root_tag)):
        try:
            schema.check(document)
        except InvalidInput:
            continue
        passed.append(place)
    assert passed == []
