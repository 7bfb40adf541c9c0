"""Scores findings against an answer sheet: precision and recall with 95 % intervals. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from msgspec import Struct

from nightlight.measure.truth import Truth
from nightlight.model.measure import Confusion, wilson_interval


class Share(Struct, frozen=True, kw_only=True):
    """So many of so many, with the 95 % interval of the share."""

    count: int
    of: int

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval."""
        return wilson_interval(self.count, self.of)


class Scorecard(Struct, frozen=True, kw_only=True):
    """How findings compare with the truth.

    Attributes:
        detectors: by detector; "decision" compares what policy limited with what it should.
        recall_by_disguise: posts with a term that ``term_match`` found, by spelling.
        recall_by_edit: known files that ``hash_match`` found, by edit.
        lookalikes_acted_on: look-alike posts and files that policy limited, by kind.
        by_disguise: by detector of text, and "decision": adverts that it found, by spelling.
        by_lookalike: by the same: look-alike posts that it found, by kind. For ``term_match``
            those with a term in them are no mistakes; for the others all are.
    """

    detectors: dict[str, Confusion]
    recall_by_disguise: dict[str, Share]
    recall_by_edit: dict[str, Share]
    lookalikes_acted_on: dict[str, Share]
    by_disguise: dict[str, dict[str, Share]]
    by_lookalike: dict[str, dict[str, Share]]


#: Whose finding of an advert counts, by spelling.
_OF_ADVERTS = ("term_match", "offer")


def score(
    truth: Truth,
    *,
    signalled: Iterable[tuple[str, str, str]],
    acted_on: Iterable[tuple[str, str]],
    posts: int,
    media_files: int,
) -> Scorecard:
    """Return the scorecard.

    Args:
        truth: the answer sheet.
        signalled: (detector, subject kind, subject id) of every signal.
        acted_on: (subject kind, subject id) of everything that policy asked an effect on.
        posts: how many posts were judged.
        media_files: how many files were judged.
    """
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for detector, kind, subject_id in signalled:
        found[detector, kind].add(subject_id)
    acted: dict[str, set[str]] = defaultdict(set)
    for kind, subject_id in acted_on:
        acted[kind].add(subject_id)
    known = {name for name, file in truth.media_files.items() if file.known}
    with_terms = {name for name, post in truth.posts.items() if post.terms}
    again = {name for name, post in truth.posts.items() if post.reposts}
    should_act = {name for name, post in truth.posts.items() if post.act}
    adverts = {name for name, post in truth.posts.items() if post.kind in {"advert", "repost"}}
    term_found, hash_found = found["term_match", "post"], found["hash_match", "media"]
    of_adverts = {name: found[name, "post"] for name in _OF_ADVERTS} | {"decision": acted["post"]}
    return Scorecard(
        detectors={
            "hash_match": _confusion(hash_found, known, media_files),
            "term_match": _confusion(term_found, with_terms, posts),
            "offer": _confusion(found["offer", "post"], adverts, posts),
            "delete_repost": _confusion(found["delete_repost", "post"], again, posts),
            "decision": _confusion(acted["post"], should_act, posts),
        },
        recall_by_disguise=_shares(
            (post.disguise or "plain", name in term_found)
            for name, post in truth.posts.items()
            if post.terms
        ),
        recall_by_edit=_shares(
            (file.edit, name in hash_found)
            for name, file in truth.media_files.items()
            if file.known
        ),
        lookalikes_acted_on=_shares(
            [
                *(
                    (post.lookalike or post.kind, name in acted["post"])
                    for name, post in truth.posts.items()
                    if not post.act
                ),
                *(
                    (file.edit, name in acted["media"])
                    for name, file in truth.media_files.items()
                    if not file.act
                ),
            ]
        ),
        by_disguise={
            detector: _shares(
                (truth.posts[name].disguise or "plain", name in there) for name in adverts
            )
            for detector, there in of_adverts.items()
        },
        by_lookalike={
            detector: _shares(
                (post.lookalike or post.kind, name in there)
                for name, post in truth.posts.items()
                if not post.act
            )
            for detector, there in of_adverts.items()
        },
    )


def _confusion(found: Collection[str], there: Collection[str], universe: int) -> Confusion:
    right = len(set(found) & set(there))
    wrong = len(found) - right
    missed = len(there) - right
    return Confusion(
        true_positives=right,
        false_positives=wrong,
        false_negatives=missed,
        true_negatives=max(0, universe - right - wrong - missed),
    )


def _shares(cases: Iterable[tuple[str, bool]]) -> dict[str, Share]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, yes in cases:
        counts[name][0] += yes
        counts[name][1] += 1
    return {name: Share(count=n, of=of) for name, (n, of) in sorted(counts.items())}


def as_json(card: Scorecard) -> dict[str, Any]:
    """Return the scorecard as plain values, with precision, recall and their intervals."""
    return {
        "detectors": {
            name: {
                "true_positives": one.true_positives,
                "false_positives": one.false_positives,
                "true_negatives": one.true_negatives,
                "false_negatives": one.false_negatives,
                "precision": one.precision,
                "precision_interval": one.precision_interval,
                "recall": one.recall,
                "recall_interval": one.recall_interval,
            }
            for name, one in card.detectors.items()
        },
        "recall_by_disguise": _shares_as_json(card.recall_by_disguise),
        "recall_by_edit": _shares_as_json(card.recall_by_edit),
        "lookalikes_acted_on": _shares_as_json(card.lookalikes_acted_on),
        "by_disguise": {name: _shares_as_json(each) for name, each in card.by_disguise.items()},
        "by_lookalike": {name: _shares_as_json(each) for name, each in card.by_lookalike.items()},
    }


def _shares_as_json(shares: dict[str, Share]) -> dict[str, Any]:
    return {
        name: {"count": one.count, "of": one.of, "interval": one.interval}
        for name, one in shares.items()
    }
