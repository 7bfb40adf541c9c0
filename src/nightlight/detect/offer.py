"""Finds offers: a listed term together with what sells it, and not with what tells of it.

A score says how likely; its parts say why, in words. What follows is policy's.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from nightlight.detect.offer_weights import OfferWeights, parts_of, score, shipped_weights, shown
from nightlight.detect.selling import shape_of
from nightlight.detect.term_finder import TermFinder, texts_of
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

_FACTS: Mapping[str, Fact] = MappingProxyType({"offer": False, "offer_score": 0.0})
#: The name under which signals say that something may be an offer.
POSSIBLE = "possible_offer"
EVEN_ODDS = 0.5
#: An explanation for a person: what counts least is left out.
_MOST_REASONS = 8
_LEAST_SHOWN = 0.05


class Offer:
    """Detector of offers in posts, profiles and descriptions of media."""

    name = "offer"
    facts = _FACTS

    def __init__(self, finder: TermFinder, weights: OfferWeights | None = None) -> None:
        """Keep the parts; ``weights`` are the shipped ones where none are given."""
        self._finder = finder
        self._weights = weights or shipped_weights()
        self._version = self._weights.version

    def detect(self, event: Event, context: Context) -> Sequence[Signal]:  # noqa: ARG002  protocol
        """Return one signal if the event's text is an offer of something listed, or may be one.

        What is likelier an offer than not, and below the threshold, is signalled under the name
        of ``POSSIBLE``: for a person to look at.
        """
        match event.data:
            case PostCreated() | PostEdited() as post:
                subject = Subject(kind=SubjectKind.POST, id=post.post_id)
            case AccountCreated() | AccountUpdated() as account:
                subject = Subject(kind=SubjectKind.ACCOUNT, id=account.account_id)
            case MediaUploaded() as media:
                subject = Subject(kind=SubjectKind.MEDIA, id=media.media_id)
            case _:
                return ()
        found = self._finder.find(event)
        if not any(one.term.kind is TermKind.TERM for one in found):
            return ()
        parts = parts_of(shape_of(texts_of(event), found))
        likely = score(parts, self._weights)
        if likely < min(EVEN_ODDS, self._weights.threshold):
            return ()
        is_offer = likely >= self._weights.threshold
        return (
            Signal(
                detector=self.name if is_offer else POSSIBLE,
                event_key=event.key,
                account_id=event.account_id,
                subject=subject,
                confidence=likely,
                facts={"offer": is_offer, "offer_score": likely},
                evidence={"why": reasons(parts, self._weights), "weights": self._version},
            ),
        )


def reasons(parts: Mapping[str, float], weights: OfferWeights) -> list[str]:
    """Return what counts most, for and against, in words with its share of the score."""
    counted = [(weights.weights.get(name, 0.0) * value, name) for name, value in parts.items()]
    counted = [one for one in counted if abs(one[0]) >= _LEAST_SHOWN]
    counted.sort(key=lambda one: (-abs(one[0]), one[1]))
    return [f"{shown(name)} {share:+.1f}" for share, name in counted[:_MOST_REASONS]]
