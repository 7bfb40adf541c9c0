"""Slow work holds up its own kind alone, and is told how long it has."""

import asyncio
from contextlib import nullcontext
from threading import Event
from time import monotonic

import pytest

from nightlight.errors import Unavailable
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
