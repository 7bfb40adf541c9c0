"""Finds an operator's terms in posts, profiles and descriptions of media, also when disguised.

Owns where a term counts as a word. Leaves undoing disguises to ``normalise`` and what a finding
means to policy. ``Term.language`` is not used: disguised posts seldom say their language.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from nightlight.detect import normalise
from nightlight.detect.term_patterns import compile_patterns
from nightlight.model.context import Context
from nightlight.model.event import (
    AccountCreated,
    AccountUpdated,
    Event,
    MediaUploaded,
    PostCreated,
    PostEdited,
)
from nightlight.model.lexicon import Term, TermKind
from nightlight.model.signal import Fact, Signal, Subject, SubjectKind

_FACTS: Mapping[str, Fact] = MappingProxyType(
    {
        "term_count": 0,
        "term_severity": 0,
        "term_disguised": False,
        "cue_count": 0,
        "exclusion_count": 0,
        "term_in": "",
    }
)
#: An explanation for a person; counts in the facts are not cut.
_MOST_IN_EVIDENCE = 32


class _Found(Struct, frozen=True, gc=False):
    """A term at a place: field, view and offsets in the view's text."""

    term: Term
    field: str
    view: str
    start: int
    end: int


class TermMatch:
    """Detector of the terms of a lexicon; knows nothing but the terms it was built from."""

    name = "term_match"
    facts = _FACTS

    def __init__(self, terms: Iterable[Term]) -> None:
        """Build one automaton a kind of view.

        Raises:
            InvalidInput: nothing is left of a term once it is normalised; names its id.
        """
        self._terms = tuple(terms)
        self._patterns = compile_patterns(self._terms)

    def detect(self, event: Event, context: Context) -> Sequence[Signal]:  # noqa: ARG002  protocol
        """Return one signal if at least one term of kind "term" stands in the event's text."""
        match event.data:
            case PostCreated() | PostEdited() as post:
                found = self._find("text", post.text)
                where, subject = "post", (SubjectKind.POST, post.post_id)
            case AccountCreated() | AccountUpdated() as account:
                found = [
                    *self._find("handle", account.handle or ""),
                    *self._find("display_name", account.display_name or ""),
                    *self._find("bio", account.bio or ""),
                ]
                where, subject = "profile", (SubjectKind.ACCOUNT, account.account_id)
            case MediaUploaded() as media:
                found = self._find("description", media.description)
                where, subject = "media", (SubjectKind.MEDIA, media.media_id)
            case _:
                return ()
        if not any(each.term.kind is TermKind.TERM for each in found):
            return ()
        severity = max(e.term.severity for e in found if e.term.kind is TermKind.TERM)
        facts = _facts(where, severity, found)
        return (
            Signal(
                detector=self.name,
                event_key=event.key,
                account_id=event.account_id,
                subject=Subject(kind=subject[0], id=subject[1]),
                confidence=_confidence(severity, excluded=bool(facts["exclusion_count"])),
                facts=facts,
                evidence=_evidence(found),
            ),
        )

    def _find(self, field: str, text: str) -> list[_Found]:
        found: list[_Found] = []
        for view in normalise.views(text):
            for pattern, start, end in self._patterns[view.name].search(view):
                shown = pattern.disguise or view.name
                found.append(_Found(self._terms[pattern.index], field, shown, start, end))
        return found


def _facts(where: str, severity: int, found: list[_Found]) -> dict[str, Fact]:
    of_kind: dict[TermKind, set[str]] = {kind: set() for kind in TermKind}
    for each in found:
        of_kind[each.term.kind].add(each.term.id)
    terms = of_kind[TermKind.TERM]
    in_plain = {each.term.id for each in found if each.view == normalise.PLAIN}
    return {
        "term_count": len(terms),
        "term_severity": severity,
        "term_disguised": not in_plain.issuperset(terms),
        "cue_count": len(of_kind[TermKind.CUE]),
        "exclusion_count": len(of_kind[TermKind.EXCLUSION]),
        "term_in": where,
    }


def _evidence(found: list[_Found]) -> dict[str, str | int | float | list[str]]:
    """Return ids, views and places of what was found; never the words."""
    shown = found[:_MOST_IN_EVIDENCE]
    return {
        "terms": list(dict.fromkeys(each.term.id for each in found)),
        "views": list(dict.fromkeys(each.view for each in found)),
        "places": [f"{e.term.id} {e.field}/{e.view} {e.start}-{e.end}" for e in shown],
    }


def _confidence(severity: int, *, excluded: bool) -> float:
    """Return 0.5 to 1.0 by severity, halved where words of news, research or help stand by."""
    confidence = 0.5 + severity / 200
    return confidence / 2 if excluded else confidence
