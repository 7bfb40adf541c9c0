"""Says that an operator's terms stand in a post, a profile or the description of media.

``term_finder`` finds them, also when disguised; what a finding means is policy's.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from nightlight.detect import normalise
from nightlight.detect.term_finder import FoundTerm, TermFinder
from nightlight.model.context import Context
from nightlight.model.event import (
    AccountCreated,
    AccountUpdated,
    Event,
    MediaUploaded,
    PostCreated,
    PostEdited,
)
from nightlight.model.lexicon import TermKind
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


class TermMatch:
    """Detector of the terms of a lexicon."""

    name = "term_match"
    facts = _FACTS

    def __init__(self, finder: TermFinder) -> None:
        self._finder = finder

    def detect(self, event: Event, context: Context) -> Sequence[Signal]:  # noqa: ARG002  protocol
        """Return one signal if at least one term of kind "term" stands in the event's text."""
        match event.data:
            case PostCreated() | PostEdited() as post:
                where, subject = "post", (SubjectKind.POST, post.post_id)
            case AccountCreated() | AccountUpdated() as account:
                where, subject = "profile", (SubjectKind.ACCOUNT, account.account_id)
            case MediaUploaded() as media:
                where, subject = "media", (SubjectKind.MEDIA, media.media_id)
            case _:
                return ()
        found = self._finder.find(event)
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


def _facts(where: str, severity: int, found: Sequence[FoundTerm]) -> dict[str, Fact]:
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


def _evidence(found: Sequence[FoundTerm]) -> dict[str, str | int | float | list[str]]:
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
