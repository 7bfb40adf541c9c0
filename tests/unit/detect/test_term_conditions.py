"""A term counts only where the operator meant it: form, language, script and company."""

# ruff: noqa: RUF001  characters that look like others are what is tested here

from datetime import UTC, datetime
from typing import Any

import pytest

from nightlight.detect.scripts import is_among, scripts_in
from nightlight.detect.term_finder import TermFinder
from nightlight.model.event import Event, EventType, PostCreated
from nightlight.model.ids import EventKey
from nightlight.model.lexicon import SCRIPTS, Beside, Term, TermForm

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


def finds(term: Term, text: str, language: str = "") -> bool:
    post = PostCreated(post_id="p1", account_id="a1", text=text, language=language)
    event = Event(
        key=EventKey("k"), source="s", id="1", type=EventType.POST_CREATED, time=NOON, data=post
    )
    return bool(TermFinder([term]).find(event))


def term(text: str, **fields: Any) -> Term:
    return Term(id="t", text=text, **fields)


@pytest.mark.parametrize("text", ["zq", "a ZQ!", "z\u0493 \u200bzq", "(zq)", "#zq"])
def test_abbreviation_is_found_as_a_word(text: str) -> None:
    assert finds(term("zq", form=TermForm.ABBREVIATION), text)


@pytest.mark.parametrize("text", ["zq1", "2zq", "z.q.r", "qz", "zqs", "z q", "zzqq"])
def test_abbreviation_is_not_found_disguised_or_in_a_word(text: str) -> None:
    assert not finds(term("zq", form=TermForm.ABBREVIATION), text)


def test_long_abbreviation_is_not_undone_either() -> None:
    assert not finds(term("zqrstv", form=TermForm.ABBREVIATION), "z.q.r.s.t.v vtsrqz zqr\nstv")


@pytest.mark.parametrize(("text", "found"), [("a ZQ b", True), ("a zq b", False), ("ZQx", False)])
def test_case_of_an_abbreviation_matters_where_the_operator_says_so(
    text: str, *, found: bool
) -> None:
    assert finds(term("ZQ", form=TermForm.ABBREVIATION, case_sensitive=True), text) is found


@pytest.mark.parametrize("listed", ["blenkort", "#blenkort"])
@pytest.mark.parametrize(
    "text",
    [
        "#blenkort",
        "now #Bl3nkort here",
        "#bl\u0435nkort",
        "#MyBlenkort",
        "#the_blenkort",
        "#blen #kort",
        "#blenkooort",
        "#troknelb",
    ],
)
def test_hashtag_is_found_in_hashtags(listed: str, text: str) -> None:
    assert finds(term(listed, form=TermForm.HASHTAG), text)


@pytest.mark.parametrize("text", ["blenkort", "#a blenkort", "# blenkort", "bl3nkort", "@blenkort"])
def test_hashtag_is_not_found_outside(text: str) -> None:
    assert not finds(term("#blenkort", form=TermForm.HASHTAG), text)


@pytest.mark.parametrize("text", ["🦓🪀", "a🦓🪀b", "🦓 🪀", "🦓\ufe0f 🪀\ufe0f"])
def test_pictures_are_found_with_and_without_spaces(text: str) -> None:
    assert finds(term("🦓🪀", form=TermForm.EMOJI), text)


@pytest.mark.parametrize("text", ["🪀🦓", "🦓 and 🪀", "🦓", "👩\u200d🦓🪀"])
def test_other_pictures_are_not_found(text: str) -> None:
    assert not finds(term("🦓🪀", form=TermForm.EMOJI), text)


def test_joined_pictures_stay_whole() -> None:
    assert finds(term("👩\u200d💻👍🏽🇦🇶", form=TermForm.EMOJI), "👩\u200d💻 👍🏽 🇦🇶")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("zorble with a quib here", True),
        ("quib for zorble", True),
        ("qu1b z0rble", True),
        ("zorble one two three four five quib", False),
        ("zorble", False),
        ("quib", False),
    ],
)
def test_term_counts_near_another_text(text: str, *, found: bool) -> None:
    assert finds(term("zorble", near="quib", within=4), text) is found


def test_term_counts_anywhere_in_the_text_where_no_distance_is_given() -> None:
    assert finds(term("zorble", near="quib"), "quib " + "word " * 80 + "zorble")


def test_what_stands_near_is_no_finding_itself() -> None:
    found = TermFinder([term("zorble", near="quib")]).find_in("text", "zorble quib")
    assert {one.term.text for one in found} == {"zorble"}


@pytest.mark.parametrize(
    ("beside", "text"),
    [
        (Beside.PRICE, "zorble $20"),
        (Beside.PRICE, "zorble 15 €"),
        (Beside.PRICE, "zorble 30 coins each"),
        (Beside.PRICE, "5k usd zorble"),
        (Beside.HANDLE, "zorble tg: quibdesk"),
        (Beside.HANDLE, "zorble, telegram @quibdesk"),
        (Beside.HANDLE, "zorble t.me/quibdesk"),
        (Beside.LINK, "zorble https://quib.example.test/a"),
        (Beside.LINK, "zorble www.quib.example"),
        (Beside.LINK, "zorble quib.example/abc"),
    ],
)
def test_term_counts_beside_a_mark(beside: Beside, text: str) -> None:
    assert finds(term("zorble", beside=beside), text)


@pytest.mark.parametrize("beside", [Beside.PRICE, Beside.HANDLE, Beside.LINK])
@pytest.mark.parametrize(
    "text",
    [
        "zorble",
        "zorble at 4.30, 20 of them, 300km",
        "zorble with @quib",
        "the session was long, zorble said",
        "e.g. zorble, and so on. Next.",
        "zorble 20 coinsides",
    ],
)
def test_ordinary_numbers_names_and_stops_are_no_marks(beside: Beside, text: str) -> None:
    assert not finds(term("zorble", beside=beside), text)


def test_mark_may_be_asked_for_within_some_words() -> None:
    near = term("zorble", beside=Beside.PRICE, within=3)
    assert finds(near, "zorble for only $20")
    assert not finds(near, "zorble for only this one day and still $20")


@pytest.mark.parametrize(
    ("wanted", "language", "found"),
    [
        ("en", "", True),
        ("en", "en", True),
        ("en", "en-GB", True),
        ("en", "EN_us", True),
        ("en-GB", "en", True),
        ("en", "de", False),
        ("en", "enm", False),
        ("", "de", True),
    ],
)
def test_term_counts_in_its_language(wanted: str, language: str, *, found: bool) -> None:
    assert finds(term("zorble", language=wanted), "a zorble", language) is found


@pytest.mark.parametrize(
    ("script", "text", "found"),
    [
        ("Latn", "z\u043erble", True),  # Latin letters and one that looks like one
        ("Cyrl", "зорбля тут", True),
        ("Cyrl", "only zorble", False),
        ("Jpan", "きょうzorble", True),
        ("", "zorble", True),
    ],
)
def test_term_counts_in_its_script(script: str, text: str, *, found: bool) -> None:
    listed = term("зорбля" if "зор" in text else "zorble", script=script)
    assert finds(listed, text) is found


def test_every_script_that_a_term_may_ask_for_is_known() -> None:
    samples = "aбαعאաაकবਕકகతಕമසไລကកአ가あカ漢"
    found = scripts_in(samples)
    assert all(is_among(script, found) for script in SCRIPTS - {"Tibt", "Khmr"})
    assert not is_among("Tibt", found)


def test_text_without_letters_is_in_any_script() -> None:
    assert is_among("Cyrl", scripts_in("🦓 20"))
