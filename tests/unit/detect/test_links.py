"""What events show that may tie their account to others."""

import pytest
from tests.synthetic.builders import TEXT, event_of, make_post, make_signal

from nightlight.detect.links import (
    handle_marks,
    handle_variants,
    is_whole_template,
    marks_after,
    marks_of,
    template_of,
)
from nightlight.detect.near_duplicate import fingerprint
from nightlight.model.event import (
    AccountCreated,
    AccountUpdated,
    DeletedBy,
    EventData,
    PostCreated,
    PostDeleted,
    PostEdited,
)
from nightlight.model.link import LinkKind, LinkMark

LINK = "https://corner.example.test/5b7"


def shown(data: EventData) -> set[LinkMark]:
    return set(marks_of(event_of(data)))


def kinds(marks: set[LinkMark]) -> set[LinkKind]:
    return {one.kind for one in marks}


def post(text: str) -> PostCreated:
    return PostCreated(post_id="p", account_id="a", text=text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("zorble_flux77", "zorble.flux77"),
        ("zorble_flux77", "zorbleflux99"),
        ("zorbleflux", "the.zorbleflux"),
        ("zorbleflux", "ZorbleFlux_backup"),
        ("zorbleflux", "zorblefl\u00fcx"),
        ("@zorbleflux@one.example.test", "zorbleflux"),
    ],
)
def test_handle_and_its_variant_share_a_mark(old: str, new: str) -> None:
    assert set(handle_marks(old)) & {*handle_marks(new), *handle_variants(new)}


@pytest.mark.parametrize(("one", "other"), [("zorble77", "plonk77"), ("77", "77"), ("ab1", "ab2")])
def test_other_handles_share_none(one: str, other: str) -> None:
    assert not set(handle_marks(one)) & {*handle_marks(other), *handle_variants(other)}


def test_profile_shows_handle_name_bio_device_and_network() -> None:
    profile = AccountCreated(
        account_id="a",
        handle="zorbleflux",
        display_name="Zorble Flux",
        bio=f"plonks and kleptics at the garden gate {LINK}",
        device="d",
        network="n",
    )
    assert kinds(shown(profile)) == {
        LinkKind.HANDLE,
        LinkKind.NAME,
        LinkKind.BIO,
        LinkKind.LINK_TARGET,
        LinkKind.DEVICE,
        LinkKind.NETWORK,
    }
    renamed = AccountUpdated(account_id="a", display_name="zorble-FLUX 2")
    assert shown(renamed) < shown(profile)


def test_wording_is_kept_where_a_post_shows_a_way_to_its_author_and_else_not() -> None:
    assert LinkKind.TEMPLATE in kinds(shown(post(f"{TEXT} {LINK}")))
    assert shown(post(TEXT)) == set()


def test_wording_is_the_same_with_another_number_link_and_handle() -> None:
    one = shown(post(f"{TEXT}, 12 coins, {LINK}, dm @zorble"))
    other = shown(
        PostEdited(
            post_id="q",
            account_id="b",
            text=f"{TEXT}, 9 coins, https://gate.example.test/9, dm @plonker_99",
        )
    )
    assert {mark.kind for mark in one & other} == {LinkKind.TEMPLATE}


def test_wording_is_read_as_far_as_contacts_are() -> None:
    start = ("zorble quibble " * 300)[:4_000]
    assert set(template_of(start))
    whole = [
        [one for one in template_of(start + end) if is_whole_template(one)]
        for end in ("", "plonk and more", "a%" * 1_000)
    ]
    assert len({one.text for marks in whole for one in marks}) == 1


def test_post_with_a_finding_shows_its_wording_and_the_known_files_in_it() -> None:
    signal = make_signal(detector="hash_match")
    signal = type(signal)(
        detector="hash_match",
        event_key=signal.event_key,
        account_id=signal.account_id,
        subject=signal.subject,
        confidence=1.0,
        facts={},
        evidence={"bank_entries": ["entry-1"]},
    )
    marks = marks_after(event_of(post(TEXT)), None, [signal])
    assert {one.kind for one in marks} == {LinkKind.MEDIA, LinkKind.TEMPLATE}
    assert marks_after(event_of(post(TEXT)), None, []) == ()


@pytest.mark.parametrize(("by", "is_shown"), [("author", True), ("platform", False)])
def test_post_that_its_author_deleted_shows_its_wording(by: DeletedBy, *, is_shown: bool) -> None:
    deleted = event_of(PostDeleted(post_id="p", deleted_by=by))
    marks = set(marks_after(deleted, make_post("p", fingerprint=fingerprint(TEXT)), ()))
    assert bool(marks) is is_shown
    assert marks <= set(marks_after(event_of(post(TEXT)), None, [make_signal()]))
    assert marks_after(deleted, None, ()) == ()
