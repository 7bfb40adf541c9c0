"""Holds texts against what must be true of undoing disguises, whatever they hold.

``normaliser`` lets atheris invent texts, led by which lines of the code they reach (``make fuzz``);
``tests/soak`` lets hypothesis do so, and needs nothing that is not installed.
"""

import time

from nightlight.detect import normalise
from nightlight.detect.contacts import contacts_in
from nightlight.detect.term_finder import TermFinder
from nightlight.detect.term_sieve import TermSieve
from nightlight.detect.word_use import words_in
from nightlight.model.lexicon import Term, TermForm

#: Nonsense in which every way of looking has something to look for.
TERMS = (
    Term(id="one", text="zorbleflux", variants=("zorble flucks",)),
    Term(id="two", text="kleptic plonk"),
    Term(id="short", text="zb", form=TermForm.ABBREVIATION),
    Term(id="tag", text="glimmerpost", form=TermForm.HASHTAG),
    Term(id="other script", text="зорбл"),
    Term(id="near", text="quibble", near="plonk", within=4),
)
FINDER, SIEVE = TermFinder(TERMS), TermSieve(TERMS)
#: A view may hold this many times the characters of its text: NFKC writes one sign as eighteen.
_LONGER = 20
#: Characters to which a text is repeated, and seconds that looking at so many may take. It takes
#: a fiftieth; what grows with the square of the length takes many times as long.
_LONG, _LONG_S = 20_000, 2.0


def check(text: str) -> None:
    """Check all that must be true of a text.

    Raises:
        AssertionError: something is not.
    """
    views = normalise.views(text)
    for view in views:
        view.text.encode()
        assert len(view.text) <= _LONGER * len(text) + _LONGER, view.name
    for once in (normalise.plain, normalise.skeleton, normalise.join_letters, normalise.squeeze):
        done = once(text)
        assert once(done) == done, once.__name__
    found = list(FINDER.find_in("text", text))
    lengths = {view.name: len(view.text) for view in views}
    assert all(0 <= one.start < one.end <= max(lengths.values()) for one in found)
    assert not found or SIEVE.passes(text), "the sieve holds back what holds a term"
    words_in(text)
    contacts_in(text)


def check_length(text: str) -> None:
    """Check that a text repeated many times is looked at in proportion.

    Raises:
        AssertionError: it takes far too long.
    """
    if text:
        long = (text * (_LONG // len(text) + 1))[:_LONG]
        began = time.process_time()
        list(FINDER.find_in("text", long))
        words_in(long)
        contacts_in(long)
        assert time.process_time() - began < _LONG_S, "not in proportion to its length"
