"""How much each part of a text counts towards an offer: a logistic model, as plain data.

Owns the parts, their names for people, and the score. ``offer_fit`` finds weights from labelled
texts; the shipped ones were fitted to Town.
"""

import hashlib
import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import msgspec
from msgspec import Struct

from nightlight.detect.selling import Shape, marks
from nightlight.errors import InvalidInput

#: Marks that sell; several of them together say more than each by itself.
SELLING = tuple(name for name, mark in marks().items() if not mark.against)
AGAINST = tuple(name for name, mark in marks().items() if mark.against)
_WAYS_TO_REACH = frozenset({"contact", "service", "handle"})
_MANY_WORDS = 40
_SHOWN = {
    "more_terms": "several terms",
    "severity": "how severe the terms are",
    "disguised": "a term is disguised",
    "quoted": "the terms are quoted",
    "cues": "the list's own selling words",
    "more_cues": "several of the list's own selling words",
    "exclusions": "the list's own words of those who write about it",
    "link_only": "a link and no other way to reach the author",
    "two_marks": "two signs of selling",
    "three_marks": "three signs of selling or more",
    "no_marks": "no sign of selling",
    "words": "a long text",
    "against_twice": "several kinds of words of those who write about it",
}
#: Every part that a weight may be given to, in a fixed order.
PARTS: tuple[str, ...] = (*SELLING, *AGAINST, *_SHOWN)
#: Which way a part may count, +1 or -1: what sells never speaks against an offer, however few of
#: the texts that weights were fitted to show it.
DIRECTIONS: Mapping[str, int] = MappingProxyType(
    dict.fromkeys(SELLING, 1)
    | dict.fromkeys(AGAINST, -1)
    | dict.fromkeys(
        ("more_terms", "severity", "disguised", "cues", "more_cues", "two_marks", "three_marks"), 1
    )
    | dict.fromkeys(("quoted", "exclusions", "link_only", "no_marks", "against_twice"), -1)
)


class OfferWeights(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fitted model.

    Attributes:
        weights: by part; a part left out counts nothing.
        bias: what counts where no part is there.
        threshold: the score from which a text is called an offer, 0 to 1.
        fitted_to: what it was fitted to, and how many texts, for people.
    """

    weights: dict[str, float]
    bias: float
    threshold: float = 0.5
    fitted_to: str = ""

    @property
    def version(self) -> str:
        """A digest of everything that makes a difference to scores."""
        body = msgspec.json.encode(
            [sorted(self.weights.items()), self.bias, self.threshold], order="deterministic"
        )
        return hashlib.sha256(body).hexdigest()[:12]


def parts_of(shape: Shape) -> dict[str, float]:
    """Return the parts of a text that are there, each from 0 to 1."""
    # An operator's own selling words are a sign like the others, unless they are those others.
    own_words = shape.cues > 0 and "selling" not in shape.marks
    selling = len(shape.marks.intersection(SELLING)) + own_words
    against = len(shape.marks.intersection(AGAINST))
    parts = dict.fromkeys(shape.marks, 1.0)
    parts["more_terms"] = float(shape.terms > 1)
    parts["severity"] = shape.severity / 100
    parts["disguised"] = float(shape.disguised)
    parts["quoted"] = shape.quoted
    parts["cues"] = float(shape.cues > 0)
    parts["more_cues"] = float(shape.cues > 1)
    parts["exclusions"] = float(shape.exclusions > 0)
    parts["link_only"] = float("link" in shape.marks and not shape.marks & _WAYS_TO_REACH)
    parts["two_marks"] = float(selling >= 2)  # noqa: PLR2004  as the name says
    parts["three_marks"] = float(selling >= 3)  # noqa: PLR2004  as the name says
    parts["no_marks"] = float(not selling)
    parts["words"] = min(shape.words, _MANY_WORDS) / _MANY_WORDS
    parts["against_twice"] = float(against >= 2)  # noqa: PLR2004  as the name says
    return {name: value for name, value in parts.items() if value}


def score(parts: Mapping[str, float], model: OfferWeights) -> float:
    """Return how likely a text with these parts is an offer, 0.0 to 1.0."""
    total = model.bias + sum(model.weights.get(name, 0.0) * parts[name] for name in sorted(parts))
    # Far out the exponential overflows, and the answer is known.
    total = max(-60.0, min(60.0, total))
    return 1 / (1 + math.exp(-total))


def shown(part: str) -> str:
    """Return a part's name for people."""
    return marks()[part].shown if part in marks() else _SHOWN[part]


def parse_weights(body: bytes) -> OfferWeights:
    """Return the weights in a JSON file.

    Raises:
        InvalidInput: it holds none; names the field.
    """
    try:
        model = msgspec.json.decode(body, type=OfferWeights)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise InvalidInput(
            f"not a file of weights: {error}", field="weights", hint="`nightlight offer show`"
        ) from error
    unknown = sorted(set(model.weights) - set(PARTS))
    if unknown:
        raise InvalidInput(
            f"there is no part {unknown[0]!r}", field="weights", hint=f"one of {', '.join(PARTS)}"
        )
    numbers = [*model.weights.values(), model.bias, model.threshold]
    if not all(map(math.isfinite, numbers)):
        raise InvalidInput("a weight is no finite number", field="weights")
    if not 0 < model.threshold < 1:
        raise InvalidInput("is not between 0 and 1", field="weights.threshold")
    return model


@cache
def shipped_weights() -> OfferWeights:
    """Return the weights that hold until an operator activates others."""
    return parse_weights(files("nightlight.detect").joinpath("offer_weights.json").read_bytes())
