"""Fetches media from where the operator allows: one folder, and named origins."""

from collections.abc import Iterable
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import httpx

from nightlight.adapters.media_download import HEADERS, DownloadLimits, taken_in
from nightlight.adapters.spool import Spool, SpooledFile
from nightlight.errors import InvalidInput, NotPermitted, Unavailable

_CHUNK = 1 << 18


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
        limits: DownloadLimits | None = None,
        spool: Path | None = None,
    ) -> None:
        """Keep the places.

        Args:
            root: the folder whose files may be read, None for no folder.
            origins: from where files may be fetched.
            limits: what may be fetched, and how slowly.
            spool: where a large file lies meanwhile, encrypted.

        Raises:
            InvalidInput: an origin is no address.
        """
        self._root = root.resolve() if root else None
        try:
            self._origins = frozenset(_origin(httpx.URL(origin)) for origin in origins)
        except httpx.InvalidURL as error:
            raise InvalidInput("not an origin", field="NIGHTLIGHT_MEDIA_ORIGINS") from error
        self._limits = limits or DownloadLimits()
        self._spool = spool
        self._client = httpx.Client(
            timeout=self._limits.timeout_s, follow_redirects=False, headers=HEADERS
        )

    def fetch(self, url: str) -> SpooledFile:
        """Return a file, to be closed by the caller.

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

    def _read(self, name: str) -> SpooledFile:
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
                return self._spooled(iter(lambda: file.read(_CHUNK), b""))
        except (OSError, ValueError, RuntimeError) as error:
            raise Unavailable("the file cannot be read below the media root") from error

    def _spooled(self, parts: Iterable[bytes]) -> SpooledFile:
        with Spool(max_bytes=self._limits.max_bytes, folder=self._spool) as spool:
            for part in parts:
                spool.write(part)
            return spool.finish()

    def _get(self, url: httpx.URL) -> SpooledFile:
        since = monotonic()
        try:
            with self._client.stream("GET", url) as answer:
                return taken_in(answer, limits=self._limits, folder=self._spool, since=since)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise Unavailable(f"the media server fails: {type(error).__name__}") from error


def _origin(address: httpx.URL) -> tuple[str, bytes, int | None]:
    """Return scheme, host and port; a scheme's own port is the same as none (None)."""
    return (address.scheme, address.raw_host, address.port)
