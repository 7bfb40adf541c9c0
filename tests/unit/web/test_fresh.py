"""What is read for many requests is fresh, and a failure is told instead of an old answer."""

import asyncio
import threading

import pytest
from msgspec.structs import replace
from tests.fakes.patience import until

from nightlight.errors import Unavailable
from nightlight.web.fresh import Fresh


class Source:
    """Counts, and fails or waits as told."""

    def __init__(self) -> None:
        self.reads = 0
        self.fails = False
        self.opened = threading.Event()
        self.opened.set()

    def __call__(self) -> int:
        self.opened.wait(20)
        if self.fails:
            raise Unavailable("it is gone")
        self.reads += 1
        return self.reads


def test_a_value_is_read_once_for_many_who_ask() -> None:
    source = Source()
    fresh = Fresh(source, what="the count")

    async def ask() -> list[int]:
        return list(await asyncio.gather(*(fresh.get() for _ in range(50))))

    assert asyncio.run(ask()) == [1] * 50


def test_a_value_that_is_old_is_read_again_before_it_is_given() -> None:
    source = Source()
    fresh = Fresh(source, what="the count")
    first = asyncio.run(fresh.get())
    given = [first]

    def is_new() -> bool:
        given.append(asyncio.run(fresh.get()))
        return given[-1] != first

    until(is_new, "the value is read again")

    assert given[-1] == first + 1


def test_whoever_changed_it_gets_it_as_changed() -> None:
    source = Source()
    fresh = Fresh(source, what="the count")
    asyncio.run(fresh.get())

    assert asyncio.run(fresh.renewed()) == 2


def test_a_read_that_fails_is_told_to_all_and_forgotten_once_one_works() -> None:
    source = Source()
    fresh = Fresh(source, what="the count")
    asyncio.run(fresh.get())
    source.fails = True
    with pytest.raises(Unavailable, match="the count cannot be read"):
        asyncio.run(fresh.renewed())
    assert fresh.is_failing
    with pytest.raises(Unavailable):
        asyncio.run(fresh.get())
    source.fails = False

    assert asyncio.run(fresh.renewed()) == 2
    assert not fresh.is_failing


def test_nobody_gets_a_value_that_was_never_read() -> None:
    source = Source()
    source.fails = True

    with pytest.raises(Unavailable):
        asyncio.run(Fresh(source, what="the count").get())


class Pieces(Source):
    """Is read in pieces until the last is in."""

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces

    @property
    def is_whole(self) -> bool:
        return self.reads >= self.pieces


def test_the_next_piece_is_read_unasked_until_all_is_in() -> None:
    source = Pieces(5)
    fresh = Fresh(source, what="the count", is_whole=lambda: source.is_whole)
    asyncio.run(fresh.get())
    until(lambda: source.is_whole, "all is in")
    assert source.reads == 5


def test_a_large_change_after_nobody_asked_for_long_is_taken_in_before_anybody_is_refused() -> None:
    source = Pieces(1)
    fresh = Fresh(source, what="the count", is_whole=lambda: source.is_whole)
    first = asyncio.run(fresh.get())
    old = fresh._last
    assert old is not None
    fresh._last = replace(old, began_s=old.began_s - 60)
    source.pieces = 1_000_000_000
    assert asyncio.run(fresh.get()) > first
    assert not fresh.is_failing
    source.pieces = 0


def test_a_large_change_that_is_not_in_for_too_long_is_told_instead_of_passed_over() -> None:
    source = Pieces(1_000_000_000)
    fresh = Fresh(source, what="the count", is_whole=lambda: source.is_whole, in_pieces_s=0)
    with pytest.raises(Unavailable, match="large change"):
        asyncio.run(fresh.get())
    assert fresh.is_failing
    source.pieces = 0
    until(lambda: not fresh.is_failing, "all is in")
    assert asyncio.run(fresh.get())


def test_whoever_asks_waits_for_a_read_that_began_in_time_and_gets_no_older_one() -> None:
    source = Source()
    fresh = Fresh(source, what="the count")
    first = asyncio.run(fresh.get())
    old = fresh._last
    assert old is not None
    fresh._last = replace(old, began_s=old.began_s - 10)
    assert asyncio.run(fresh.get()) == first + 1
