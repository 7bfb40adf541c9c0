"""How often an address may show credentials that are none."""

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address, ip_network

from nightlight.services.tokens import Bucket

#: So many at once, and one more every three seconds.
_AT_ONCE = 20
_PER_SECOND = 1 / 3
_ADDRESSES_KNOWN = 10_000


class Attempts:
    """Counts failed attempts by address; an IPv6 network of one customer counts as one."""

    def __init__(self) -> None:
        self._left: OrderedDict[str, Bucket] = OrderedDict()

    def note_failure(self, address: str) -> None:
        """Count a failed attempt."""
        name = _network(address)
        left = self._left.setdefault(name, Bucket(_PER_SECOND, at_once=_AT_ONCE))
        self._left.move_to_end(name)
        while len(self._left) > _ADDRESSES_KNOWN:
            self._left.popitem(last=False)
        left.take()

    def wait_s(self, address: str) -> float:
        """Return for how many seconds attempts of this address are refused unseen, 0.0 if not."""
        left = self._left.get(_network(address))
        return left.wait_s() if left else 0.0


def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)
