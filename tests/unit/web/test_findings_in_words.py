"""What the console says of a signal: why, in words, and never the content."""

import pytest
from tests.synthetic.builders import event_of

from nightlight.detect.offer import Offer
from nightlight.detect.offer_weights import OfferWeights
from nightlight.detect.term_finder import TermFinder
from nightlight.model.context import Context
from nightlight.model.event import PostCreated
from nightlight.model.lexicon import Term, TermKind
from nightlight.web.console.findings import explain

TERM = Term(id="t1", kind=TermKind.TERM, text="zorbleflux", severity=90)
POST = PostCreated(post_id="p1", account_id="a1", text="zorbleflux, $30 each, dm @bakalem42")


@pytest.mark.parametrize(("bias", "said"), [(3.0, "An offer: "), (-6.0, "Possibly an offer: ")])
def test_an_offer_is_explained_by_what_counts(bias: float, said: str) -> None:
    weights = OfferWeights(weights={"price": 4.0, "contact": 2.5}, bias=bias, threshold=0.9)
    (signal,) = Offer(TermFinder([TERM]), weights).detect(event_of(POST), Context())

    first, second = explain(signal)

    assert first.startswith(said)
    assert second == "What counts most: a price +4.0, contact in private +2.5."
    assert "zorbleflux" not in first + second
