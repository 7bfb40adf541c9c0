"""The town's words: invented code words, ordinary commerce, and harmless phrases.

They stand in two data files beside this module, so that every script is written as people
write it.
"""

from importlib import resources

import msgspec
from msgspec import Struct

from nightlight.model.lexicon import Term, TermKind

_CUE_SEVERITY = 30
_EXCLUSION_SEVERITY = 40


class Phrases(Struct, frozen=True, kw_only=True):
    """Parts of ordinary sentences in one language; ``weight`` is its share of authors."""

    language: str
    weight: int
    joiner: str
    times: list[str]
    openers: list[str]
    doings: list[str]
    details: list[str]
    places: list[str]
    remarks: list[str]
    tags: list[str]


class Entry(Struct, frozen=True, kw_only=True):
    """A word of the lexicon."""

    text: str
    severity: int = 0
    language: str = ""


class AdvertShape(Struct, frozen=True, kw_only=True):
    """How an advert is put together, with named gaps."""

    language: str
    text: str


class PlantedWords(Struct, frozen=True, kw_only=True):
    """Everything planted that is text; ``lookalikes`` are sentences by who writes them."""

    terms: list[Entry]
    cues: list[Entry]
    exclusions: list[Entry]
    advert_shapes: list[AdvertShape]
    lookalikes: dict[str, list[str]]
    tags: list[str]


def load_phrases() -> list[Phrases]:
    """Return the harmless phrases, one value a language."""
    return msgspec.json.decode(_data("phrases.json"), type=list[Phrases])


def load_planted_words() -> PlantedWords:
    """Return the planted words and the shapes of the texts that carry them."""
    return msgspec.json.decode(_data("planted.json"), type=PlantedWords)


def lexicon_terms(words: PlantedWords) -> list[Term]:
    """Return the operator's lexicon for this town."""
    kinds = (
        (TermKind.TERM, words.terms, 0),
        (TermKind.CUE, words.cues, _CUE_SEVERITY),
        (TermKind.EXCLUSION, words.exclusions, _EXCLUSION_SEVERITY),
    )
    return [
        Term(
            id=f"{kind}-{number:02d}",
            kind=kind,
            text=entry.text,
            severity=entry.severity or severity,
            language=entry.language,
        )
        for kind, entries, severity in kinds
        for number, entry in enumerate(entries, start=1)
    ]


def _data(name: str) -> bytes:
    return resources.files("nightlight.town").joinpath(name).read_bytes()
