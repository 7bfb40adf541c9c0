"""What each view undoes, and that no text is harmed, refused or slow."""

# ruff: noqa: RUF001  characters that look like others are what is tested here

import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nightlight.detect.first_look import has_doubles, is_stretched_ascii
from nightlight.detect.folding import _UNMARKED_LATIN, _plain_of_any, compose
from nightlight.detect.masked_words import masked_words
from nightlight.detect.normalise import (
    _STRETCHED,
    join_letters,
    leet,
    plain,
    skeleton,
    squeeze,
    views,
)

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)
DISGUISE_LETTERS = st.text(
    st.sampled_from("zorbl ZORBIL.-_ 0135@$!|+ \n\u200b\u0301\u202e\u043e\u0456\u0131ｚⓩ😀日ж"),
    max_size=40,
)

SEARCHED_OTHERWISE = {"parts", "parts_l", "masked"}


def view(text: str, name: str) -> str | None:
    return next((each.text for each in views(text) if each.name == name), None)


def test_ordinary_text_has_only_the_plain_view() -> None:
    text = "Zorbles for tea, I think: 20 of them, at 4.30 pm!"
    assert [(each.name, each.text) for each in views(text)] == [("plain", text.lower())]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("skeleton", "z\u043erbl\u0435flux"),  # Cyrillic o and e
        ("plain", "ｚｏｒｂleflux"),
        ("plain", "zorb\x08le\x00flux"),
        ("skeleton", "zorb\u200ble\u00adfl\u2060ux"),
        ("skeleton", "\u202ezorbleflux\u202c"),
        ("skeleton", "zo\u0338\u0301r\u0336bl\u0489eflux"),
        ("skeleton", "zørblëflüx"),
        ("plain", "🅉🄾🅁🄱🄻🄴🄵🄻🅄🅇"),
        ("skeleton", "🆉🅾🆁🅱🅻🅴🅵🅻🆄🆇"),
        ("skeleton", "𝔷𝔬𝔯𝔟𝔩𝔢𝔣𝔩𝔲𝔵\u200b"),
        ("skeleton", "ｚ\u200bｏrblefl\u03c5х"),
        ("joined", "z o r b l e f l u x"),
        ("joined", "z.o.r.b.l.e.f.l.u.x"),
        ("joined", "z - o - r - b - l - e - f - l - u - x"),
        ("joined", "z\u200b o r b l e f l u x"),
        ("leet", "z0rbl3flux"),
        ("leet", "z 0 r b l 3 f l u x"),
        ("leet_l", "z0rb1efIux"),
        ("leet_l", "zorb\u0406eflux"),  # a Ukrainian capital I for an l
        ("squeezed", "zzoorblefluxxx"),
        ("squeezed", "z000rblefluuux"),
        ("leet", "z()rbleflux"),
        ("leet", "zorblefl|_|x"),
        ("parts", "zorb.leflux"),
        ("parts", "z(o)rb][leflux"),
        ("parts", "zorb🌶️leflux"),
        ("parts", "z0rb.l3flux"),
        ("parts_l", "zorb-1eflux"),
        ("parts", "zorble\nflux"),
        ("parts", "zorble \n\n #flux"),
        ("parts", "z\u043erble\n@flux"),
        ("turned", "zoɹqlǝɟlnx"),
        ("skeleton", "ᴢᴏʀʙʟᴇꜰʟᴜx"),
        ("skeleton", "🇿🇴🇷🇧🇱🇪🇫🇱🇺🇽"),
        ("plain", "ⓩⓞⓡⓑⓛⓔⓕⓛⓤⓧ"),
        ("plain", "𝐳𝐨𝐫𝐛𝐥𝐞𝐟𝐥𝐮𝐱"),
    ],
)
def test_disguise_is_undone_in_its_view(name: str, text: str) -> None:
    assert view(text, name) == "zorbleflux"


@pytest.mark.parametrize(
    "text",
    [
        "きょうは晴れのちゾルブ。",
        "العربية زوربل هنا",
        "сегодня зорбля пришла",
        "ज़ोर्बल शब्द है",
        "ซอร์เบิล",
    ],
)
def test_plain_view_keeps_other_scripts(text: str) -> None:
    assert view(text, "plain") == text


@pytest.mark.parametrize("text", ["きょうはゾルブー", "сегодня рот и нос зорбля", "ज़ोर्बल शब्द"])
def test_text_in_another_script_is_not_read_as_latin(text: str) -> None:
    assert [each.name for each in views(text)] == ["plain"]


def test_only_mixed_words_are_folded_among_words_of_another_script() -> None:
    assert view("рот и z\u043erb", "skeleton") == "рот и zorb"


def test_numbers_are_not_read_as_words() -> None:
    assert view("455 zorbs at 1337 2morrow", "leet") == "455 zorbs at 1337 zmorrow"


def test_end_of_sentence_is_not_a_letter() -> None:
    assert [each.name for each in views("zorble! or zorble|")] == ["plain"]


def test_two_single_letters_are_not_joined() -> None:
    assert [each.name for each in views("plan b or c d?")] == ["plain"]


def test_one_doubled_letter_is_ordinary() -> None:
    assert [each.name for each in views("zoorble and bill")] == ["plain"]


@pytest.mark.parametrize(
    "text",
    [
        "don't we'll l'omnibus nine o'clock",
        "at 4.30 or 20/3 (maybe) - who knows?",
        "one, two; three: four... five!",
        "read https://zorb-le.example.test/flux_a?b=c.d",
        "お昼前に、屋根に。雹が「降った」",
        "วันนี้ฝน\u200bตก",
        "नमस्ते दुनिया, कैसे हो?",
    ],
)
def test_ordinary_punctuation_is_not_inside_a_word(text: str) -> None:
    assert view(text, "parts") is None


def test_squeezed_view_tells_what_was_squeezed() -> None:
    assert [each.source for each in views("zooorble") if each.name == "squeezed"] == ["zooorble"]


def test_lone_surrogates_become_what_can_be_encoded() -> None:
    assert view("zorb \ud800", "plain") == "zorb \ufffd"


def test_surrogate_pair_becomes_its_character() -> None:
    assert view("\ud83d\ude00", "plain") == "😀"


def test_endless_marks_are_cut() -> None:
    assert len(plain("z" + "\u0316\u0301" * 5_000)) <= 40


def test_the_short_way_to_the_plain_view_ends_where_the_long_way_does() -> None:
    short = [c for c in map(chr, range(0x80, 0x2100)) if _UNMARKED_LATIN.fullmatch(c)]
    assert len(short) > 500
    assert not any(unicodedata.combining(char) for char in short)
    assert {c: plain(f"a{c}e") for c in short} == {
        c: _plain_of_any(compose(f"a{c}e"), f"a{c}e") for c in short
    }


def test_view_is_masked_when_printed() -> None:
    assert "zorble" not in f"{views('zorble')[0]!r} {views('zorble')[0]}"


@given(ANY_TEXT | DISGUISE_LETTERS)
def test_any_text_has_distinct_views_that_can_be_encoded(text: str) -> None:
    found = views(text)
    assert len({each.name for each in found}) == len(found)
    searched_alike = [each.text.encode() for each in found if each.name not in SEARCHED_OTHERWISE]
    assert len(searched_alike) == len(set(searched_alike))


@given(ANY_TEXT | DISGUISE_LETTERS)
def test_plain_and_skeleton_are_idempotent(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    assert skeleton(skeleton(text)) == skeleton(text)


@given(ANY_TEXT | DISGUISE_LETTERS)
def test_joining_leet_and_squeezing_are_idempotent(text: str) -> None:
    for undo in (join_letters, leet, squeeze):
        assert undo(undo(plain(text))) == undo(plain(text))


@example("\U00018cd60:0:0")  # a character that this Python does not know is no letter
@given(ANY_TEXT | DISGUISE_LETTERS)
def test_cheap_first_look_misses_no_view(text: str) -> None:
    folded = skeleton(text.lower())
    joined = join_letters(folded)
    found = {each.text for each in views(folded)}
    assert {folded, joined} | ({leet(joined)} if folded.isascii() else set()) <= found


@given(ANY_TEXT | DISGUISE_LETTERS)
def test_no_view_is_much_longer_than_the_text(text: str) -> None:
    # Unicode's longest compatibility form has 18 characters.
    assert all(len(each.text) <= 18 * len(text) for each in views(text))


@given(ANY_TEXT | DISGUISE_LETTERS)
def test_parts_that_are_joined_stay_joined(text: str) -> None:
    for each in views(text):
        if each.joined:
            assert each.text == each.joined.text
            assert not re.search("[\ufdd0-\ufdd2]", each.text)
            assert all(0 <= place <= len(each.text) for place in each.joined.places)
            assert list(each.joined.places) == sorted(set(each.joined.places))


@given(ANY_TEXT | DISGUISE_LETTERS)
def test_text_with_noncharacters_has_views_too(text: str) -> None:
    assert views("\ufdd0z.\ufdd2o" + text)


@given(st.text(st.sampled_from("zorb*#_.-aei "), max_size=40))
def test_masked_words_are_parts_of_the_text(text: str) -> None:
    for start, word in masked_words(text):
        assert text[start : start + len(word)] == word


@example("aa😀😀")
@given(ANY_TEXT | DISGUISE_LETTERS)
def test_cheap_look_for_doubles_misses_none(text: str) -> None:
    assert has_doubles(text) == any(a == b for a, b in pairwise(text))
    if text.isascii():
        assert is_stretched_ascii(text) == bool(_STRETCHED.search(text))


@pytest.mark.parametrize(
    "unit",
    ["a", "a ", "a.", "z*", "aA", "zorb\n", "#a ", "@@", "z0", "|_|", "\u0301", "\ud800", "ɐ"],
)
def test_long_texts_of_one_kind_have_views_in_proportion(unit: str) -> None:
    assert sum(len(each.text) for each in views(unit * 5_000)) <= 40 * 5_000 * len(unit)
