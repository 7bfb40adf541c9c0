"""Whether a term that stands in a text counts there: its tag, its case, its language, its company.

``term_patterns`` finds the places; this takes away those that the operator did not mean.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from nightlight.detect import folding
from nightlight.detect.normalise import View
from nightlight.detect.scripts import is_among, scripts_in
from nightlight.detect.selling_marks import places_of
from nightlight.detect.term_patterns import Place
from nightlight.detect.words import is_whole_word
from nightlight.model.lexicon import Beside, Term, TermForm

#: No hashtag is longer; looking further back for its sign would cost more than it finds.
_LONGEST_TAG = 100


def is_conditional(term: Term) -> bool:
    """Return whether a term needs more than to stand in a text."""
    return bool(
        term.language
        or term.script
        or term.near
        or term.beside
        or term.form in {TermForm.HASHTAG, TermForm.ABBREVIATION}
    )


class SearchedText:
    """One text with everything that was found in it."""

    def __init__(
        self,
        text: str,
        *,
        language: str,
        views: Sequence[View],
        places: Sequence[tuple[View, Place]],
        near: Mapping[int, int],
    ) -> None:
        """Keep the parts.

        Args:
            text: as it was written.
            language: BCP 47 tag of the text, "" where it is unknown.
            views: of the text, plain first.
            places: every place that was found in any of them.
            near: for terms by index, the index under which the text to be near is found.
        """
        self._text = text
        self._language = language
        self._plain = views[0]
        self._near = near
        # Each is asked for by many places, and worked out once.
        self._spaces: dict[str, list[int]] = {}
        self._scripts: dict[str, frozenset[str]] = {}
        self._cased: dict[str, bool] = {}
        self._marks: dict[Beside, list[int]] = {}
        self._words: dict[int, list[int]] = {}
        company = set(near.values())
        for view, place in places:
            if place.index in company:
                self._words.setdefault(place.index, []).append(self._word(view, place.start))
        for each in self._words.values():
            each.sort()

    def let_count(self, term: Term, view: View, place: Place) -> bool:
        """Return whether the term counts at this place."""
        if term.language and not _is_language(term.language, self._language):
            return False
        if term.script and not self._is_written_in(term.script, view):
            return False
        if term.form is TermForm.HASHTAG and not _is_in_tag(view.text, place):
            return False
        if term.form is TermForm.ABBREVIATION and not self._is_abbreviation(term, view, place):
            return False
        here = self._word(view, place.start) if term.near or term.beside else 0
        if term.near and not _is_within(
            term.within, here, self._words.get(self._near[place.index], ())
        ):
            return False
        return term.beside is Beside.NOTHING or _is_within(
            term.within, here, self._words_of_marks(term.beside)
        )

    def _word(self, view: View, at: int) -> int:
        """Return which word of a view is at an offset, counting from 0."""
        if view.name not in self._spaces:
            self._spaces[view.name] = [i for i, char in enumerate(view.text) if char == " "]
        return bisect_left(self._spaces[view.name], at)

    def _words_of_marks(self, beside: Beside) -> list[int]:
        if beside not in self._marks:
            places = places_of(beside, self._plain.text)
            self._marks[beside] = [self._word(self._plain, at) for at in places]
        return self._marks[beside]

    def _is_written_in(self, script: str, view: View) -> bool:
        for one in (self._plain, view):
            if one.name not in self._scripts:
                self._scripts[one.name] = scripts_in(one.text)
        found = self._scripts[self._plain.name] | self._scripts[view.name]
        return is_among(script, found)

    def _is_abbreviation(self, term: Term, view: View, place: Place) -> bool:
        before = view.text[max(0, place.start - 1) : place.start]
        behind = view.text[place.end : place.end + 1]
        if before.isalnum() or behind.isalnum():
            return False
        if not term.case_sensitive:
            return True
        if term.id not in self._cased:
            composed = folding.compose(self._text)
            spellings = (term.text, *term.variants)
            self._cased[term.id] = any(_stands_in(one, composed) for one in spellings)
        return self._cased[term.id]


def _stands_in(word: str, text: str) -> bool:
    at = text.find(word)
    while at >= 0:
        if is_whole_word(text, at, at + len(word)):
            return True
        at = text.find(word, at + 1)
    return False


def _is_within(words: int, here: int, there: Sequence[int]) -> bool:
    """Return whether one of these places, in order, is near; any is where no distance is asked."""
    if not words:
        return bool(there)
    first = bisect_left(there, here - words)
    return first < len(there) and there[first] <= here + words


def _is_language(wanted: str, found: str) -> bool:
    """Return whether a text's language is unknown, or is the one wanted in any region."""
    wanted, found = wanted.casefold(), found.casefold().replace("_", "-")
    return (
        not found
        or found == wanted
        or found.startswith(f"{wanted}-")
        or (wanted.startswith(f"{found}-"))
    )


def _is_in_tag(text: str, place: Place) -> bool:
    at = place.start
    if text[at] == "#":
        return True
    first = max(0, at - _LONGEST_TAG)
    while at > first and (text[at - 1].isalnum() or text[at - 1] == "_"):
        at -= 1
    return at > 0 and text[at - 1] == "#"
