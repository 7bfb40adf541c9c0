"""Makes the client of an exchange from what the operator told of it."""

from collections.abc import Callable

from nightlight.adapters.exchange_http import ExchangeHttp, HttpLimits
from nightlight.adapters.exchange_ncmec import NcmecExchange, NcmecOptions
from nightlight.adapters.exchange_stopncii import StopNciiExchange, StopNciiKeys
from nightlight.adapters.exchange_threatexchange import ThreatExchange
from nightlight.audit.clock import Clock
from nightlight.errors import InvalidInput
from nightlight.exchange.apis import NCMEC, SAMPLE, STOPNCII, THREATEXCHANGE, Api, offered
from nightlight.exchange.client import EntryNames, ExchangeClient
from nightlight.exchange.registry import Credentials, Exchange
from nightlight.exchange.sample import SampleExchange

_ALL = offered(sample=True)


class Connector:
    """Connects to any exchange."""

    def __init__(
        self, *, clock: Clock, pause: Callable[[float], None], limits: HttpLimits | None = None
    ) -> None:
        """Keep the parts; ``pause`` waits as many seconds as it is told."""
        self._clock = clock
        self._pause = pause
        self._limits = limits

    def __call__(
        self, exchange: Exchange, credentials: Credentials, names: EntryNames
    ) -> ExchangeClient:
        """Return the client; nothing was sent yet.

        Raises:
            InvalidInput: an option or credential is missing or cannot be right.
        """
        api = _ALL.get(exchange.api)
        if api is None:
            raise InvalidInput(f"no exchange API {exchange.api!r}", field="api")
        api.check(exchange.options, credentials.values)
        match api.name:
            case NCMEC.name:
                return self._ncmec(exchange, credentials, names)
            case STOPNCII.name:
                return self._stopncii(exchange, credentials, names)
            case THREATEXCHANGE.name:
                return self._threatexchange(exchange, credentials, names)
            case SAMPLE.name:
                return SampleExchange(names)
            case _:
                raise InvalidInput(f"no client for {api.name}", field="api")

    def _ncmec(
        self, exchange: Exchange, credentials: Credentials, names: EntryNames
    ) -> ExchangeClient:
        opened = credentials.values
        members = NCMEC.option(exchange.options, "only_members").split(",")
        return NcmecExchange(
            http=self._http(NCMEC, exchange, auth=(opened["user"], opened["password"])),
            names=names,
            clock=self._clock,
            options=NcmecOptions(
                overlap_s=_overlap_s(NCMEC, exchange),
                only_members=frozenset(one.strip() for one in members if one.strip()),
                negative_reason=NCMEC.option(exchange.options, "negative_reason"),
            ),
        )

    def _stopncii(
        self, exchange: Exchange, credentials: Credentials, names: EntryNames
    ) -> ExchangeClient:
        opened = credentials.values
        return StopNciiExchange(
            http=self._http(STOPNCII, exchange),
            names=names,
            clock=self._clock,
            keys=StopNciiKeys(
                subscription=opened["subscription_key"],
                fetch=opened["fetch_function_key"],
                feedback=opened.get("feedback_function_key", ""),
            ),
            overlap_s=_overlap_s(STOPNCII, exchange),
            own_name=STOPNCII.option(exchange.options, "own_name"),
        )

    def _threatexchange(
        self, exchange: Exchange, credentials: Credentials, names: EntryNames
    ) -> ExchangeClient:
        return ThreatExchange(
            http=self._http(THREATEXCHANGE, exchange),
            names=names,
            clock=self._clock,
            privacy_group=exchange.options["privacy_group"],
            api_token=credentials.values["api_token"],
            overlap_s=_overlap_s(THREATEXCHANGE, exchange),
        )

    def _http(
        self, api: Api, exchange: Exchange, *, auth: tuple[str, str] | None = None
    ) -> ExchangeHttp:
        return ExchangeHttp(
            name=api.title,
            base_url=api.option(exchange.options, "url"),
            clock=self._clock,
            pause=self._pause,
            auth=auth,
            limits=self._limits,
            public_only=exchange.public_only,
        )


def _overlap_s(api: Api, exchange: Exchange) -> int:
    text = api.option(exchange.options, "overlap_s")
    if not text.isdecimal() or len(text) > 7:  # noqa: PLR2004  seven digits are 115 days
        raise InvalidInput("not a number of seconds", field="overlap_s")
    return int(text)
