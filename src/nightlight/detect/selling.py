"""What makes a text an offer, and what makes it a text about offers: marks, each with a name.

Marks are ordinary words of commerce, news, research and help in a few languages, kept as data in
``selling_words.json``. They say nothing by themselves: shops have prices and reporters quote them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files

import msgspec
from ahocorasick_rs import AhoCorasick, Implementation
from msgspec import Struct

from nightlight.detect import normalise
from nightlight.detect.term_finder import FoundTerm
from nightlight.model.lexicon import TermKind

_QUOTED = re.compile(
    '"[^"\n]{1,200}"|\u201c[^\u201d\n]{1,200}\u201d|\u201e[^\u201c\u201d\n]{1,200}[\u201c\u201d]'
    "|\u00ab[^\u00bb\n]{1,200}\u00bb|\u300c[^\u300d\n]{1,200}\u300d|`[^`\n]{1,200}`"
)
_WORD = re.compile(r"[^\W\d_]{2,}")
#: Beyond this many characters a text is cut before marks are looked for: regexes stay linear, and
#: what an advert says, it says early.
_LONGEST = 4000


class Mark(Struct, frozen=True, kw_only=True):
    """A kind of words; ``shown`` names it to people, ``against`` speaks against an offer.

    ``needs`` are characters of which every text that the pattern matches has one; "" for any.
    ``words`` are of the same kind, and longer: looking for all of them takes a tenth of the time.
    """

    shown: str
    against: bool
    pattern: str
    words: tuple[str, ...]
    needs: str = ""


class Shape(Struct, frozen=True, kw_only=True):
    """What of a text matters to whether it is an offer; numbers only, no words of it.

    Attributes:
        marks: names of the marks that stand in the text.
        terms: how many different terms of kind "term".
        severity: the highest among them, 0 to 100.
        disguised: whether any was spelled so that plain matching misses it.
        quoted: share of the places of terms that stand between quotation marks, 0 to 1.
        cues, exclusions: different terms of these kinds.
        words: how many words the text has.
    """

    marks: frozenset[str]
    terms: int
    severity: int
    disguised: bool
    quoted: float
    cues: int
    exclusions: int
    words: int


@cache
def marks() -> dict[str, Mark]:
    """Return every mark by name."""
    body = files("nightlight.detect").joinpath("selling_words.json").read_bytes()
    return msgspec.json.decode(body, type=dict[str, Mark])


@cache
def _compiled() -> tuple[tuple[str, re.Pattern[str], frozenset[str]], ...]:
    return tuple(
        (name, re.compile(mark.pattern), frozenset(mark.needs)) for name, mark in marks().items()
    )


class _Words:
    """Says at one look which marks may stand in a text, by the words that they need."""

    def __init__(self, marks_by_name: Mapping[str, Mark]) -> None:
        needed: dict[str, set[str]] = {}
        for name, mark in marks_by_name.items():
            for word in mark.words:
                needed.setdefault(word, set()).add(name)
        self._names = list(needed.values())
        self._automaton = AhoCorasick(
            list(needed), store_patterns=False, implementation=Implementation.DFA
        )

    def possible(self, text: str) -> set[str]:
        hits = self._automaton.find_matches_as_indexes(text, overlapping=True)
        return set[str]().union(*[self._names[one] for one in {hit[0] for hit in hits}])


@cache
def _words() -> _Words:
    return _Words(marks())


def shape_of(texts: Sequence[tuple[str, str]], found: Iterable[FoundTerm]) -> Shape:
    """Return what matters of texts (each with its field) in which terms were found."""
    found = tuple(found)
    views = {
        (field, view.name): view.text
        for field, text in texts
        for view in normalise.views(text[:_LONGEST])
    }
    # Lines and capitals are gone from views, and lists are written in lines.
    written = [text[:_LONGEST].casefold() for _, text in texts]
    of_kind: dict[TermKind, set[str]] = {kind: set() for kind in TermKind}
    for one in found:
        of_kind[one.term.kind].add(one.term.id)
    terms = [one for one in found if one.term.kind is TermKind.TERM]
    in_plain = {one.term.id for one in terms if one.view == normalise.PLAIN}
    return Shape(
        marks=marks_in([*written, *views.values()]),
        terms=len(of_kind[TermKind.TERM]),
        severity=max((one.term.severity for one in terms), default=0),
        disguised=not in_plain.issuperset(of_kind[TermKind.TERM]),
        quoted=_quoted_share(terms, views),
        cues=len(of_kind[TermKind.CUE]),
        exclusions=len(of_kind[TermKind.EXCLUSION]),
        words=sum(len(_WORD.findall(text)) for text in written),
    )


def marks_in(texts: Sequence[str]) -> frozenset[str]:
    """Return the names of the marks that stand in any of these texts, which are in lower case."""
    different = dict.fromkeys(texts)
    together = "\0".join(different)
    has, possible = frozenset(together), _words().possible(together)
    return frozenset(
        name
        for name, pattern, needs in _compiled()
        if name in possible
        and not (needs and needs.isdisjoint(has))
        and any(map(pattern.search, different))
    )


def _quoted_share(terms: Sequence[FoundTerm], views: dict[tuple[str, str], str]) -> float:
    """Return the share of places within quotation marks, each term once at its plainest place."""
    places: dict[tuple[str, str], list[FoundTerm]] = {}
    for one in terms:
        places.setdefault((one.field, one.term.id), []).append(one)
    if not places:
        return 0.0
    return sum(any(_is_quoted(one, views) for one in each) for each in places.values()) / len(
        places
    )


def _is_quoted(one: FoundTerm, views: dict[tuple[str, str], str]) -> bool:
    text = views.get((one.field, one.view)) or views.get((one.field, normalise.PLAIN), "")
    return any(
        quoted.start() < one.start and one.end < quoted.end() for quoted in _QUOTED.finditer(text)
    )
