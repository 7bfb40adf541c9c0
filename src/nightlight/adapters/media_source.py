"""Fetches media from where the operator allows: one folder, and named origins."""

from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import httpx

from nightlight.errors import InvalidInput, NotPermitted, Unavailable

_CHUNK = 1 << 16


class ConfiguredMediaSource:
    """Reads files below a root, and GETs from allowed origins without following redirects.

    An address in an event is input from outside: whatever the operator has not named is refused,
    so an event cannot make Nightlight read its own machine or network (SSRF).
    """

    def __init__(
        self,
        *,
        root: Path | None,
        origins: tuple[str, ...],
        max_bytes: int = 64 << 20,
        timeout_s: float = 20.0,
        whole_s: float = 60.0,
    ) -> None:
        """Keep the places.

        Raises:
            InvalidInput: an origin is no address.
        """
        self._root = root.resolve() if root else None
        try:
            self._origins = frozenset(_origin(httpx.URL(origin)) for origin in origins)
        except httpx.InvalidURL as error:
            raise InvalidInput("not an origin", field="NIGHTLIGHT_MEDIA_ORIGINS") from error
        self._max_bytes = max_bytes
        self._whole_s = whole_s
        self._client = httpx.Client(timeout=timeout_s, follow_redirects=False)

    def fetch(self, url: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            Unavailable: it cannot be had now.
            NotPermitted: the operator has not allowed this place.
            InvalidInput: the address is not one, or the file is larger than allowed.
        """
        try:
            parts = urlsplit(url)
            if not parts.scheme and not parts.netloc:
                return self._read(parts.path)
            # Judged as the client reads it: two readings of one address are how checks are fooled.
            address = httpx.URL(url)
        except (ValueError, httpx.InvalidURL) as error:
            raise InvalidInput("not an address", field="media.url") from error
        if _origin(address) not in self._origins or address.userinfo:
            raise NotPermitted(
                "media may not be fetched from this origin",
                field="media.url",
                hint="add it to NIGHTLIGHT_MEDIA_ORIGINS if it is the platform's own",
            )
        return self._get(address)

    def _read(self, name: str) -> bytes:
        if self._root is None:
            raise NotPermitted(
                "no media root is configured", field="media.url", hint="set NIGHTLIGHT_MEDIA_ROOT"
            )
        try:
            path = (self._root / name).resolve()
            if not path.is_relative_to(self._root):
                raise NotPermitted("the path leaves the media root", field="media.url")
            if not path.is_file():  # A pipe or device would never end.
                raise Unavailable("there is no such file below the media root")
            with path.open("rb") as file:
                body = file.read(self._max_bytes + 1)
        except (OSError, ValueError, RuntimeError) as error:
            raise Unavailable("the file cannot be read below the media root") from error
        if len(body) > self._max_bytes:
            raise InvalidInput("the file is larger than allowed", field="media.url")
        return body

    def _get(self, url: httpx.URL) -> bytes:
        # httpx limits each read, not the whole: a server that trickles would hold the worker.
        latest = monotonic() + self._whole_s
        try:
            with self._client.stream("GET", url) as answer:
                if not answer.is_success:
                    raise Unavailable(f"the media server answers {answer.status_code}")
                body = bytearray()
                for chunk in answer.iter_bytes(_CHUNK):
                    body += chunk
                    if monotonic() > latest:
                        raise Unavailable("the media server is too slow")
                    if len(body) > self._max_bytes:
                        raise InvalidInput("the file is larger than allowed", field="media.url")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise Unavailable(f"the media server fails: {type(error).__name__}") from error
        return bytes(body)


def _origin(address: httpx.URL) -> tuple[str, bytes, int | None]:
    """Return scheme, host and port; a scheme's own port is the same as none (None)."""
    return (address.scheme, address.raw_host, address.port)
