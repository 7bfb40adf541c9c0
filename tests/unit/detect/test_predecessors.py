"""Which account another may continue is ranked by what few share."""

from datetime import datetime

import pytest
from tests.synthetic.builders import at, make_account

from nightlight.detect.predecessors import Candidate, Standing, handles_alike, rank, ties_of
from nightlight.model.context import AccountContext, Shared
from nightlight.model.link import LinkKind

NEW = make_account("new", handle="zorble_flux2", created_at=at(0))
CONTACT, NAME, BIO = LinkKind.CONTACT, LinkKind.NAME, LinkKind.BIO


def earlier(
    name: str,
    *shared: tuple[LinkKind, int],
    flagged: bool = False,
    last_at: datetime | None = None,
    **changes: object,
) -> Candidate:
    values: dict[str, object] = {"created_at": at(-9_000), "handle": f"{name}9", **changes}
    account: AccountContext = make_account(name, **values)
    return Candidate(
        account=account,
        shared=tuple(Shared(kind, holders) for kind, holders in shared),
        flagged=flagged,
        last_at=last_at,
    )


def names(*candidates: Candidate) -> list[str]:
    return [one.account_id for one in rank(NEW, candidates)]


def test_thing_that_two_show_ties_more_than_one_that_sixty_show() -> None:
    assert names(earlier("common", (CONTACT, 60)), earlier("rare", (CONTACT, 2))) == [
        "rare",
        "common",
    ]


def test_things_of_different_kinds_add_up_and_things_of_one_kind_do_not() -> None:
    once, often = earlier("once", (NAME, 2)), earlier("often", (NAME, 2), (NAME, 2))
    both = earlier("both", (NAME, 2), (BIO, 2), (BIO, 2))
    found = {str(one.account_id): one.score for one in rank(NEW, [once, often, both])}
    assert found["once"] == found["often"] < found["both"]


def test_one_band_of_a_wording_counts_half() -> None:
    [one] = ties_of([Shared(LinkKind.TEMPLATE, 2)])
    [two] = ties_of([Shared(LinkKind.TEMPLATE, 2), Shared(LinkKind.TEMPLATE, 3)])
    assert (one.weight * 2, one.things, two.things, two.holders) == (two.weight, 1, 2, 2)


@pytest.mark.parametrize(
    ("candidate", "standing"),
    [
        (earlier("a", human_decision="confirmed"), Standing.CONFIRMED),
        (earlier("a", suspended=True, flagged=True), Standing.SUSPENDED),
        (earlier("a", flagged=True), Standing.FLAGGED),
        (earlier("a", last_at=at(-1)), Standing.SILENT),
        (earlier("a", last_at=at(1)), Standing.ACTIVE),
        (earlier("a"), Standing.ACTIVE),
    ],
)
def test_standing_says_what_became_of_the_account(candidate: Candidate, standing: Standing) -> None:
    [found] = rank(NEW, [candidate])
    assert found.standing is standing


def test_stopped_account_comes_before_one_that_goes_on_posting() -> None:
    active = earlier("active", (CONTACT, 2), last_at=at(9))
    stopped = earlier("stopped", (CONTACT, 2), suspended=True)
    assert names(active, stopped) == ["stopped", "active"]


def test_account_that_came_later_or_is_the_same_is_no_predecessor() -> None:
    later = earlier("later", (CONTACT, 2), created_at=at(5))
    assert names(later, Candidate(account=NEW, shared=())) == []


def test_like_handle_decides_between_equal_ties() -> None:
    other, alike = earlier("b", (NAME, 2)), earlier("c", (NAME, 2), handle="the.zorble_flux")
    assert names(other, alike) == ["c", "b"]


def test_handles_are_compared_as_they_look() -> None:
    assert handles_alike("zorble_flux", "Z\u043erble_Flux") == 1.0
    assert handles_alike("zorble", "") == 0.0
