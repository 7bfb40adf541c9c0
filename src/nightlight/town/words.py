"""The town's words: invented code words, ordinary commerce, and harmless phrases.

They stand in two data files beside this module, so that every script is written as people
write it.
"""

from importlib import resources

import msgspec
from msgspec import Struct
from msgspec.structs import replace

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


class AdvertParts(Struct, frozen=True, kw_only=True):
    """What adverts are put together from where they follow no shape; "" leaves a part out."""

    goods: list[str]
    amounts: list[str]
    prices: list[str]
    selling: list[str]
    contacts: list[str]
    joiners: list[str]


class SentenceParts(Struct, frozen=True, kw_only=True):
    """How a look-alike begins, goes on and ends."""

    openings: list[str]
    bodies: list[str]
    closings: list[str]


class PlantedWords(Struct, frozen=True, kw_only=True):
    """Everything planted that is text; ``lookalikes`` are sentences by who writes them.

    Attributes:
        advert_parts: None where every advert follows a shape.
        lookalike_parts: by who writes; nothing where every look-alike is a whole sentence.
        retold: what some of those made of parts say about what others sell.
    """

    terms: list[Entry]
    cues: list[Entry]
    exclusions: list[Entry]
    advert_shapes: list[AdvertShape]
    lookalikes: dict[str, list[str]]
    tags: list[str]
    advert_parts: AdvertParts | None = None
    lookalike_parts: dict[str, SentenceParts] = {}
    retold: list[str] = []


class _Unseen(Struct, frozen=True, kw_only=True):
    advert_shapes: list[AdvertShape]
    lookalikes: dict[str, list[str]]


def load_phrases() -> list[Phrases]:
    """Return the harmless phrases, one value a language."""
    return msgspec.json.decode(_data("phrases.json"), type=list[Phrases])


def load_planted_words(*, unseen: bool = False) -> PlantedWords:
    """Return the planted words and the texts that carry them.

    Args:
        unseen: the texts are those that nothing was fitted to; the words are the same.
    """
    words = msgspec.json.decode(_data("planted.json"), type=PlantedWords)
    if not unseen:
        return words
    other = msgspec.json.decode(_data("unseen.json"), type=_Unseen)
    return replace(
        words,
        advert_shapes=other.advert_shapes,
        lookalikes=other.lookalikes,
        advert_parts=None,
        lookalike_parts={},
    )


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
