"""Ways to reach or pay an author are read from texts; ordinary texts hold none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlight.detect.contacts import contacts_in, may_have_contacts
from nightlight.model.link import LinkKind


def read(text: str, *, is_profile: bool = False) -> set[tuple[str, str]]:
    return {(one.kind.value, one.text) for one in contacts_in(text, is_profile=is_profile)}


@pytest.mark.parametrize(
    ("text", "kind", "mark"),
    [
        ("see https://corner.example.test/5b7B?utm_source=x.", "link_target",
         "corner.example.test/5b7b"),
        ("www.Corner.example.test/", "link_target", "corner.example.test"),
        ("(corner.example.test/shelf/4)", "link_target", "corner.example.test/shelf/4"),
        ("https://corner.example.test/?id=9&fbclid=1", "link_target", "corner.example.test?id=9"),
        ("over at t.me/+zorble_flux now", "off_platform_handle", "zorble_flux"),
        ("telegram: zorbleflux", "off_platform_handle", "zorbleflux"),
        ("kik zorble_77 please", "off_platform_handle", "zorble_77"),
        ("dm @Zorble.flux for more", "off_platform_handle", "zorble.flux"),
        ("add \uff20zorbleflux", "off_platform_handle", "zorbleflux"),
        ("write plonk@mail.example.test", "contact", "plonk@mail.example.test"),
        ("call +49 1570 000 11 22", "contact", "4915700001122"),
        ("use key Zq7Rt5Wb2Kx9Lm", "contact", "zq7rt5wb2kx9lm"),
        ("pay paypal.me/zorbleflux", "payment", "paypal.me/zorbleflux"),
        ("to 0x" + "ab12" * 10, "payment", "0x" + "ab12" * 10),
    ],
)  # fmt: skip
def test_way_to_reach_or_pay_is_read(text: str, kind: str, mark: str) -> None:
    assert read(text) == {(kind, mark)}


@pytest.mark.parametrize(
    "text",
    [
        "an ordinary day at the lake, 21 degrees",
        "thanks @quibble, what a day",
        "on 2026-03-01 at 12:30 we met 1,000 people",
        "the signal was weak and the telegram late",
        "either/or",
        "zorb.le.flux",
        "",
    ],
)
def test_ordinary_text_holds_none(text: str) -> None:
    assert read(text) == set()


def test_handle_in_a_bio_is_one_to_write_to() -> None:
    assert read("me: @quibble", is_profile=True) == {("off_platform_handle", "quibble")}


def test_text_that_lists_hundreds_leaves_only_a_few() -> None:
    text = " ".join(f"https://n{number}.example.test/x" for number in range(300))
    assert len(contacts_in(text)) == 16


@pytest.mark.parametrize("hostile", ["a%" * 40, "%" * 80, "a" * 80])
def test_longer_run_than_any_address_is_none_and_hides_none_after_it(hostile: str) -> None:
    text = f"{hostile}@mail.example.test and plonk%quibble@mail.example.test"
    assert ("contact", "plonk%quibble@mail.example.test") in read(text)
    assert not any(len(mark) > 64 + len("@mail.example.test") for _, mark in read(text))


def test_longer_run_than_any_handle_is_none() -> None:
    assert read("kik " + "1" * 200) == set()
    assert read("kik plonk_" + "1" * 30) == {("off_platform_handle", "plonk_" + "1" * 30)}


@given(st.text(max_size=200))
def test_any_text_can_be_read_and_the_short_way_misses_nothing(text: str) -> None:
    found = contacts_in(f"{text} dm @plonkers")
    assert may_have_contacts(text) or not contacts_in(text)
    assert all(isinstance(one.kind, LinkKind) and "masked" in repr(one) for one in found)
