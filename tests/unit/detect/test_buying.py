"""An answer under an offer asks for it, or says something else about it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlight.detect.buying import asks_to_buy


@pytest.mark.parametrize(
    "text",
    [
        "how much?",
        "HOW  MUCH for two",
        "interested, check your dms",
        "I sent you a message",
        "still available??",
        "one for me please",
        "where can i buy it",
        "¿cuánto cuesta?",
        "wieviel?",
        "сколько",
        "ｈｏｗ ｍｕｃｈ",  # noqa: RUF001  on purpose
    ],
)
def test_who_wants_it_asks(text: str) -> None:
    assert asks_to_buy(text)


@pytest.mark.parametrize(
    "text",
    [
        "what is it",
        "",
        "this is disgusting, reported",
        "reported. they even name a price, mods do something",
        "police should look at what these accounts ask",
        "if you need help, talk to us",
        "lovely weather",
    ],
)
def test_who_objects_wonders_or_helps_does_not_ask(text: str) -> None:
    assert not asks_to_buy(text)


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    asks_to_buy(text)
