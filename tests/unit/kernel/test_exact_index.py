import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightlight.kernel import exact_index
from nightlight.kernel.exact_index import ExactIndex

DIGESTS = st.sampled_from(
    [bytes([n]) * 16 for n in range(6)] + [b"same-key" + bytes([n]) * 8 for n in range(6)]
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), DIGESTS),
        st.tuples(st.just("remove"), st.integers(0, 40)),
        st.tuples(st.just("merge"), st.none()),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(STEPS)
def test_every_label_is_found_by_its_digest_until_it_is_removed(
    steps: list[tuple[str, bytes | int | None]],
) -> None:
    index, model, label = ExactIndex(16), dict[int, bytes](), 0
    for step, given_ in steps:
        if step == "add":
            assert isinstance(given_, bytes)
            index.add([(label, given_)])
            model[label] = given_
            label += 1
        elif step == "remove":
            assert isinstance(given_, int)
            index.remove([given_])
            model.pop(given_, None)
        else:
            index._merge()
    for digest in {*model.values(), b"0" * 16}:
        assert index.search(digest) == [one for one, own in model.items() if own == digest]


def test_label_that_was_removed_can_carry_another_digest() -> None:
    index = ExactIndex(16)
    index.add([(7, b"a" * 16)])
    index.remove([7])
    index.add([(7, b"b" * 16)])
    assert (index.search(b"a" * 16), index.search(b"b" * 16)) == ([], [7])


def test_digests_past_the_merge_are_found_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact_index, "_MERGE_AT", 100)
    random = np.random.default_rng(5)
    digests = [random.bytes(20) for _ in range(1_000)]
    index = ExactIndex(20)
    for label, digest in enumerate(digests):
        index.add([(label, digest)])
    assert all(index.search(digest) == [label] for label, digest in enumerate(digests))
    assert len(index) == 1_000


def test_index_of_stored_arrays_answers_as_the_one_they_were_taken_of() -> None:
    index = ExactIndex(32)
    index.add((label, bytes([label % 50]) * 32) for label in range(200))
    index.remove([3])
    again = ExactIndex.from_arrays(32, index.arrays())
    assert [again.search(bytes([n]) * 32) for n in range(51)] == [
        index.search(bytes([n]) * 32) for n in range(51)
    ]


def test_digest_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        ExactIndex(16).add([(1, b"short")])
