"""Whose words those of a post are, which words a post has, and which of them are suggested."""

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlight.detect.suggesting import g2, rank
from nightlight.detect.word_use import users_of, words_in
from nightlight.model.context import AccountContext
from nightlight.model.ids import AccountId, EventKey
from nightlight.model.lexicon import TermForm
from nightlight.model.signal import Signal, Subject, SubjectKind
from nightlight.model.word_use import Counted, Users

TOTALS = {Users.SELLERS: 20, Users.WRITERS: 50, Users.OTHERS: 1_000}


def signal(detector: str) -> Signal:
    return Signal(
        detector=detector,
        event_key=EventKey("e"),
        account_id=AccountId("a"),
        subject=Subject(kind=SubjectKind.POST, id="p"),
        confidence=1.0,
        facts={},
    )


def counted(sellers: int, writers: int = 0, others: int = 0, *, token: int = 1) -> Counted:
    by = {Users.SELLERS: sellers, Users.WRITERS: writers, Users.OTHERS: others}
    return Counted(token=token, form=TermForm.WORD, by=by, event_keys=())


@pytest.mark.parametrize(
    ("detectors", "account", "users"),
    [
        ((), None, Users.OTHERS),
        (("term_match",), None, Users.WRITERS),
        (("term_match", "offer"), None, Users.SELLERS),
        (("term_match", "possible_offer"), None, None),
        ((), {"suspended": True}, Users.SELLERS),
        ((), {"human_decision": "confirmed"}, Users.SELLERS),
        (("term_match", "offer"), {"human_decision": "dismissed"}, None),
        (("term_match",), {"human_decision": "dismissed"}, Users.WRITERS),
        ((), {"human_decision": "dismissed", "suspended": True}, Users.OTHERS),
    ],
)
def test_words_are_those_of_sellers_writers_or_others(
    detectors: tuple[str, ...], account: dict[str, object] | None, users: Users | None
) -> None:
    known = AccountContext(account_id=AccountId("a"), **account) if account else None  # type: ignore[arg-type]  # by name
    assert users_of(known, [signal(one) for one in detectors]) is users


def test_tags_and_words_are_read_folded_without_links_handles_and_codes() -> None:
    text = "Fresh ZÖRBLE #Glímmer_Post ab 12ab3 @plonk_7 https://zorble.example.test/flux#part"
    found = {(one.form.value, one.text) for one in words_in(text)}
    assert found == {
        ("hashtag", "glimmer_post"),
        *(("word", one) for one in ("fresh", "zorble", "12ab3")),
    }


def test_words_without_spaces_between_them_are_left_out_and_their_tags_are_not() -> None:
    assert [one.text for one in words_in("新しいスープを試した #スープ")] == ["スープ"]


@given(st.text(max_size=300))
def test_words_of_any_text_can_be_read_and_are_not_many(text: str) -> None:
    assert len(words_in(text)) <= 48


def test_word_that_sellers_alone_use_is_suggested_and_the_likelier_first() -> None:
    ranked = rank([counted(5, token=1), counted(12, token=2)], TOTALS)
    assert [one.counted.token for one in ranked] == [2, 1]


@pytest.mark.parametrize(
    "harmless",
    [
        counted(2),  # too few sellers
        counted(20, others=80),  # everybody's word
        counted(6, writers=20),  # theirs who write about it
        counted(6, others=100),  # used more by sellers, not by so much
        counted(3, others=30),  # no more than chance
    ],
)
def test_what_others_say_too_is_not_suggested(harmless: Counted) -> None:
    assert rank([harmless], TOTALS) == []


def test_nothing_is_suggested_where_nobody_else_is_known() -> None:
    nobody = {Users.SELLERS: 5, Users.WRITERS: 0, Users.OTHERS: 0}
    assert rank([counted(5)], nobody) == []


def test_score_is_that_of_the_published_formula() -> None:
    cells = ((10, 20), (5, 1_000))
    total = sum(of for _, of in cells)
    used = sum(count for count, _ in cells)
    by_hand = 0.0
    for count, of in cells:
        for seen, expected in ((count, of * used / total), (of - count, of * (1 - used / total))):
            by_hand += 2 * seen * log(seen / expected)
    assert g2(10, 20, 5, 1_000) == pytest.approx(by_hand)
