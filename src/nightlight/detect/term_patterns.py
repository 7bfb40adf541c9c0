"""The spellings of terms as they stand in each view, and where one of them counts as a word."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from ahocorasick_rs import AhoCorasick, Implementation
from msgspec import Struct

from nightlight.detect import normalise
from nightlight.detect.normalise import View
from nightlight.errors import InvalidInput
from nightlight.model.lexicon import Term

#: Named as a view in evidence; the words stand in the plain view, so its offsets hold.
REVERSED = "reversed"
#: Shorter terms are looked for in the plain and skeleton views only: nearly any few letters are
#: somebody's digits, initials or abbreviation.
_SHORTEST_DISGUISED = 4
#: Shorter words read backwards are too often other words.
_SHORTEST_REVERSED = 6
#: Scripts that write words without spaces between them: Thai to Myanmar, Khmer, Han and kana.
_UNSPACED = (
    (0x0E00, 0x109F),
    (0x1780, 0x17FF),
    (0x2E80, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
_HANGUL = (0xAC00, 0xD7A3)
_ZERO_WIDTH_JOINER = "\u200d"
_LONG_RUN = 3


class Pattern(Struct, frozen=True, gc=False):
    """One spelling of the term at ``index``.

    Attributes:
        spelt: ``text`` before it was squeezed, "" where it was not.
        disguise: what the spelling undoes by itself, "" where undoing is the view's work.
    """

    text: str
    index: int
    spelt: str = ""
    disguise: str = ""

    def __repr__(self) -> str:
        return f"<Pattern of term {self.index}: masked>"

    __str__ = __repr__


class PatternSet:
    """The patterns of one kind of view, found in one pass over a text."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._patterns = list(dict.fromkeys(patterns))
        self._automaton = AhoCorasick(
            [pattern.text for pattern in self._patterns],
            store_patterns=False,
            implementation=Implementation.ContiguousNFA,
        )

    def search(self, view: View) -> list[tuple[Pattern, int, int]]:
        """Return each pattern that stands in the view as a word, with its offsets."""
        # Overlapping, or a longer term would hide a shorter one inside it.
        hits = self._automaton.find_matches_as_indexes(view.text, overlapping=True)
        if not hits:
            return []
        lengths = run_lengths(view.source)
        return [
            (pattern, start, end)
            for index, start, end in hits
            if is_whole_word(view.text, start, end)
            and (
                not (pattern := self._patterns[index]).spelt
                or is_stretched_from(pattern.spelt, lengths[start:end])
            )
        ]


def compile_patterns(terms: Sequence[Term]) -> dict[str, PatternSet]:
    """Return the patterns of all terms by the name of the view in which to look for them.

    Raises:
        InvalidInput: nothing is left of a term once it is normalised; names its id.
    """
    plain: list[Pattern] = []
    folded: list[Pattern] = []
    for index, term in enumerate(terms):
        spelt = normalise.plain(term.text).strip()
        if not spelt:
            raise InvalidInput(
                f"nothing is left of term {term.id} once it is normalised",
                field="terms",
                hint="correct its text or remove it from the lexicon",
            )
        plain += [Pattern(text, index) for text in _spacings(spelt)]
        plain += [Pattern(text, index, disguise=REVERSED) for text in _backwards(spelt)]
        foldings = list(_foldings(term.text))
        folded += [Pattern(text, index) for text in foldings]
        # A text of native and Latin letters may be its own skeleton, and then has no such view.
        plain += [
            Pattern(text, index, disguise=normalise.SKELETON)
            for text in foldings
            if not text.isascii() and text != spelt
        ]
    long = [p for p in folded if sum(map(str.isalnum, p.text)) >= _SHORTEST_DISGUISED]
    leet = [
        Pattern(normalise.leet(p.text, one_as_l=one_as_l), p.index)
        for p in long
        for one_as_l in (False, True)
    ]
    squeezed = [Pattern(normalise.squeeze(p.text), p.index, spelt=p.text) for p in leet]
    leet_set = PatternSet(leet)
    return {
        normalise.PLAIN: PatternSet(plain),
        normalise.SKELETON: PatternSet(folded),
        normalise.JOINED: PatternSet(long),
        normalise.LEET: leet_set,
        normalise.LEET_L: leet_set,
        normalise.SQUEEZED: PatternSet(squeezed),
    }


def is_whole_word(text: str, start: int, end: int) -> bool:
    """Say whether what stands at ``start`` to ``end`` is no part of a longer word.

    Digits may touch a term of four or more characters (handles end in years), unless letters
    stand behind them.
    """
    skips_digits = end - start >= _SHORTEST_DISGUISED
    if start and _goes_on(text, start, -1, skips_digits=skips_digits):
        return False
    return end == len(text) or not _goes_on(text, end - 1, 1, skips_digits=skips_digits)


def _goes_on(text: str, edge: int, step: int, *, skips_digits: bool) -> bool:
    """Say whether the word whose character at ``edge`` is a term's goes on past it."""
    inside, outside = text[edge], text[edge + step]
    if not _is_letter(inside):
        return _ZERO_WIDTH_JOINER in {outside, inside}
    if step > 0 and unicodedata.category(outside).startswith("M"):
        return True
    if _is_unspaced(inside) or _is_unspaced(outside) or (step > 0 and _is_hangul(inside)):
        return False
    at = edge + step
    if skips_digits and not inside.isdigit():
        while 0 <= at < len(text) and text[at].isdigit():
            at += step
    return 0 <= at < len(text) and _is_letter(text[at])


def run_lengths(text: str) -> list[int]:
    """Return how long each run of one character is."""
    return [sum(1 for _ in run) for _, run in groupby(text)]


def is_stretched_from(spelt: str, lengths: Sequence[int]) -> bool:
    """Say whether a word with runs of ``lengths`` is ``spelt`` with letters repeated on purpose.

    One doubled letter makes another word ("hop", "hoop"), so a run of three or two doubled
    letters are asked for; a letter that the term doubles must be doubled in the text.
    """
    own = run_lengths(spelt)
    if any(found < asked for found, asked in zip(lengths, own, strict=True)):
        return False
    longer = [found for found, asked in zip(lengths, own, strict=True) if found > asked]
    return len(longer) > 1 or any(found >= _LONG_RUN for found in longer)


def _spacings(spelt: str) -> list[str]:
    """Return a term of several words also as tags and handles write it."""
    if " " not in spelt:
        return [spelt]
    return [spelt.replace(" ", between) for between in (" ", "", "-", "_")]


def _backwards(spelt: str) -> list[str]:
    turned = spelt[::-1]
    if len(spelt) < _SHORTEST_REVERSED or not spelt.isalpha() or turned == spelt:
        return []
    return [turned]


def _foldings(text: str) -> Iterator[str]:
    """Yield the skeletons of a term, whatever the case or the script of the text around it."""
    forms = [normalise.skeleton(text)]
    if not text.isascii():
        # Emoji have no look-alikes: without their joiners they would be other emoji.
        if not any(map(str.isalnum, text)):
            return
        forms += [normalise.skeleton(text.upper())]
        forms += [normalise.fold_all(case) for case in (text, text.upper())]
    for form in dict.fromkeys(forms):
        yield from _spacings(form)


def _is_letter(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char).startswith("M")


def _is_unspaced(char: str) -> bool:
    return any(first <= ord(char) <= last for first, last in _UNSPACED)


def _is_hangul(char: str) -> bool:
    """Say whether ``char`` is Korean, which attaches particles to the ends of its words."""
    return _HANGUL[0] <= ord(char) <= _HANGUL[1]
