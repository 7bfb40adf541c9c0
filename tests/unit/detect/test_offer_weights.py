"""Weights are plain data: read strictly, fitted reproducibly, never counted the wrong way."""

import random

import msgspec
import pytest

from nightlight.detect.offer_fit import Labelled, fit
from nightlight.detect.offer_weights import (
    AGAINST,
    PARTS,
    SELLING,
    OfferWeights,
    parse_weights,
    score,
    shipped_weights,
    shown,
)
from nightlight.errors import InvalidInput


def labelled(offers: int, others: int) -> list[Labelled]:
    chance = random.Random(4)  # noqa: S311  reproducible, not secret
    sells = [
        Labelled(parts={"price": 1.0, "contact": float(chance.random() < 0.9)}, offer=True)
        for _ in range(offers)
    ]
    tells = [
        Labelled(parts={"news": 1.0, "price": float(chance.random() < 0.3)}, offer=False)
        for _ in range(others)
    ]
    return sells + tells


def test_the_shipped_weights_count_selling_for_and_telling_against() -> None:
    weights = shipped_weights().weights

    assert all(weights.get(part, 0.0) >= 0 for part in SELLING)
    assert all(weights.get(part, 0.0) <= 0 for part in AGAINST)
    assert score(
        {"price": 1.0, "contact": 1.0, "two_marks": 1.0, "cues": 1.0}, shipped_weights()
    ) > (score({"price": 1.0, "contact": 1.0, "two_marks": 1.0, "quoted": 1.0}, shipped_weights()))


def test_fitting_tells_offers_from_others_and_is_reproducible() -> None:
    done = fit(labelled(200, 200), fitted_to="made texts")

    assert (done.precision, done.recall) == (1.0, 1.0)
    assert done.brier < 0.05
    assert done.weights == fit(labelled(200, 200), fitted_to="made texts").weights
    assert parse_weights(msgspec.json.encode(done.weights)) == done.weights


def test_a_selling_sign_never_counts_against_however_it_was_labelled() -> None:
    upside_down = [Labelled(parts={"price": 1.0}, offer=False) for _ in range(60)] + [
        Labelled(parts={"news": 1.0}, offer=True) for _ in range(60)
    ]

    weights = fit(upside_down).weights.weights

    assert weights.get("price", 0.0) == 0.0
    assert weights.get("news", 0.0) == 0.0


@pytest.mark.parametrize(("offers", "others"), [(19, 100), (100, 19), (0, 0)])
def test_too_few_texts_of_a_kind_are_refused(offers: int, others: int) -> None:
    with pytest.raises(InvalidInput, match="too few"):
        fit(labelled(offers, others))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "not a file of weights"),
        (b'{"weights": {"charm": 1.0}, "bias": 0.0}', "no part 'charm'"),
        (b'{"weights": {}, "bias": 0.0, "threshold": 1.0}', "between 0 and 1"),
        (b'{"weights": {}, "bias": 1e999}', "finite|not a file"),
        (b'{"weights": {}}', "bias"),
    ],
)
def test_a_wrong_file_is_refused_and_says_what_is_wrong(body: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        parse_weights(body)


def test_scores_stay_between_nothing_and_certainty() -> None:
    strong = OfferWeights(weights={"price": 1e6}, bias=0.0)

    assert 0.999 < score({"price": 1.0}, strong) <= 1.0
    assert 0.0 <= score({"price": -1.0}, strong) < 0.001


def test_every_part_has_a_name_for_people() -> None:
    assert all(shown(part) for part in PARTS)


def test_another_version_for_other_weights() -> None:
    first = OfferWeights(weights={"price": 1.0}, bias=0.0)

    assert first.version != OfferWeights(weights={"price": 1.5}, bias=0.0).version
    assert first.version == OfferWeights(weights={"price": 1.0}, bias=0.0, fitted_to="x").version
