"""Ids are derived from what they stand for, so a replay gives the same ones."""

from hypothesis import assume, given
from hypothesis import strategies as st

from nightlight.model.ids import derive_id, event_key, keyed_id

plain = st.text(st.characters(blacklist_categories=["Cc", "Cs"]))


@given(st.lists(plain, min_size=1), st.lists(plain, min_size=1))
def test_different_parts_give_different_ids(one: list[str], other: list[str]) -> None:
    assume(one != other)
    assert derive_id("x", *one) != derive_id("x", *other)


def test_same_parts_give_the_same_id_on_every_machine() -> None:
    assert derive_id("dec", "a", "b") == "dec_d75b3e77041f1c2cefadc34f"
    assert event_key("source", "1") == "2c85c2cfab687af64492f3b1b136fb19"


@given(plain, plain, plain, plain)
def test_an_event_is_known_by_source_and_id_together(a: str, b: str, c: str, d: str) -> None:
    assume((a, b) != (c, d))
    assert event_key(a, b) != event_key(c, d)


def test_keyed_ids_depend_on_the_key_and_the_name_and_are_the_same_every_time() -> None:
    made = keyed_id("rec", b"a key", "act_1")
    assert made == keyed_id("rec", b"a key", "act_1") == "rec_703f1f483a8f0d2b61e6a354"
    assert (
        len({made, keyed_id("rec", b"another", "act_1"), keyed_id("rec", b"a key", "act_2")}) == 3
    )
