"""The same text posted again is told from another text, also where both are short."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlight.detect.same_again import closeness

TEXT = "last 12 of zorbleflux this week, plonks and kleptics on request at the gate"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (TEXT, TEXT),
        (TEXT, TEXT.replace("12", "9")),
        (TEXT, f"  {TEXT.replace(' ', '  ')}\n"),
        (TEXT, f"again: {TEXT}"),
        (TEXT, f"{TEXT} #plonk"),
        (TEXT, TEXT.replace("week", "wekE")),
        ("plimquat 49$ dm", "plimquat 50$ dm"),
        ("plimquat 49$ dm", "again: plimquat 49$ dm"),
        ("列で降った雹が屋根に当たった音がした", "列で降った雹が根屋に当たった音がした"),
    ],
)
def test_same_text_again_is_close(old: str, new: str) -> None:
    assert closeness(old, new) > 0.6
    assert closeness(new, old) == closeness(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (TEXT, TEXT.replace("zorbleflux", "yuntabrikky")),
        ("plimquat 49$ dm", "vornadel 49$ dm"),
        (TEXT, "an altogether different tale about umbrellas"),
        (TEXT, TEXT[: len(TEXT) // 2]),
        ("zorb", "zorb"),
        ("12345678", "87654321"),
        ("", ""),
    ],
    ids=["other goods", "other goods, short", "other text", "half", "word", "numbers", "nothing"],
)
def test_other_text_is_not_close(old: str, new: str) -> None:
    assert closeness(old, new) == 0.0


@given(st.text(max_size=60), st.text(max_size=60))
def test_closeness_is_a_share_and_the_same_both_ways(a: str, b: str) -> None:
    assert 0.0 <= closeness(a, b) <= 1.0
    assert (closeness(a, b) > 0) == (closeness(b, a) > 0)
