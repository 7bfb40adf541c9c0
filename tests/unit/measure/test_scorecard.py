"""Findings are counted against the answer sheet, in both directions."""

import pytest

from nightlight.errors import InvalidInput
from nightlight.measure.scorecard import Scorecard, Share, as_json, score
from nightlight.measure.truth import TrueMedia, TruePost, Truth, parse_truth
from nightlight.model.measure import wilson_interval

TRUTH = Truth(
    version=1,
    posts={
        "plain": TruePost(kind="advert", terms=True, act=True),
        "hidden": TruePost(kind="advert", terms=True, disguise="leet", act=True),
        "again": TruePost(kind="advert", terms=True, reposts="plain", act=True),
        "news": TruePost(kind="lookalike", terms=True, lookalike="news"),
        "typo": TruePost(kind="typo"),
    },
    media_files={
        "known": TrueMedia(known=True, edit="resize", act=True),
        "missed": TrueMedia(known=True, edit="crop", act=True),
        "family": TrueMedia(known=False, edit="album"),
    },
)
SIGNALS = [
    ("term_match", "post", "plain"),
    ("term_match", "post", "plain"),
    ("term_match", "post", "news"),
    ("term_match", "post", "ordinary"),
    ("term_match", "account", "hidden"),
    ("offer", "post", "plain"),
    ("offer", "post", "again"),
    ("offer", "post", "ordinary"),
    ("possible_offer", "post", "hidden"),
    ("delete_repost", "post", "again"),
    ("hash_match", "media", "known"),
]
ACTED_ON = [("post", "plain"), ("post", "news"), ("media", "known"), ("account", "a")]


@pytest.fixture
def card() -> Scorecard:
    return score(TRUTH, signalled=SIGNALS, acted_on=ACTED_ON, posts=100, media_files=10)


def test_findings_are_right_wrong_or_missing(card: Scorecard) -> None:
    found = card.detectors["term_match"]
    assert (found.true_positives, found.false_positives) == (2, 1)
    assert (found.false_negatives, found.true_negatives) == (2, 95)


def test_finding_on_another_kind_of_subject_is_none(card: Scorecard) -> None:
    assert "hidden" in TRUTH.posts
    assert card.recall_by_disguise["leet"] == Share(count=0, of=1)


def test_decisions_are_scored_by_what_should_be_limited(card: Scorecard) -> None:
    found = card.detectors["decision"]
    assert (found.true_positives, found.false_positives, found.false_negatives) == (1, 1, 2)


def test_recall_is_told_by_disguise_and_by_edit(card: Scorecard) -> None:
    assert card.recall_by_disguise["plain"] == Share(count=2, of=3)
    assert card.recall_by_edit == {"crop": Share(count=0, of=1), "resize": Share(count=1, of=1)}


def test_offers_are_scored_against_adverts_and_possible_ones_are_not_counted(
    card: Scorecard,
) -> None:
    found = card.detectors["offer"]
    assert (found.true_positives, found.false_positives, found.false_negatives) == (2, 1, 1)


def test_every_detector_of_text_is_broken_down_by_spelling_and_look_alike(card: Scorecard) -> None:
    assert card.by_disguise == {
        "term_match": {"leet": Share(count=0, of=1), "plain": Share(count=1, of=2)},
        "offer": {"leet": Share(count=0, of=1), "plain": Share(count=2, of=2)},
        "decision": {"leet": Share(count=0, of=1), "plain": Share(count=1, of=2)},
    }
    assert card.by_lookalike["term_match"]["news"] == Share(count=1, of=1)
    assert card.by_lookalike["offer"] == {
        "news": Share(count=0, of=1),
        "typo": Share(count=0, of=1),
    }
    assert as_json(card)["by_lookalike"]["decision"]["news"]["count"] == 1


def test_look_alikes_that_were_limited_are_told_by_kind(card: Scorecard) -> None:
    assert card.lookalikes_acted_on == {
        "album": Share(count=0, of=1),
        "news": Share(count=1, of=1),
        "typo": Share(count=0, of=1),
    }


def test_written_scorecard_carries_shares_with_their_intervals(card: Scorecard) -> None:
    written = as_json(card)
    assert written["detectors"]["hash_match"]["recall"] == 0.5
    assert written["detectors"]["hash_match"]["recall_interval"] == wilson_interval(1, 2)
    assert written["recall_by_edit"]["crop"] == {
        "count": 0,
        "of": 1,
        "interval": wilson_interval(0, 1),
    }


def test_more_findings_than_posts_do_not_count_below_nothing() -> None:
    card = score(Truth(version=1), signalled=SIGNALS, acted_on=[], posts=1, media_files=0)
    assert card.detectors["term_match"].true_negatives == 0


def test_answer_sheet_is_read() -> None:
    truth = parse_truth(b'{"version": 1, "posts": {"p": {"kind": "advert", "act": true}}}')
    assert truth.posts["p"].act


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"{", "truth: not an answer sheet: Input data was truncated"),
        (b"\xff", "truth: not an answer sheet: JSON is malformed: invalid character (byte 0)"),
        (b"{}", "truth: not an answer sheet: Object missing required field `version`"),
        (b'{"version": 2}', "truth.version: version 2 is not known"),
    ],
)
def test_other_files_are_no_answer_sheet(body: bytes, text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_truth(body)
    assert str(caught.value) == text
