"""``/dev``: two hooks for the tests of clients; never there unless a setting says so.

``factory_reset`` empties every bank and exchange and lets numbers begin at 1 again, as tests that
were written for HMA expect.
"""

from contextlib import suppress

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nightlight.errors import NightlightError
from nightlight.model.audit import AuditEntry
from nightlight.services import Services
from nightlight.services.tokens import Scope
from nightlight.web.auth import Gate
from nightlight.web.hma.answers import answered
from nightlight.web.hma.current import Current
from nightlight.web.problems import json_answer


def hook_routes(gate: Gate, services: Services, current: Current) -> list[Route]:
    """Return the routes."""

    async def factory_reset(request: Request) -> Response:
        caller = await gate.admit(request, Scope.BANKS)
        await gate.admit(request, Scope.EXCHANGES)

        def reset() -> None:
            with services.unit_of_work.begin() as tx:
                tx.forget_banks()
                tx.commit(
                    AuditEntry(
                        actor=caller.name,
                        action="test.reset",
                        subject="banks and exchanges",
                        reason="a test hook was called",
                    )
                )
            services.matcher.forget()

        await run_in_threadpool(reset)
        await current.changed()
        return json_answer({"message": "Done"})

    async def run_fetch(request: Request) -> Response:
        await gate.admit(request, Scope.EXCHANGES)

        def fetch() -> list[str]:
            done = []
            for name in [one.name for one in services.exchanges.all() if one.enabled]:
                # One that fails has its failure noted, and does not keep the others from fetching.
                with suppress(NightlightError):
                    services.exchanges.fetch(name, take_over=True)
                    done.append(name)
            return done

        fetched = await run_in_threadpool(fetch)
        await current.changed()
        return json_answer({"message": "Done", "fetched": fetched})

    return [
        Route("/dev/factory_reset", answered(factory_reset), methods=["POST"]),
        Route("/dev/run_fetch", answered(run_fetch), methods=["POST"]),
    ]
