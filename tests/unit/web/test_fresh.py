"""What is read for many requests is fresh, and a failure is told instead of an old answer."""

import asyncio
import threading

import pytest
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
