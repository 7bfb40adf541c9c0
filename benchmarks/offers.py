"""Measures the offer detector on towns that nothing was fitted to.

``python -m benchmarks.offers`` prints precision, recall by spelling and look-alikes wrongly called
by kind; ``--plot FILE`` draws precision against recall; ``--fit FILE`` fits weights to other towns
with other sentences and writes them, which is how the shipped ones were made.
"""

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from benchmarks.machine import describe_machine
from benchmarks.offers_plot import plot
from nightlight.detect.offer_fit import Labelled, fit
from nightlight.detect.offer_weights import OfferWeights, parse_weights, parts_of, score
from nightlight.detect.offer_weights import shipped_weights as shipped
from nightlight.detect.selling import shape_of
from nightlight.detect.term_finder import TermFinder, texts_of
from nightlight.ingest.envelope import parse_event
from nightlight.model.event import Event, PostCreated, PostEdited
from nightlight.model.lexicon import TermKind
from nightlight.model.measure import wilson_interval
from nightlight.town import TownPlan, build_town
from nightlight.town.words import lexicon_terms, load_planted_words

#: Seeds of the towns that weights are fitted to; measuring uses those from 1 on.
_FITTING_SEEDS = range(1001, 1081)
_POSTS = 60_000
#: Many small towns have more sellers, each with a way of their own, than a few large ones.
_FITTING_POSTS = 6_000


class Text(Struct, frozen=True, kw_only=True):
    """A post as it was last written.

    Attributes:
        parts: None where no term was found.
    """

    parts: dict[str, float] | None
    offer: bool
    disguise: str
    lookalike: str


def texts(seed: int, *, unseen: bool, posts: int) -> Iterator[Text]:
    """Yield every post of a town with what is true of it, one a post."""
    plan = TownPlan(
        seed=seed, accounts=max(500, posts // 20), posts=posts, media=False, unseen=unseen
    )
    town = build_town(plan)
    finder = TermFinder(lexicon_terms(load_planted_words()))
    found: dict[str, dict[str, float] | None] = {}
    for line in town.events():
        if b'"post.created"' not in line and b'"post.edited"' not in line:
            continue
        event = parse_event(line)
        if isinstance(event.data, PostCreated | PostEdited):
            # An edit may turn harmless words into an advert: either is enough to be called one.
            found[event.post_id] = _parts(event, finder) or found.get(event.post_id)
    truth = town.truth().posts
    for post_id, parts in found.items():
        said = truth.get(post_id)
        yield Text(
            parts=parts,
            offer=said is not None and said.kind in {"advert", "repost"},
            disguise=said.disguise if said and said.terms else "",
            lookalike=(said.lookalike or said.kind) if said and not said.act else "",
        )


def _parts(event: Event, finder: TermFinder) -> dict[str, float] | None:
    terms = finder.find(event)
    if not any(one.term.kind is TermKind.TERM for one in terms):
        return None
    return parts_of(shape_of(texts_of(event), terms))


def measure(found: Sequence[Text], weights: OfferWeights) -> dict[str, Any]:
    """Return precision and recall, by spelling and by look-alike, and the curve."""
    scores = [score(one.parts, weights) if one.parts is not None else 0.0 for one in found]
    called = [likely >= weights.threshold for likely in scores]
    right = sum(yes and one.offer for one, yes in zip(found, called, strict=True))
    disguises: dict[str, list[bool]] = defaultdict(list)
    looks: dict[str, list[bool]] = defaultdict(list)
    for one, yes in zip(found, called, strict=True):
        if one.offer:
            disguises[one.disguise or "plain"].append(yes)
        elif one.lookalike:
            looks[one.lookalike].append(yes)
    everybody = [yes for each in looks.values() for yes in each]
    return {
        "posts": len(found),
        "precision": _share(right, sum(called)),
        "recall": _share(right, sum(one.offer for one in found)),
        "term found": _share(
            sum(one.offer and one.parts is not None for one in found),
            sum(one.offer for one in found),
        ),
        "ordinary posts called offers": _share(
            sum(
                yes and not one.offer and not one.lookalike
                for one, yes in zip(found, called, strict=True)
            ),
            sum(not one.offer and not one.lookalike for one in found),
        ),
        "look-alikes called offers": _share(sum(everybody), len(everybody)),
        "recall by spelling": {
            name: _share(sum(all_), len(all_)) for name, all_ in sorted(disguises.items())
        },
        "look-alikes by kind": {
            name: _share(sum(all_), len(all_)) for name, all_ in sorted(looks.items())
        },
        "brier": sum(
            (likely - one.offer) ** 2
            for one, likely in zip(found, scores, strict=True)
            if one.parts is not None
        )
        / max(1, sum(one.parts is not None for one in found)),
        "simpler rules": {
            "a listed term alone": _rule(found, [one.parts is not None for one in found]),
            "a term beside a listed cue, no exclusion": _rule(
                found,
                [
                    bool(one.parts and "cues" in one.parts and "exclusions" not in one.parts)
                    for one in found
                ],
            ),
        },
        "calibration": _calibration(found, scores),
        "curve": _curve(found, scores),
    }


def _rule(found: Sequence[Text], called: Sequence[bool]) -> dict[str, Any]:
    """Return how a rule without a score would do."""
    right = sum(yes and one.offer for one, yes in zip(found, called, strict=True))
    looks = [yes for one, yes in zip(found, called, strict=True) if one.lookalike]
    return {
        "precision": _share(right, sum(called)),
        "recall": _share(right, sum(one.offer for one in found)),
        "look-alikes called offers": _share(sum(looks), len(looks)),
    }


def _share(count: int, of: int) -> dict[str, Any]:
    low, high = wilson_interval(count, of)
    return {"count": count, "of": of, "share": count / of if of else None, "low": low, "high": high}


def _calibration(found: Sequence[Text], scores: Sequence[float]) -> list[dict[str, Any]]:
    """Return, for each tenth of the score, how many texts with a term had it and were offers."""
    tenths: dict[int, list[bool]] = defaultdict(list)
    for one, likely in zip(found, scores, strict=True):
        if one.parts is not None:
            tenths[min(9, int(likely * 10))].append(one.offer)
    return [
        {"score": f"{tenth / 10:.1f} to {(tenth + 1) / 10:.1f}", **_share(sum(each), len(each))}
        for tenth, each in sorted(tenths.items())
    ]


def _curve(found: Sequence[Text], scores: Sequence[float]) -> list[tuple[float, float, float]]:
    """Return (threshold, precision, recall), from the strictest threshold on."""
    offers = sum(one.offer for one in found)
    points = []
    for place in range(99, 0, -1):
        called = [
            one.offer for one, likely in zip(found, scores, strict=True) if likely >= place / 100
        ]
        if called:
            points.append((place / 100, sum(called) / len(called), sum(called) / offers))
    return points


def _said(share: dict[str, Any]) -> str:
    if not share["of"]:
        return "-"
    within = f"{share['low']:.2%} to {share['high']:.2%}"
    return f"{share['count']}/{share['of']}, {share['share']:.2%} ({within})"


def _print(found: dict[str, Any]) -> None:
    for name in (
        "precision",
        "recall",
        "term found",
        "look-alikes called offers",
        "ordinary posts called offers",
    ):
        print(f"{name:<30} {_said(found[name])}")
    for title in ("recall by spelling", "look-alikes by kind"):
        print(title)
        for name, share in found[title].items():
            print(f"  {name:<28} {_said(share)}")
    for name, rule in found["simpler rules"].items():
        print(name)
        for what, share in rule.items():
            print(f"  {what:<28} {_said(share)}")
    print("of texts with a score, so many are offers")
    for one in found["calibration"]:
        print(f"  {one['score']:<28} {_said(one)}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit or measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8, help="how many towns")
    parser.add_argument("--posts", type=int, default=_POSTS, help="posts a town")
    parser.add_argument(
        "--seen", action="store_true", help="measure on sentences that were fitted to"
    )
    parser.add_argument(
        "--weights", type=Path, help="a file of weights instead of the shipped ones"
    )
    parser.add_argument("--fit", type=Path, help="fit to other towns and write the weights here")
    parser.add_argument("--plot", type=Path, help="draw precision against recall here (SVG)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    if options.fit:
        labelled = [
            Labelled(parts=one.parts, offer=one.offer)
            for seed in _FITTING_SEEDS
            for one in texts(seed, unseen=False, posts=_FITTING_POSTS)
            if one.parts is not None
        ]
        done = fit(
            labelled, fitted_to=f"{len(labelled)} posts with a term of {len(_FITTING_SEEDS)} towns"
        )
        options.fit.write_bytes(
            msgspec.json.format(msgspec.json.encode(done.weights), indent=2) + b"\n"
        )
        print(
            f"fitted to {done.fitted}, tested on {done.kept}: precision {done.precision:.4f},",
            end=" ",
        )
        print(f"recall {done.recall:.4f}, Brier {done.brier:.4f}")
        return
    weights = parse_weights(options.weights.read_bytes()) if options.weights else shipped()
    all_texts: list[Text] = []
    for seed in range(1, options.seeds + 1):
        all_texts += texts(seed, unseen=not options.seen, posts=options.posts)
        print(f"town {seed} of {options.seeds}", file=sys.stderr)
    found = {
        "machine": describe_machine(),
        "weights": weights.version,
        **measure(all_texts, weights),
    }
    found["seconds"] = round(time.monotonic() - started, 1)
    if options.plot:
        options.plot.write_text(plot(found), encoding="utf-8")
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        _print(found)


if __name__ == "__main__":
    main()
