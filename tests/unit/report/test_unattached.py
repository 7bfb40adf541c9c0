"""A file that is not sent with a tip is named in it, with its hashes and with why."""

import pytest
from msgspec.structs import replace
from tests.synthetic.builders import at, make_evidence, make_media
from tests.unit.report.test_draft import HASHES, draft, matched

from nightlight.model.case import Evidence
from nightlight.model.context import MediaContext
from nightlight.model.media import Scan, ScanState
from nightlight.report.document import report_xml
from nightlight.report.plain import fields, summary
from nightlight.report.reporter import Contact, Reporter
from nightlight.report.unattached import in_words

SCANNED = Scan(state=ScanState.SCANNED, hashes=HASHES)
URL = "https://cdn.example.test/a.png"
REPORTER = Reporter(person=Contact(email="desk@example.test"))


def test_a_file_of_which_only_hashes_are_known_is_told_with_them_and_with_the_match() -> None:
    tip = draft(
        matched(exact=True),
        evidence=[],
        media_ids=("media-1",),
        media={"media-1": make_media(scan=SCANNED)},
    )
    assert tip.files == ()
    [file] = tip.unattached
    document = report_xml(tip, reporter=REPORTER).decode()
    said = in_words(file)
    assert said.startswith("File media-1 is not attached: the provider's record has what was told")
    assert "exact match with an entry of the hash bank quibble" in said
    assert f"MD5 {HASHES.md5}" in said
    assert said in document
    assert said in summary(tip)
    assert "1 file(s) were found and are not attached:" in summary(tip)
    assert not [name for name, _ in fields(tip) if name.startswith("unattached")]
    assert HASHES.md5 not in repr(file)


@pytest.mark.parametrize(
    ("media", "why"),
    [
        (None, "has only its name"),
        (make_media(scan=SCANNED, url=URL), "could not be preserved"),
        (
            make_media(scan=Scan(state=ScanState.UNREACHABLE, reason="no answer"), url=URL),
            "could not be had (no answer)",
        ),
        (make_media(scan=Scan(state=ScanState.FAILED), url="a.png"), "could not be had (failed)"),
    ],
)
def test_it_says_why_a_file_is_not_attached(media: MediaContext | None, why: str) -> None:
    known = {} if media is None else {"media-1": media}
    [file] = draft(evidence=[], media_ids=("media-1", "media-1"), media=known).unattached
    said = in_words(file)
    assert why in said
    assert (f"It was at {URL}" in said) is (file.location == URL)
    assert ("None of its hashes is known." in said) is (not file.hashes)


def test_a_file_that_was_destroyed_is_not_sent_and_is_named() -> None:
    gone: Evidence = replace(make_evidence("media-1"), digest="", destroyed_at=at(1))
    tip = draft(evidence=[gone, make_evidence("media-2")], media_ids=("media-2",))
    assert [one.file_name for one in tip.files] == ["media-2"]
    [file] = tip.unattached
    assert "it was destroyed on" in file.why
    assert "1 file(s); a person viewed 0" in summary(tip)[2]
