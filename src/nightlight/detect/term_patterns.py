"""The spellings of terms as they stand in each view, and where one of them counts as a word."""

from collections.abc import Iterator, Sequence

from ahocorasick_rs import AhoCorasick, Implementation
from msgspec import Struct

from nightlight.detect import normalise
from nightlight.detect.masked_words import MaskedTerms, masked_words
from nightlight.detect.normalise import View
from nightlight.detect.seams import Seam, is_seam, joins
from nightlight.detect.words import is_stretched_from, is_whole_word, pictures_in, run_lengths
from nightlight.errors import InvalidInput
from nightlight.model.lexicon import Term, TermForm

#: Named as a view in evidence; the words stand in the view that the offsets are of.
REVERSED = "reversed"
RESPELT = "respelt"
SPLIT = "split"
PUNCTUATED = "punctuated"
COMPOUND = "compound"
_SEAM_NAMES = {Seam.SPLIT: SPLIT, Seam.SIGN: PUNCTUATED, Seam.CAPITAL: COMPOUND}
#: Shorter terms are looked for in the plain and skeleton views only: nearly any few letters are
#: somebody's digits, initials or abbreviation.
_SHORTEST_DISGUISED = 4
#: Shorter words read backwards, or put together from parts, are too often other words.
_SHORTEST_REVERSED = 6
_SHORTEST_JOINED = 6


#: Views in which the same spellings are looked for; a spelling may be for several of them.
_PLAIN, _FOLDED, _DISGUISED, _PARTS = 1, 2, 4, 8
_GROUPS = {
    normalise.PLAIN: _PLAIN,
    normalise.SKELETON: _FOLDED,
    normalise.JOINED: _DISGUISED,
    normalise.LEET: _DISGUISED,
    normalise.LEET_L: _DISGUISED,
    normalise.TURNED: _DISGUISED,
    normalise.PARTS: _PARTS,
    normalise.PARTS_L: _PARTS,
}


class Pattern(Struct, frozen=True, gc=False):
    """What a spelling stands for: the term at ``index``.

    Attributes:
        groups: the views in which it is looked for.
        disguise: what the spelling undoes by itself, "" where undoing is the view's work.
        spelt: of a squeezed spelling, the one before.
    """

    index: int
    groups: int
    disguise: str = ""
    spelt: str = ""

    def __repr__(self) -> str:
        return f"<Pattern of term {self.index}: masked>"

    __str__ = __repr__


class Place(Struct, frozen=True, gc=False):
    """Where a pattern of the term at ``index`` stands in a view, and which disguise it wears."""

    index: int
    shown: str
    start: int
    end: int


class TermPatterns:
    """The patterns of all terms: two automata for all views, and an index of consonants."""

    def __init__(self, terms: Sequence[Term]) -> None:
        """Compile the terms.

        Raises:
            InvalidInput: nothing is left of a term once it is normalised; names its id.
        """
        spelt, squeezed = _Automaton(), _Automaton()
        masked = MaskedTerms()
        for index, term in enumerate(terms):
            own: dict[tuple[str, str], int] = {}
            for text, groups, disguise in spellings_of(term):
                own[text, disguise] = own.get((text, disguise), 0) | groups
            for (text, disguise), groups in own.items():
                spelt.add(text, Pattern(index, groups, disguise))
                if groups & _DISGUISED:
                    short = normalise.squeeze(text)
                    squeezed.add(short, Pattern(index, groups, disguise, text))
                if groups & _PARTS and not disguise:
                    masked.add(text, index)
        self._spelt, self._squeezed, self._masked = spelt, squeezed, masked
        spelt.build()
        squeezed.build()

    def search(self, view: View) -> list[Place]:
        """Return each place in a view where a pattern stands as a word."""
        match view.name:
            case normalise.MASKED:
                return list(self._search_masked(view))
            case normalise.SQUEEZED:
                return list(self._search_squeezed(view))
            case _ if view.joined:
                return list(self._search_parts(view))
            case _:
                group = _GROUPS[view.name]
                return [
                    Place(found.index, found.disguise or view.name, start, end)
                    for found, start, end in self._spelt.find(view.text)
                    if found.groups & group and is_whole_word(view.text, start, end)
                ]

    def _search_parts(self, view: View) -> Iterator[Place]:
        joined = view.joined
        if not joined:
            return
        for found, start, end in self._spelt.find(view.text):
            if not found.groups & _PARTS:
                continue
            seam = joins(joined, start, end)
            if seam and is_whole_word(
                view.text,
                start,
                end,
                opens=is_seam(joined, start),
                closes=is_seam(joined, end),
            ):
                yield Place(found.index, found.disguise or _SEAM_NAMES[seam], start, end)

    def _search_squeezed(self, view: View) -> Iterator[Place]:
        hits = self._squeezed.find(view.text)
        lengths = run_lengths(view.source) if hits else []
        for found, start, end in hits:
            if is_whole_word(view.text, start, end) and is_stretched_from(
                found.spelt, lengths[start:end]
            ):
                yield Place(found.index, found.disguise or view.name, start, end)

    def _search_masked(self, view: View) -> Iterator[Place]:
        for start, word in masked_words(view.text):
            for index in self._masked.find(word):
                yield Place(index, view.name, start, start + len(word))


class _Automaton:
    """Finds spellings, overlapping ones too, in one pass."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._meant: list[Pattern] = []
        self._built: AhoCorasick | None = None

    def add(self, text: str, meant: Pattern) -> None:
        self._texts.append(text)
        self._meant.append(meant)

    def build(self) -> None:
        self._built = AhoCorasick(
            self._texts, store_patterns=False, implementation=Implementation.ContiguousNFA
        )
        self._texts = []

    def find(self, text: str) -> list[tuple[Pattern, int, int]]:
        if self._built is None:
            return []
        # Overlapping, or a longer term would hide a shorter one inside it.
        hits = self._built.find_matches_as_indexes(text, overlapping=True)
        return [(self._meant[index], start, end) for index, start, end in hits]


def spellings_of(term: Term) -> Iterator[tuple[str, int, str]]:
    """Yield the spellings of a term: the text, the views it is for, and what it undoes itself.

    Raises:
        InvalidInput: nothing is left of it.
    """
    for text in (term.text, *term.variants):
        if term.form is TermForm.HASHTAG:
            text = text.lstrip("#")  # noqa: PLW2901  the sign stands before the word, not in it
        spelt = normalise.plain(text).strip()
        if not spelt:
            raise InvalidInput(
                f"nothing is left of term {term.id} once it is normalised",
                field="terms",
                hint="correct its text or remove it from the lexicon",
            )
        match term.form:
            case TermForm.EMOJI:
                together = spelt.replace(" ", "")
                yield together, _PLAIN, ""
                yield " ".join(pictures_in(together)), _PLAIN, ""
            case TermForm.ABBREVIATION:
                yield spelt, _PLAIN, ""
                for folded in _foldings(text, spelt):
                    yield folded, _FOLDED, ""
            case TermForm.WORD | TermForm.HASHTAG:
                yield from _words(text, spelt)


def _words(text: str, spelt: str) -> Iterator[tuple[str, int, str]]:
    for one in _spacings(spelt):
        yield one, _PLAIN, ""
    yield from _backwards(spelt, _PLAIN)
    for folded in _foldings(text, spelt):
        # A text of native and Latin letters may be its own skeleton, and has no such view.
        if folded != spelt and not folded.isascii():
            yield folded, _PLAIN, normalise.SKELETON
        yield from _folded(folded)


def _folded(text: str) -> Iterator[tuple[str, int, str]]:
    letters = len(text) if text.isalnum() else sum(map(str.isalnum, text))
    if letters < _SHORTEST_DISGUISED:
        yield text, _FOLDED, ""
        return
    groups = _DISGUISED | (_PARTS if letters >= _SHORTEST_JOINED else 0)
    yield text, _FOLDED | groups, ""
    if not text.isalpha():
        for one_as_l in (False, True):
            yield normalise.leet(text, one_as_l=one_as_l), groups, ""
    yield from _backwards(text, _FOLDED | groups)
    if "f" in text and letters >= _SHORTEST_JOINED:
        yield text.replace("f", "ph"), _PLAIN | _FOLDED | groups, RESPELT


def _spacings(spelt: str) -> list[str]:
    """Return a term of several words also as tags and handles write it."""
    if " " not in spelt:
        return [spelt]
    return [spelt.replace(" ", between) for between in (" ", "", "-", "_")]


def _backwards(spelt: str, groups: int) -> Iterator[tuple[str, int, str]]:
    turned = spelt[::-1]
    if len(spelt) >= _SHORTEST_REVERSED and spelt.isalpha() and turned != spelt:
        yield turned, groups, REVERSED


def _foldings(text: str, spelt: str) -> Iterator[str]:
    """Yield the skeletons of a term, whatever the case or the script of the text around it."""
    forms = [spelt]
    if not text.isascii():
        forms = [normalise.skeleton(text)]
        # Emoji have no look-alikes: without their joiners they would be other emoji.
        if not any(map(str.isalnum, text)):
            return
        forms += [normalise.skeleton(text.upper())]
        forms += [normalise.fold_all(case) for case in (text, text.upper())]
    for form in dict.fromkeys(forms):
        yield from _spacings(form)
