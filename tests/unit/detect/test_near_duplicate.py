"""Changed copies stay alike, other posts do not, and a sketch is small and stable."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlight.detect.near_duplicate import THRESHOLD, fingerprint, similarity

CONSONANTS = "bdfgklmnprstvz"
ORIGINAL = "fresh zorbleflux and kleptic plonks from our garden, ask for the list today"


def nonsense_post(seed: int, *, words: int) -> list[str]:
    chance = random.Random(seed)  # noqa: S311  nonsense words, not keys
    return [
        "".join(chance.choice(CONSONANTS) + chance.choice("aeiou") for _ in range(size))
        for size in chance.choices((1, 2, 3, 4), k=words)
    ]


def alike(first: str, second: str) -> float:
    return similarity(fingerprint(first), fingerprint(second))


@pytest.mark.parametrize("words", [20, 25, 30])
def test_post_with_two_changed_words_is_a_near_duplicate(words: int) -> None:
    for seed in range(50):
        post = nonsense_post(seed, words=words)
        changed = [*post]
        changed[3], changed[words // 2] = "snorfle", "quimpet"
        assert alike(" ".join(post), " ".join(changed)) >= THRESHOLD


def test_unrelated_posts_are_far_under_the_threshold() -> None:
    posts = [" ".join(nonsense_post(seed, words=25)) for seed in range(100, 140)]
    found = [alike(a, b) for index, a in enumerate(posts) for b in posts[:index]]
    assert max(found) < THRESHOLD * 0.7


@pytest.mark.parametrize(
    "copy",
    [
        ORIGINAL.upper() + "!!!",
        ORIGINAL.replace(" ", "  ").replace("o", "\u043e"),
        " ".join(ORIGINAL),
        ORIGINAL.replace("a", "á") + " 🦓",
    ],
)
def test_case_spacing_marks_and_look_alikes_make_no_difference(copy: str) -> None:
    assert alike(ORIGINAL, copy) == 1.0


def test_order_of_sentences_makes_little_difference() -> None:
    first, second = ORIGINAL.split(", ")
    assert alike(ORIGINAL, f"{second}, {first}") > 0.8


@pytest.mark.parametrize("text", ["", "zorb!", "zorble flux", "🦓" * 50, ". , ; " * 20])
def test_text_too_short_to_compare_has_no_sketch(text: str) -> None:
    assert fingerprint(text) == b""


def test_sketches_that_are_missing_are_not_alike() -> None:
    assert similarity(b"", b"") == 0.0
    assert similarity(fingerprint(ORIGINAL), b"") == 0.0


def test_sketch_of_another_version_is_not_alike() -> None:
    other = b"\x02" + fingerprint(ORIGINAL)[1:]
    assert similarity(other, other) == 0.0


def test_other_scripts_are_compared_too() -> None:
    russian = "свежая зорбля и тёплые клептики из нашего сада, спросите список"
    assert alike(russian, russian.replace("сада", "дома")) >= THRESHOLD
    assert alike(russian, ORIGINAL) < 0.2


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=80))
def test_any_text_has_a_sketch_of_at_most_64_bytes(text: str) -> None:
    found = fingerprint(text)
    assert len(found) in {0, 64}
    assert similarity(found, found) == (1.0 if found else 0.0)
