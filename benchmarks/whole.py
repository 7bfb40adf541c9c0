"""Runs whole towns that nothing was fitted to through the program, and scores what it found.

``python -m benchmarks.whole`` prints, over several towns: adverts limited, look-alikes wrongly
limited, posts that came again linked, and for accounts that returned where the one they continue
stands among the likely predecessors.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import Struct

from benchmarks.machine import describe_machine
from benchmarks.process import nightlight
from nightlight.bootstrap import build_services
from nightlight.model.ids import AccountId
from nightlight.model.measure import wilson_interval
from nightlight.services.networks import predecessors_of
from nightlight.settings import read_settings

_LOOKED_AT = 10
#: What likely predecessors of ordinary newcomers are compared with.
_LIKELY = 0.5


class Found(Struct, kw_only=True):
    """What one town came to; pairs are (right, wrong, missed)."""

    detectors: dict[str, tuple[int, int, int]]
    lookalikes: tuple[int, int]
    places: list[int]
    ordinary: list[float]


def look(folder: Path, *, seed: int, posts: int, unseen: bool) -> Found:
    """Return what the program found in one town."""
    home, events, card = folder / "home", folder / "town.ndjson", folder / "card.json"
    truth = folder / "town.truth.json"
    asked = ["--seed", str(seed), "--posts", str(posts), "--no-media"]
    nightlight(["town", "--out", str(events), *asked, *(["--unseen"] if unseen else [])], home=home)
    nightlight(["run", str(events), "--truth", str(truth), "--scorecard", str(card)], home=home)
    scores = json.loads(card.read_bytes())
    accounts = json.loads(truth.read_bytes())["accounts"]
    limited = scores["lookalikes_acted_on"].values()
    services = build_services(read_settings({"NIGHTLIGHT_HOME": str(home)}))
    with services.unit_of_work.read() as tx:
        places = []
        for name, told in accounts.items():
            if told["predecessor"]:
                ranked = predecessors_of(tx, AccountId(name), _LOOKED_AT)
                ids = [one.account_id for one in ranked]
                before = told["predecessor"]
                places.append(ids.index(before) + 1 if before in ids else 0)
        ordinary = []
        for name in _ordinary(events, accounts):
            ranked = predecessors_of(tx, AccountId(name), 1)
            ordinary.append(ranked[0].score if ranked else 0.0)
    return Found(
        detectors={
            name: (one["true_positives"], one["false_positives"], one["false_negatives"])
            for name, one in scores["detectors"].items()
        },
        lookalikes=(sum(one["count"] for one in limited), sum(one["of"] for one in limited)),
        places=places,
        ordinary=ordinary,
    )


def _ordinary(events: Path, accounts: dict[str, Any]) -> list[str]:
    """Return the newest accounts without a part, which return from nowhere."""
    created = [
        json.loads(line)["data"]["account_id"]
        for line in events.read_bytes().splitlines()
        if b'"account.created"' in line
    ]
    return [name for name in dict.fromkeys(created) if name not in accounts][-100:]


def _share(count: int, of: int) -> dict[str, Any]:
    low, high = wilson_interval(count, of)
    return {"count": count, "of": of, "share": count / of if of else None, "low": low, "high": high}


def summed(found: Sequence[Found]) -> dict[str, Any]:
    """Return the shares over all towns."""
    result: dict[str, Any] = {}
    for name in ("term_match", "offer", "delete_repost", "decision"):
        right, wrong, missed = (sum(one.detectors[name][at] for one in found) for at in range(3))
        result[f"{name} precision"] = _share(right, right + wrong)
        result[f"{name} recall"] = _share(right, right + missed)
    result["look-alikes limited"] = _share(
        sum(one.lookalikes[0] for one in found), sum(one.lookalikes[1] for one in found)
    )
    places = [place for one in found for place in one.places]
    result["predecessor ranked first"] = _share(places.count(1), len(places))
    result["predecessor among the first three"] = _share(
        sum(place in {1, 2, 3} for place in places), len(places)
    )
    ordinary = [score for one in found for score in one.ordinary]
    result["ordinary newcomers with a likely predecessor"] = _share(
        sum(score >= _LIKELY for score in ordinary), len(ordinary)
    )
    result["places"] = dict(sorted(Counter(places).items()))
    return result


def main() -> None:
    """Run towns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--towns", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=101)
    parser.add_argument("--posts", type=int, default=20_000, help="posts a town")
    parser.add_argument("--seen", action="store_true", help="sentences that were fitted to")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found: list[Found] = []
    for number in range(options.towns):
        with TemporaryDirectory() as folder:
            found.append(
                look(
                    Path(folder),
                    seed=options.first_seed + number,
                    posts=options.posts,
                    unseen=not options.seen,
                )
            )
        print(f"town {number + 1} of {options.towns}: {found[-1].places}", file=sys.stderr)
    result = summed(found)
    if options.json:
        print(json.dumps({"machine": describe_machine(), **result}, indent=1))
        return
    for name, share in result.items():
        if name == "places":
            print(f"{name:<46} {share}")
        elif share["of"]:
            within = f"{share['low']:.2%} to {share['high']:.2%}"
            print(f"{name:<46} {share['count']}/{share['of']}, {share['share']:.2%} ({within})")


if __name__ == "__main__":
    main()
