"""Simulated exchanges as processes, and clients of them as the product makes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from tests.fakes.cybertip_store import HandClock
from tests.fakes.simulators import Simulator

from nightlight.adapters.exchange_http import HttpLimits
from nightlight.adapters.exchanges import Connector
from nightlight.exchange.client import EntryNames, ExchangeClient, Page
from nightlight.exchange.registry import Credentials, Exchange
from nightlight.model.bank import BankEntry

KEY = b"a key for names in tests"
NAMES = EntryNames(key=KEY, bank="zorble")
TOKEN = "99999999|sim"


class SimulatedExchange(Simulator):
    """One ``nightlight simulate`` process of an exchange."""

    def __init__(self, kind: str, *arguments: str) -> None:
        super().__init__(kind, *arguments)
        self.kind = kind
        self._http = httpx.Client(trust_env=False)

    def kill(self) -> None:
        """Kill the process without warning (SIGKILL)."""
        super().kill()
        self._http.close()

    def get(self, path: str) -> httpx.Response:
        """Return the answer to a GET."""
        return self._http.get(self.url + path)

    def fault(self, **fault: str | float) -> None:
        """Ask for a fault to come."""
        answer = self._http.post(self.url + "/_faults", json=fault)
        assert answer.status_code == 204, answer.text

    def clear_faults(self) -> None:
        """Forget every fault."""
        self._http.delete(self.url + "/_faults")

    def reset(self) -> None:
        """Hold what was held in the beginning, without faults."""
        assert self._http.post(self.url + "/_reset").status_code == 204

    def put(self, *listed: dict[str, Any]) -> None:
        """Hold these in place of those with their names."""
        answer = self._http.post(self.url + "/_put", json=list(listed))
        assert answer.status_code == 204, answer.text

    def delete(self, item_id: str, at_s: int) -> None:
        """Leave a tombstone (NCMEC)."""
        query = {"id": item_id, "at": str(at_s)}
        answer = self._http.post(self.url + "/_delete", params=query)
        assert answer.status_code == 204, answer.text

    def asked(self) -> list[str]:
        """Return the requests since the last reset."""
        found: list[str] = self.get("/_asked").json()
        return found

    def exchange(self, *, name: str = "Exampleton", **options: str) -> Exchange:
        """Return this exchange as an operator sets it up."""
        api, root, more = {
            "ncmec-hashes": ("ncmec", "/hashsharing", {}),
            "stopncii": ("stop_ncii", "/v1", {"own_name": "Ourselves"}),
            "threatexchange": ("fb_threatexchange", "/v26.0", {"privacy_group": "303636"}),
        }[self.kind]
        return Exchange(
            name=name,
            api=api,
            bank=NAMES.bank,
            options={"url": self.url + root, **more, **options},
        )

    def credentials(self, **given: str) -> Credentials:
        """Return what opens it."""
        fitting = {
            "ncmec-hashes": {"user": "sim", "password": "sim"},
            "stopncii": {
                "subscription_key": "sim",
                "fetch_function_key": "sim",
                "feedback_function_key": "sim",
            },
            "threatexchange": {"api_token": TOKEN},
        }[self.kind]
        return Credentials(values={**fitting, **given})


class Pauses(list[float]):
    """Remembers how long somebody was told to wait, and does not wait."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@contextmanager
def connected(
    simulator: SimulatedExchange,
    clock: HandClock,
    *,
    pauses: Pauses | None = None,
    limits: HttpLimits | None = None,
    credentials: Credentials | None = None,
    **options: str,
) -> Iterator[ExchangeClient]:
    """Connect to an exchange, and never wait in earnest."""
    connector = Connector(clock=clock, pause=Pauses() if pauses is None else pauses, limits=limits)
    client = connector(simulator.exchange(**options), credentials or simulator.credentials(), NAMES)
    try:
        yield client
    finally:
        client.close()


class Mirror:
    """What a bank would hold after pages, by their own rule."""

    def __init__(self) -> None:
        self.entries: dict[str, dict[str, BankEntry]] = {}
        self.pages: list[Page] = []
        self.checkpoint = ""

    def take(self, page: Page) -> None:
        named: dict[str, dict[str, BankEntry]] = {}
        for entry in page.entries:
            named.setdefault(entry.source_ref, {})[entry.id] = entry
        for ref in named.keys() | page.incomplete | set(page.withdrawn):
            kept = self.entries.get(ref, {}) if ref in page.incomplete else {}
            self.entries[ref] = kept | named.get(ref, {})
        self.pages.append(page)
        self.checkpoint = page.checkpoint

    def fetch(self, client: ExchangeClient, *, pages: int | None = None) -> None:
        """Take pages in until the exchange has no more, or a number of them."""
        stream = client.fetch(self.checkpoint)
        for count, page in enumerate(stream, start=1):
            self.take(page)
            if count == pages:
                return

    def hashes(self) -> set[tuple[str, str, str]]:
        """Return what is held: reference, kind and value."""
        return {
            (entry.source_ref, entry.kind.value, entry.value)
            for found in self.entries.values()
            for entry in found.values()
        }

    def values(self, kind: str) -> set[str]:
        """Return the values of one kind."""
        return {value for _, one, value in self.hashes() if one == kind}

    def entry(self, value: str) -> BankEntry:
        """Return the entry with this value."""
        (found,) = (
            entry
            for some in self.entries.values()
            for entry in some.values()
            if entry.value == value
        )
        return found
