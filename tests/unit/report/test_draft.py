"""A confirmed case becomes a tip that states what is known, and no more."""

from datetime import timedelta
from typing import Any

import pytest
from tests.synthetic.builders import (
    at,
    event_of,
    make_account,
    make_case,
    make_decision,
    make_evidence,
    make_media,
    make_signal,
    subject_of,
)

from nightlight.model.case import CaseState, EvidenceKind
from nightlight.model.cybertip import CyberTip
from nightlight.model.event import Event, PostCreated, PostEdited
from nightlight.model.ids import CaseId
from nightlight.model.incident import Annotation, Chat, IncidentType, WebPage
from nightlight.model.media import MediaHashes, Scan, ScanState
from nightlight.model.person import Device, IpCapture
from nightlight.model.signal import Signal, SubjectKind
from nightlight.report.draft import ConfirmedCase, Named, draft_tip
from nightlight.report.draft_files import shown_to

NOW = at(60)
HASHES = MediaHashes(md5="11" * 16, sha256="22" * 32, pdq="33" * 32, pdq_quality=90)


def matched(*, exact: bool, bits: int = 0, bank: str = "quibble", grade: str = "") -> Signal:
    return make_signal(
        {
            "hash_matched": True,
            "hash_exact": exact,
            "hash_distance_bits": bits,
            "hash_bank": bank,
            "hash_classification": grade,
        },
        detector="hash_match",
        subject=subject_of(SubjectKind.MEDIA, "media-1"),
    )


def post(name: str, minutes: int) -> Event:
    """Return a post as it was published."""
    url = f"https://z.example.test/{name}"
    data = PostCreated(post_id=name, account_id="a", text=f"said at {minutes}", url=url)
    return event_of(data, minutes=minutes)


def draft(*signals: Signal, **changes: Any) -> CyberTip:
    case: dict[str, Any] = {
        "case": make_case(state=CaseState.CONFIRMED),
        "incident_type": IncidentType.CSAM,
        "decisions": [make_decision(), make_decision(name="decision-2", minutes=5)],
        "evidence": [
            make_evidence("media-1"),
            make_evidence("media-2"),
            make_evidence("event-1", kind=EvidenceKind.POST),
        ],
        "posts": [post("1", 2), post("1", 3), event_of(PostEdited(post_id="1", account_id="a"))],
        "viewed": ("evidence-of-media-1",),
        "exif_viewed": (),
        "media_ids": (),
    }
    values: dict[str, Any] = {
        "platform": "Zorbleflux",
        "signals": signals,
        "media": {
            "media-1": make_media(
                scan=Scan(state=ScanState.SCANNED, hashes=HASHES),
                url="https://cdn.example.test/a.png",
            )
        },
        "account": make_account(handle="quib", display_name="Quib", bio="nothing"),
        "named": Named(),
        "now": NOW,
        "classify": False,
    }
    for name, value in changes.items():
        (case if name in case else values)[name] = value
    return draft_tip([ConfirmedCase(**case)], **values)


def test_tip_describes_the_account_and_where_it_was() -> None:
    tip = draft()
    [account] = tip.reported
    assert (account.handle, account.display_names, account.bio) == ("quib", ("Quib",), "nothing")
    assert tip.places == (WebPage(urls=("https://z.example.test/1",)),)
    assert tip.annotations == (Annotation.CSAM_SOLICITATION,)
    assert tip.incident_at == at(5)


def test_account_nobody_described_is_still_reported() -> None:
    tip = draft(account=None)
    [account] = tip.reported
    assert (account.account_id, account.handle) == ("account-1", "")


def test_only_a_file_that_the_reviewer_said_to_have_viewed_counts_as_viewed() -> None:
    first, second = draft().files
    assert (first.evidence_id, first.viewed) == ("evidence-of-media-1", True)
    assert (second.evidence_id, second.viewed) == ("evidence-of-media-2", False)


def test_file_of_which_nothing_is_known_carries_no_hashes() -> None:
    first, second = draft().files
    told = [(one.kind, one.value) for one in first.hashes]
    assert told == [("MD5", "11" * 16), ("SHA256", "22" * 32), ("PDQ", "33" * 32)]
    assert (second.hashes, second.location, second.uploaded_at) == ((), "", None)


@pytest.mark.parametrize("order", [1, -1])
def test_exact_match_is_told_rather_than_a_near_one(order: int) -> None:
    signals = [matched(exact=False, bits=0), matched(exact=True, bank="zorble")][::order]
    assert draft(*signals).files[0].match == "exact match with an entry of the hash bank zorble"


@pytest.mark.parametrize("order", [1, -1])
def test_nearest_of_near_matches_is_told(order: int) -> None:
    signals = [matched(exact=False, bits=20), matched(exact=False, bits=4)][::order]
    assert draft(*signals).files[0].match.startswith("near match (4 bits)")


def test_file_without_a_match_tells_none() -> None:
    assert draft(make_signal()).files[0].match == ""


def test_classification_is_passed_on_only_where_the_operator_allows_it() -> None:
    signals = [matched(exact=True), matched(exact=False, bits=3, grade="A1")]
    assert draft(*signals).files[0].classification is None
    assert draft(*signals, classify=True).files[0].classification == "A1"
    assert draft(matched(exact=True), classify=True).files[0].classification is None


def test_incident_that_the_platform_dates_ahead_is_given_as_of_drafting() -> None:
    tip = draft(posts=[], decisions=[make_decision(minutes=90)])
    assert tip.incident_at == NOW
    assert tip.narrative.endswith(
        "The platform dated this 2026-03-01T13:30:00+00:00, after this report;"
        " it is given as of drafting."
    )


def test_narrative_says_who_confirmed_and_why_it_was_found() -> None:
    assert draft(posts=[]).narrative.splitlines() == [
        "Confirmed by a reviewer at the provider: advert, 2 finding(s).",
        "2026-03-01T12:00:00+00:00 post post-1: Nonsense stood beside nonsense.",
        "2026-03-01T12:05:00+00:00 post post-1: Nonsense stood beside nonsense.",
    ]


def test_one_case_makes_one_tip() -> None:
    assert draft().id == draft(now=at(99)).id


def test_what_was_posted_is_told_in_the_order_in_which_it_was_posted() -> None:
    lines = draft(posts=[post("2", 7), post("1", 3)]).narrative.splitlines()
    assert [line.rpartition(": ")[2] for line in lines[-2:]] == ["said at 3", "said at 7"]


def test_file_that_two_findings_share_is_reported_once() -> None:
    twice = [make_evidence("media-1"), make_evidence("media-1", name="sealed again")]
    assert len(draft(evidence=twice).files) == 1


def test_what_was_sent_to_somebody_was_in_a_chat_and_not_on_a_page() -> None:
    sent = PostCreated(
        post_id="m", account_id="a", text="said", recipients=("b",), url="https://z.example.test/m"
    )
    assert draft(posts=[event_of(sent)]).places == (
        Chat(client="Zorbleflux", content="Message m: said"),
    )


def test_posts_without_an_address_are_named() -> None:
    data = PostCreated(post_id="p", account_id="a")
    [place] = draft(posts=[event_of(data)]).places
    assert place == WebPage(info="Posts on Zorbleflux, which have no address of their own: p")


def test_where_nothing_is_known_of_the_place_the_platform_is_named() -> None:
    [place] = draft(posts=[]).places
    assert place == WebPage(info="On Zorbleflux; no address is known.")


def test_a_finding_without_an_account_reports_nobody() -> None:
    assert draft(case=make_case(account_id="")).reported == ()


def test_an_account_that_was_reported_before_names_the_earlier_reports() -> None:
    tip = draft(named=Named(earlier_reports=(7, 8)), posts=[])
    assert tip.reported[0].prior_reports == (7, 8)
    assert tip.narrative.endswith("this follows CyberTipline report(s) 7, 8.")


def test_nobody_is_said_to_have_viewed_exif_of_a_file_that_nobody_viewed() -> None:
    both = ("evidence-of-media-1", "evidence-of-media-2")
    first, second = draft(exif_viewed=both).files
    assert (first.exif_viewed, second.exif_viewed) == (True, None)


def test_whoever_viewed_one_of_equal_files_viewed_the_other() -> None:
    twice = [make_evidence("media-2", name="other"), make_evidence("media-2")]
    [file] = draft(evidence=twice, viewed=(twice[1].id,)).files
    assert (file.evidence_id, file.viewed) == (twice[0].id, True)


def test_cases_of_one_account_can_make_one_tip() -> None:
    cases = [
        ConfirmedCase(
            case=make_case(id=CaseId(name), category=category, severity=severity),
            incident_type=incident,
            decisions=[make_decision(name=f"of-{name}", minutes=minutes)],
            evidence=[make_evidence(f"media-of-{name}")],
            posts=[post(name, minutes)],
            urgent=urgent,
        )
        for name, category, severity, incident, minutes, urgent in (
            ("one", "known_media", 50, IncidentType.CSAM, 1, ""),
            ("two", "grooming", 90, IncidentType.ENTICEMENT, 9, "A child is in danger."),
        )
    ]
    tip = draft_tip(
        cases, platform="Z", signals=(), media={}, account=None, named=Named(), now=NOW,
        classify=False,
    )  # fmt: skip
    assert (tip.case_id, tip.cases) == ("one", ("one", "two"))
    assert tip.incident_type is IncidentType.ENTICEMENT
    assert tip.high_priority == "A child is in danger."
    assert tip.incident_at == at(9)
    assert tip.incident_note.startswith("2 findings between 2026-03-01T12:01:00+00:00 and")
    assert len(tip.files) == 2


def test_another_destination_is_another_tip() -> None:
    assert draft().id != draft(destination="hotline").id


def test_what_a_platform_dates_ahead_is_given_as_of_drafting_and_said() -> None:
    ahead, before = NOW + timedelta(minutes=30), NOW - timedelta(minutes=30)
    captures = (IpCapture(address="192.0.2.9", at=ahead), IpCapture(address="192.0.2.8", at=before))
    devices = (
        Device(id_kind="device", id_value="d", at=ahead),
        Device(id_kind="device", id_value="e"),
    )
    tip = draft(named=Named(ip_captures=captures, devices=devices))
    assert [one.at for one in tip.reported[0].ip_captures] == [NOW, before]
    assert [one.at for one in tip.reported[0].devices] == [NOW, None]
    assert "dated 2 sign-ins, machines or uploads after this report" in tip.narrative


def sent(name: str, *, to: tuple[str, ...] = (), url: str = "") -> PostCreated:
    return PostCreated(post_id=name, account_id="a", media_ids=("m",), recipients=to, url=url)


@pytest.mark.parametrize(
    ("posts", "shown", "public"),
    [
        ([sent("p", to=("b",))], {"m": {"p"}}, {"m": False}),
        ([sent("p", to=("b",))], {"m": {"p", "q"}}, {}),
        ([sent("p", to=("b",))], None, {}),
        ([sent("p", to=("b",)), sent("q", url="https://example.test/q")], {}, {"m": True}),
        ([sent("p")], {"m": {"p"}}, {}),
    ],
)
def test_a_file_is_said_to_be_public_or_not_only_where_that_is_certain(
    posts: list[PostCreated], shown: dict[str, set[str]] | None, public: dict[str, bool]
) -> None:
    assert shown_to(posts, shown) == public


def test_a_file_that_anybody_could_see_is_said_to_be_public() -> None:
    shown = PostCreated(
        post_id="p", account_id="a", media_ids=("media-1",), url="https://example.test/p"
    )
    first, second = draft(posts=[event_of(shown)]).files
    assert (first.public, second.public) == (True, None)
