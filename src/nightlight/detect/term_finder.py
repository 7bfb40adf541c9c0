"""Finds an operator's terms in what an event says: once an event, for every detector that asks.

Owns which texts of an event are searched, and in which views. Leaves undoing disguises to
``normalise``, where a term counts as a word to ``term_patterns``, whether it counts there to
``term_conditions``, and what a finding means to detectors and policy.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from nightlight.detect import normalise
from nightlight.detect.term_conditions import SearchedText, is_conditional
from nightlight.detect.term_patterns import TermPatterns
from nightlight.model.event import (
    AccountCreated,
    AccountUpdated,
    Event,
    MediaUploaded,
    PostCreated,
    PostEdited,
)
from nightlight.model.lexicon import Term


class FoundTerm(Struct, frozen=True, gc=False):
    """A term at a place: field, view and offsets in the view's text.

    Attributes:
        field: "text", "handle", "display_name", "bio" or "description".
        view: what was undone to see it, "plain" for nothing.
    """

    term: Term
    field: str
    view: str
    start: int
    end: int


class TermFinder:
    """Finds the terms of a lexicon; knows nothing but the terms it was built from."""

    def __init__(self, terms: Iterable[Term]) -> None:
        """Build what finds all terms in one pass over a view.

        Raises:
            InvalidInput: nothing is left of a term once it is normalised; names its id.
        """
        self._terms = tuple(terms)
        self._conditional = frozenset(
            index for index, term in enumerate(self._terms) if is_conditional(term)
        )
        company = {term.near: term for term in self._terms if term.near}
        # What must stand near a term is found like a term, and never told.
        numbers = {near: len(self._terms) + place for place, near in enumerate(company)}
        self._near = {
            index: numbers[term.near] for index, term in enumerate(self._terms) if term.near
        }
        hidden = [Term(id=term.id, text=near) for near, term in company.items()]
        self._patterns = TermPatterns((*self._terms, *hidden))
        # Several detectors ask about the same event, one after the other.
        self._newest: tuple[Event, tuple[FoundTerm, ...]] | None = None

    def find(self, event: Event) -> tuple[FoundTerm, ...]:
        """Return every term in what the event says, field by field, view by view."""
        newest = self._newest
        if newest is not None and newest[0] is event:
            return newest[1]
        language = getattr(event.data, "language", "")
        found = tuple(
            one
            for field, text in texts_of(event)
            for one in self.find_in(field, text, language=language)
        )
        self._newest = (event, found)
        return found

    def find_in(self, field: str, text: str, *, language: str = "") -> Iterator[FoundTerm]:
        """Yield every term in a text, view by view."""
        views = normalise.views(text)
        places = [(view, place) for view in views for place in self._patterns.search(view)]
        if not places:
            return
        searched = SearchedText(
            text, language=language, views=views, places=places, near=self._near
        )
        for view, at in places:
            if at.index >= len(self._terms):
                continue
            term = self._terms[at.index]
            if at.index not in self._conditional or searched.let_count(term, view, at):
                yield FoundTerm(term, field, at.shown, at.start, at.end)


def texts_of(event: Event) -> tuple[tuple[str, str], ...]:
    """Return what the event says in words, each with its field; nothing for most events."""
    match event.data:
        case PostCreated() | PostEdited() as post:
            return (("text", post.text),)
        case AccountCreated() | AccountUpdated() as account:
            return (
                ("handle", account.handle or ""),
                ("display_name", account.display_name or ""),
                ("bio", account.bio or ""),
            )
        case MediaUploaded() as media:
            return (("description", media.description),)
        case _:
            return ()
