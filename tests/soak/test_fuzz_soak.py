"""Tens of thousands of invented texts: undoing disguises never fails, and never takes long."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fuzz.texts import check, check_length

pytestmark = pytest.mark.soak

SIGNS = "zorbleflux ZB01359@$!|+*_.-#/\\()[]<>\n\u200b\u0301\u202e\ufe0fзорблｚｏǝɯ😀🇿"  # noqa: RUF001  on purpose
TEXTS = st.text(max_size=300) | st.text(st.sampled_from(SIGNS), max_size=120)


@settings(max_examples=40_000, deadline=None)
@given(TEXTS)
def test_any_text_is_looked_at_whole(text: str) -> None:
    check(text)


@settings(max_examples=600, deadline=None)
@given(TEXTS)
def test_any_text_repeated_is_looked_at_in_proportion(text: str) -> None:
    check_length(text)
