"""Offers in listed words are found with why; those who write about offers are left alone."""

from datetime import UTC, datetime

import pytest

from nightlight.detect.offer import POSSIBLE, Offer
from nightlight.detect.offer_weights import OfferWeights, shipped_weights
from nightlight.detect.term_finder import TermFinder
from nightlight.model.context import Context
from nightlight.model.event import (
    AccountUpdated,
    Event,
    EventData,
    EventType,
    MediaUploaded,
    PostCreated,
    PostDeleted,
    PostEdited,
)
from nightlight.model.ids import EventKey
from nightlight.model.lexicon import Term, TermKind
from nightlight.model.signal import Signal, SubjectKind

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
TERMS = (
    Term(id="t1", kind=TermKind.TERM, text="zorbleflux", severity=90),
    Term(id="t2", kind=TermKind.TERM, text="plimquat", severity=85),
    Term(id="c1", kind=TermKind.CUE, text="glimpcoin"),
    Term(id="x1", kind=TermKind.EXCLUSION, text="crochet"),
)


def event(data: EventData, kind: EventType = EventType.POST_CREATED) -> Event:
    return Event(key=EventKey("k"), source="s", id="1", type=kind, time=NOON, data=data)


def signals(text: str, weights: OfferWeights | None = None) -> list[Signal]:
    told = event(PostCreated(post_id="p1", account_id="a1", text=text))
    return list(Offer(TermFinder(TERMS), weights).detect(told, Context()))


def called(text: str) -> bool:
    return any(one.detector == "offer" for one in signals(text))


@pytest.mark.parametrize(
    "text",
    [
        "zorbleflux and plimquat, $30 each, dm me",
        "fresh zorbleflux, 12 left, telegram @bakalem42",
        "new z0rblefl\N{GREEK SMALL LETTER UPSILON}x today | 20 coins | payment first | dm",
        "zorbleflux, plimquat\n15 for one, less for three\nwrite to https://corner.example.test/1f",
        "verkaufe zorbleflux und plimquat, 30 Euro, PN an @bakalem42",
        "vendo zorbleflux y plimquat, 30 euros, escríbeme por privado",
        "p l i m q u a t again • glimpcoin • 5 boxes • inbox me",
    ],
)
def test_listed_words_with_what_sells_them_are_an_offer(text: str) -> None:
    assert called(text)


@pytest.mark.parametrize(
    "text",
    [
        'Our report: what "zorbleflux" means, and who pays 30 coins for it. https://press.example.test',
        "They asked 30 coins for zorbleflux, police say. Read the story: https://press.example.test/1",
        "Researchers measured zorbleflux posts: prices, menus and contact codes. Paper: https://a.test/",
        "I am a survivor. They called it zorbleflux. You are not alone.",
        "Did somebody ask your child to dm about zorbleflux? Call our helpline, day and night.",
        'Someone just sent me "zorbleflux, 30 coins, dm". Reported and blocked.',
        "Posts with plimquat get removed here, mods decide. Do not dm us offers.",
        "My zorbleflux crochet blanket is for sale, 30 coins, dm me for colours",
        "zorbleflux",
        "what a zorbleflux of a day",
    ],
)
def test_those_who_write_about_it_are_not_taken_for_sellers(text: str) -> None:
    assert not called(text)


@pytest.mark.parametrize(
    "text",
    ["Plum jam, price list at the gate, 30 coins, 5 left, dm me", "", "glimpcoin menu, dm, $5"],
)
def test_without_a_listed_word_nothing_is_an_offer(text: str) -> None:
    assert signals(text) == []


def test_what_is_likelier_than_not_is_left_to_a_person() -> None:
    sure = OfferWeights(weights={"price": 2.0}, bias=-1.0, threshold=0.9)

    (found,) = signals("zorbleflux $30", sure)

    assert found.detector == POSSIBLE
    assert found.facts["offer"] is False
    assert found.facts["offer_score"] == pytest.approx(0.731, abs=0.001)


def test_why_is_told_in_words_and_never_in_those_of_the_text() -> None:
    (found,) = signals("zorbleflux and plimquat, $30 each, dm @bakalem42")
    told = str(found.evidence)

    assert "a price" in told
    assert "several terms" in told
    assert "contact in private" in told
    assert not any(word in told for word in ("zorble", "plimquat", "30", "bakalem"))
    assert found.evidence["weights"] == shipped_weights().version
    assert found.confidence == found.facts["offer_score"]


@pytest.mark.parametrize(
    ("data", "kind", "subject"),
    [
        (
            PostEdited(post_id="p1", account_id="a1", text="zorbleflux, plimquat, $30 each, dm"),
            EventType.POST_EDITED,
            SubjectKind.POST,
        ),
        (
            AccountUpdated(
                account_id="a1", display_name="zorbleflux", bio="plimquat too. $30 each, dm me"
            ),
            EventType.ACCOUNT_UPDATED,
            SubjectKind.ACCOUNT,
        ),
        (
            MediaUploaded(
                media_id="m1", account_id="a1", description="zorbleflux, plimquat, $30, 5 left, dm"
            ),
            EventType.MEDIA_UPLOADED,
            SubjectKind.MEDIA,
        ),
    ],
)
def test_edits_profiles_and_descriptions_can_be_offers(
    data: EventData, kind: EventType, subject: SubjectKind
) -> None:
    (found,) = Offer(TermFinder(TERMS)).detect(event(data, kind), Context())

    assert (found.detector, found.subject.kind) == ("offer", subject)


def test_an_event_without_words_is_no_offer() -> None:
    gone = event(PostDeleted(post_id="p1", account_id="a1"), EventType.POST_DELETED)

    assert Offer(TermFinder(TERMS)).detect(gone, Context()) == ()


def test_a_very_long_text_is_judged_by_how_it_begins() -> None:
    assert called("zorbleflux and plimquat, $30 each, dm me " + "tea " * 50_000)
