"""HTTP to exchanges: one origin, bounded answers, and patience with partners in trouble.

No text of an answer and no query goes into an error: both can hold hashes or credentials.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx
from msgspec import Struct

from nightlight.adapters.media_source_public import Resolve, resolve
from nightlight.adapters.public_address import is_public
from nightlight.audit.clock import Clock
from nightlight.errors import InvalidInput, NotPermitted, Unavailable

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_BACKOFF_S = (0.5, 2.0, 8.0)
_READ_TIMES = 3
_T = TypeVar("_T")


class HttpLimits(Struct, frozen=True, kw_only=True):
    """How much of a partner is borne.

    Attributes:
        timeout_s: for each step of a call.
        answer_s: for a whole answer.
        answer_bytes: of an answer, unpacked.
        wait_s: the longest wait that a partner may ask for while a fetch goes on.
    """

    timeout_s: float = 30.0
    answer_s: float = 300.0
    answer_bytes: int = 64 * 1024 * 1024
    wait_s: float = 60.0


class Answer(Struct, frozen=True, kw_only=True):
    """What came back: 2xx, or a 4xx that may mean something to the caller."""

    status: int
    body: bytes

    def __repr__(self) -> str:
        return f"<Answer {self.status}: masked>"


class ExchangeHttp:
    """Calls below one base address, with the credentials of one exchange."""

    def __init__(
        self,
        *,
        name: str,
        base_url: str,
        clock: Clock,
        pause: Callable[[float], None],
        auth: tuple[str, str] | None = None,
        limits: HttpLimits | None = None,
        public_only: bool = False,
        resolve: Resolve = resolve,
    ) -> None:
        """Prepare to call ``base_url``; ``name`` stands in errors.

        With ``public_only`` each call goes to an address that was found to be public just before.

        Raises:
            InvalidInput: the address is not HTTPS, and not on this machine.
        """
        self._base = httpx.URL(base_url.rstrip("/"))
        local = self._base.scheme == "http" and self._base.host in _LOOPBACK
        if self._base.scheme != "https" and not local:
            raise InvalidInput(f"{name} is reached over https only", field="url")
        self._name = name
        self._clock = clock
        self._pause = pause
        self._limits = limits or HttpLimits()
        self._public_only = public_only
        self._resolve = resolve
        self._client = httpx.Client(
            auth=auth,
            timeout=self._limits.timeout_s,
            follow_redirects=False,
            trust_env=False,  # settings/ is the only reader of the environment
        )

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def url(self, link: str) -> httpx.URL:
        """Return the address that a link of this exchange names.

        A link may be absolute, or relative to the base address.

        Raises:
            Unavailable: it leads to another host, which gets no credentials.
        """
        try:
            found = httpx.URL(link)
            if not found.is_absolute_url and not link.startswith("//"):
                path = self._base.raw_path.decode()
                within = link.startswith((path.rstrip("/") + "/", path + "?"))
                found = self._base.join(link) if within else httpx.URL(f"{self._base}{link}")
        except httpx.InvalidURL:
            raise Unavailable(f"{self._name} gave a link that is none") from None
        if _origin(found) != _origin(self._base) or found.userinfo:
            raise Unavailable(f"{self._name} gave a link to another host; it was not followed")
        return found

    def get(
        self, link: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] = {}
    ) -> Answer:
        """Return the answer to a GET; ``params`` are added to the link's own.

        Raises:
            Unavailable: no usable answer, also after some patience.
            NotPermitted: the credentials are not taken.
        """
        url = self.url(link)
        return self._patiently("GET", url.copy_merge_params(params or {}), b"", headers)

    def send(self, method: str, link: str, body: bytes, *, headers: Mapping[str, str]) -> Answer:
        """Return the answer to a call that says something, and may be said again.

        Raises:
            Unavailable: no usable answer, also after some patience.
            NotPermitted: the credentials are not taken.
        """
        return self._patiently(method, self.url(link), body, headers)

    def _patiently(
        self, method: str, url: httpx.URL, body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        for wait_s in (*_BACKOFF_S, None):
            try:
                return self._once(method, url, body, headers)
            except _TryAgain as trouble:
                asked_s = wait_s if trouble.wait_s is None else trouble.wait_s
                if wait_s is None or asked_s is None or asked_s > self._limits.wait_s:
                    raise Unavailable(str(trouble)) from trouble
                self._pause(max(wait_s, asked_s))
        raise AssertionError("the last try returns or raises")

    def _once(self, method: str, url: httpx.URL, body: bytes, headers: Mapping[str, str]) -> Answer:
        at, given, extensions = url, dict(headers), {}
        if self._public_only:
            at = url.copy_with(host=self._public_host(url))
            given["host"] = url.netloc.decode("ascii")
            extensions = {"sni_hostname": url.raw_host.decode("ascii")}
        try:
            with self._client.stream(
                method, at, content=body, headers=given, extensions=extensions
            ) as response:
                self._check(response)
                return Answer(status=response.status_code, body=self._read(response))
        except (httpx.HTTPError, httpx.StreamError) as error:
            # The library's own message may show the query; its type says all that helps.
            said = f"{self._name} did not answer {url.path}: {type(error).__name__}"
            raise _TryAgain(said) from None

    def _public_host(self, url: httpx.URL) -> str:
        """Return a public address of the host: what is called is what was looked at.

        Raises:
            Unavailable: it has none.
        """
        found = public_addresses(url, self._resolve)
        if not found:
            raise Unavailable(f"{self._name} has no public address; it was not called")
        return found[0]

    def _check(self, response: httpx.Response) -> None:
        status, path = response.status_code, response.url.path
        if status in (401, 403):
            raise NotPermitted(
                f"credentials refused: {self._name} answered {status} to {path}",
                hint="`nightlight exchange set` takes new ones",
            )
        if status == 429 or status >= 500:  # noqa: PLR2004  HTTP's own numbers
            wait_s = self._retry_after(response.headers.get("Retry-After", ""))
            asks = f", and asks to wait {wait_s:.0f} s" if wait_s else ""
            raise _TryAgain(f"{self._name} answered {status} to {path}{asks}", wait_s)
        if response.is_redirect:
            raise Unavailable(f"{self._name} redirects {path}; it was not followed")

    def _read(self, response: httpx.Response) -> bytes:
        latest = self._clock.now() + timedelta(seconds=self._limits.answer_s)
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self._limits.answer_bytes:
                raise Unavailable(f"{self._name} answered more than is taken at once")
            if self._clock.now() > latest:
                raise Unavailable(f"{self._name} took too long over one answer")
        return bytes(body)

    def _retry_after(self, text: str) -> float | None:
        """Return the seconds that a Retry-After header asks for, None where it asks for none."""
        if text.isdecimal():
            return float(text)
        try:
            until = parsedate_to_datetime(text)
        except ValueError:
            return None
        at = until if until.tzinfo else until.replace(tzinfo=UTC)
        return max(0.0, (at - self._clock.now()).total_seconds())


class _TryAgain(Exception):  # noqa: N818  says what to do
    """The partner is in trouble, which may pass."""

    def __init__(self, said: str, wait_s: float | None = None) -> None:
        super().__init__(said)
        self.wait_s = wait_s


def leads_outside(url: str) -> bool:
    """Return whether every address of this URL's host is a public one now."""
    try:
        return bool(public_addresses(httpx.URL(url)))
    except httpx.InvalidURL:
        return False


def public_addresses(url: httpx.URL, resolve: Resolve = resolve) -> list[str]:
    """Return the host's addresses if all are public; none where one is not, or there is none."""
    try:
        found = resolve(url.raw_host.decode("ascii"), url.port or 443)
    except (OSError, ValueError):
        return []
    return [str(one) for one in found] if all(is_public(one) for one in found) else []


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host, url.port or default


def read_or_fault(
    ask: Callable[[], bytes], read: Callable[[bytes], _T]
) -> tuple[bytes, _T | InvalidInput]:
    """Return a page and what it says, or what is wrong with it also when asked for again."""
    document = ask()
    for again in range(_READ_TIMES):
        try:
            return document, read(document)
        except InvalidInput as fault:
            if again == _READ_TIMES - 1:
                return document, fault
            document = ask()
    raise AssertionError("the last reading returns")


def seconds_since(clock: Clock, at: datetime | None) -> float:
    """Return how long ago something was, infinity for never."""
    return float("inf") if at is None else (clock.now() - at).total_seconds()
