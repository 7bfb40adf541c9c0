"""A server on loopback, for the adapters that speak HTTP."""

from collections.abc import Iterator

import pytest
from tests.fakes.http_server import LoopbackServer, serve


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with serve() as told:
        yield told
