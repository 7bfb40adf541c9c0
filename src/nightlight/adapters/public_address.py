"""Which internet addresses are public: reachable by anyone, and nobody's inside."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

#: Public by their number, and yet not: a cloud's own services (Azure), relays to other addresses.
#: And space of protocols (a cloud's services among them) that Python 3.11 takes for public.
_NOT_PUBLIC_4 = (
    IPv4Network("168.63.129.16/32"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("192.0.0.0/24"),
)
#: The only space given out to the public; what lies outside maps, translates or stays inside.
_GIVEN_OUT = IPv6Network("2000::/3")
#: Within it: addresses that lead to others (6to4, Teredo and other protocols), documentation.
_NOT_PUBLIC_6 = (
    IPv6Network("2001::/23"),
    IPv6Network("2001:db8::/32"),
    IPv6Network("2002::/16"),
    IPv6Network("3fff::/20"),
)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether this is the address of somebody on the public internet.

    IPv6 addresses that carry an IPv4 address are none, whatever they carry.
    """
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    return address in _GIVEN_OUT and not any(address in network for network in _NOT_PUBLIC_6)
