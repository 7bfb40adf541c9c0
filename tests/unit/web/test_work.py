"""Slow work holds up its own kind alone, and is told how long it has."""

import asyncio
from contextlib import nullcontext, suppress
from threading import Event
from time import monotonic

import pytest
from tests.fakes.patience import until

from nightlight.errors import Unavailable
from nightlight.ingest.ports import TakesLong
from nightlight.web.work import Lane, Work


def test_pictures_are_looked_at_while_every_thread_for_videos_is_busy() -> None:
    work, ends = Work(threads=1, waiting_at_most=1), Event()

    async def ask() -> tuple[str, list[str]]:
        slow = [
            asyncio.create_task(
                work.do(lambda _: str(ends.wait(60)), using=nullcontext(), lane=lane)
            )
            for lane in (Lane.LONG, Lane.LONG, Lane.ADDRESSES)
        ]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="too many"):
            await work.do(str, using=nullcontext(), lane=Lane.LONG)
        short = await work.do(lambda _: "looked at", using=nullcontext())
        ends.set()
        return short, [await one for one in slow]

    assert asyncio.run(ask()) == ("looked at", ["True"] * 3)


def test_work_is_told_until_when_it_has_and_that_is_before_it_is_given_up() -> None:
    work = Work(limit_s=20)
    began_s = monotonic()
    until_s = asyncio.run(work.do(lambda told: told, using=nullcontext()))
    assert began_s < until_s < monotonic() + 20


class Opened:
    """A file that can be let go of."""

    def __init__(self) -> None:
        self.closed = 0

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self.closed += 1


class Slow:
    """Work on a file that takes long once it was begun."""

    def __init__(self, file: Opened) -> None:
        self.file = file
        self.done: list[bool] = []

    def __call__(self, until_s: float, *, briefly: bool) -> str:
        assert not self.file.closed
        assert until_s > monotonic()
        self.done.append(briefly)
        if briefly:
            raise TakesLong
        return "looked at"


def test_a_picture_that_takes_long_goes_on_among_videos_with_its_file_still_open() -> None:
    work, ends, file = Work(threads=1), Event(), Opened()
    slow = Slow(file)

    async def ask() -> tuple[str, str]:
        video = asyncio.create_task(
            work.do(lambda _: str(ends.wait(60)), using=nullcontext(), lane=Lane.LONG)
        )
        picture = asyncio.create_task(work.do_file(slow, using=file, is_long=False))
        await asyncio.to_thread(until, lambda: bool(slow.done), "the picture was begun")
        short = await work.do(lambda _: "looked at", using=nullcontext())
        assert not picture.done()
        ends.set()
        await video
        return short, await picture

    assert asyncio.run(ask()) == ("looked at", "looked at")
    assert (slow.done, file.closed) == ([True, False], 1)


def test_what_is_known_to_take_long_is_not_tried_briefly() -> None:
    slow = Slow(Opened())
    assert asyncio.run(Work().do_file(slow, using=slow.file, is_long=True)) == "looked at"
    assert (slow.done, slow.file.closed) == ([False], 1)


def test_a_file_is_closed_once_where_nobody_waits_any_more_for_what_takes_long() -> None:
    work, ends, file = Work(threads=1), Event(), Opened()

    def takes_long(until_s: float, *, briefly: bool) -> str:
        assert briefly, until_s
        ends.wait(60)
        raise TakesLong

    async def ask() -> None:
        asked = asyncio.create_task(work.do_file(takes_long, using=file, is_long=False))
        await asyncio.sleep(0)
        asked.cancel()
        with suppress(asyncio.CancelledError):
            await asked

    asyncio.run(ask())
    ends.set()
    until(lambda: file.closed == 1, "the file is closed")


def test_what_cannot_be_done_in_time_is_refused_as_it_comes() -> None:
    work, ends = Work(threads=1, limit_s=20), Event()
    work._usual_s[Lane.SHORT] = 8.0  # as measured of files before

    async def ask() -> list[object]:
        asked = [
            asyncio.create_task(work.do(lambda _: ends.wait(60), using=nullcontext()))
            for _ in range(3)
        ]
        done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        refused = [asked.index(one) for one in done]
        ends.set()
        return [refused, *await asyncio.gather(*asked, return_exceptions=True)]

    refused, first, second, third = asyncio.run(ask())
    assert (refused, first, second) == ([2], True, True)
    assert isinstance(third, Unavailable)
