"""The sieve passes whatever the finder finds, in every disguise, and little else."""

from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nightlight.detect.term_finder import TermFinder, texts_of
from nightlight.detect.term_sieve import TermSieve
from nightlight.ingest.envelope import parse_event
from nightlight.model.lexicon import Term, TermForm, TermKind
from nightlight.town import TownPlan, build_town
from nightlight.town.words import lexicon_terms, load_planted_words

_TEXTS = ("plimquat", "zorbleflux", "kleptic plonk", "glissboo", "drillix99", "ox tea")
TERMS = tuple(Term(id=f"t{number}", text=text) for number, text in enumerate(_TEXTS))
_LOOKS = {
    "a": "4@аａá∀ɐΑ", "b": "8Ьβ", "c": "сⅽçɔ", "e": "3еεéǝ", "f": "ƒ", "g": "69", "i": "1!|lіɪ",  # noqa: RUF001  on purpose
    "k": "κк", "l": "1!|Iӏǀ", "m": "ｍмɯ", "n": "пñ", "o": "0оοº()[]", "p": "рρ", "q": "ԛ9",  # noqa: RUF001  on purpose
    "r": "гɹ®", "s": "5$ѕ", "t": "7+тʇ", "u": "υùµ", "x": "х×><", "z": "2ᴢ",  # noqa: RUF001  on purpose
}  # fmt: skip
_BETWEEN = (
    *(" ", ".", "-", "_", "*", "\n", "\n#", " #", " @", "\u200b", "\u00ad", "\u0301", "\ufe0f"),
    *("🍀", "👩\u200d💻", "'", "\u2019", "…", "!", " ! ", "...", "~~~~~", "\t", "\x00"),
)
_BESIDE = st.text(alphabet="abe tolis1!.#@*🍀жñ\n", max_size=12)


@st.composite
def disguised(draw: st.DrawFn) -> str:
    """Draw a term as somebody may have written it, in some surroundings."""
    text = draw(st.sampled_from(_TEXTS))
    if draw(st.booleans()):
        text = text[::-1]
    how = draw(st.sampled_from(["look", "between", "every", "mask", "repeat", "case", "all"]))
    between = draw(st.sampled_from(_BETWEEN))
    written = []
    for char in text:
        drawn = char
        if how in {"look", "all"} and draw(st.booleans()):
            drawn = draw(st.sampled_from(_LOOKS.get(char, char.upper())))
        if how == "mask" and char in "aeiou":
            drawn = draw(st.sampled_from([*"*.-#_$@", "**", "🍀", "·", char]))
        if how in {"repeat", "all"}:
            drawn *= draw(st.integers(1, 4))
        if how in {"case", "all"} and draw(st.booleans()):
            drawn = drawn.upper()
        if how == "every" or (how in {"between", "all"} and draw(st.integers(0, 3)) == 0):
            drawn += between
        written.append(drawn)
    apart = draw(st.sampled_from(["", " ", ", ", "\n"]))
    return draw(_BESIDE) + apart + "".join(written) + apart + draw(_BESIDE)


@cache
def finder() -> TermFinder:
    return TermFinder(TERMS)


@cache
def sieve(term: Term) -> TermSieve:
    return TermSieve([term])


@settings(max_examples=600, deadline=None)
@given(text=disguised())
@example(text="pl*mq**t")
@example(text="p l i m q u a t")
@example(text="xulfelbroz")
@example(text="ʇɐnbɯıʃd")  # noqa: RUF001  on purpose
@example(text="PlimQuat")
@example(text="zorb\u0301leflux")
@example(text="pl\u0131mquat")
def test_whatever_the_finder_finds_passes(text: str) -> None:
    for found in finder().find_in("text", text):
        assert sieve(found.term).passes(text)


def test_the_finder_finds_some_of_what_is_drawn() -> None:
    written = ["pl*mq**t", "p l i m q u a t", "xulfelbroz", "plimmmquat", "plim\U0001f340quat"]
    assert all(any(finder().find_in("text", one)) for one in written)


@pytest.mark.parametrize("unseen", [False, True])
def test_every_disguise_of_a_town_passes(*, unseen: bool) -> None:
    words = lexicon_terms(load_planted_words())
    all_terms = TermFinder(one for one in words if one.kind is TermKind.TERM)
    found = [
        (one.term, text) for text in town(unseen=unseen) for one in all_terms.find_in("", text)
    ]
    assert len(found) > 100
    missed = [term.id for term, text in found if not sieve(term).passes(text)]
    assert missed == []


def test_few_other_texts_pass() -> None:
    texts = list(town(unseen=False))
    passed = sum(sieve(TERMS[0]).passes(text) for text in texts)
    assert passed < len(texts) / 10


def test_terms_of_few_letters_let_what_may_hide_letters_pass() -> None:
    short = sieve(Term(id="s", text="ee", form=TermForm.ABBREVIATION))
    assert short.passes("h*y")
    assert not short.passes("tomorrow at noon")


def test_texts_beyond_ascii_pass_where_a_term_is_beyond_it() -> None:
    foreign = TermSieve([Term(id="f", text="жабулька")])
    assert foreign.passes("чай в полдень")
    assert not foreign.passes("tea at noon")


def test_pictures_are_looked_for_only_where_there_are_some() -> None:
    pictures = TermSieve([Term(id="p", text="🍀🫖", form=TermForm.EMOJI)])
    assert pictures.passes("🍀 🫖")
    assert not pictures.passes("clover and tea")


def test_nothing_passes_where_nothing_is_looked_for() -> None:
    assert not TermSieve([]).passes("anything at all")


def town(*, unseen: bool) -> Iterator[str]:
    plan = TownPlan(seed=5, accounts=300, posts=2_500, media=False, unseen=unseen)
    for line in build_town(plan).events():
        for _, text in texts_of(parse_event(line)):
            yield text
