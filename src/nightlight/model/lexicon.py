"""Lexicons: an operator's lists of terms for text, kept secret."""

from enum import StrEnum

from msgspec import Struct

from nightlight.model.masked import Masked


class TermKind(StrEnum):
    """What it means when a term stands in a text."""

    TERM = "term"  # a coded word of the trade
    CUE = "cue"  # selling structure: price words, contact words, payment words
    EXCLUSION = "exclusion"  # words of those who write about it: news, research, help


class Term(Masked, frozen=True, kw_only=True):
    """One entry; ``id`` is opaque and may be shown, ``text`` only on the reviewer's screen.

    Attributes:
        severity: 0 to 100, the operator's judgement of how much the term alone says.
        language: BCP 47 tag, "" for any.
        variants: other spellings, such as those that sound alike; found as this term.
    """

    id: str
    kind: TermKind
    text: str
    severity: int = 50
    language: str = ""
    variants: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Term {self.id}: masked>"


class Lexicon(Struct, frozen=True, kw_only=True):
    """A named, versioned list of terms."""

    name: str
    version: int
    terms: tuple[Term, ...]
