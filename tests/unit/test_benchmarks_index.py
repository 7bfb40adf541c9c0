"""The benchmark of the hash index runs, on very little, and asks every engine the same."""

import json

import numpy as np
import pytest
from benchmarks import index, index_growth
from benchmarks.index_hashes import LikeThese, PdqLike, flipped, random_rows, spread

from nightlight.kernel.hamming import within


def test_every_engine_is_measured_and_nightlight_finds_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    index.main(["--n", "6000", "--kinds", "random", "--seconds", "0.01", "--json"])
    done = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["engine"].split(" (")[0] for one in done] == [
        "Nightlight HashIndex",
        "Nightlight, mapped snapshot",
        "FAISS BinaryFlat",
        "FAISS MultiHash 16x16 nflip 1",
        "threatexchange PDQIndex",
        "threatexchange PDQIndex2",
    ]
    assert [one["recall"] for one in done[:2]] == [1.0, 1.0]
    assert all(one["single_unrelated_per_s"] > 0 for one in done)


def test_growth_is_measured_with_the_answers_compared(capsys: pytest.CaptureFixture[str]) -> None:
    index.main(["--growth", "5000,6000", "--json"])
    done = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["hashes"], one["same_answers"]) for one in done] == [(5000, 1.0), (6000, 1.0)]


def test_updates_are_told_with_memory_and_answered_queries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(index_growth, "_TOLD_EVERY", 2)
    told = index_growth.update(20_000, 4, lambda _: None)
    assert [one["update"] for one in told] == [2, 4]
    assert told[-1]["hashes"] == 20_000
    assert told[-1]["queries_answered"] > 0


def test_a_list_is_printed_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    index.main(["--n", "5000", "--kinds", "pdq", "--seconds", "0.01"])
    printed = capsys.readouterr().out
    assert "x FAISS BinaryFlat" in printed
    assert "drawn pictures" in printed


def test_made_hashes_are_as_far_off_as_asked() -> None:
    random = np.random.default_rng(1)
    rows = random_rows(42, random)
    wanted = np.arange(42)
    distances = np.bitwise_count(rows ^ flipped(rows, wanted, random)).sum(axis=1)
    assert distances.tolist() == wanted.tolist()


def test_pdq_like_hashes_have_half_their_bits_set_unless_flat() -> None:
    made = PdqLike(np.random.default_rng(2)).rows(1000)
    unlike = np.bitwise_count(made[1:800]).sum(axis=1)
    assert set(unlike.tolist()) == {128}
    assert not made[0].any()


def test_a_list_of_copies_is_more_crowded_than_one_of_pictures() -> None:
    random = np.random.default_rng(3)
    near = {
        kind: len(within(rows, rows, 31)[0])
        for kind in ("pdq", "copies")
        for rows in [PdqLike(random, kind).unlike(4000)]
    }
    assert near["copies"] > 1.05 * near["pdq"]


def test_bits_that_depend_on_one_another_spread_distances() -> None:
    random = np.random.default_rng(4)
    tossed = random_rows(2000, random)
    halves = np.stack([tossed[:, 0], tossed[:, 1], tossed[:, 0], tossed[:, 1]], axis=1)
    assert 7.9 < spread(tossed, random) < 8.1
    assert spread(halves, random) > 11


def test_hashes_made_like_others_depend_on_one_another_as_much() -> None:
    random = np.random.default_rng(5)
    tossed = random_rows(1000, random)
    tied = tossed.copy()
    tied[:, 3] = tied[:, 0]
    for given in (tied, tossed):
        assert (
            abs(spread(LikeThese(given, random).rows(2000), random) - spread(given, random)) < 0.3
        )
