"""The overview's live parts, pushed as server-sent events when they changed.

However many consoles are open, the store is read once for all of them, at most once a second and
never for more than a tenth of the time.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

from starlette.concurrency import run_in_threadpool

from nightlight.errors import Unavailable
from nightlight.services import Services
from nightlight.web.console.readings import overview
from nightlight.web.console.render import Renderer

#: Event name -> template; ``overview.html`` shows the same templates on load.
PARTS: Mapping[str, str] = {
    "stages": "part_stages.html",
    "health": "part_health.html",
    "events": "part_events.html",
    "decisions": "part_decisions.html",
    "cases": "part_cases.html",
    "tips": "part_tips.html",
}
_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0
_PAUSE_FOR_COST = 9
#: A comment so often tells both ends that the other is still there.
_KEEP_ALIVE_S = 15.0
#: Ages grow by themselves in the browser: they are no news.
_AGE = re.compile(r">[^<]*</time>")


class Live:
    """Reads the overview for every stream that is open."""

    def __init__(self, services: Services, renderer: Renderer) -> None:
        self._services = services
        self._renderer = renderer
        self._reading = asyncio.Lock()
        self._parts: dict[str, str] = {}
        self._next_s = 0.0
        self._ended = asyncio.Event()

    def end(self) -> None:
        """End every stream, so that a server that waits for its answers can stop."""
        self._ended.set()

    async def stream(self) -> AsyncIterator[str]:
        """Yield each part that changed; ends with ``end`` or when the browser goes."""
        loop = asyncio.get_running_loop()
        sent: dict[str, str] = {}
        said_s = loop.time()
        yield "retry: 2000\n\n"
        while not self._ended.is_set():
            for name, part in (await self._read()).items():
                news = _AGE.sub(">", part)
                if sent.get(name) != news:
                    sent[name] = news
                    said_s = loop.time()
                    yield _event(name, part)
            if loop.time() - said_s > _KEEP_ALIVE_S:
                said_s = loop.time()
                yield ": still here\n\n"
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), _PAUSE_S)

    async def _read(self) -> dict[str, str]:
        """Return the parts, read again if that is due."""
        loop = asyncio.get_running_loop()
        async with self._reading:
            began_s = loop.time()
            if began_s >= self._next_s:
                self._parts = await run_in_threadpool(self._draw)
                cost_s = loop.time() - began_s
                pause_s = min(max(_PAUSE_S * 0.9, _PAUSE_FOR_COST * cost_s), _LONGEST_PAUSE_S)
                self._next_s = loop.time() + pause_s
        return self._parts

    def _draw(self) -> dict[str, str]:
        try:
            shown = overview(self._services, {})
        except Unavailable:
            return {"health": self._renderer.page("part_no_database.html", {})}
        return {name: self._renderer.page(template, shown) for name, template in PARTS.items()}


def _event(name: str, part: str) -> str:
    data = "".join(f"data: {line}\n" for line in part.splitlines() if line.strip())
    return f"event: {name}\n{data}\n"
