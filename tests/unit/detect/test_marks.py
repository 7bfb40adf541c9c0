"""Looking for words first changes no answer: every text with a mark holds one of its words."""

import re
from collections.abc import Iterator
from itertools import product
from re import _constants as sre  # type: ignore[attr-defined]  # no public way to read a pattern
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlight.detect.selling import marks, marks_in

GAP = "\0"  # something unknown, or nothing, stands here


def spelt(pattern: Any) -> Iterator[str]:
    """Yield what a pattern matches, way by way, with gaps where that is open."""
    for parts in product(*[list(ways(kind, what)) for kind, what in pattern]):
        yield "".join(parts)


def ways(kind: Any, what: Any) -> Iterator[str]:
    if kind is sre.LITERAL:
        yield chr(what)
    elif kind in {sre.AT, sre.ASSERT, sre.ASSERT_NOT}:
        yield ""
    elif kind is sre.SUBPATTERN:
        yield from spelt(what[3])
    elif kind is sre.BRANCH:
        for one in what[1]:
            yield from spelt(one)
    elif kind in {sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT}:
        least, _, inside = what
        yield from (GAP + one + GAP for one in spelt(inside)) if least else (GAP,)
    elif kind is sre.IN and all(one is sre.LITERAL for one, _ in what):
        yield from (chr(one) for _, one in what)
    else:
        yield GAP


@pytest.mark.parametrize("name", marks())
def test_every_way_to_match_a_mark_holds_one_of_its_words(name: str) -> None:
    mark = marks()[name]
    for way in spelt(parser.parse(mark.pattern)):
        assert any(word in way for word in mark.words), way


PIECES = sorted({word for mark in marks().values() for word in mark.words})
TEXTS = st.lists(st.sampled_from([*PIECES, " ", " ", "7", "ly", "?", "\n", "zorb"]), max_size=14)


@given(st.lists(TEXTS.map("".join), max_size=3))
def test_marks_are_those_that_the_patterns_find(texts: list[str]) -> None:
    by_pattern = {
        name
        for name, mark in marks().items()
        if any(re.search(mark.pattern, text) for text in texts)
    }
    assert marks_in(texts) == by_pattern
