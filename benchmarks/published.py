"""What others say of their engines; not measured here, so only ratios of orders of magnitude."""

from msgspec import Struct


class Published(Struct, frozen=True, kw_only=True):
    """Events a second that an engine is reported to evaluate, on one core."""

    engine: str
    rules: int
    least: int
    most: int

    def ratio(self, events_per_s: float) -> str:
        """Return how many times as many events a second were measured here."""
        return f"{events_per_s / self.most:,.1f} to {events_per_s / self.least:,.1f} times"


#: The Osprey rule engine, rules of three comparisons; it cannot be installed from PyPI.
OSPREY = (
    Published(engine="Osprey", rules=1, least=1_800, most=2_800),
    Published(engine="Osprey", rules=100, least=122, most=132),
)


def osprey(rules: int) -> Published | None:
    """Return the figures for this number of rules, None where there are none."""
    return next((one for one in OSPREY if one.rules == rules), None)


#: Meta's HMA, which cannot be installed here, with 100,000 hashes and 4 clients on two shared cores
#: of a machine like this one: its own server (gunicorn), PostgreSQL and FAISS.
HMA_LOOKUPS_PER_S = 114.0
HMA_LOOKUP_P50_MS = 8.4
HMA_RAW_LOOKUP_P50_MS = 4.8
HMA_JPEG_LOOKUP_MS = 75.0
