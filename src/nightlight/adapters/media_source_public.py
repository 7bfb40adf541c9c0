"""Fetches media from any public address, and from nowhere else.

For look-ups by address, where no operator has named the place. A name is resolved once, what it
resolves to is checked, and the connection goes to what was checked: a name that answers otherwise
a moment later (DNS rebinding) changes nothing. Redirects are new addresses, checked again.
"""

import socket
import ssl
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from time import monotonic

import httpx

from nightlight.adapters.media_download import HEADERS, DownloadLimits, taken_in
from nightlight.adapters.public_address import is_public
from nightlight.adapters.spool import SpooledFile
from nightlight.errors import InvalidInput, NotPermitted, Unavailable

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], list[Address]]

_REDIRECTS = 3
_PORTS = {"http": 80, "https": 443}


def resolve(host: str, port: int) -> list[Address]:
    """Return the addresses of a host as the system knows them, most wanted first.

    Raises:
        OSError: the name has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # An IPv6 address of a link carries the link's name behind "%".
    return [ip_address(str(one[4][0]).partition("%")[0]) for one in found]


class PublicMediaSource:
    """GETs from public addresses over HTTP and HTTPS, on the ports of these."""

    def __init__(
        self,
        *,
        allow_hosts: tuple[str, ...] = (),
        limits: DownloadLimits | None = None,
        spool: Path | None = None,
        resolve: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Keep the limits.

        Args:
            allow_hosts: hosts of the operator's own, as "host" or "host:port", that may also
                have addresses that are not public, or listen at another port.
            limits: what may be fetched, and how slowly.
            spool: where a large file lies meanwhile, encrypted.
            resolve: finds the addresses of a name.
            tls: whom to trust, by default whom the system trusts.
        """
        self._allowed = frozenset(one.lower() for one in allow_hosts)
        self._limits = limits or DownloadLimits()
        self._spool = spool
        self._resolve = resolve
        # No proxy: it would resolve the name again. No kept connections: they are made to an
        # address, for one host, and must not serve another host at the same address.
        self._client = httpx.Client(
            timeout=self._limits.timeout_s,
            follow_redirects=False,
            headers=HEADERS,
            trust_env=False,
            verify=tls or ssl.create_default_context(),
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def fetch(self, url: str) -> SpooledFile:
        """Return a file, to be closed by the caller.

        Raises:
            Unavailable: it cannot be had now.
            NotPermitted: the place is not public.
            InvalidInput: the address is not one, or the file is larger than allowed.
        """
        since = monotonic()
        try:
            address = httpx.URL(url)
            for _ in range(_REDIRECTS + 1):
                with self._client.stream(
                    "GET",
                    self._pinned(address),
                    headers={"host": address.netloc.decode("ascii")},
                    extensions={"sni_hostname": address.raw_host.decode("ascii")},
                ) as answer:
                    if not answer.has_redirect_location:
                        return taken_in(
                            answer, limits=self._limits, folder=self._spool, since=since
                        )
                    address = address.join(answer.headers["location"])
                if monotonic() > since + self._limits.whole_s:
                    raise Unavailable("the media server is too slow")
        except httpx.InvalidURL as error:
            raise InvalidInput("not an address", field="url") from error
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable(f"the media server fails: {type(error).__name__}") from error
        raise Unavailable("the media server redirects too often")

    def _pinned(self, url: httpx.URL) -> httpx.URL:
        """Return the address with the host replaced by where it is, which is checked.

        Raises:
            NotPermitted: the place is not public.
            InvalidInput: the address is none that media is fetched from.
            Unavailable: the name has no address.
        """
        if url.scheme not in _PORTS or not url.host:
            raise InvalidInput("only http and https addresses are fetched", field="url")
        if url.userinfo:
            raise InvalidInput("an address with a user in it is not fetched", field="url")
        host = url.raw_host.decode("ascii").lower()
        port = url.port or _PORTS[url.scheme]
        named = f"{host}:{port}" in self._allowed
        if port not in _PORTS.values() and not named:
            raise NotPermitted("media is not fetched from this port", field="url")
        try:
            found = self._resolve(host, port)
        except (OSError, ValueError) as error:
            raise Unavailable("the media server's name has no address") from error
        if not named and host not in self._allowed:
            found = [one for one in found if is_public(one)]
        if not found:
            raise NotPermitted("media is not fetched from this place", field="url")
        return url.copy_with(host=str(found[0]))
