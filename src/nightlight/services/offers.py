"""The offer detector's weights: fitted to an operator's own cases, shown, and put in force."""

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec
from msgspec import Struct

from nightlight.audit.clock import Clock
from nightlight.detect.offer import reasons
from nightlight.detect.offer_fit import Fitted, Labelled, fit
from nightlight.detect.offer_weights import (
    OfferWeights,
    parse_weights,
    parts_of,
    score,
    shipped_weights,
)
from nightlight.detect.selling import shape_of
from nightlight.detect.term_finder import FoundTerm, TermFinder, texts_of
from nightlight.errors import InvalidInput
from nightlight.model.audit import AuditEntry
from nightlight.model.ids import EventKey
from nightlight.model.lexicon import TermKind
from nightlight.transaction import Transaction, UnitOfWork

_PAGE = 500


class Explained(Struct, frozen=True, kw_only=True):
    """What the detector makes of a text; ``why`` is in words, never the text's own."""

    terms: int
    score: float
    offer: bool
    why: tuple[str, ...]
    weights: str


class _Line(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: str
    offer: bool


class Offers:
    """Fits, shows and activates weights."""

    def __init__(self, *, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    def in_force(self) -> OfferWeights:
        """Return the weights in force."""
        with self._unit_of_work.read() as tx:
            return active_weights(tx)

    def fit_to_cases(self) -> Fitted:
        """Return weights fitted to the posts that people decided about: confirmed or dismissed.

        Raises:
            InvalidInput: too few of either were decided.
        """
        with self._unit_of_work.read() as tx:
            finder, before = TermFinder(tx.lexicons.all()), active_weights(tx)
            labelled = list(_decided(tx, finder))
        told = f"{len(labelled)} posts that people decided about, from weights {before.version}"
        return fit(labelled, prior=before, fitted_to=told)

    def fit_to_lines(self, lines: Iterable[str]) -> Fitted:
        """Return weights fitted to labelled texts, one JSON object a line.

        Raises:
            InvalidInput: a line is wrong (told by its number), or there are too few of either kind.
        """
        with self._unit_of_work.read() as tx:
            finder, before = TermFinder(tx.lexicons.all()), active_weights(tx)
        labelled: list[Labelled] = []
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                read = msgspec.json.decode(line, type=_Line)
            except (msgspec.MsgspecError, UnicodeError):
                raise InvalidInput(
                    "is no labelled text",
                    field=f"line {number}",
                    hint='write {"text": "...", "offer": true} or false',
                ) from None
            found = tuple(finder.find_in("text", read.text))
            if _has_term(found):
                parts = parts_of(shape_of((("text", read.text),), found))
                labelled.append(Labelled(parts=parts, offer=read.offer))
        told = f"{len(labelled)} labelled texts, from weights {before.version}"
        return fit(labelled, prior=before, fitted_to=told)

    def explain(self, text: str) -> Explained:
        """Return what the detector makes of a text with the lexicons and weights in force."""
        with self._unit_of_work.read() as tx:
            finder, weights = TermFinder(tx.lexicons.all()), active_weights(tx)
        found = tuple(finder.find_in("text", text))
        terms = {one.term.id for one in found if one.term.kind is TermKind.TERM}
        parts = parts_of(shape_of((("text", text),), found))
        likely = score(parts, weights) if terms else 0.0
        return Explained(
            terms=len(terms),
            score=likely,
            offer=bool(terms) and likely >= weights.threshold,
            why=tuple(reasons(parts, weights)) if terms else ("no listed term stands in it",),
            weights=weights.version,
        )

    def activate(self, body: bytes, *, actor: str, reason: str) -> OfferWeights:
        """Return the weights now in force.

        Raises:
            InvalidInput: the file is wrong; the weights before stay in force.
        """
        weights = parse_weights(body)
        with self._unit_of_work.begin() as tx:
            tx.offer_weights.activate(weights.version, body, at=self._clock.now())
            tx.commit(
                AuditEntry(
                    actor=actor,
                    action="offer.activated",
                    subject=weights.version,
                    reason=reason,
                    detail={"threshold": weights.threshold, "fitted_to": weights.fitted_to},
                )
            )
        return weights


def active_weights(tx: Transaction) -> OfferWeights:
    """Return the weights in force: the shipped ones until others are activated."""
    body = tx.offer_weights.active()
    return shipped_weights() if body is None else parse_weights(body)


def _decided(tx: Transaction, finder: TermFinder) -> Iterator[Labelled]:
    decided = tx.figures.decided_posts()
    while page := dict(islice(decided, _PAGE)):
        events = tx.events.find([EventKey(key) for key in page])
        for key, confirmed in page.items():
            event = events.get(EventKey(key))
            if event is None:
                continue
            found = finder.find(event)
            if _has_term(found):
                yield Labelled(parts=parts_of(shape_of(texts_of(event), found)), offer=confirmed)


def _has_term(found: Iterable[FoundTerm]) -> bool:
    return any(one.term.kind is TermKind.TERM for one in found)
