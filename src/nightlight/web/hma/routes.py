"""Every route of the HMA interface, over ``Services``."""

from starlette.routing import Route

from nightlight.pipeline import Rules
from nightlight.services import Services
from nightlight.web.auth import Gate
from nightlight.web.fresh import Fresh
from nightlight.web.hma.banks import bank_routes
from nightlight.web.hma.configuration import configuration_routes
from nightlight.web.hma.contents import content_routes
from nightlight.web.hma.current import Current
from nightlight.web.hma.exchanges import exchange_routes
from nightlight.web.hma.files import Files
from nightlight.web.hma.hashing import hashing_routes
from nightlight.web.hma.hooks import hook_routes
from nightlight.web.hma.matching import matching_routes
from nightlight.web.hma.status import status_routes
from nightlight.web.work import Work


def hma_routes(services: Services, gate: Gate, rules: Fresh[Rules]) -> list[Route]:
    """Return the routes, those asked most first."""
    current = Current(rules, services.matcher, services.clock)
    files = Files(services.screening, Work())
    routes = [
        *matching_routes(gate, current, files),
        *hashing_routes(gate, files),
        *content_routes(
            gate,
            services.banks,
            current,
            files,
            unit_of_work=services.unit_of_work,
            clock=services.clock,
        ),
        *bank_routes(gate, services.banks, current),
        *exchange_routes(
            gate,
            services.exchanges,
            current,
            services.unit_of_work,
            public_only=not services.settings.hma_test_hooks,
        ),
        *configuration_routes(gate, current),
    ]
    if services.settings.hma_test_hooks:
        routes.extend(hook_routes(gate, services, current))
    routes.extend(status_routes(gate, current, [*(one.path for one in routes), "/status"]))
    return routes
